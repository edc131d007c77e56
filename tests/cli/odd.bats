#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154 # stderr is set by run --separate-stderr
# shellcheck disable=SC2016 # sh -c expands its own words
# Images that are rare, right or not quite (tests/layers/odd.py): what is taken, what
# comes of it, and that it leaves as it came.

load lib

setup() {
	need python3
	fb_setup
	cd "$BATS_TEST_TMPDIR" || return 1
	[ -d "$BATS_FILE_TMPDIR/odd" ] ||
		python3 -B "$BATS_TEST_DIRNAME/../layers/odd.py" "$BATS_FILE_TMPDIR/odd"
	ln -s "$BATS_FILE_TMPDIR/odd" o
}

manifest_of() { fb inspect -f '{{.Descriptor.digest}}' "$1"; }

# there_and_back NAME: loaded, converted, saved in both forms and loaded again: the same
there_and_back() {
	local form id digest
	fb load -q -i "o/$1" >/dev/null || fail "load $1"
	fb convert -q -o out "$1:1" >/dev/null || fail "convert $1"
	id=$(fb images -q --no-trunc "$1:1")
	digest=$(manifest_of "$1:1")
	for form in docker-archive oci-archive; do
		fb save --format "$form" -o saved "$1:1" || fail "save $1"
		fb rmi -f "$id" >/dev/null
		fb load -q -i saved >/dev/null || fail "load $1 again"
		is "$1 $(fb images -q --no-trunc "$1:1")" "$1 $id"
		is "$1 $(manifest_of "$1:1")" "$1 $digest"
	done
}

@test "what documents may lack, and may have beside" {
	local name
	for name in plain nothing nulls null-config long-history no-time epoch strangers no-type notes; do
		there_and_back "$name"
	done
	is "$(fb images --format '{{.CreatedSince}}' no-time)" N/A
	has "$(fb images --format '{{.CreatedSince}}' epoch)" " years ago"
	is "$(fb images --format '{{.CreatedAt}}' epoch)" "1970-01-01 00:00:00 +0000 UTC"
	is "$(fb inspect -f '{{index .Config.Labels "a=b"}} {{.Config.Labels.é}}' strangers:1 2>&1 || true)" \
		"flamebox: template parsing error: can't read a word in '{{.Config.Labels.é}}'"
	is "$(fb inspect -f '{{index .Config.Labels "a=b"}} {{index .Config.Labels "é"}}' strangers:1)" "c ü"
	is "$(fb history -q long-history:1 | wc -l)" 3
	is "$(fb inspect -f '{{.Config.Env}} {{json .Config.Entrypoint}}' nulls:1)" "[] null"
	is "$(fb inspect -f '{{len .RootFS.Layers}}' nothing:1)" 0
}

@test "layers of every kind, and of another than they are said to be" {
	local name
	for name in twice not-packed said-packed said-plain said-zstd stargz chunked inline; do
		there_and_back "$name"
	done
	# all of one config: the last one took the others with it
	fb load -q -i o/plain >/dev/null
	fb load -q -i o/said-packed >/dev/null
	fb convert -q said-packed:1 -o a 2>log
	fb convert -q plain:1 -o b
	cmp a b
	has "$(cat log)" "its media type says gzip, its bytes are plain"
	has "$(fb verify)" "all as they should be"
}

@test "SHA-512: as good as any, and an id as well" {
	there_and_back sha512-layer
	there_and_back sha512-config
	local id
	id=$(fb images -q --no-trunc sha512-config:1)
	[[ "$id" =~ ^sha512:[0-9a-f]{128}$ ]]
	is "$(fb inspect -f '{{.Id}}' "${id:7:12}")" "$id"
	is "$(fb inspect -f '{{.Id}}' "$id")" "$id"
	is "$(fb inspect -f '{{.Id}}' "${id:7}")" "$id"
	fb tag "${id:7:9}" other:2
	fb rmi other:2
	fb rmi "${id:7:12}"
	run fb inspect "$id"
	is "$status" 1
}

@test "docker-archives: links, repetitions, no tags" {
	local name
	for name in repeated symlink hardlink dots; do
		fb load -q -i "o/$name.tar" >/dev/null
		is "$name $(fb inspect -f '{{len .RootFS.Layers}}' "$name:1")" "$name 3"
	done
	is "$(fb images -q --no-trunc | sort -u | wc -l)" 1
	is "$(fb images -q | wc -l)" 6
	fb rmi -f "$(fb images -q repeated:1)" >/dev/null
	has "$(fb load -q -i o/untagged.tar)" "Loaded image ID: sha256:"
	is "$(fb images -f dangling=true -q | wc -l)" 1
}

@test "names in a layout: containerd's, whole ones, tags, and what is none" {
	run --separate-stderr fb load -q -i o/named
	is "$status" 0
	is "$(sort <<<"$output" | tr '\n' ' ')" \
		"Loaded image: localhost:5000/named:2 Loaded image: named:3 Loaded image: team/named:v1 "
	is "$(lines_of "$stderr")" 1
	has "$stderr" "invalid reference format: the image is loaded without that name"
	is "$(fb images -q | sort -u | wc -l)" 1
}

@test "what is beside an image is passed over; alone it is told" {
	run --separate-stderr fb load -q -i o/beside
	is "$status" 0
	is "$output" "Loaded image: beside:1"
	fb copy -q oci:o/beside:1 oci:out:x
	run --separate-stderr fb copy oci:o/beside:sig oci:out:y
	is "$status" 1
	is "$(lines_of "$stderr")" 1
	run --separate-stderr fb load -q -i o/artifact
	is "$status" 1
	is "$(lines_of "$stderr")" 1
	has "$stderr" "an artifact in it, no image"
	run --separate-stderr fb load -q -i o/nested
	is "$status" 1
	is "$(lines_of "$stderr")" 1
	has "$stderr" "an index in the index, which is not followed"
}

@test "copy: one manifest for several platforms, other tools' places, no remains" {
	fb copy -q --all oci:o/same-for-all:same-for-all:1 oci:out:x
	fb copy -q --all oci:out:x oci-archive:out.tar:x
	is "$(fb load -q -i out.tar --name one)" "Loaded image: one:latest"
	[ ! -e out/blobs/sha512 ]
	local place
	for place in docker-daemon:x dir:x containers-storage:x; do
		run --separate-stderr fb copy "$place" oci:new:y
		is "$status" 1
		is "$(lines_of "$stderr")" 1
		has "$stderr" "oci:DIR[:TAG]"
	done
	# a folder that could not become a layout stays as empty as it was
	unshare -m true 2>/dev/null || return 0
	mkdir new
	run unshare -m sh -ec '
		mount --make-rprivate /
		mount -t tmpfs -o size=128k none new
		head -c 120000 /dev/zero >new/fill
		"$FLAMEBOX" copy -q oci:o/notes oci:new:y || ls -A new'
	has "${lines[0]}" "No space left"
	is "${lines[1]}" fill
}
