#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154 # reg and stderr are set elsewhere
# policy.json and --require-signature: signatures as cosign stores them, made
# with openssl.

load lib
load registry

setup() {
	fb_setup
	cd "$BATS_TEST_TMPDIR" || return 1
	need openssl
	policy="$HOME/.config/containers/policy.json"
	mkdir -p "$(dirname "$policy")"
}

teardown() { registry_stop; }

# ec_keys NAME: NAME.key and NAME.pub
ec_keys() {
	openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1.key" 2>/dev/null
	openssl pkey -in "$1.key" -pubout -out "$1.pub"
}

# image: $reg/app:1; sets $digest
image() {
	registry_start one
	fb_layout layout latest
	skopeo copy -q --dest-tls-verify=false oci:layout:latest "docker://$reg/app:1" >&2
	digest=$(skopeo inspect --tls-verify=false -f '{{.Digest}}' "docker://$reg/app:1")
}

# sign KEY NAMED HOW
sign() {
	python3 "$BATS_TEST_DIRNAME/../registry/sign.py" "$reg" app "$digest" "$1.key" "$2" "$3"
}

# refused WORDS: pull says why in one line, and no layer was asked for
refused() {
	run --separate-stderr fb pull "${@:2}" "$reg/app:1"
	is "$status" 1
	is "$(lines_of "$stderr")" 1
	has "$stderr" "not trusted"
	has "$stderr" "$1"
	is "$(fb images -q)" ""
}

@test "--require-signature: none, by another, by the right one; each of two" {
	image
	ec_keys a
	ec_keys b
	refused "no signature" --require-signature a.pub
	sign b "$reg/app" tag
	refused "a.pub" --require-signature a.pub
	fb pull -q --require-signature b.pub "$reg/app:1"
	fb rmi "$reg/app:1" >/dev/null
	refused "a.pub" --require-signature b.pub --require-signature a.pub
	sign a "$reg/app" referrer
	fb pull -q --require-signature b.pub --require-signature a.pub "$reg/app:1"
}

@test "RSA and Ed25519" {
	image
	openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out r.key 2>/dev/null
	openssl pkey -in r.key -pubout -out r.pub
	openssl genpkey -algorithm ED25519 -out e.key
	openssl pkey -in e.key -pubout -out e.pub
	sign r "$reg/app" tag
	sign e "$reg/app" referrer
	fb pull -q --require-signature r.pub --require-signature e.pub "$reg/app:1"
}

@test "a signature of another image, a broken one, a key that is none" {
	image
	ec_keys a
	local right=$digest
	digest="sha256:$(printf '%064d' 7)" sign a "$reg/app" tag
	digest=$right
	refused "no signature" --require-signature a.pub
	# another image's payload under this one's tag
	python3 - "$reg" "${right#*:}" <<-'END'
		import http.client, sys
		host, digest = sys.argv[1:]
		kind = "application/vnd.oci.image.manifest.v1+json"
		conn = http.client.HTTPConnection(host)
		conn.request("GET", f"/v2/app/manifests/sha256-{7:064d}.sig", headers={"Accept": kind})
		body = conn.getresponse().read()
		conn.request("PUT", f"/v2/app/manifests/sha256-{digest}.sig", body, {"Content-Type": kind})
		assert conn.getresponse().status == 201
	END
	refused "signatures is by" --require-signature a.pub
	refused "key 'layout'" --require-signature layout
	echo x >x.pub
	refused "no public key" --require-signature x.pub
	refused "No such file" --require-signature none.pub
}

@test "policy.json: reject, scopes, signatures with a name, mistakes" {
	image
	ec_keys a
	echo '{"default":[{"type":"reject"}]}' >"$policy"
	refused "rejected"
	printf '{"default":[{"type":"reject"}],"transports":{"docker":{"%s/app":[{"type":"insecureAcceptAnything"}]}}}' \
		"$reg" >"$policy"
	fb pull -q "$reg/app:1"
	# what is here already is asked as well
	echo '{"default":[{"type":"reject"}]}' >"$policy"
	run fb convert "$reg/app:1" -o out.img
	is "$status" 1
	has "$output" "rejected"
	[ ! -e out.img ]
	run fb run "$reg/app:1"
	is "$status" 125
	has "$output" "rejected"
	rm "$policy"
	fb rmi "$reg/app:1" >/dev/null

	printf '{"default":[{"type":"reject"}],"transports":{"docker":{"%s":[{"type":"sigstoreSigned","keyPath":"%s"}]}}}' \
		"$reg" "$PWD/a.pub" >"$policy"
	refused "no signature"
	sign a "$reg/other:1" tag
	refused "and about it"
	sign a "$reg/app:1" tag
	fb pull -q "$reg/app:1"
	fb rmi "$reg/app:1" >/dev/null
	printf '{"default":[{"type":"sigstoreSigned","keyData":"%s"}]}' "$(base64 -w0 a.pub)" >"$policy"
	fb pull -q "$reg/app:1"
	fb rmi "$reg/app:1" >/dev/null

	echo '{"default":[{"type":"signedBy","keyType":"GPGKeys","keyPath":"/x"}]}' >"$policy"
	refused "not supported"
	echo '{"default":[{"type":"insecureAcceptAnything"}],"transport":{}}' >"$policy"
	run fb pull "$reg/app:1"
	is "$status" 1
	has "$output" "'transport' is not understood"
}

@test "run --require-signature of an image that is here" {
	image
	ec_keys a
	fb pull -q "$reg/app:1"
	run fb run --require-signature a.pub "$reg/app:1"
	is "$status" 125
	has "$output" "no signature"
	run fb convert --require-signature a.pub "$reg/app:1" -o out.img
	is "$status" 1
	has "$output" "no signature"
	[ ! -e out.img ]
	run fb convert --require-signature a.pub -i layout -o out.img
	is "$status" 1
	has "$output" "no signatures"
	sign a "$reg/app" tag
	fb convert --require-signature a.pub "$reg/app:1" -o out.img
	fb rmi "$reg/app:1" >/dev/null
	# by its id it is what its name says; nobody is there to vouch for it
	fb load -q -i layout --name 127.0.0.1:1/x:1 >/dev/null
	run fb run --pull never --require-signature a.pub "$(fb images -q)"
	is "$status" 125
	has "$output" "not trusted: signatures: connect to '127.0.0.1:1'"
	# one without a name has no signatures, and the policy's default
	fb rmi -f "$(fb images -q)" >/dev/null
	skopeo copy -q oci:layout:latest docker-archive:nameless.tar
	fb load -q -i nameless.tar >/dev/null
	run fb run --pull never --require-signature a.pub "$(fb images -q)"
	is "$status" 125
	has "$output" "no signature"
	echo '{"default":[{"type":"reject"}]}' >"$policy"
	run fb convert "$(fb images -q)" -o out.img
	is "$status" 1
	has "$output" "rejected"
}
