#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154 # stderr is set by run --separate-stderr
# What a registry may send that is no image: one clear line each, nothing kept.

load lib

setup() {
	fb_setup
	cd "$BATS_TEST_TMPDIR" || return 1
	need python3
	mkfifo hold
	python3 -B "$BATS_TEST_DIRNAME/../registry/serve.py" port requests \
		<hold >faulty.log 2>&1 3>&- &
	server=$!
	exec 9>hold
	until [ -e port ]; do
		kill -0 "$server" || fail "$(cat faulty.log)"
		sleep 0.05
	done
	bad="127.0.0.1:$(head -1 port)"
}

teardown() {
	exec 9>&-
	[ -z "${server-}" ] || wait "$server" || true
}

# refused FAULT WORDS: pull and run say why, in one line
refused() {
	run --separate-stderr fb pull "$bad/$1:latest"
	is "$status" 1
	is "$output" ""
	is "$(lines_of "$stderr")" 1
	has "$stderr" "$2"
	is "$(fb images -q)" ""
	is "$(find "$FLAMEBOX_ROOT/oci/blobs" -type f -size +100k)" ""
	is "$(grep -c "/$1/blobs/" requests || true)" 0
}

@test "schema 1, artifacts, foreign layers, an index in an index" {
	refused schema1 "schema 1"
	refused artifact "artifact"
	refused foreign "foreign"
	refused nested "an index"
}

@test "a portal's page, a wrong type, too many layers, no config" {
	refused portal "neither a manifest nor an index"
	refused liar "neither a manifest nor an index"
	refused many-layers "layers"
	refused no-config "config"
}

@test "a page where a blob should be" {
	run --separate-stderr fb pull "$bad/long:latest"
	is "$status" 1
	is "$(lines_of "$stderr")" 1
	has "$stderr" "announced"
}

@test "a layer that is named twice is fetched once" {
	fb pull -q "$bad/twice:latest"
	is "$(grep -c 'GET .*/blobs/' requests)" 2
	is "$(fb inspect -f '{{len .RootFS.Layers}}' "$bad/twice:latest")" 2
}
