#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# scripts/install-firecracker: what is published is what is installed, or nothing.

load lib

setup() {
	need curl python3 sha256sum
	SCRIPT="$BATS_TEST_DIRNAME/../../scripts/install-firecracker"
	ARCH=$(uname -m)
	SITE="$BATS_TEST_TMPDIR/site"
	BIN="$BATS_TEST_TMPDIR/bin"
	mkdir -p "$SITE" "$BIN"
	python3 -u - "$SITE" >"$BATS_TEST_TMPDIR/port" 2>/dev/null 3>&- <<-'EOF' &
		import functools, http.server, sys
		handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=sys.argv[1])
		server = http.server.HTTPServer(("127.0.0.1", 0), handler)
		print(server.server_address[1])
		server.serve_forever()
	EOF
	SERVER=$!
	fb_wait_until test -s "$BATS_TEST_TMPDIR/port"
	FIRECRACKER_URL="http://127.0.0.1:$(cat "$BATS_TEST_TMPDIR/port")/download"
	export FIRECRACKER_URL
}

teardown() {
	[ -z "${SERVER:-}" ] || kill "$SERVER"
}

# publish VERSION [SAID]: a release, whose programs call themselves SAID
publish() {
	local name=release-v$1-$ARCH program place="$SITE/download/v$1"
	ARCHIVE="$place/firecracker-v$1-$ARCH.tgz"
	mkdir -p "$BATS_TEST_TMPDIR/$name" "$place"
	for program in firecracker jailer; do
		printf '#!/bin/sh\necho "%s v%s"\n' "$program" "${2:-$1}" \
			>"$BATS_TEST_TMPDIR/$name/$program-v$1-$ARCH"
	done
	tar -czf "$ARCHIVE" -C "$BATS_TEST_TMPDIR" "$name"
	(cd "$place" && sha256sum "${ARCHIVE##*/}" >"${ARCHIVE##*/}.sha256.txt")
}

nothing_installed() {
	is "$(ls -A "$BIN")" ""
}

@test "a release is installed, both programs, and replaces an older one" {
	publish 1.15.0
	publish 1.16.1
	run "$SCRIPT" 1.15.0 "$BIN"
	is "$status" 0
	is "$("$BIN/firecracker")" "firecracker v1.15.0"
	run "$SCRIPT" v1.16.1 "$BIN"
	is "$status" 0
	is "$output" "$BIN/firecracker: version 1.16.1
$BIN/jailer: version 1.16.1"
	is "$("$BIN/firecracker")" "firecracker v1.16.1"
	is "$("$BIN/jailer")" "jailer v1.16.1"
	is "$(ls -A "$BIN")" "firecracker
jailer"
}

@test "an archive that is not the published one is refused" {
	publish 1.16.1
	printf 'x' >>"$ARCHIVE"
	run "$SCRIPT" 1.16.1 "$BIN"
	is "$status" 1
	has "$output" "is published: nothing installed"
	nothing_installed
}

@test "no checksum, none of this archive, and none at all are refused" {
	publish 1.16.1
	sed -i 's/firecracker-/other-/' "$ARCHIVE.sha256.txt"
	run "$SCRIPT" 1.16.1 "$BIN"
	is "$status" 1
	has "$output" "is about 'other-v1.16.1-$ARCH.tgz'"
	echo "<html>not here</html>" >"$ARCHIVE.sha256.txt"
	run "$SCRIPT" 1.16.1 "$BIN"
	has "$output" "holds no SHA-256"
	: >"$ARCHIVE.sha256.txt"
	run "$SCRIPT" 1.16.1 "$BIN"
	has "$output" "is empty"
	rm "$ARCHIVE.sha256.txt"
	run "$SCRIPT" 1.16.1 "$BIN"
	is "$status" 1
	has "$output" "can't get $FIRECRACKER_URL/v1.16.1/firecracker-v1.16.1-$ARCH.tgz.sha256.txt"
	nothing_installed
}

@test "versions that are none, or too old, ask no server" {
	local version
	for version in 1 1.16 1.16.1.2 1.16.x ../1.1.1 1..1 " 1.16.1" 1.16.1/..; do
		run "$SCRIPT" "$version" "$BIN"
		is "$status" 1
		has "$output" "is no version such as 1.16.1"
	done
	run "$SCRIPT" 1.9.1 "$BIN"
	is "$status" 1
	has "$output" "too old"
	run "$SCRIPT"
	is "$status" 2
	nothing_installed
}

@test "a program that says another version, a link in its place, or none is refused" {
	publish 1.16.1 1.16.0
	run "$SCRIPT" 1.16.1 "$BIN"
	is "$status" 1
	has "$output" "firecracker says that it is '1.16.0', not 1.16.1"
	ln -sf /bin/true "$BATS_TEST_TMPDIR/release-v1.16.1-$ARCH/jailer-v1.16.1-$ARCH"
	printf '#!/bin/sh\necho v1.16.1\n' >"$BATS_TEST_TMPDIR/release-v1.16.1-$ARCH/firecracker-v1.16.1-$ARCH"
	tar -czf "$ARCHIVE" -C "$BATS_TEST_TMPDIR" "release-v1.16.1-$ARCH"
	(cd "${ARCHIVE%/*}" && sha256sum "${ARCHIVE##*/}" >"${ARCHIVE##*/}.sha256.txt")
	run "$SCRIPT" 1.16.1 "$BIN"
	is "$status" 1
	has "$output" "is no ordinary file"
	rm "$BATS_TEST_TMPDIR/release-v1.16.1-$ARCH/jailer-v1.16.1-$ARCH"
	tar -czf "$ARCHIVE" -C "$BATS_TEST_TMPDIR" "release-v1.16.1-$ARCH"
	(cd "${ARCHIVE%/*}" && sha256sum "${ARCHIVE##*/}" >"${ARCHIVE##*/}.sha256.txt")
	run "$SCRIPT" 1.16.1 "$BIN"
	is "$status" 1
	has "$output" "has no release-v1.16.1-$ARCH/jailer-v1.16.1-$ARCH"
	nothing_installed
}

@test "a folder that is not there is said before anything is fetched" {
	run "$SCRIPT" 1.16.1 "$BATS_TEST_TMPDIR/nowhere"
	is "$status" 1
	has "$output" "can't write into '$BATS_TEST_TMPDIR/nowhere'"
}
