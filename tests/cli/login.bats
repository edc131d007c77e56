#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154 # reg, stderr and output are set elsewhere
# login and logout: against Debian's docker-registry with htpasswd, beside
# podman's own, with credential helpers.

load lib
load registry

setup() {
	fb_setup
	cd "$BATS_TEST_TMPDIR" || return 1
	config="$DOCKER_CONFIG/config.json"
}

teardown() { registry_stop; }

# private: a registry that wants user and "s3cret word"
private() {
	registry_users users user 's3cret word'
	registry_start one "" "$(registry_auth users)"
}

put_image() {
	fb_layout layout latest
	skopeo copy -q --dest-tls-verify=false --dest-creds 'user:s3cret word' \
		oci:layout:latest "docker://$reg/$1" >&2
}

log_in() { printf 's3cret word\n' | fb login -u user --password-stdin "$@"; }

auth_of() { jq -r --arg h "$2" '.auths[$h].auth' "$1" | base64 -d; }

@test "login verifies, keeps, and makes a private image usable; logout forgets" {
	private
	put_image image:1
	run fb pull -q "$reg/image:1"
	is "$status" 1
	has "$output" "needs a log-in"
	run --separate-stderr log_in "$reg"
	is "$status" 0
	is "$output" "Login Succeeded"
	has "$stderr" "stored unencrypted in $config"
	is "$(stat -c %a "$config")" 600
	is "$(auth_of "$config" "$reg")" "user:s3cret word"
	fb pull -q "$reg/image:1"
	run --separate-stderr fb login "$reg"
	is "$status" 0
	is "$output" "Authenticating with existing credentials...
Login Succeeded"
	run --separate-stderr fb logout "$reg"
	is "$output" "Removing login credentials for $reg"
	is "$(jq -c .auths "$config")" "{}"
	run --separate-stderr fb logout "$reg"
	is "$status" 0
	is "$output" "Not logged in to $reg"
	run fb pull -q "$reg/image:1"
	is "$status" 1
}

@test "a wrong password is not kept, and not shown" {
	private
	run bash -c 'printf wr0ng | "$1" -vv login -u user --password-stdin "$2"' - "$FLAMEBOX" "$reg"
	is "$status" 1
	has "$output" "refuses the log-in"
	[[ "$output" != *wr0ng* ]]
	[ ! -e "$config" ]
	run fb login "$reg" </dev/null
	is "$status" 1
	has "$output" "Cannot perform an interactive login from a non TTY device"
}

@test "-p is warned of; the flags' rules are docker's" {
	private
	run --separate-stderr fb login -u user -p 's3cret word' "http://$reg/v2/"
	is "$status" 0
	is "$output" "Login Succeeded"
	has "$stderr" "WARNING! Using --password via the CLI is insecure. Use --password-stdin."
	is "$(auth_of "$config" "$reg")" "user:s3cret word"
	run fb login -u user -p x --password-stdin "$reg" </dev/null
	is "$status" 1
	has "$output" "--password and --password-stdin are mutually exclusive"
	run fb login --password-stdin "$reg" </dev/null
	has "$output" "Must provide --username with --password-stdin"
	run fb login -u user -p x 'not/a host'
	is "$status" 1
	run fb login -u user -p x nohost
	is "$status" 1
	has "$output" "host:port"
}

@test "what else is in the file stays; a link stays a link" {
	private
	mkdir -p "$DOCKER_CONFIG"
	printf '{"HttpHeaders":{"X-A":"b"},"auths":{"h:1":{"auth":"dTpw"}}}' >real.json
	ln -s "$PWD/real.json" "$config"
	log_in "$reg" >/dev/null
	[ -L "$config" ]
	is "$(jq -r '.HttpHeaders["X-A"], .auths["h:1"].auth' real.json)" "b
dTpw"
	is "$(auth_of real.json "$reg")" "user:s3cret word"
	printf '{"auths": {' >real.json
	run log_in "$reg"
	is "$status" 1
	has "$output" "not valid JSON"
	is "$(cat real.json)" '{"auths": {'
}

