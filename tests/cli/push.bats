#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154 # reg, stderr and output are set elsewhere
# push: to Debian's docker-registry, read back with skopeo.

load lib
load registry

setup() {
	fb_setup
	cd "$BATS_TEST_TMPDIR" || return 1
}

teardown() { registry_stop; }

manifest_of() { fb inspect -f '{{index .RepoDigests 0}}' "$1" | cut -d@ -f2; }
remote_digest() { skopeo inspect --tls-verify=false -f '{{.Digest}}' "docker://$reg/$1"; }

# whole NAME: the registry's copy is complete and the same, byte for byte
whole() {
	rm -rf back
	skopeo copy -q --src-tls-verify=false --preserve-digests \
		"docker://$reg/$1" dir:back >&2
	local f
	for f in back/[0-9a-f]*; do
		is "$(sha256sum <"$f" | cut -d' ' -f1)" "$(basename "$f")"
		cmp "$f" "$FLAMEBOX_ROOT/oci/blobs/sha256/$(basename "$f")"
	done
}

@test "docker's words; the same digest; every byte there; a second time nothing is sent" {
	registry_start one
	fb_load "$reg/some/image:1"
	run --separate-stderr fb push "$reg/some/image:1"
	is "$status" 0
	has "$output" "The push refers to repository [$reg/some/image]"
	has "$output" ": Pushed"
	has "$output" "1: digest: $(manifest_of "$reg/some/image:1") size: "
	is "$(remote_digest some/image:1)" "$(manifest_of "$reg/some/image:1")"
	whole some/image:1
	local sent
	sent=$(grep -c '"PUT /v2/.*/blobs/uploads/' one/log)
	[ "$sent" -ge 2 ]
	run fb push "$reg/some/image:1"
	is "$status" 0
	has "$output" ": Layer already exists"
	[[ "$output" != *": Pushed"* ]]
	is "$(grep -c '"PUT /v2/.*/blobs/uploads/' one/log)" "$sent"
	is "$(fb push -q "$reg/some/image:1")" "$reg/some/image:1"
	# what was pushed can be pulled under its digest
	fb rmi -f "$reg/some/image:1" >/dev/null
	fb pull -q "$reg/some/image:1"
}

# big NAME MEBIBYTES: an image with a layer that does not compress
big() {
	fb_layout layout latest
	mkdir -p extra
	head -c "$2M" /dev/urandom >extra/data
	umoci insert --image layout:latest extra /extra >&2
	fb load -q -i layout --name "$1"
}

@test "a large layer goes in pieces" {
	registry_start one
	big "$reg/big:1" 40
	fb push -q "$reg/big:1"
	is "$(remote_digest big:1)" "$(manifest_of "$reg/big:1")"
	whole big:1
	is "$(grep -c '"PATCH /v2/big/blobs/uploads/.* 202 ' one/log)" 2
}

@test "another repository's layers are mounted" {
	registry_start one
	fb_load "$reg/first:1"
	fb push -q "$reg/first:1"
	fb tag "$reg/first:1" "$reg/second/name:2"
	run fb push "$reg/second/name:2"
	is "$status" 0
	has "$output" "Mounted from first"
	[[ "$output" != *": Pushed"* ]]
	whole second/name:2
}

@test "-a pushes all tags of a repository" {
	registry_start one
	fb_load "$reg/some/image:1"
	fb tag "$reg/some/image:1" "$reg/some/image:2"
	fb tag "$reg/some/image:1" "$reg/other:3"
	run fb push -a -q "$reg/some/image"
	is "$status" 0
	is "$(sort <<<"$output")" "$reg/some/image:1
$reg/some/image:2"
	is "$(skopeo list-tags --tls-verify=false "docker://$reg/some/image" | jq -c ".Tags | sort")" '["1","2"]'
	run fb push -a "$reg/some/image:1"
	is "$status" 1
	has "$output" "tag can't be used with --all-tags/-a"
}

@test "a log-in is needed, and used" {
	registry_users users user secret
	registry_start one "" "$(registry_auth users)"
	fb_load "$reg/image:1"
	run --separate-stderr fb push "$reg/image:1"
	is "$status" 1
	is "$(lines_of "$stderr")" 1
	has "$stderr" "flamebox login $reg"
	printf secret | fb login -u user --password-stdin "$reg" 2>/dev/null >&2
	fb push -q "$reg/image:1"
}

