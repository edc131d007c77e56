#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154 # stderr is set by run --separate-stderr
# shellcheck disable=SC2016 # bash -c expands its own words
# load and convert, as a user sees them.

load lib

setup() { fb_setup; }

@test "load prints the image's name" {
	fb_layout "$BATS_TEST_TMPDIR/mine" latest
	run --separate-stderr fb load -i "$BATS_TEST_TMPDIR/mine"
	is "$status" 0
	is "$output" "Loaded image: mine:latest"
	is "$stderr" ""
	run fb load -i "$BATS_TEST_TMPDIR/mine" --name localhost:5000/a/b:c
	is "$output" "Loaded image: localhost:5000/a/b:c"
	run fb load -i "$BATS_TEST_TMPDIR/mine" --name short
	is "$output" "Loaded image: short:latest"
	is "$(fb images -q | sort -u | wc -l)" 1
}

@test "load reads an archive from a pipe" {
	fb_layout "$BATS_TEST_TMPDIR/mine" latest
	tar -C "$BATS_TEST_TMPDIR/mine" -cf "$BATS_TEST_TMPDIR/a.tar" .
	run bash -c 'cat "$2" | "$1" load --name a' - "$FLAMEBOX" "$BATS_TEST_TMPDIR/a.tar"
	is "$status" 0
	is "$output" "Loaded image: a:latest"
	run bash -c 'gzip -c "$2" | "$1" load -i - --name b' - "$FLAMEBOX" "$BATS_TEST_TMPDIR/a.tar"
	is "$status" 0
	is "$output" "Loaded image: b:latest"
}

@test "load: what isn't there, and what is no image" {
	run --separate-stderr fb load -i "$BATS_TEST_TMPDIR/nope"
	is "$status" 1
	is "$output" ""
	is "$(lines_of "$stderr")" 1
	has "$stderr" "$BATS_TEST_TMPDIR/nope"
	echo garbage >"$BATS_TEST_TMPDIR/garbage"
	run --separate-stderr fb load -i "$BATS_TEST_TMPDIR/garbage"
	is "$status" 1
	is "$(lines_of "$stderr")" 1
	run --separate-stderr fb load --name 'Not A Name' -i "$BATS_TEST_TMPDIR/garbage"
	is "$status" 1
	is "$(lines_of "$stderr")" 1
}

@test "convert prints the SHA-256 of what it wrote" {
	fb_load test/bb:1
	run --separate-stderr fb convert test/bb:1 -o "$BATS_TEST_TMPDIR/x.squashfs"
	is "$status" 0
	is "$stderr" ""
	[[ "$output" =~ ^[0-9a-f]{64}$ ]]
	is "$output" "$(sha256sum "$BATS_TEST_TMPDIR/x.squashfs" | cut -d' ' -f1)"
	# words and options in any order
	is "$(fb convert -o "$BATS_TEST_TMPDIR/y.squashfs" test/bb:1)" "$output"
	cmp "$BATS_TEST_TMPDIR/x.squashfs" "$BATS_TEST_TMPDIR/y.squashfs"
}

@test "convert to standard output tells the SHA-256 on standard error" {
	fb_load test/bb:1
	fb convert test/bb:1 -o - >"$BATS_TEST_TMPDIR/x" 2>"$BATS_TEST_TMPDIR/sum"
	is "$(cat "$BATS_TEST_TMPDIR/sum")" "$(sha256sum <"$BATS_TEST_TMPDIR/x" | cut -d' ' -f1)"
}

@test "what convert wrote is a SquashFS with the image's files" {
	need unsquashfs
	fb_load test/bb:1
	fb convert test/bb:1 -o "$BATS_TEST_TMPDIR/x"
	run unsquashfs -ls "$BATS_TEST_TMPDIR/x"
	is "$status" 0
	has "$output" "squashfs-root/bin/busybox"
	has "$output" "squashfs-root/bin/sh"
}

@test "convert: no output file, no image, a bad option" {
	run --separate-stderr fb convert test/bb:1
	is "$status" 1
	is "$(lines_of "$stderr")" 1
	has "$stderr" "flamebox convert IMAGE -o FILE"
	fb_load test/bb:1
	run --separate-stderr fb convert --compression xz test/bb:1 -o "$BATS_TEST_TMPDIR/x"
	is "$status" 1
	has "$stderr" "zstd"
	run --separate-stderr fb convert --block-size 3k test/bb:1 -o "$BATS_TEST_TMPDIR/x"
	is "$status" 1
	is "$(lines_of "$stderr")" 1
	[ ! -e "$BATS_TEST_TMPDIR/x" ]
}

@test "convert that fails leaves an older file alone" {
	fb_load test/bb:1
	echo old >"$BATS_TEST_TMPDIR/x"
	run fb convert --max-image-size 4k test/bb:1 -o "$BATS_TEST_TMPDIR/x"
	is "$status" 1
	is "$(cat "$BATS_TEST_TMPDIR/x")" old
	is "$(find "$BATS_TEST_TMPDIR" -maxdepth 1 -type f | wc -l)" 1
}
