#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154 # stderr is set by run --separate-stderr
# load: what skopeo, podman and docker write, and what is left of it when it
# was damaged on its way.

load lib

setup() {
	fb_setup
	cd "$BATS_TEST_TMPDIR" || return 1
}

image_id() { fb inspect -f '{{.Id}}' "$1"; }

# layout_digest DIR TAG, layout_config DIR TAG: by the tools' own eyes
layout_digest() { skopeo inspect --format '{{.Digest}}' "oci:$1:$2"; }
layout_config() {
	jq -r .config.digest "$1/blobs/sha256/$(layout_digest "$1" "$2" | cut -d: -f2)"
}

# Nothing but the index of an empty store
is_empty_store() {
	is "$(fb images -q)" ""
	is "$(find "$FLAMEBOX_ROOT/oci/blobs" -type f)" ""
	is "$(find "$FLAMEBOX_ROOT/tmp" "$FLAMEBOX_ROOT/leases" -type f)" ""
}

@test "an OCI layout keeps its digests" {
	need skopeo jq
	fb_layout layout latest
	fb load -q -i layout --name bb:1
	is "$(image_id bb:1)" "$(layout_config layout latest)"
	is "$(skopeo inspect --format '{{.Digest}}' "oci:$FLAMEBOX_ROOT/oci:docker.io/library/bb:1")" \
		"$(layout_digest layout latest)"
}

@test "an oci-archive by skopeo, plain and compressed" {
	need skopeo jq gzip zstd
	fb_layout layout latest
	skopeo copy -q oci:layout:latest oci-archive:image.tar:v7
	gzip -k image.tar
	zstd -q image.tar
	is "$(fb load -i image.tar)" "Loaded image: image:v7"
	is "$(fb load -i image.tar.gz --name gz)" "Loaded image: gz:latest"
	is "$(fb load --name zst <image.tar.zst)" "Loaded image: zst:latest"
	is "$(image_id gz)" "$(layout_config layout latest)"
	is "$(fb images -q | sort -u | wc -l)" 1
}

@test "a docker-archive by skopeo" {
	need skopeo jq
	fb_layout layout latest
	skopeo copy -q oci:layout:latest docker-archive:image.tar:reg.example/app:1 \
		--additional-tag reg.example/app:2
	run fb load -i image.tar
	is "$status" 0
	is "$(sort <<<"$output")" $'Loaded image: reg.example/app:1\nLoaded image: reg.example/app:2'
	# the config is not touched, the layers are the ones that it names
	is "$(image_id reg.example/app:1)" "$(jq -r '.[0].Config' <(tar xOf image.tar manifest.json) | sed 's/^/sha256:/;s/\.json$//')"
	is "$(fb inspect -f '{{json .RootFS.Layers}}' reg.example/app:2)" \
		"$(skopeo inspect --config --raw oci:layout:latest | jq -c .rootfs.diff_ids)"
	# it boots the same bytes, whichever way it came
	fb load -q -i layout --name direct
	is "$(fb convert reg.example/app:1 -o a.sq)" "$(fb convert direct -o b.sq)"
	# the same archive again is the same image
	fb load -q -i image.tar
	is "$(fb images -q reg.example/app | sort -u | wc -l)" 1
}

@test "docker's newer archives: index.json and manifest.json side by side" {
	need skopeo jq
	fb_layout layout latest
	local config layers
	config=$(layout_config layout latest)
	layers=$(jq -c '[.layers[].digest | "blobs/sha256/" + .[7:]]' \
		"layout/blobs/sha256/$(layout_digest layout latest | cut -d: -f2)")
	jq -c '.manifests[0].annotations = {"io.containerd.image.name": "docker.io/library/app:5",
		"org.opencontainers.image.ref.name": "5"}' layout/index.json >index
	mv index layout/index.json
	jq -nc --arg c "blobs/sha256/${config:7}" --argjson l "$layers" \
		'[{Config: $c, RepoTags: ["app:5"], Layers: $l}]' >layout/manifest.json
	tar -C layout -cf both.tar blobs manifest.json index.json oci-layout
	is "$(fb load -i both.tar)" "Loaded image: app:5"
	is "$(image_id app:5)" "$config"
	# only the older description: compressed layers in a docker-archive
	tar -C layout -cf old.tar blobs manifest.json
	is "$(fb load -i old.tar)" "Loaded image: app:5"
	is "$(image_id app:5)" "$config"
	fb convert app:5 -o x.sq
}

