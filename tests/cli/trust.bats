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

@test "policy.json: GPG, Fulcio and Rekor are refused in words, and only what they are about" {
	image
	ec_keys a
	sign a "$reg/app" tag
	local rule
	for rule in '"signedBy","keyType":"GPGKeys","keyPath":"/etc/keys.gpg"' \
		'"sigstoreSigned","fulcio":{"caPath":"/ca","oidcIssuer":"https://i.example","subjectEmail":"e"},"rekorPublicKeyPath":"/r"' \
		"\"sigstoreSigned\",\"keyPath\":\"$PWD/a.pub\",\"rekorPublicKeyDatas\":[\"eA==\"]" \
		'"sigstoreSigned","pki":{"caRootsPath":"/ca"}'; do
		printf '{"default":[{"type":"insecureAcceptAnything"}],"transports":{"docker":{"%s/app":[{"type":%s}]}}}' \
			"$reg" "$rule" >"$policy"
		refused "a kind of signature that is not supported (GPG, Fulcio, Rekor)"
		fb load -q -i layout --name other:1 >/dev/null
		fb rmi other:1 >/dev/null
	done
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

@test "a good signature is remembered with the image: no registry is asked again" {
	image
	ec_keys a
	ec_keys b
	sign a "$reg/app:1" tag
	fb pull -q "$reg/app:1"
	printf '{"default":[{"type":"sigstoreSigned","keyPath":"%s"}]}' "$PWD/a.pub" >"$policy"
	# asked for after the pull, and remembered from then on
	fb convert "$reg/app:1" -o one.img
	fb convert --require-signature a.pub "$reg/app:1" -o one.img
	registry_stop
	fb convert "$reg/app:1" -o two.img
	fb convert --require-signature a.pub "$reg/app:1" -o two.img
	cmp one.img two.img
	# another key, in the same file too, and another name are other questions
	run fb convert --require-signature b.pub "$reg/app:1" -o three.img
	is "$status" 1
	has "$output" "not trusted: signatures"
	fb tag "$reg/app:1" "$reg/app:2"
	run fb convert "$reg/app:2" -o three.img
	is "$status" 1
	has "$output" "not trusted"
	cp b.pub a.pub
	run fb convert "$reg/app:1" -o three.img
	is "$status" 1
	has "$output" "not trusted"
	[ ! -e three.img ]
}

@test "a good signature is remembered by pull, and goes with the image" {
	image
	ec_keys a
	sign a "$reg/app:1" tag
	printf '{"default":[{"type":"sigstoreSigned","keyPath":"%s"}]}' "$PWD/a.pub" >"$policy"
	fb pull -q "$reg/app:1"
	local requests
	requests=$(wc -c <one/log)
	registry_stop
	fb convert "$reg/app:1" -o one.img
	is "$(wc -c <one/log)" "$requests"
	fb rmi "$reg/app:1" >/dev/null
	rm "$policy"
	fb load -q -i layout --name "$reg/app:1" >/dev/null
	printf '{"default":[{"type":"insecureAcceptAnything"}],"transports":{"oci":{"":[{"type":"reject"}]},"docker":{"":[{"type":"sigstoreSigned","keyPath":"%s"}]}}}' "$PWD/a.pub" >"$policy"
	run fb convert "$reg/app:1" -o two.img
	is "$status" 1
	has "$output" "not trusted"
}

# with_policy JSON: ours and skopeo's
with_policy() { printf '%s' "$1" >"$policy"; }

# both_ways WANT SOURCE: what skopeo does with it under the policy, copy does too
both_ways() {
	rm -rf theirs ours
	run skopeo --policy "$policy" copy -q "$2" oci:theirs:x
	is "$status" "$1"
	run fb copy -q "$2" oci:ours:x
	is "$status" "$1"
	[ "$1" = 0 ] || has "$output" "not trusted"
	is "$([ -e ours ] && echo there)" "$([ "$1" != 0 ] || echo there)"
}

@test "copy, load and convert -i ask about the file or folder, as skopeo and podman do" {
	need skopeo
	local any='{"type":"insecureAcceptAnything"}' no='{"type":"reject"}' here
	ec_keys a
	fb_layout layout latest
	here=$(realpath .)
	skopeo copy -q oci:layout:latest docker-archive:d.tar:x/y:1
	skopeo copy -q oci:layout:latest oci-archive:o.tar:1
	mkdir root && cp /bin/busybox root/ && tar -C root -cf root.tar .

	with_policy "{\"default\":[$no]}"
	both_ways 1 oci:layout:latest
	both_ways 1 oci-archive:o.tar:1
	both_ways 1 docker-archive:d.tar
	local file
	for file in layout o.tar d.tar; do
		run fb load -i $file
		is "$status" 1
		has "$output" "not trusted"
		has "$output" "rejected"
	done
	for file in layout o.tar d.tar root.tar; do
		run fb convert -i $file -o x.img
		is "$status" 1
		has "$output" "not trusted"
	done
	is "$(fb images -q)" ""
	is "$(find "$FLAMEBOX_ROOT/oci/blobs" -type f)" ""

	with_policy "{\"default\":[$no],\"transports\":{\"oci\":{\"$here\":[$any]},\"oci-archive\":{\"$here/o.tar\":[$any]},\"docker-archive\":{\"\":[$any]},\"tarball\":{\"\":[$any]}}}"
	both_ways 0 oci:layout:latest
	both_ways 0 oci-archive:o.tar:1
	both_ways 0 docker-archive:d.tar
	for file in layout o.tar d.tar root.tar; do
		fb convert -i $file -o x.img
	done
	# a pipe has no path
	run fb load -q <o.tar
	is "$status" 1
	has "$output" "not trusted"
	fb load -q <d.tar
	# what was let in as a file may be used, whatever it is called
	fb convert x/y:1 -o x.img
	fb tag x/y:1 other/name:2
	fb convert other/name:2 -o x.img
	# until the policy says otherwise
	with_policy "{\"default\":[$no]}"
	run fb convert x/y:1 -o y.img
	is "$status" 1
	has "$output" "rejected"

	# files have no signatures
	with_policy "{\"default\":[{\"type\":\"sigstoreSigned\",\"keyPath\":\"$here/a.pub\"}]}"
	both_ways 1 oci:layout:latest
	both_ways 1 docker-archive:d.tar
	run fb load -i d.tar
	is "$status" 1
	has "$output" "no signature"
	# mistakes
	with_policy "{\"default\":[$any],\"transports\":{\"docker-archive\":{\"$here\":[$any]}}}"
	run skopeo --policy "$policy" copy -q docker-archive:d.tar oci:theirs:x
	is "$status" 1
	run fb load -i d.tar
	is "$status" 1
	has "$output" "not understood"
}

@test "copy from a registry: policy and --require-signature" {
	image
	ec_keys a
	run fb copy --require-signature a.pub "$reg/app:1" oci:out:x
	is "$status" 1
	has "$output" "no signature"
	run fb copy --require-signature a.pub oci:layout oci:out:x
	is "$status" 1
	has "$output" "no signature"
	printf '{"default":[{"type":"reject"}]}' >"$policy"
	run fb copy "$reg/app:1" oci:out:x
	is "$status" 1
	has "$output" "rejected"
	rm "$policy"
	[ ! -e out ]
	sign a "$reg/app:1" tag
	is "$(fb copy -q --require-signature a.pub "$reg/app:1" oci:out:x)" "$digest"
	# of an index its own signature counts
	registry_index many
	digest=$(skopeo inspect --raw --tls-verify=false "docker://$reg/many:all" | sha256sum | sed 's/ .*//; s/^/sha256:/')
	run fb copy -a --require-signature a.pub "$reg/many:all" oci:all:x
	is "$status" 1
	python3 "$BATS_TEST_DIRNAME/../registry/sign.py" "$reg" many "$digest" a.key "$reg/many" tag
	is "$(fb copy -q -a --require-signature a.pub "$reg/many:all" oci:all:x)" "$digest"
	fb copy -q --platform linux/arm64 --require-signature a.pub "$reg/many:all" oci:arm:x
}
