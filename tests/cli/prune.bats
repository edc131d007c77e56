#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154 # stderr is set by run --separate-stderr
# shellcheck disable=SC2016 # sh -c expands its own words
# prune and df: what nothing uses goes, what is said is what the disk says.

load lib
load registry

setup() {
	fb_setup
	cd "$BATS_TEST_TMPDIR" || return 1
}

teardown() { registry_stop; }

# second NAME: an image of another config with the same layer, made in 2025
second() {
	fb_layout other latest
	umoci config --image other:latest --config.env TWO=2 --config.label team=red \
		--created 2025-02-28T12:00:00Z
	fb load -q -i other --name "$1" >/dev/null
}

# Bytes in blocks below a folder of the state; folders themselves don't count
blocks() {
	find "$FLAMEBOX_ROOT/$1" -type f -printf '%b\n' | awk '{ sum += $1 } END { print sum * 512 + 0 }'
}


@test "prune removes images without a tag, -a all" {
	fb_load app:1
	second app:1
	fb tag app:1 app:2
	local old new
	old=$(fb images -q --no-trunc -f dangling=true)
	new=$(fb images -q --no-trunc app:1)
	run --separate-stderr fb prune -f
	is "$status" 0
	is "$stderr" ""
	is "${lines[0]}" "Deleted Images:"
	has "$output" "deleted: $old"
	[[ "$output" != *untagged* ]]
	[[ "${lines[-1]}" =~ ^Total\ reclaimed\ space:\ [0-9.]+kB$ ]]
	is "$(fb images -q --no-trunc | sort -u)" "$new"
	is "$(fb prune -f)" "Total reclaimed space: 0B"
	run fb prune -af
	has "$output" "untagged: app:1"$'\n'"untagged: app:2"
	has "$output" "deleted: $new"
	is "$(find "$FLAMEBOX_ROOT/oci/blobs" -type f)" ""
	is "$(fb images -q)" ""
}

@test "prune asks first" {
	fb_load app:1
	run --separate-stderr fb prune -a </dev/null
	is "$status" 1
	has "$output" "WARNING! This will remove:"
	has "$stderr" "prune has been cancelled"
	run fb prune -a <<<"n"
	is "$status" 1
	is "$(fb images -q | wc -l)" 1
	run fb prune -a <<<"y"
	is "$status" 0
	is "$(fb images -q | wc -l)" 0
}

@test "prune --filter until= and label=" {
	fb_load app:1
	second app:2
	fb prune -af --filter until=2024-01-01 >/dev/null
	is "$(fb images -q | wc -l)" 2
	fb prune -af --filter label=nope >/dev/null
	fb prune -af --filter label!=k=v >/dev/null
	is "$(fb images -q | wc -l)" 2
	fb prune -af --filter until=2024-12-31 >/dev/null
	is "$(fb images --format '{{.Tag}}')" 2
	fb prune -af --filter label=team=red >/dev/null
	is "$(fb images -q | wc -l)" 0
	run --separate-stderr fb prune -f --filter dangling=true
	is "$status" 1
	has "$stderr" "invalid filter 'dangling'"
}

@test "prune frees what dead commands left, and says how much" {
	need jq
	fb_load app:1
	head -c 300000 /dev/urandom >"$FLAMEBOX_ROOT/oci/blobs/sha256/$(printf 'a%.0s' $(seq 64))"
	mkdir -p "$FLAMEBOX_ROOT/partial"
	head -c 500000 /dev/urandom >"$FLAMEBOX_ROOT/partial/sha256-$(printf 'b%.0s' $(seq 64))"
	is "$(fb df --format json | jq -r 'select(.Type == "Unneeded").TotalCount')" 2
	local before after freed
	before=$(blocks .)
	freed=$(fb prune -f | tail -n 1)
	after=$(blocks .)
	# both are blocks of the disk; the catalogue may have grown meanwhile
	[ $((before - after)) -ge 790000 ]
	[[ "$freed" =~ ^Total\ reclaimed\ space:\ (80|81)[0-9]kB$ ]] || fail "$freed"
	is "$(fb images -q | wc -l)" 1
}