# podman with a storage of its own
pod() {
	env -u DOCKER_CONFIG podman --root "$BATS_TEST_TMPDIR/pod" --runroot "$BATS_TEST_TMPDIR/podrun" \
		--storage-driver vfs "$@"
}

@test "what podman saves, in both formats and several at once" {
	need podman skopeo jq
	fb_layout layout latest
	pod pull -q oci:layout:latest >pulled 2>podman.log ||
		skip "podman does not work here: $(tail -n 1 podman.log)"
	pod tag "$(cat pulled)" reg.example/one:1
	pod tag "$(cat pulled)" reg.example/two:2
	pod save -q -o docker.tar reg.example/one:1
	pod save -q --format oci-archive -o oci.tar reg.example/two:2
	is "$(fb load -i docker.tar)" "Loaded image: reg.example/one:1"
	is "$(fb load -i oci.tar)" "Loaded image: reg.example/two:2"
	is "$(image_id reg.example/one:1)" "sha256:$(cat pulled)"
	is "$(image_id reg.example/two:2)" "sha256:$(cat pulled)"
	pod save -q -m -o many.tar reg.example/one:1 reg.example/two:2
	fb rmi -f "$(cat pulled)" >/dev/null
	run fb load -i many.tar
	is "$status" 0
	has "$output" "Loaded image: reg.example/one:1"
	has "$output" "Loaded image: reg.example/two:2"
	chmod -R u+w pod && rm -rf pod podrun
}

@test "--name is for one image" {
	need jq
	fb_layout layout latest
	fb load -q -i layout --name one:1
	fb tag one:1 two:2
	# our own store as the source: one image, two names
	run fb --root other load -i root/oci
	is "$status" 0
	is "$(sort <<<"$output")" $'Loaded image: one:1\nLoaded image: two:2'
	is "$(fb --root other load -i root/oci --name three)" "Loaded image: three:latest"
}

@test "a truncated archive leaves nothing, wherever it was cut" {
	need skopeo
	fb_layout layout latest
	skopeo copy -q oci:layout:latest oci-archive:oci.tar:x
	skopeo copy -q oci:layout:latest docker-archive:docker.tar:x:1
	gzip -k oci.tar
	local file size i
	for file in oci.tar docker.tar oci.tar.gz; do
		size=$(stat -c %s "$file")
		for i in 0 1 511 513 $((size / 3)) $((size / 2)) $((size * 9 / 10)); do
			head -c "$i" "$file" >part.tar
			run --separate-stderr fb load -i part.tar
			is "$status" 1
			is "$output" ""
			is "$(lines_of "$stderr")" 1
			is_empty_store
		done
	done
}

@test "a flipped byte in any blob is found" {
	need skopeo
	fb_layout layout latest
	local blob
	for blob in layout/blobs/sha256/*; do
		cp -r layout bad
		printf X | dd of="bad/blobs/sha256/${blob##*/}" bs=1 seek=20 conv=notrunc status=none
		run --separate-stderr fb load -i bad
		is "$status" 1
		is "$(lines_of "$stderr")" 1
		tar -C bad -cf bad.tar .
		run --separate-stderr fb load -i bad.tar
		is "$status" 1
		is "$(lines_of "$stderr")" 1
		is_empty_store
		rm -rf bad
	done
}

