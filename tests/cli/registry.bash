# SPDX-License-Identifier: Apache-2.0
# Debian's docker-registry for the tests that need one.  teardown() must call
# registry_stop.

registry_pids=()

registry_stop() {
	local pid
	for pid in "${registry_pids[@]}"; do
		kill "$pid" 2>/dev/null || true
		wait "$pid" 2>/dev/null || true
	done
	registry_pids=()
}

free_port() {
	python3 -c 'import socket
s = socket.socket()
s.bind(("127.0.0.1", 0))
print(s.getsockname()[1])'
}

# registry_start NAME [HTTP [TOP]]: a registry in ./NAME; sets $reg to its host.
# HTTP is YAML that follows in "http:", TOP at the top level.
registry_start() {
	need docker-registry python3 skopeo
	local name=$1 http=${2-} top=${3-} port
	port=$(free_port)
	# shellcheck disable=SC2034 # for the tests
	reg="localhost:$port"
	mkdir -p "$name/data"
	cat >"$name/config.yml" <<-END
		version: 0.1
		log: {level: warn}
		storage: {filesystem: {rootdirectory: $PWD/$name/data}, delete: {enabled: true}}
		http: {addr: "127.0.0.1:$port"$http}
		$top
	END
	docker-registry serve "$name/config.yml" >"$name/log" 2>&1 3>&- &
	registry_pids+=($!)
	until python3 -c "import socket
socket.create_connection(('127.0.0.1', $port))" 2>/dev/null; do
		kill -0 "${registry_pids[-1]}" ||
			fail "docker-registry ended" "$(cat "$name/log")"
		sleep 0.05
	done
}

# registry_users FILE USER PASSWORD
registry_users() {
	need htpasswd
	htpasswd -nbB "$2" "$3" | head -1 >>"$1"
}

# registry_auth FILE: the TOP that makes a registry ask for those log-ins
registry_auth() {
	printf 'auth: {htpasswd: {realm: test, path: %s}}' "$PWD/$1"
}

# registry_index NAME: NAME:all, an index of amd64 and arm64 v8, in $reg
registry_index() {
	local platform
	for platform in amd64 arm64; do
		rm -rf layout
		fb_layout layout latest
		umoci config --image layout:latest --architecture $platform \
			--config.label "for=$platform"
		skopeo copy -q --dest-tls-verify=false oci:layout:latest \
			"docker://$reg/$1:$platform" >&2
	done
	python3 "$BATS_TEST_DIRNAME/../registry/make_index.py" "$reg" "$1"
}
