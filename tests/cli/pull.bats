#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154 # stderr is set by run --separate-stderr
# pull: from Debian's docker-registry, and from one that misbehaves
# (tests/registry/fault_server.py).

load lib
load registry

setup() {
	fb_setup
	cd "$BATS_TEST_TMPDIR" || return 1
}

teardown() { registry_stop; }

# registry [HTTP [TOP]]: docker-registry in this test's folder, see registry.bash
registry() { registry_start . "$@"; }

# push NAME [skopeo flags]: the small image
push() {
	fb_layout layout latest
	skopeo copy -q "${@:2}" oci:layout:latest "docker://$reg/$1" >&2
}

digest_of() { skopeo inspect --tls-verify=false -f '{{.Digest}}' "docker://$reg/$1"; }
image_id() { fb inspect -f '{{.Id}}' "$1"; }

# faulty: the registry that misbehaves; sets $bad to its host
faulty() {
	need python3
	mkfifo hold
	python3 -B "$BATS_TEST_DIRNAME/../registry/serve.py" port requests \
		<hold >faulty.log 2>&1 3>&- &
	registry_pids+=($!)
	exec 9>hold
	until [ -e port ]; do
		kill -0 "${registry_pids[-1]}" || fail "$(cat faulty.log)"
		sleep 0.05
	done
	bad="127.0.0.1:$(head -1 port)"
}

blob_requests() { grep -c 'GET .*/blobs/' requests || true; }

nothing_is_visible() {
	is "$(fb images -q)" ""
	is "$(find "$FLAMEBOX_ROOT/oci/blobs" -type f -size +100k)" ""
}

@test "by tag: digest, name and id are the registry's" {
	registry
	push some/image:1 --dest-tls-verify=false
	run --separate-stderr fb pull "$reg/some/image:1"
	is "$status" 0
	has "$output" "Digest: $(digest_of some/image:1)"
	has "$output" "Status: Downloaded newer image for $reg/some/image:1"
	is "$(tail -1 <<<"$output")" "$reg/some/image:1"
	is "$(image_id "$reg/some/image:1")" \
		"$(skopeo inspect --tls-verify=false --raw "docker://$reg/some/image:1" | jq -r .config.digest)"
	is "$(skopeo inspect -f '{{.Digest}}' "oci:$FLAMEBOX_ROOT/oci:$reg/some/image:1")" \
		"$(digest_of some/image:1)"
	run --separate-stderr fb pull "$reg/some/image:1"
	has "$output" "Status: Image is up to date for $reg/some/image:1"
	is "$(fb pull -q "$reg/some/image:1")" "$reg/some/image:1"
}

@test "by digest, and by tag and digest" {
	registry
	push some/image:1 --dest-tls-verify=false
	local digest
	digest=$(digest_of some/image:1)
	fb pull -q "$reg/some/image@$digest"
	fb inspect "$reg/some/image@$digest" >/dev/null
	fb pull -q "$reg/some/image:whatever@$digest"
	run fb pull -q "$reg/some/image@sha256:$(printf '%064d' 1)"
	is "$status" 1
	has "$output" "$reg"
}

@test "docker's schema 2 has the same id" {
	registry
	push oci:1 --dest-tls-verify=false
	push docker:1 --dest-tls-verify=false --format v2s2
	fb pull -q "$reg/docker:1"
	fb convert "$reg/docker:1" -o docker.img >docker.sum
	fb pull -q "$reg/oci:1"
	fb convert "$reg/oci:1" -o oci.img >oci.sum
	[ -s docker.sum ]
	is "$(cut -d' ' -f1 docker.sum)" "$(cut -d' ' -f1 oci.sum)"
}

@test "zstd layers" {
	registry
	push image:1 --dest-tls-verify=false --dest-compress-format zstd
	skopeo inspect --tls-verify=false --raw "docker://$reg/image:1" | grep -q zstd ||
		skip "this skopeo does not write zstd"
	fb pull -q "$reg/image:1"
	fb convert "$reg/image:1" -o image.img >/dev/null
}

