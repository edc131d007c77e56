#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154 # reg, stderr and output are set elsewhere
# copy: registries, layouts and archives, read back with skopeo.

load lib
load registry

setup() {
	fb_setup
	cd "$BATS_TEST_TMPDIR" || return 1
}

teardown() { registry_stop; }

digest_in() { skopeo inspect --tls-verify=false -f '{{.Digest}}' "$1"; }

# image: a layout with the small image; sets $want to its digest
image() {
	need skopeo
	fb_layout layout latest
	want=$(skopeo inspect -f '{{.Digest}}' oci:layout:latest)
}

# nothing is left in the store
is_clean() {
	is "$(fb images -q)" ""
	is "$(find "$FLAMEBOX_ROOT/oci/blobs" -type f)" ""
}

@test "layout to registry, registry to registry, registry to layout" {
	image
	registry_start one
	local one=$reg
	registry_start two
	run fb copy oci:layout:latest "docker://$one/a/b:1"
	is "$status" 0
	has "$output" "Digest: $want"
	is "$(digest_in "docker://$one/a/b:1")" "$want"
	is "$(fb copy -q "$one/a/b:1" "docker://$reg/c:2")" "$want"
	is "$(digest_in "docker://$reg/c:2")" "$want"
	fb copy -q "docker://$reg/c:2" oci:out/deep:tag
	is "$(digest_in oci:out/deep:tag)" "$want"
	skopeo copy -q oci:out/deep:tag dir:back
	is_clean
	# one registry: mounted, not sent
	local sent
	sent=$(grep -c '"PATCH\|"PUT /v2/.*/blobs/' two/log || true)
	fb copy -q "$reg/c:2" "$reg/d/e:3"
	is "$(digest_in "docker://$reg/d/e:3")" "$want"
	is "$(grep -c '"PATCH\|"PUT /v2/.*/blobs/' two/log || true)" "$sent"
}

@test "a layout that is there keeps what it has" {
	image
	fb copy -q oci:layout:latest oci:out:one
	fb copy -q oci:layout oci:out:two
	fb copy -q oci:layout oci:out:one
	is "$(jq -c '[.manifests[].annotations["org.opencontainers.image.ref.name"]] | sort' out/index.json)" \
		'["one","two"]'
	is "$(digest_in oci:out:one) $(digest_in oci:out:two)" "$want $want"
	is "$(cd out && find . -name '.flamebox*')" ""
	umoci stat --image out:two >&2
	is_clean
	mkdir other
	echo '{"a":1}' >other/index.json
	run fb copy oci:layout oci:other
	is "$status" 1
	has "$output" "no OCI layout"
	is "$(ls other)" index.json
}

@test "archives: to skopeo, and from skopeo" {
	image
	fb copy -q oci:layout oci-archive:a.tar:tag
	is "$(digest_in oci-archive:a.tar:tag)" "$want"
	fb copy -q oci-archive:a.tar:tag oci:b:x
	is "$(digest_in oci:b:x)" "$want"
	fb copy -q oci-archive:a.tar docker-archive:d.tar:some/name:3
	is "$(tar -xOf d.tar manifest.json | jq -r '.[0].RepoTags[0]')" some/name:3
	is "$(skopeo inspect --config docker-archive:d.tar:some/name:3 | jq -c .config.Cmd)" '["sh"]'
	fb load -q -i d.tar
	fb inspect some/name:3 >/dev/null
	fb rmi some/name:3 >/dev/null
	is "$(fb copy -q docker-archive:d.tar oci:e:y)" "$want"
	skopeo copy -q oci:layout docker-archive:s.tar:x/y:z
	fb copy -q docker-archive:s.tar:x/y:z oci:f:z
	skopeo inspect oci:f:z >/dev/null
	run fb copy docker-archive:s.tar:other:1 oci:g
	is "$status" 1
	has "$output" "no 'other:1'"
	is_clean
}

@test "of several images one has to be named" {
	image
	fb_load one:1
	fb_load two:2
	fb save -o both.tar one:1 two:2
	run fb copy docker-archive:both.tar:two:2 oci:out:x
	is "$status" 0
	fb rmi one:1 two:2 >/dev/null
	run fb copy docker-archive:both.tar:none:3 oci:out:x
	is "$status" 1
}

@test "an index: one platform, or all of it with its digest" {
	registry_start one
	registry_index image
	fb copy -q --platform linux/arm64 "$reg/image:all" oci:out:arm
	is "$(skopeo inspect --config oci:out:arm | jq -r .architecture)" arm64
	local whole
	whole=$(skopeo inspect --raw --tls-verify=false "docker://$reg/image:all" | sha256sum | cut -d' ' -f1)
	is "$(fb copy -q --all "$reg/image:all" "$reg/other:all")" "sha256:$whole"
	is "$(skopeo inspect --raw --tls-verify=false "docker://$reg/other:all" | sha256sum | cut -d' ' -f1)" "$whole"
	fb copy -q -a "$reg/other:all" oci:out:all
	is "$(skopeo inspect --raw oci:out:all | sha256sum | cut -d' ' -f1)" "$whole"
	skopeo copy -q --all oci:out:all dir:back
	fb copy -q -a "$reg/other:all" oci-archive:all.tar:all
	skopeo inspect --raw oci-archive:all.tar:all >/dev/null
	# and from there on
	is "$(fb copy -q -a oci:out:all "oci-archive:from-dir.tar:x")" "sha256:$whole"
	is "$(fb copy -q -a oci-archive:from-dir.tar:x oci:back2:y)" "sha256:$whole"
	is "$(fb copy -q -a oci-archive:all.tar "$reg/third:all")" "sha256:$whole"
	is "$(skopeo inspect --raw --tls-verify=false "docker://$reg/third:all" | sha256sum | cut -d' ' -f1)" "$whole"
	skopeo copy -q --all oci:back2:y dir:back3
	is "$(fb copy -q -a oci:out:arm oci:one:arm)" "$(digest_in oci:out:arm)"
	run fb copy -a oci:out oci:none
	is "$status" 1
	has "$output" "there are 2 images in it"
	run fb copy -a oci:out:nope oci:none
	is "$status" 1
	has "$output" "no 'nope'"
	skopeo copy -q oci:out:arm docker-archive:d.tar:x/y:1
	run fb copy -a oci-archive:d.tar oci:none
	is "$status" 1
	has "$output" "holds no index"
	[ ! -e none ]
	run fb copy -a "$reg/other:all" docker-archive:x.tar
	is "$status" 1
	has "$output" "holds no index"
	run fb copy --platform linux/s390x "$reg/image:all" oci:out:z
	is "$status" 1
	has "$output" "linux/arm64"
	is_clean
}

@test "what can't be: one line, nothing left" {
	image
	run --separate-stderr fb copy oci: oci:out
	is "$status" 1
	has "$stderr" "the path is missing"
	run --separate-stderr fb copy oci:nowhere oci:out
	is "$status" 1
	is "$(lines_of "$stderr")" 1
	run --separate-stderr fb copy oci:layout 127.0.0.1:1/x:1
	is "$status" 1
	has "$stderr" "127.0.0.1:1"
	run --separate-stderr fb copy oci:layout UPPER
	is "$status" 1
	has "$stderr" "docker-archive:FILE"
	run --separate-stderr fb copy oci:layout oci-archive:no/such/dir/a.tar
	is "$status" 1
	[ ! -e out ]
	is_clean
}
