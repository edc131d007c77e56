#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154 # stderr is set by run --separate-stderr
# verify: every kind of damage is found and named, and repaired where it can be.

load lib
load registry

setup() {
	fb_setup
	cd "$BATS_TEST_TMPDIR" || return 1
}

teardown() { registry_stop; }

blob_of() { find "$FLAMEBOX_ROOT/oci/blobs/sha256" -type f -size +100k | head -n 1; }

# flip FILE: another byte, the same length
flip() {
	chmod u+w "$1"
	printf '\377' | dd of="$1" bs=1 seek=40 conv=notrunc status=none
}

@test "a sound store, and an empty one" {
	run --separate-stderr fb verify
	is "$status" 0
	is "$output" "Verified 0 blobs and 0 converted images, 0B: all as they should be"
	fb_load app:1
	run --separate-stderr fb verify
	is "$status" 0
	[[ "$output" =~ ^Verified\ 3\ blobs\ and\ 0\ converted\ images,\ [0-9.]+[kM]B:\ all\ as\ they\ should\ be$ ]]
	is "$(fb verify -q)" ""
}

@test "damage is named with the image that has it" {
	fb_load app:1
	fb tag app:1 other:2
	flip "$(blob_of)"
	run --separate-stderr fb verify
	is "$status" 1
	is "${lines[0]}" "blob 'sha256:$(basename "$(blob_of)")' of 'app:1' is damaged"
	has "${lines[1]}" "1 fault"
	# nothing was touched
	is "$(fb images -q | wc -l)" 2
	[ -e "$(blob_of)" ]
	run fb verify -q
	is "$status" 1
	is "$(lines_of "$output")" 1
}

@test "missing, short, stray, and an index that was edited" {
	fb_load app:1
	local blob stray
	blob=$(blob_of)
	truncate -s 1000 "$blob"
	stray=$(printf 'a%.0s' $(seq 64))
	echo hello >"$FLAMEBOX_ROOT/oci/blobs/sha256/$stray"
	echo '{}' >"$FLAMEBOX_ROOT/oci/index.json"
	run fb verify
	is "$status" 1
	has "$output" "blob 'sha256:$(basename "$blob")' of 'app:1' is damaged"
	has "$output" "blob 'sha256:$stray', which no image needs, is damaged"
	has "$output" "index.json is not what the catalogue says"
	has "$output" "3 faults"
	rm "$blob"
	run fb verify
	has "$output" "blob 'sha256:$(basename "$blob")' of 'app:1' is missing"
	# what needs no registry is repaired; the rest is said
	run fb verify --repair
	is "$status" 1
	has "$output" "not repaired: sha256:$(basename "$blob"):"
	has "$output" "3 faults, 2 repaired"
	run umoci ls --layout "$FLAMEBOX_ROOT/oci"
	is "$output" "docker.io/library/app:1"
	[ ! -e "$FLAMEBOX_ROOT/oci/blobs/sha256/$stray" ]
	# loaded again it is whole
	fb load -q -i "$BATS_TEST_TMPDIR/layout" --name app:1
	fb verify -q
}

@test "--repair pulls what is damaged, by its digest, and leaves the names" {
	need skopeo jq umoci
	registry_start r
	fb_layout layout latest
	local digest blob name
	skopeo copy -q --dest-tls-verify=false --preserve-digests oci:layout:latest "docker://$reg/app:1"
	fb pull -q "$reg/app:1" >/dev/null
	fb tag "$reg/app:1" mine:7
	digest=$(fb inspect -f '{{.Descriptor.digest}}' mine:7)
	name=$(fb inspect -f '{{json .RepoTags}}{{json .RepoDigests}}' mine:7)
	# the tag has moved meanwhile
	umoci config --image layout:latest --config.env NEW=1
	skopeo copy -q --dest-tls-verify=false oci:layout:latest "docker://$reg/app:1"
	for blob in "$(blob_of)" "$FLAMEBOX_ROOT/oci/blobs/sha256/${digest:7}"; do
		flip "$blob"
		run fb verify --repair
		is "$status:$output" "0:$output"
		has "$output" "'sha256:$(basename "$blob")'"
		has "$output" "1 fault, 1 repaired"
		fb verify -q
	done
	is "$(fb inspect -f '{{.Descriptor.digest}}' mine:7)" "$digest"
	is "$(fb inspect -f '{{json .RepoTags}}{{json .RepoDigests}}' mine:7)" "$name"
	fb convert mine:7 -o x.sq
	# all blobs at once
	for blob in "$FLAMEBOX_ROOT"/oci/blobs/sha256/*; do
		flip "$blob"
	done
	run fb verify --repair
	is "$status:$output" "0:$output"
	fb verify -q
}
