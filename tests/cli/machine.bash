# SPDX-License-Identifier: Apache-2.0
# What the tests that boot machines share: one state and one image a file.

load lib

# what is tested: make check's ENGINE, with the kernel that it can start
fb_engine=(--engine "${FLAMEBOX_TEST_ENGINE:-auto}")
[ -z "${FLAMEBOX_TEST_KERNEL:-}" ] || fb_engine+=(--kernel "$FLAMEBOX_TEST_KERNEL")

fb_machine_setup_file() {
	local beside
	beside=$(dirname "${FLAMEBOX:=$BATS_TEST_DIRNAME/../../build/flamebox}")
	export FLAMEBOX
	export FB_MACHINE_LACK=
	local vmm=qemu-system-x86_64
	[ "${FLAMEBOX_TEST_ENGINE:-}" != firecracker ] || vmm=firecracker
	command -v "$vmm" >/dev/null || FB_MACHINE_LACK="no $vmm here"
	[ -e "$beside/vmlinux" ] || FB_MACHINE_LACK="no kernel beside the program"
	[ -f "$beside/demo/index.json" ] || command -v umoci >/dev/null || FB_MACHINE_LACK="no umoci here"
	[ -z "$FB_MACHINE_LACK" ] || return 0
	export HOME="$BATS_FILE_TMPDIR/home" DOCKER_CONFIG="$BATS_FILE_TMPDIR/home/.docker"
	export FLAMEBOX_ROOT="$BATS_FILE_TMPDIR/root"
	unset XDG_CONFIG_HOME XDG_DATA_HOME XDG_RUNTIME_DIR REGISTRY_AUTH_FILE
	mkdir -p "$HOME"
	if [ ! -f "$beside/demo/index.json" ]; then
		"$BATS_TEST_DIRNAME/../../scripts/make-demo-image" "$BATS_FILE_TMPDIR/demo" >&2
		beside=$BATS_FILE_TMPDIR
	fi
	"$FLAMEBOX" load -q -i "$beside/demo" --name demo >&2
}

# bats 1.8 takes a skip in setup_file for a failure, so each test skips itself; a
# file with a setup of its own calls this first
fb_machine_setup() {
	[ -z "$FB_MACHINE_LACK" ] || skip "$FB_MACHINE_LACK"
}

setup() { fb_machine_setup; }

# run a machine on the engine under test
vm() {
	"$FLAMEBOX" run --rm "${fb_engine[@]}" "$@"
}

# wait_for SECONDS COMMAND…: until it succeeds; events are the program's, not ours
wait_for() {
	local until=$((SECONDS + $1))
	shift
	until "$@"; do
		[ $SECONDS -lt $until ] || return 1
		sleep 0.1
	done
}
