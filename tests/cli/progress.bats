#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154 # stderr is set by run --separate-stderr
# shellcheck disable=SC2016 # bash -c expands its own words
# --progress: events, lines, bars, nothing.

load lib
load registry

setup() {
	fb_setup
	cd "$BATS_TEST_TMPDIR" || return 1
}

teardown() { registry_stop; }

make_archive() {
	need skopeo
	fb_layout layout latest
	skopeo copy -q oci:layout:latest oci-archive:image.tar:x
}

@test "json: an event a line on standard error, results on standard output" {
	need jq
	make_archive
	run --separate-stderr fb load --progress json -i image.tar --name app:1
	is "$status" 0
	is "$output" "Loaded image: app:1"
	is "$(jq -rs 'map(.event) | unique | join(" ")' <<<"$stderr")" "done loading"
	is "$(jq -rs 'map(has("time") and has("id")) | all' <<<"$stderr")" true
	is "$(jq -rs 'map(select(.event == "loading") | .done <= .total) | all' <<<"$stderr")" true
	run --separate-stderr fb save --progress json -o x.tar app:1
	is "$(jq -rs 'map(.event) | unique | join(" ")' <<<"$stderr")" "done saving"
	run --separate-stderr fb convert --progress json -o x.sq app:1
	is "$status" 0
	is "$(jq -rs 'map(.event) | unique | join(" ")' <<<"$stderr")" "converting"
	[[ "$output" =~ ^[0-9a-f]{64}$ ]]
	run --separate-stderr fb verify --progress json
	is "$(jq -rs 'map(.event) | unique | join(" ")' <<<"$stderr")" "verifying"
}

@test "json: an error is an event, too" {
	need jq
	run --separate-stderr fb load --progress json -i nope.tar
	is "$status" 1
	is "$(jq -r .event <<<"$stderr")" error
	has "$(jq -r .message <<<"$stderr")" "nope.tar"
}

@test "a pull tells each layer's way" {
	need jq
	registry_start r
	fb_layout layout latest
	skopeo copy -q --dest-tls-verify=false oci:layout:latest "docker://$reg/app:1"
	run --separate-stderr fb pull --progress json "$reg/app:1"
	is "$status" 0
	local blobs
	blobs=$(skopeo inspect --raw oci:layout:latest | jq -r '.config.digest, .layers[].digest' | sort)
	is "$(jq -rs 'map(select(.event == "complete") | .id) | sort | .[]' <<<"$stderr")" "$blobs"
	has "$(jq -rs 'map(.event) | unique | join(" ")' <<<"$stderr")" "done"
	run --separate-stderr fb pull --progress plain "$reg/app:1"
	is "$status" 0
	has "$stderr" "exists ${blobs:7:12}"
	run --separate-stderr fb pull --progress quiet "$reg/app:1"
	is "$stderr" ""
	has "$output" "Status: Image is up to date"
	run --separate-stderr fb pull -q --progress json "$reg/app:1"
	is "$stderr" ""
	is "$output" "$reg/app:1"
}

@test "a quick command says nothing where nobody watches" {
	make_archive
	run --separate-stderr fb load -i image.tar
	is "$stderr" ""
	run --separate-stderr fb load --progress auto -i image.tar
	is "$stderr" ""
	run --separate-stderr fb load --progress fancy -i image.tar
	is "$status" 1
	is "$stderr" 'flamebox: "fancy" is not a valid value for --progress: auto, json, plain or quiet'
}

@test "on a terminal: bars that are gone at the end" {
	need script
	make_archive
	run script -qec "stty cols 60 rows 20; $FLAMEBOX load -i image.tar" /dev/null
	is "$status" 0
	has "$output" $'\e[K'
	has "$output" "loading"
	# what is left on the screen is the result
	has "${output##*$'\e[J'}" "Loaded image:"
	[[ "${output##*$'\e[J'}" != *loading* ]]
}