@test "a root file system is no image, and is told so" {
	tar -C /etc -cf rootfs.tar passwd group
	run --separate-stderr fb load -i rootfs.tar
	is "$status" 1
	has "$stderr" "no image archive"
	is "$(lines_of "$stderr")" 1
	is_empty_store
}

@test "kill -9 in the middle of a load: nothing visible, and the next one works" {
	need skopeo
	fb_layout layout latest
	skopeo copy -q oci:layout:latest oci-archive:oci.tar:x
	mkfifo pipe
	local part size pid
	size=$(stat -c %s oci.tar)
	for part in 600 $((size / 2)) $((size - 1500)); do
		"$FLAMEBOX" load -i - <pipe >/dev/null &
		pid=$!
		exec 7>pipe
		head -c "$part" oci.tar >&7
		# it has taken what is in the pipe when the next byte finds room
		head -c 66000 /dev/zero | dd of=/dev/fd/7 bs=66000 oflag=nonblock status=none 2>/dev/null || true
		kill -9 "$pid"
		wait "$pid" 2>/dev/null || true
		exec 7>&-
		is "$(fb images -q)" ""
		is "$(ls -A "$FLAMEBOX_ROOT/tmp")" ""
		is "$(ls -A "$FLAMEBOX_ROOT/leases")" ""
	done
	is "$(fb load -i oci.tar --name after:1)" "Loaded image: after:1"
	is "$(fb images -q | wc -l)" 1
	fb convert after:1 -o x.sq
}

@test "xz and bzip2 are read; a build without their libraries tells what to do" {
	need skopeo xz bzip2
	fb_layout layout latest
	skopeo copy -q oci:layout:latest oci-archive:image.tar:x
	xz -0k image.tar
	bzip2 -k image.tar
	local tool suffix
	for tool in xz bzip2; do
		suffix=${tool/bzip2/bz2}
		run --separate-stderr fb load -i "image.tar.$suffix" --name "$tool"
		if [ "$status" != 0 ]; then
			# a build without its headers
			has "$stderr" "packed with $tool"
			has "$stderr" "$tool -dc FILE | flamebox load"
			continue
		fi
		is "$output" "Loaded image: $tool:latest"
		is "$(fb load --name same <"image.tar.$suffix")" "Loaded image: same:latest"
		is "$(fb images -q | sort -u | wc -l)" 1
		# two streams in one file, as pbzip2 makes them
		{ head -c 7000 image.tar | "$tool" -c; tail -c +7001 image.tar | "$tool" -c; } >two
		is "$(fb load --name two <two)" "Loaded image: two:latest"
		head -c 5000 "image.tar.$suffix" >short
		run --separate-stderr fb load -i short
		is "$status" 1
		is "$(lines_of "$stderr")" 1
	done
}

# entries COUNT: the layout's image under as many tags
entries() {
	jq -c --argjson n "$1" '.manifests = [.manifests[0] as $m | range($n) |
		$m + {annotations: {"org.opencontainers.image.ref.name": "many/of/them:\(.)"}}]' \
		layout/index.json >layout/new
	mv layout/new layout/index.json
}

@test "as many entries as are allowed load and are saved; one more is one line" {
	need jq
	fb_layout layout latest
	entries 4096
	fb load -q -i layout >loaded
	is "$(wc -l <loaded)" 4096
	is "$(fb images -q | wc -l)" 4096
	fb save -o all.tar many/of/them
	is "$(tar -xOf all.tar manifest.json | jq '.[0].RepoTags | length')" 4096
	fb prune -af >/dev/null
	fb load -q -i all.tar >/dev/null
	is "$(fb images -q | wc -l)" 4096
	fb prune -af >/dev/null
	entries 4097
	run --separate-stderr fb load -i layout
	is "$status" 1
	is "$(lines_of "$stderr")" 1
	has "$stderr" "over 4096 manifests"
	is "$(fb images -q)" ""
}