@test "an index: this machine's platform, --platform, and none" {
	registry
	registry_index image
	fb pull -q --platform linux/arm64 "$reg/image:all"
	is "$(fb inspect -f '{{.Architecture}}' "$reg/image:all")" arm64
	fb pull -q --platform linux/amd64 "$reg/image:all"
	is "$(fb inspect -f '{{.Architecture}}' "$reg/image:all")" amd64
	run fb pull -q --platform linux/s390x "$reg/image:all"
	is "$status" 1
	has "$output" "linux/amd64"
	has "$output" "linux/arm64"
	if [ "$(uname -m)" = x86_64 ]; then
		fb rmi -f "$reg/image:all" >/dev/null
		fb pull -q "$reg/image:all"
		is "$(fb inspect -f '{{.Architecture}}' "$reg/image:all")" amd64
	fi
}

@test "what is not there: one line, status 1, nothing kept" {
	registry
	push some/image:1 --dest-tls-verify=false
	run --separate-stderr fb pull "$reg/some/image:2"
	is "$status" 1
	is "$output" ""
	has "$stderr" "no tag '2' of 'some/image'"
	run --separate-stderr fb pull "$reg/other:1"
	is "$status" 1
	has "$stderr" "'other'"
	run --separate-stderr fb pull 127.0.0.1:1/x
	is "$status" 1
	has "$stderr" "127.0.0.1:1"
	nothing_is_visible
}

@test "TLS by a CA in certs.d, htpasswd, docker's and podman's log-ins" {
	need openssl htpasswd
	openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost \
		-addext subjectAltName=DNS:localhost -keyout key.pem -out cert.pem 2>/dev/null
	htpasswd -nbB user 's3cret word' | head -1 >users
	registry ", tls: {certificate: $PWD/cert.pem, key: $PWD/key.pem}" \
		"auth: {htpasswd: {realm: test, path: $PWD/users}}"
	push image:1 --dest-tls-verify=false --dest-creds 'user:s3cret word'

	run --separate-stderr fb pull "$reg/image:1"
	is "$status" 1
	has "$stderr" "certificate"
	has "$stderr" "--tls-verify=false"
	run --separate-stderr fb pull --tls-verify=false "$reg/image:1"
	is "$status" 1
	has "$stderr" "needs a log-in"

	export XDG_CONFIG_HOME="$HOME/.config"
	mkdir -p "$XDG_CONFIG_HOME/containers/certs.d/$reg" "$DOCKER_CONFIG"
	cp cert.pem "$XDG_CONFIG_HOME/containers/certs.d/$reg/ca.crt"
	local auth
	auth=$(printf 'user:s3cret word' | base64)
	printf '{"auths":{"%s":{"auth":"%s"}}}' "$reg" "$auth" >"$DOCKER_CONFIG/config.json"
	run --separate-stderr fb -v pull "$reg/image:1"
	is "$status" 0
	[[ "$output$stderr" != *"s3cret"* && "$output$stderr" != *"$auth"* ]]

	fb rmi "$reg/image:1" >/dev/null
	mv "$DOCKER_CONFIG/config.json" auth.json
	run fb pull -q "$reg/image:1"
	is "$status" 1
	REGISTRY_AUTH_FILE=$PWD/auth.json fb pull -q "$reg/image:1"
}

@test "a wrong layer is never visible" {
	faulty
	run --separate-stderr fb pull "$bad/corrupt:latest"
	is "$status" 1
	has "$stderr" "digest"
	nothing_is_visible
}

@test "a broken link: continued, and whole" {
	faulty
	fb pull -q "$bad/cut:latest"
	is "$(fb inspect -f '{{index .RepoDigests 0}}' "$bad/cut:latest")" \
		"$bad/cut@$(tail -1 port)"
}

