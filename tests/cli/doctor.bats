#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154 # stderr is set by run --separate-stderr
# doctor: what is there, what is missing, and the line that mends it.

load lib

setup() {
	fb_setup
	# files of ours that are there, whatever was built
	export FLAMEBOX_LIBEXEC="$BATS_TEST_TMPDIR/libexec"
	mkdir -p "$FLAMEBOX_LIBEXEC"
	local f
	for f in vmlinux initramfs.cpio flamebox-monitor; do
		echo x >"$FLAMEBOX_LIBEXEC/$f"
	done
}

# status_of NAME: of that check, with -f json in $output
status_of() {
	jq -r --arg n "$1" '[.Checks[] | select(.Name == $n)][0].Status' <<<"$output"
}

@test "doctor names what it looked at, and says how it stands" {
	need jq
	run --separate-stderr fb doctor --format json
	is "$stderr" ""
	local c
	for c in host engine accelerator choice tun userns kernel vsock initramfs monitor \
		mkfs.ext4 libcurl network rights sandbox state disk; do
		[[ "$(status_of "$c")" =~ ^(ok|warning|missing)$ ]] || fail "no $c"
	done
	is "$(status_of kernel)" ok
	is "$(status_of state)" ok
	is "$(jq -r .Healthy <<<"$output")" "$([ "$status" = 0 ] && echo true || echo false)"
}

@test "the accelerator comes with its measured reason" {
	need jq
	run --separate-stderr fb doctor --format json
	has "$(jq -r '.Checks[] | select(.Name == "accelerator").Detail' <<<"$output")" "KVM is "
	[ "$(status_of accelerator)" != missing ]
}

@test "a missing file of ours is missing, with a fix and status 1" {
	rm "$FLAMEBOX_LIBEXEC/vmlinux"
	run --separate-stderr fb doctor
	is "$status" 1
	has "$output" "missing  kernel"
	has "$output" "fix: "
	has "$output" "can't run containers yet"
}

@test "without any program in PATH engine and mkfs are told with their package" {
	run --separate-stderr env PATH=/nonexistent "$FLAMEBOX" doctor
	is "$status" 1
	has "$output" "fix: apt-get install qemu-system-x86"
	has "$output" "missing  choice"
}

@test "a kernel that the configuration names wrongly is missing" {
	echo '{"kernel": "/nonexistent/vmlinux"}' >"$BATS_TEST_TMPDIR/c.json"
	run --separate-stderr fb --config "$BATS_TEST_TMPDIR/c.json" doctor
	is "$status" 1
	has "$output" "missing  kernel       '/nonexistent/vmlinux': No such file or directory"
}

@test "a kernel without vsock is told with what mends it; ours has it" {
	need jq
	run --separate-stderr fb doctor --format json
	is "$(status_of vsock)" warning
	has "$output" "CONFIG_VIRTIO_VSOCKETS=y"
	local ours="${FLAMEBOX%/*}/vmlinux"
	[ -f "$ours" ] || skip "no kernel beside the program"
	cp "$ours" "$FLAMEBOX_LIBEXEC/vmlinux"
	run --separate-stderr fb doctor --format json
	is "$(status_of vsock)" ok
}

# play FIRECRACKER JAILER: programs in PATH that say these versions
play() {
	need jq
	local bin="$BATS_TEST_TMPDIR/bin"
	mkdir -p "$bin"
	printf '#!/bin/sh\necho "Firecracker v%s"\necho\n' "$1" >"$bin/firecracker"
	printf '#!/bin/sh\necho "Jailer v%s"\necho\n' "$2" >"$bin/jailer"
	chmod 755 "$bin"/*
	run --separate-stderr env PATH="$bin:$PATH" "$FLAMEBOX" doctor --format json
}

# found NAME: details of these checks
found() {
	jq -r --arg n "$1" '.Checks[] | select(.Name == $n) | .Status + " " + .Detail + " / " + .Fix' <<<"$output"
}

@test "Firecracker and its jailer are found, with their version" {
	play 1.16.1 1.16.1
	has "$(found engine)" "ok Firecracker: $BATS_TEST_TMPDIR/bin/firecracker, Firecracker v1.16.1"
	[ "$(id -u)" = 0 ] || skip "the jailer is root's"
	has "$(found jailer)" "ok $BATS_TEST_TMPDIR/bin/jailer, Jailer v1.16.1"
}

@test "one that is too old, and a jailer of another release, are told with what mends them" {
	play 1.9.1 1.9.1
	has "$(found engine)" "too old"
	has "$(found engine)" "install-firecracker"
	[ "$(id -u)" = 0 ] || skip "the jailer is root's"
	play 1.16.1 1.15.0
	has "$(found jailer)" "warning"
	has "$(found jailer)" "is v1.15.0, and Firecracker is v1.16.1"
	rm "$BATS_TEST_TMPDIR/bin/jailer"
	run --separate-stderr env PATH="$BATS_TEST_TMPDIR/bin:/usr/bin:/bin" "$FLAMEBOX" doctor --format json
	# where the engine looks, one in PATH or not
	has "$(found jailer)" "no 'jailer' beside $BATS_TEST_TMPDIR/bin/firecracker / scripts/install-firecracker"
}

@test "whether machines on Firecracker run in a jail is told, with the reason" {
	play 1.16.1 1.16.1
	if [ "$(id -u)" = 0 ]; then
		has "$(found jail)" "without the jailer: "
		has "$(found jail)" "is not linked statically"
	else
		has "$(found jail)" "without the jailer: only root can use it"
	fi
}

@test "a Firecracker that needs libraries has no filter" {
	need jq
	local standin="${FLAMEBOX%/*}/tests/firecracker/firecracker"
	[ -x "$standin" ] || skip "no stand-in built"
	mkdir -p "$BATS_TEST_TMPDIR/bin"
	cp "$standin" "$BATS_TEST_TMPDIR/bin/firecracker"
	run --separate-stderr env PATH="$BATS_TEST_TMPDIR/bin:$PATH" "$FLAMEBOX" doctor --format json
	has "$(found engine)" "warning Firecracker: $BATS_TEST_TMPDIR/bin/firecracker is linked with libraries"
}

@test "a state that can't be made is a finding, not the end" {
	: >"$BATS_TEST_TMPDIR/file"
	run --separate-stderr fb --root "$BATS_TEST_TMPDIR/file/x" doctor
	is "$status" 1
	has "$output" "missing  state"
	has "$output" "ok       host"
}

@test "doctor takes templates" {
	run --separate-stderr fb doctor -f '{{len .Checks}}'
	[[ "$output" =~ ^[0-9]+$ ]]
	run --separate-stderr fb doctor -f '{{.Nope}}'
	is "$status" 1
	has "$stderr" "can't evaluate field 'Nope'"
}