@test "podman's log-in is used, and podman uses ours" {
	need podman
	private
	put_image image:1
	export REGISTRY_AUTH_FILE="$PWD/auth.json"
	podman login --tls-verify=false -u user -p 's3cret word' "$reg" >&2 ||
		skip "podman does not run here"
	fb pull -q "$reg/image:1"
	fb logout "$reg"
	run podman login --get-login "$reg"
	[ "$status" != 0 ]
	log_in "$reg" >/dev/null
	is "$(podman login --get-login "$reg")" user
	skopeo inspect --tls-verify=false "docker://$reg/image:1" >/dev/null
	podman logout "$reg" >&2
	run fb pull -q "$reg/image:1"
	fb rmi "$reg/image:1" >/dev/null
	run fb pull -q "$reg/image:1"
	is "$status" 1
}

@test "another program's log-in that stays is told" {
	private
	export XDG_RUNTIME_DIR="$PWD/run"
	mkdir -p run/containers
	printf '{"auths":{"%s":{"auth":"%s"}}}' "$reg" "$(printf 'user:s3cret word' | base64)" \
		>run/containers/auth.json
	log_in "$reg" >/dev/null
	run --separate-stderr fb logout "$reg"
	is "$output" "Removing login credentials for $reg"
	has "$stderr" "run/containers/auth.json"
}

# A helper that keeps secrets in ./kept and notes its command lines.
helper() {
	mkdir -p bin kept "$DOCKER_CONFIG"
	cat >bin/docker-credential-mine <<-END
		#!/bin/sh
		printf '%s\n' "\$*" >>"$PWD/kept/calls"
		case \$1 in
		store) cat >"$PWD/kept/secret" ;;
		get) cat "$PWD/kept/secret" 2>/dev/null ||
			{ echo "credentials not found in native keychain"; exit 1; } ;;
		erase) rm "$PWD/kept/secret" 2>/dev/null ||
			{ echo "credentials not found in native keychain"; exit 1; } ;;
		esac
	END
	chmod +x bin/docker-credential-mine
	export PATH="$PWD/bin:$PATH"
	printf '%s' "$1" >"$config"
}

@test "credsStore: the secret goes to the helper by a pipe, never to the file" {
	private
	put_image image:1
	helper '{"credsStore":"mine"}'
	run --separate-stderr log_in "$reg"
	is "$status" 0
	is "$output" "Login Succeeded"
	is "$stderr" ""
	is "$(jq -c ".auths[\"$reg\"]" "$config")" "{}"
	is "$(jq -r '.ServerURL, .Username, .Secret' kept/secret)" "$reg
user
s3cret word"
	is "$(cat kept/calls)" store
	fb pull -q "$reg/image:1"
	is "$(fb logout "$reg")" "Removing login credentials for $reg"
	[ ! -e kept/secret ]
	is "$(fb logout "$reg")" "Not logged in to $reg"
}

@test "credHelpers: for its host alone" {
	private
	helper "{\"credHelpers\":{\"$reg\":\"mine\"}}"
	log_in "$reg" >/dev/null
	[ -s kept/secret ]
	rm kept/secret
	registry_start two "" "$(registry_auth users)"
	log_in "$reg" 2>/dev/null >/dev/null
	[ ! -e kept/secret ]
	is "$(auth_of "$config" "$reg")" "user:s3cret word"
}

@test "on a terminal user name and password are asked for, without an echo" {
	need expect
	private
	cat >ask.exp <<-'END'
		set timeout 60
		spawn -noecho [lindex $argv 0] login [lindex $argv 1]
		expect "Username: " ; send "user\r"
		expect "Password: " ; send "s3cret wordx\177\r"
		expect "Login Succeeded"
		expect eof
		catch wait result
		exit [lindex $result 3]
	END
	run expect ask.exp "$FLAMEBOX" "$reg"
	is "$status" 0
	[[ "$output" != *s3cret* ]] || fail "$output"
	is "$(auth_of "$config" "$reg")" "user:s3cret word"
	cat >break.exp <<-'END'
		set timeout 60
		spawn -noecho [lindex $argv 0] login -u user [lindex $argv 1]
		expect "Password: " ; send "s3\003"
		expect eof
		catch wait result
		exit [lindex $result 3]
	END
	fb logout "$reg" >/dev/null
	run expect break.exp "$FLAMEBOX" "$reg"
	is "$status" 1
	has "$output" interrupted
}

