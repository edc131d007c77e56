#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154 # stderr is set by run --separate-stderr
# shellcheck disable=SC2016 # bash -c expands its own words
# save: what it writes is read by load, skopeo and podman, digests unchanged.

load lib

setup() {
	fb_setup
	cd "$BATS_TEST_TMPDIR" || return 1
}

image_id() { fb images -q --no-trunc "$1"; }
manifest_of() { fb inspect -f '{{.Descriptor.digest}}' "$1"; }

# two NAME: a second image beside app:1, of the same layer
two() {
	fb_layout other latest
	umoci config --image other:latest --config.env TWO=2
	fb load -q -i other --name "$1" >/dev/null
}

# podman with a storage of its own
pod() {
	env -u DOCKER_CONFIG podman --root "$BATS_TEST_TMPDIR/pod" --runroot "$BATS_TEST_TMPDIR/podrun" \
		--storage-driver vfs "$@"
}

# What a store holds, but for the times
contents() {
	"$FLAMEBOX" --root "$1" images --no-trunc --format '{{.Repository}}:{{.Tag}} {{.ID}} {{.Size}}' | sort
	find "$1/oci/blobs" -type f | sed 's|.*/||' | sort
}

@test "load undoes save, in every format" {
	fb_load app:1
	fb tag app:1 reg.example:5000/team/app:two
	two other:9
	local format
	for format in docker-archive oci-archive oci-dir; do
		fb save --format "$format" -o "$format" app:1 reg.example:5000/team/app:two other:9
		run fb --root "r-$format" load -i "$format"
		is "$status" 0
		is "$(sort <<<"$output")" $'Loaded image: app:1\nLoaded image: other:9\nLoaded image: reg.example:5000/team/app:two'
		diff <(contents "$FLAMEBOX_ROOT") <(contents "r-$format")
		is "$("$FLAMEBOX" --root "r-$format" inspect -f '{{.Descriptor.digest}}' app:1)" "$(manifest_of app:1)"
	done
	# the same images, the same bytes, from wherever they came
	FLAMEBOX_ROOT=r-oci-dir fb save -o again app:1 reg.example:5000/team/app:two other:9
	cmp docker-archive again
}

@test "through a pipe, and compressed on the way" {
	need gzip zstd
	fb_load app:1
	fb save app:1 | fb --root r1 load -q
	fb save app:1 | gzip | fb --root r2 load -q
	fb save -o - app:1 | zstd -q | fb --root r3 load -q
	fb save -o /dev/stdout app:1 | fb --root r4 load -q
	local r
	for r in r1 r2 r3 r4; do
		diff <(contents "$FLAMEBOX_ROOT") <(contents "$r")
	done
}

@test "skopeo reads the archive both ways, and the digests are ours" {
	need skopeo jq
	fb_load app:1
	fb save -o app.tar app:1
	is "$(skopeo inspect --config --raw docker-archive:app.tar:app:1 | sha256sum | cut -d' ' -f1)" \
		"$(image_id app:1 | cut -d: -f2)"
	is "$(skopeo inspect --raw oci-archive:app.tar:1 | sha256sum | cut -d' ' -f1)" \
		"$(manifest_of app:1 | cut -d: -f2)"
	skopeo copy -q --preserve-digests oci-archive:app.tar oci:copied:x
	is "$(jq -r '.manifests[0].digest' copied/index.json)" "$(manifest_of app:1)"
	skopeo copy -q docker-archive:app.tar:app:1 oci:unpacked:x
	is "$(skopeo inspect --format '{{.Architecture}}' oci:unpacked:x)" "$(fb inspect -f '{{.Architecture}}' app:1)"
	fb save --format oci-archive -o oci.tar app:1
	skopeo inspect --raw oci-archive:oci.tar:docker.io/library/app:1 >/dev/null
	fb save --format oci-dir -o oci app:1
	is "$(skopeo inspect --raw oci:oci:docker.io/library/app:1 | sha256sum | cut -d' ' -f1)" \
		"$(manifest_of app:1 | cut -d: -f2)"
}

