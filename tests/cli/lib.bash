# SPDX-License-Identifier: Apache-2.0
# What the command-line tests share.  FLAMEBOX is the program under test.

bats_require_minimum_version 1.5.0

: "${FLAMEBOX:=$BATS_TEST_DIRNAME/../../build/flamebox}"

# A state of its own for every test; no configuration and log-in of the user's.
fb_setup() {
	export FLAMEBOX_ROOT="$BATS_TEST_TMPDIR/root"
	export HOME="$BATS_TEST_TMPDIR/home"
	export DOCKER_CONFIG="$HOME/.docker"
	unset XDG_CONFIG_HOME XDG_DATA_HOME XDG_RUNTIME_DIR REGISTRY_AUTH_FILE
	mkdir -p "$HOME"
	[ -x "$FLAMEBOX" ] || {
		echo "no program at $FLAMEBOX" >&2
		return 1
	}
}

fb() {
	"$FLAMEBOX" "$@"
}

need() {
	local tool
	for tool in "$@"; do
		command -v "$tool" >/dev/null || skip "no $tool here"
	done
}

# fb_layout DIR TAG: an OCI layout with one small image, made once a file by
# umoci of the distribution's static busybox
fb_layout() {
	need umoci
	local dir=$1 tag=$2 cache="$BATS_FILE_TMPDIR/layout"
	[ -x /bin/busybox ] || skip "no busybox here"
	if [ ! -d "$cache" ]; then
		local work="$BATS_FILE_TMPDIR/bundle"
		local -a rootless=()
		[ "$(id -u)" = 0 ] || rootless=(--rootless)
		umoci init --layout "$cache"
		umoci new --image "$cache:$tag"
		umoci unpack "${rootless[@]}" --image "$cache:$tag" "$work"
		mkdir -p "$work/rootfs/bin" "$work/rootfs/etc"
		cp /bin/busybox "$work/rootfs/bin/busybox"
		ln -s busybox "$work/rootfs/bin/sh"
		umoci repack --image "$cache:$tag" "$work"
		umoci config --image "$cache:$tag" \
			--created 2024-02-29T12:00:00Z \
			--config.entrypoint /bin/busybox --config.cmd sh \
			--config.env A=1 --config.workingdir /srv \
			--config.user 1000:100 --config.label k=v \
			--config.exposedports 80/tcp --config.volume /data \
			--config.stopsignal SIGQUIT
		umoci gc --layout "$cache"
		rm -rf "$work"
	fi >&2
	cp -r "$cache" "$dir"
}

# fb_load NAME: the same image in this test's state
fb_load() {
	fb_layout "$BATS_TEST_TMPDIR/layout" latest
	fb load -q -i "$BATS_TEST_TMPDIR/layout" --name "$1"
}

# lines_of TEXT: how many lines
lines_of() {
	printf '%s' "$1" | grep -c '' || true
}

fail() {
	printf '%s\n' "$@" >&2
	return 1
}

is() {
	[ "$1" = "$2" ] || fail "got:  $1" "want: $2"
}

has() {
	[[ "$1" == *"$2"* ]] || fail "in:      $1" "missing: $2"
}

# Skips where this host, or this build, can't run a machine.
fb_need_machine() {
	local lack
	lack=$(fb doctor -f json | jq -r \
		'[.Checks[] | select(.Status == "missing") | .Name] | join(", ")')
	[ -z "$lack" ] || skip "no machine can run: $lack missing"
}

# fb_wait_until COMMAND…: until it succeeds; gives up after a minute
fb_wait_until() {
	local i
	for ((i = 0; i < 600; i++)); do
		"$@" && return
		sleep 0.1
	done
	fail "waited a minute for: $*"
}