@test "over TLS and HTTP/2, with a log-in, in pieces" {
	need openssl
	openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost \
		-addext subjectAltName=DNS:localhost -keyout key.pem -out cert.pem 2>/dev/null
	registry_users users user secret
	registry_start one ", tls: {certificate: $PWD/cert.pem, key: $PWD/key.pem}" \
		"$(registry_auth users)"
	export XDG_CONFIG_HOME="$HOME/.config"
	mkdir -p "$XDG_CONFIG_HOME/containers/certs.d/$reg"
	cp cert.pem "$XDG_CONFIG_HOME/containers/certs.d/$reg/ca.crt"
	printf secret | fb login -u user --password-stdin "$reg" 2>/dev/null >&2
	big "$reg/big:1" 20
	fb push -q "$reg/big:1"
	grep -q '"PATCH /v2/big/blobs/uploads/.* HTTP/2.0" 202 ' one/log ||
		fail "$(grep PATCH one/log)"
	is "$(skopeo inspect --creds user:secret --tls-verify=false -f '{{.Digest}}' "docker://$reg/big:1")" \
		"$(manifest_of "$reg/big:1")"
	fb rmi -f "$reg/big:1" >/dev/null
	fb pull -q "$reg/big:1"
}

@test "what can't be pushed: one line" {
	run --separate-stderr fb push none:1
	is "$status" 1
	has "$stderr" "An image does not exist locally with the tag: none"
	fb_load here:1
	run --separate-stderr fb push "here@sha256:$(printf '%064d' 1)"
	is "$status" 1
	has "$stderr" "cannot push a digest reference"
	fb tag here:1 127.0.0.1:1/x:1
	run --separate-stderr fb push 127.0.0.1:1/x:1
	is "$status" 1
	is "$(lines_of "$stderr")" 1
	has "$stderr" "127.0.0.1:1"
}

@test "images that podman and skopeo built keep their digests through pull and push" {
	registry_start one
	local format
	for format in oci v2s2; do
		fb_layout "layout-$format" latest
		skopeo copy -q --dest-tls-verify=false --format "$format" \
			"oci:layout-$format:latest" "docker://$reg/$format:1" >&2
		fb pull -q "$reg/$format:1"
		fb tag "$reg/$format:1" "$reg/again/$format:1"
		fb push -q "$reg/again/$format:1"
		is "$(remote_digest "again/$format:1")" "$(remote_digest "$format:1")"
		is "$(skopeo inspect --raw --tls-verify=false "docker://$reg/again/$format:1" | sha256sum)" \
			"$(skopeo inspect --raw --tls-verify=false "docker://$reg/$format:1" | sha256sum)"
	done
}

# pod ARG…: podman with a storage of its own, and no log-ins
pod() {
	REGISTRY_AUTH_FILE="$PWD/none.json" podman --root "$PWD/pod" \
		--runroot "$PWD/podrun" --storage-driver vfs "$@"
}

@test "podman pulls what was pushed, and the other way round" {
	need podman
	registry_start one
	echo '{}' >none.json
	fb_load "$reg/a:1"
	fb push -q "$reg/a:1"
	pod pull -q --tls-verify=false "$reg/a:1" >&2 || {
		pod info >/dev/null 2>&1 || skip "podman does not run here"
		fail "podman cannot pull it"
	}
	is "$(pod image inspect -f '{{.Digest}}' "$reg/a:1")" "$(manifest_of "$reg/a:1")"
	is "sha256:$(pod image inspect -f '{{.Id}}' "$reg/a:1")" "$(fb inspect -f '{{.Id}}' "$reg/a:1")"
	pod tag "$reg/a:1" "$reg/b:2"
	pod push -q --tls-verify=false "$reg/b:2" >&2
	fb pull -q "$reg/b:2"
	is "$(fb inspect -f '{{.Id}}' "$reg/b:2")" "$(fb inspect -f '{{.Id}}' "$reg/a:1")"
}

@test "of an image that came through an index its own manifest goes, as with podman" {
	need podman
	registry_start one
	echo '{}' >none.json
	registry_index image
	local own
	own=$(skopeo inspect --tls-verify=false --override-arch amd64 -f '{{.Digest}}' "docker://$reg/image:amd64")
	fb pull -q --platform linux/amd64 "$reg/image:all"
	fb tag "$reg/image:all" "$reg/ours:1"
	has "$(fb push "$reg/ours:1")" "1: digest: $own size: "
	is "$(remote_digest ours:1)" "$own"
	whole ours:1
	pod info >/dev/null 2>&1 || skip "podman does not run here"
	pod pull -q --tls-verify=false --arch amd64 "$reg/image:all" >&2
	pod push -q --tls-verify=false "$reg/image:all" "$reg/theirs:1" >&2
	is "$(skopeo inspect --raw --tls-verify=false "docker://$reg/theirs:1" | jq -r '.manifests | type')" null
	# the index goes by copy -a
	is "$(fb copy -q -a "$reg/image:all" "$reg/ours:all")" \
		"sha256:$(skopeo inspect --raw --tls-verify=false "docker://$reg/image:all" | sha256sum | cut -d' ' -f1)"
}