@test "podman loads what is saved, several images at once" {
	need podman
	fb_load app:1
	two reg.example/other:9
	fb save -o both.tar app:1 reg.example/other:9
	pod load -q -i both.tar >loaded 2>podman.log ||
		skip "podman does not work here: $(tail -n 1 podman.log)"
	is "$(pod images --no-trunc --format '{{.Repository}}:{{.Tag}} {{.ID}}' | sort)" \
		"localhost/app:1 $(image_id app:1)"$'\n'"reg.example/other:9 $(image_id reg.example/other:9)"
	fb save --format oci-archive app:1 >oci.tar
	has "$(pod load -i oci.tar)" "docker.io/library/app:1"
	chmod -R u+w pod && rm -rf pod podrun
}

@test "a repository means all its tags; an id saves no name" {
	need jq
	fb_load app:1
	fb tag app:1 app:2
	fb tag app:1 other:3
	fb save -o all.tar app
	is "$(tar -xOf all.tar manifest.json | jq -c '.[].RepoTags')" '["app:1","app:2"]'
	fb save -o id.tar "$(fb images -q app:1)"
	is "$(tar -xOf id.tar manifest.json | jq -c '.[].RepoTags')" null
	run fb --root r load -i id.tar
	is "$output" "Loaded image ID: $(image_id app:1)"
	# twice the same is once
	fb save -o twice.tar app:1 app:1 "$(fb images -q app:1)"
	is "$(tar -xOf twice.tar manifest.json | jq -c '[.[].RepoTags]')" '[["app:1"]]'
	is "$(tar -tf twice.tar | sort | uniq -d)" ""
}

@test "a terminal is refused in docker's words" {
	need script
	fb_load app:1
	run script -qec "$FLAMEBOX save app:1" /dev/null
	is "$status" 1
	has "$output" "cowardly refusing to save to a terminal. Use the -o flag or redirect"
	is "$(lines_of "$output")" 1
}

@test "what can't be saved leaves no file" {
	fb_load app:1
	run --separate-stderr fb save -o x.tar nope:1
	is "$status" 1
	has "$stderr" "No such image: nope:1"
	run --separate-stderr fb save -o x.tar app:1 --format tar
	is "$status" 1
	has "$stderr" "docker-archive, oci-archive or oci-dir"
	run --separate-stderr fb save -o no/such/x.tar app:1
	is "$status" 1
	is "$(lines_of "$stderr")" 1
	run --separate-stderr fb save --platform linux/s390x -o x.tar app:1
	is "$status" 1
	is "$(lines_of "$stderr")" 1
	mkdir full && touch full/x
	run --separate-stderr fb save --format oci-dir -o full app:1
	is "$status" 1
	has "$stderr" "there already"
	run --separate-stderr fb save --format oci-dir app:1
	is "$status" 1
	[ ! -e x.tar ]
	is "$(find . -name '.*tmp')" ""
	is "$(ls full)" x
}

@test "a damaged blob is not passed on" {
	fb_load app:1
	local blob
	blob=$(find "$FLAMEBOX_ROOT/oci/blobs" -type f -size +100k)
	chmod u+w "$blob"
	printf X | dd of="$blob" bs=1 seek=5000 conv=notrunc status=none
	echo old >x.tar
	run --separate-stderr fb save -o x.tar app:1
	is "$status" 1
	has "$stderr" "is damaged"
	has "$stderr" "verify --repair"
	is "$(cat x.tar)" old
}

@test "a full disk under the output: one line, nothing left" {
	[ -c /dev/full ] || skip "no /dev/full"
	fb_load app:1
	run --separate-stderr bash -c '"$1" save app:1 >/dev/full' - "$FLAMEBOX"
	is "$status" 1
	has "$stderr" "No space left on device"
	is "$(lines_of "$stderr")" 1
	run --separate-stderr bash -c 'set -o pipefail; "$1" save app:1 | head -c 1000 >/dev/null' - "$FLAMEBOX"
	is "$status" 1
	is "$(lines_of "$stderr")" 1
}

@test "a small disk under the file: one line, no file" {
	fb_load app:1
	unshare -m true 2>/dev/null || skip "needs the right to mount"
	mkdir out
	run unshare -m sh -c '
		mount --make-rprivate / && mount -t tmpfs -o size=300k none out || exit 9
		"$1" save -o out/x.tar app:1 && exit 8
		"$1" save --format oci-dir -o out/dir app:1 && exit 7
		ls -A out' - "$FLAMEBOX"
	is "$status" 0
	is "$(lines_of "$output")" 2
	has "${lines[0]}" "No space left on device"
	has "${lines[1]}" "No space left on device"
}