@test "df counts blocks of the disk, shared ones once" {
	need jq
	fb_load app:1
	second other:2
	run fb df
	is "$status" 0
	[[ "${lines[0]}" =~ ^TYPE\ +TOTAL\ +ACTIVE\ +SIZE\ +RECLAIMABLE$ ]]
	[[ "${lines[1]}" =~ ^Images\ +2\ +0\ +[0-9.]+MB\ +[0-9.]+MB\ \(100%\)$ ]]
	run fb df -v --format json
	is "$(jq -r '.Images | length' <<<"$output")" 2
	is "$(jq -r '.Images[0].SharedSize' <<<"$output")" "$(jq -r '.Images[1].SharedSize' <<<"$output")"
	# all blobs, each once, as find counts them
	local images
	images=$(fb df --format json | jq -r 'select(.Type == "Images").Size')
	is "$images" "$(blocks oci/blobs | awk '{ printf "%.3gMB", $1 / 1e6 }')"
	run fb df -v
	has "$output" "Images space usage:"
	has "$output" "SHARED SIZE"
	has "$output" "Converted images space usage:"
	run --separate-stderr fb df -v --format '{{.Type}}'
	is "$status" 1
	has "$stderr" "conflict"
	is "$(fb df --format '{{.Type}}' | head -n 2 | tr '\n' ,)" "Images,Converted Images,"
}

@test "df and prune count what is remembered of a converted image's layers" {
	need jq
	registry_start one
	fb_layout layout latest
	skopeo copy -q --dest-tls-verify=false oci:layout:latest "docker://$reg/app:1" >&2
	fb pull -q "$reg/app:1"
	ls "$FLAMEBOX_ROOT"/rootfs/*.squashfs "$FLAMEBOX_ROOT"/rootfs/*.layers
	is "$(fb df --format json | jq -r 'select(.Type == "Converted Images").Size')" \
		"$(blocks rootfs | awk '{ printf "%.3gMB", $1 / 1e6 }')"
	local before freed
	before=$(($(blocks rootfs) + $(blocks oci/blobs)))
	freed=$(fb prune -af | tail -n 1)
	is "$(blocks rootfs)" 0
	is "$freed" "Total reclaimed space: $(awk -v b="$before" 'BEGIN { printf "%.3gMB", b / 1e6 }')"
	# one that lost its image counts once
	head -c 300000 /dev/urandom >"$FLAMEBOX_ROOT/rootfs/$(printf 'a%.0s' $(seq 64)).layers"
	has "$(fb prune -f | tail -n 1)" ": 303kB"
}

@test "docker's longer spellings" {
	fb_load app:1
	is "$(fb image ls -q)" "$(fb images -q)"
	is "$(fb system df)" "$(fb df)"
	is "$(fb container ls -a)" "$(fb ps -a)"
	is "$(fb image inspect -f '{{.Id}}' app:1)" "$(fb inspect -f '{{.Id}}' app:1)"
	run --separate-stderr fb image inspect nope
	is "$status:$output" "1:[]"
	has "$stderr" "No such image: nope"
	run --separate-stderr fb container inspect app:1
	is "$status" 1
	is "$output" "[]"
	is "$(fb image prune -f)" "Total reclaimed space: 0B"
	is "$(fb system prune -f)" "Total reclaimed space: 0B"
	is "$(fb container prune -f)" "Total reclaimed space: 0B"
	run fb container prune </dev/null
	is "$status" 1
	has "$output" "all stopped containers"
	[[ "$output" != *dangling* ]]
	has "$(fb image rm app:1)" "Untagged: app:1"
	run --separate-stderr fb image nope
	is "$status" 1
	is "$(lines_of "$stderr")" 1
	run fb image prune --help
	is "$status" 0
	has "$output" "Usage:  flamebox prune"
}

@test "a prune on a full disk frees" {
	fb_layout layout latest
	unshare -m true 2>/dev/null || skip "needs the right to mount"
	mkdir -p "$FLAMEBOX_ROOT"
	run unshare -m sh -ec '
		mount --make-rprivate /
		mount -t tmpfs -o size=6m none "$FLAMEBOX_ROOT"
		"$FLAMEBOX" load -q -i layout --name app:1
		head -c 10000000 /dev/zero >"$FLAMEBOX_ROOT/fill" 2>/dev/null || true
		"$FLAMEBOX" prune -af 2>&1
		"$FLAMEBOX" images -q
		rm "$FLAMEBOX_ROOT/fill"
		"$FLAMEBOX" load -q -i layout --name app:1'
	is "$status:$output" "0:$output"
	has "$output" "untagged: app:1"
	is "${lines[-1]}" "Loaded image: app:1"
}