@test "kill -9 in the middle: the next pull goes on where it stopped" {
	faulty
	"$FLAMEBOX" pull -q "$bad/stall:latest" 3>&- 9>&- &
	local pid=$!
	until [ "$(grep -c '^stalled' requests)" -ge 2 ]; do
		kill -0 "$pid"
		sleep 0.05
	done
	sleep 0.3 # what the server sent is in the client's hands
	kill -9 "$pid"
	wait "$pid" || true
	nothing_is_visible
	fb pull -q "$bad/stall:latest"
	grep -Eq 'GET .*/blobs/.* [1-9][0-9]*$' requests ||
		fail "no Range was asked for" "$(cat requests)"
	is "$(fb inspect -f '{{index .RepoDigests 0}}' "$bad/stall:latest")" \
		"$bad/stall@$(tail -1 port)"
}

@test "SIGINT ends a pull; nothing is visible" {
	faulty
	# a background job of a shell ignores SIGINT: python gives it back
	python3 -c 'import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
os.execv(sys.argv[1], sys.argv[1:])' "$FLAMEBOX" pull -q "$bad/stall:latest" 3>&- 9>&- &
	local pid=$! status=0
	until grep -q '^stalled' requests; do
		kill -0 "$pid"
		sleep 0.05
	done
	kill -INT "$pid"
	wait "$pid" || status=$?
	[ "$status" != 0 ]
	nothing_is_visible
}

@test "two pulls of one image share the work" {
	faulty
	"$FLAMEBOX" pull -q "$bad/slow:latest" 3>&- 9>&- &
	local pid=$!
	fb pull -q "$bad/slow:latest"
	wait "$pid"
	is "$(blob_requests)" 3
}

@test "what the store has is not fetched again" {
	faulty
	fb pull -q "$bad/one:latest"
	fb pull -q "$bad/two:latest"
	is "$(blob_requests)" 3
}

@test "insecure-registries and registry-mirrors of the configuration" {
	faulty
	mkdir -p "$HOME/.config/flamebox"
	printf '{"registry-mirrors": ["http://127.0.0.1:1", "http://%s"]}' "$bad" >config.json
	is "$(fb --config config.json pull -q some/image)" docker.io/some/image:latest
	printf '{"insecure-registries": ["%s"]}' "$bad" >config.json
	fb --config config.json pull -q "$bad/image:latest"
}

@test "a full disk: an error, and the space is given back" {
	[ "$(id -u)" = 0 ] || skip "mounting needs root"
	faulty
	mkdir small
	mount -t tmpfs -o size=3m none small 2>/dev/null || skip "no mounts here"
	export FLAMEBOX_ROOT="$PWD/small"
	run --separate-stderr fb pull "$bad/image:latest"
	local left
	left=$(du -sk small | cut -f1)
	umount small
	is "$status" 1
	has "$stderr" "No space left"
	[ "$left" -lt 1000 ] || fail "$left KiB are still there"
}