@test "an identity token is kept in the place of the password" {
	need openssl
	mkdir service
	mkfifo hold
	python3 -B "$BATS_TEST_DIRNAME/../registry/token_service.py" service <hold >service.log 2>&1 3>&- &
	registry_pids+=($!)
	exec 9>hold
	until [ -e service/token.port ]; do
		kill -0 "${registry_pids[0]}" || fail "$(cat service.log)"
		sleep 0.05
	done
	registry_start one "" "auth: {token: {realm: \"http://localhost:$(cat service/token.port)/token\", service: \"test registry\", issuer: \"test issuer\", rootcertbundle: $PWD/service/token.crt}}"
	run --separate-stderr fb login -u user --password-stdin "$reg" <<<p4ssw0rd
	is "$status" 0
	is "$output" "Login Succeeded"
	is "$stderr" ""
	is "$(jq -r --arg h "$reg" '.auths[$h].identitytoken' "$config")" 1dent1ty-t0k3n
	is "$(auth_of "$config" "$reg")" "user:"
	run ! grep -q "$(printf 'user:p4ssw0rd' | base64)" "$config"
	# it is what later commands log in with
	fb_layout layout latest
	fb load -q -i layout --name "$reg/private/image:1"
	fb push -q "$reg/private/image:1"
	fb rmi "$reg/private/image:1" >/dev/null
	fb pull -q "$reg/private/image:1"
	run --separate-stderr fb login "$reg"
	is "$status" 0
	has "$output" "existing credentials"
	# podman's tools take the file as it is
	is "$(skopeo inspect --tls-verify=false --authfile "$config" -f '{{.Digest}}' "docker://$reg/private/image:1")" \
		"$(fb inspect -f '{{index .RepoDigests 0}}' "$reg/private/image:1" | cut -d@ -f2)"
	fb logout "$reg" >/dev/null
	run fb pull -q "$reg/private/image:1"
	is "$status" 1
	# a helper gets it as docker's does
	mkdir bin
	cat >bin/docker-credential-keep <<-'END'
		#!/bin/sh
		[ "$1" = store ] && cat >kept
	END
	chmod +x bin/docker-credential-keep
	echo '{"credsStore":"keep"}' >"$config"
	PATH="$PWD/bin:$PATH" fb login -u user --password-stdin "$reg" <<<p4ssw0rd
	is "$(jq -r '.Username + " " + .Secret' kept)" "<token> 1dent1ty-t0k3n"
}

@test "from its first secret on a process leaves no core and shows nothing of itself" {
	need setpriv
	[ "$(id -u)" = 0 ] || skip "needs root, to be somebody else"
	local dir pid other
	dir=$(mktemp -d /tmp/fb-login.XXXXXX)
	chmod 755 "$dir"
	cp "$FLAMEBOX" "$dir/flamebox"
	mkfifo -m 666 "$dir/pipe"
	local -a nobody=(setpriv --reuid 65534 --regid 65534 --clear-groups)
	# what the kernel lets be dumped belongs to its user
	"${nobody[@]}" sleep 60 &
	other=$!
	registry_pids+=("$other")
	asleep() { [ "$(cat "/proc/$other/comm")" = sleep ]; }
	fb_wait_until asleep
	HOME="$dir" DOCKER_CONFIG="$dir/none" FLAMEBOX_ROOT="$dir/state" "${nobody[@]}" \
		"$dir/flamebox" login -u user --password-stdin localhost:1 <"$dir/pipe" >/dev/null 2>&1 3>&- &
	pid=$!
	exec 9>"$dir/pipe"
	is "$(stat -c %u "/proc/$other/environ")" 65534
	in_secret() {
		[ "$(cat "/proc/$pid/comm")" = flamebox ] &&
			[ "$(stat -c %u "/proc/$pid/environ")" = 0 ]
	}
	fb_wait_until in_secret
	exec 9>&-
	wait "$pid" || true
	rm -rf "$dir"
}
