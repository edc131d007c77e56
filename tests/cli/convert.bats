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

@test "convert: standard output by another name" {
	[ -L /dev/stdout ] || skip "no /dev/stdout here"
	fb_load test/bb:1
	cd "$BATS_TEST_TMPDIR" || return 1
	local sum
	sum=$(fb convert test/bb:1 -o want)
	fb convert test/bb:1 -o /dev/stdout >file 2>said
	is "$(cat said)" "$sum"
	cmp want file
	# shellcheck disable=SC2002
	fb convert test/bb:1 -o /dev/stdout 2>said | cat >file
	is "$(cat said)" "$sum"
	cmp want file
	[ -L /dev/stdout ]
}

@test "convert writes what a link names, and leaves the link" {
	fb_load test/bb:1
	cd "$BATS_TEST_TMPDIR" || return 1
	local sum
	sum=$(fb convert test/bb:1 -o want)
	mkdir there
	ln -s there/real link
	is "$(fb convert test/bb:1 -o link)" "$sum"
	is "$(readlink link)" there/real
	cmp want there/real
	echo old >there/real
	is "$(fb convert test/bb:1 -o link)" "$sum"
	cmp want there/real
	ln -s loop loop
	run --separate-stderr fb convert test/bb:1 -o loop
	is "$status" 1
	is "$(lines_of "$stderr")" 1
	has "$stderr" "symbolic links"
	is "$(find . -name '*.tmp')" ""
}

@test "two that convert one image at once do the work once" {
	cd "$BATS_TEST_TMPDIR" || return 1
	fb_layout dir latest
	# 30 MB that are slow to pack
	seq 4000000 >numbers
	umoci insert --rootless --image dir:latest numbers /numbers >/dev/null
	fb load -q -i dir --name slow:1
	local words=(convert -q --compression gzip --level 9 slow:1) first
	"$FLAMEBOX" "${words[@]}" -o a >sum.a 3>&- &
	first=$!
	until [ -n "$(ls -A "$FLAMEBOX_ROOT/locks")" ]; do
		kill -0 "$first"
		sleep 0.01
	done
	fb "${words[@]}" -o b >sum.b
	wait "$first"
	cmp a b
	cmp sum.a sum.b
	# the second one took it from the store
	is "$(find "$FLAMEBOX_ROOT/rootfs" -name '*.squashfs' | wc -l)" 1
	fb prune -af >/dev/null
	is "$(find "$FLAMEBOX_ROOT/rootfs" -type f)" ""
	# one alone leaves nothing there
	fb load -q -i dir --name slow:1
	fb convert -q slow:1 -o c
	is "$(find "$FLAMEBOX_ROOT/rootfs" -type f)" ""
}

@test "convert --max-image-size counts where the file is there already, too" {
	fb_load test/bb:1
	cd "$BATS_TEST_TMPDIR" || return 1
	fb convert -q test/bb:1 -o a
	cp a kept
	run --separate-stderr fb convert --max-image-size 64k test/bb:1 -o a
	is "$status" 1
	is "$(lines_of "$stderr")" 1
	has "$stderr" "grows over 65536 bytes"
	cmp a kept
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

# inputs: one image in every shape that convert -i takes, its SquashFS in want
inputs() {
	need skopeo
	cd "$BATS_TEST_TMPDIR" || return 1
	fb_layout dir latest
	tar -C dir -cf oci.tar .
	gzip -k oci.tar
	skopeo copy -q oci:dir:latest docker-archive:docker.tar:some/name:1
	fb load -q -i dir --name want:1
	fb convert -q -o want want:1
	rm -r "$FLAMEBOX_ROOT"
}

@test "convert -i: layout, archives, packed, from a file and from a pipe" {
	inputs
	local input
	for input in dir oci.tar oci.tar.gz docker.tar; do
		run --separate-stderr fb convert -i $input -o out
		is "$status" 0
		is "$stderr" ""
		is "$output" "$(sha256sum <out | cut -d' ' -f1)"
		cmp want out
		rm out
	done
	for input in oci.tar oci.tar.gz docker.tar; do
		bash -c 'cat "$2" | "$1" convert -q -i - -o -' - "$FLAMEBOX" $input >out 2>sum
		cmp want out
		fb convert -q -i - -o out <$input
		cmp want out
	done
	# nothing was loaded, and nothing is left
	is "$(fb images -q)" ""
	is "$(find "$FLAMEBOX_ROOT/tmp" "$FLAMEBOX_ROOT/oci/blobs" -type f | wc -l)" 0
}

@test "convert -i: the tar of a root file system" {
	need unsquashfs
	cd "$BATS_TEST_TMPDIR" || return 1
	mkdir -p fs/sub
	echo text >fs/sub/file
	ln -s sub fs/link
	tar -C fs -cf fs.tar .
	zstd -q fs.tar
	local input sum
	sum=$(fb convert -i fs.tar -o out)
	is "$(fb convert -i fs.tar.zst -o out2)" "$sum"
	is "$(bash -c 'tar -C fs -c . | "$1" convert -i - -o out3' - "$FLAMEBOX")" "$sum"
	unsquashfs -q -n -d got out >/dev/null
	diff -r fs got
}

@test "convert -i: which of several, and what is wrong" {
	need skopeo
	cd "$BATS_TEST_TMPDIR" || return 1
	fb_layout dir latest
	cp -r dir two
	umoci config --image two:latest --tag second --config.env X=1
	run --separate-stderr fb convert -i two -o out
	is "$status" 1
	is "$(lines_of "$stderr")" 1
	has "$stderr" "there are 2 images"
	fb convert -q -i two second -o out
	run --separate-stderr fb convert -i two third -o out3
	is "$status" 1
	has "$stderr" "no image 'third'"
	head -c 100000 /dev/urandom >noise
	run --separate-stderr fb convert -i noise -o out3
	is "$status" 1
	is "$(lines_of "$stderr")" 1
	has "$stderr" "noise"
	# a layer is not what its digest says
	local layer
	layer=$(find dir/blobs -type f -size +100k)
	chmod u+w "$layer"
	printf %s changed-bytes | dd of="$layer" bs=1 seek=5000 conv=notrunc status=none
	run --separate-stderr fb convert -i dir -o out3
	is "$status" 1
	has "$stderr" "layer 1 of 1"
	# a pipe whose writer failed
	: >nothing
	run --separate-stderr fb convert -i nothing -o out3
	is "$status" 1
	has "$stderr" "there is nothing in it"
	run --separate-stderr bash -c ': | "$1" convert -i - -o out3' - "$FLAMEBOX"
	is "$status" 1
	has "$stderr" "there is nothing in it"
	# not after all of it was kept: this one has no end
	run --separate-stderr bash -c '"$1" convert -i - -o out3 </dev/urandom' - "$FLAMEBOX"
	is "$status" 1
	has "$stderr" "not a tar archive"
	local to
	for to in '' out3/ . nowhere/out3; do
		run --separate-stderr fb convert -i dir -o "$to"
		is "$status" 1
		is "$(lines_of "$stderr")" 1
		has "$stderr" "write '"
	done
	run --separate-stderr fb convert -i /nowhere -o out3
	is "$status" 1
	has "$stderr" "No such file"
	[ ! -e out3 ]
	is "$(find "$FLAMEBOX_ROOT/tmp" -type f | wc -l)" 0
}