@test "pull converts: what a machine boots from is there" {
	registry
	push app:1 --dest-tls-verify=false
	run --separate-stderr fb pull "$reg/app:1"
	is "$status" 0
	files=("$FLAMEBOX_ROOT"/rootfs/*.squashfs)
	is "${#files[@]}" 1
	is "$(fb convert -o x.squashfs "$reg/app:1")" "$(sha256sum <"${files[0]}" | cut -d' ' -f1)"
	cmp x.squashfs "${files[0]}"
	# and it goes with the image
	fb rmi "$reg/app:1"
	is "$(find "$FLAMEBOX_ROOT/rootfs" -type f | wc -l)" 0
	fb pull -q --convert=false "$reg/app:1"
	is "$(find "$FLAMEBOX_ROOT/rootfs" -type f | wc -l)" 0
}

@test "of two images on one base the second takes it from the first" {
	registry
	local name
	tar -C "$BATS_TEST_DIRNAME/.." -cf base.tar unit
	for name in a b; do
		echo "$name" >top
		tar -cf "$name.tar" top
		python3 -B "$BATS_TEST_DIRNAME/../layers/layout.py" gzip "$name" base.tar "$name.tar"
		skopeo copy -q --dest-tls-verify=false "oci:$name:latest" "docker://$reg/$name:1"
	done
	fb pull -q "$reg/a:1"
	run --separate-stderr fb -v pull -q "$reg/b:1"
	is "$status" 0
	has "$stderr" "1 of 2 layers were taken from an earlier image"
	fb convert -q -o known "$reg/b:1"
	fb convert -q -i b -o fresh
	cmp known fresh
	# what is remembered goes with its image
	fb rmi "$reg/a:1" "$reg/b:1"
	is "$(find "$FLAMEBOX_ROOT/rootfs" -type f | wc -l)" 0
}

@test "a layer that is right by its digest and no layer: nothing is left" {
	registry
	head -c 3000000 /dev/urandom >layer
	echo ok >ok
	tar -cf good.tar ok
	python3 -B "$BATS_TEST_DIRNAME/../layers/layout.py" none bad good.tar layer
	skopeo copy -q --dest-tls-verify=false oci:bad:latest "docker://$reg/bad:1"
	run --separate-stderr fb pull -q "$reg/bad:1"
	is "$status" 1
	is "$output" ""
	is "$(lines_of "$stderr")" 1
	has "$stderr" "layer 2 of 2"
	is "$(fb images -q)" ""
	is "$(find "$FLAMEBOX_ROOT"/{oci/blobs,rootfs,tmp,partial} -type f | wc -l)" 0
}

@test "-a: every tag of the repository, what is no image passed over" {
	need jq
	registry
	push team/app:1 --dest-tls-verify=false
	push team/app:v2 --dest-tls-verify=false
	push other:1 --dest-tls-verify=false
	registry_index team/app
	run --separate-stderr fb pull -q --convert=false -a "$reg/team/app"
	is "$status" 0
	is "$(sort <<<"$output" | tr '\n' ' ')" "$reg/team/app:1 $reg/team/app:all $reg/team/app:amd64 $reg/team/app:arm64 $reg/team/app:v2 "
	[[ "$stderr" != *"passed over"* ]]
	is "$(fb images --format '{{.Tag}}' "$reg/team/app" | wc -l)" 5
	run --separate-stderr fb pull -a "$reg/team/app:1"
	is "$status" 1
	is "$stderr" "flamebox: tag can't be used with --all-tags/-a"
	run --separate-stderr fb pull -a "$reg/nope"
	is "$status" 1
	is "$(lines_of "$stderr")" 1
	# a signature's tag is no image
	echo '{}' >config
	echo sig >sig
	python3 - "$reg" <<-'END'
		import hashlib, json, sys, urllib.request
		base = f"http://{sys.argv[1]}/v2/other"
		def ask(method, url, data=None, kind="application/octet-stream"):
		    req = urllib.request.Request(url, data, {"Content-Type": kind}, method=method)
		    return urllib.request.urlopen(req).headers
		def blob(data):
		    digest = "sha256:" + hashlib.sha256(data).hexdigest()
		    where = ask("POST", base + "/blobs/uploads/", b"")["Location"]
		    ask("PUT", where + ("&" if "?" in where else "?") + "digest=" + digest, data)
		    return {"digest": digest, "size": len(data)}
		kind = "application/vnd.oci.image.manifest.v1+json"
		doc = {"schemaVersion": 2, "mediaType": kind,
		       "config": {"mediaType": "application/vnd.example+json", **blob(b"{}")},
		       "layers": [{"mediaType": "application/vnd.example.signature", **blob(b"sig")}]}
		ask("PUT", base + "/manifests/signature", json.dumps(doc).encode(), kind)
	END
	run --separate-stderr fb pull -q -a "$reg/other"
	is "$status" 0
	is "$output" "$reg/other:1"
	has "$stderr" "passed over"
	has "$stderr" "artifact"
}
