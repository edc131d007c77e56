#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# QEMU with KVM.  Where KVM interprets guest code a start takes most of a minute, with
# the kernel that is made for it: only `make check ENGINE=firecracker` runs these there.

load firecracker

setup_file() {
	export FLAMEBOX_TEST_ENGINE=qemu
	fb_machine_setup_file
	[ -z "$FB_MACHINE_LACK" ] || return 0
	case $(kvm_verdict) in
	native) ;;
	emulating)
		[ "${FLAMEBOX_TEST_KVM:-}" = emulating ] ||
			FB_MACHINE_LACK="KVM interprets here: make check ENGINE=firecracker runs it"
		;;
	*) FB_MACHINE_LACK="no KVM here" ;;
	esac
}

setup() {
	fb_machine_setup
	D=$BATS_TEST_TMPDIR
	kernel=()
	[ -z "${FLAMEBOX_TEST_KERNEL:-}" ] || kernel=(--kernel "$FLAMEBOX_TEST_KERNEL")
}

# kvm ARGUMENT…: flamebox run on it
kvm() {
	usual "$FLAMEBOX" ${verbose:+"$verbose"} run --rm --engine qemu --accel kvm "${kernel[@]}" "$@"
}

@test "output, stdin, a writable disk, the network and the exit status; by the build for KVM alone" {
	head -c 100000 /dev/urandom >"$D/in"
	verbose=-v run --separate-stderr kvm -i demo sh -c \
		'cat >/file; sync; sha256sum </file; ip addr show eth0 | grep -o 10.0.2.15/24; exit 7' <"$D/in"
	is "$status" 7
	is "$output" "$(sha256sum <"$D/in")
10.0.2.15/24"
	has "$stderr" "engine qemu, accelerator kvm"
	command -v qemu-system-x86_64-microvm >/dev/null || return 0
	has "$stderr" "qemu-system-x86_64-microvm"
}

@test "two processors" {
	run --separate-stderr kvm --network none --ephemeral --cpus 2 demo grep -c ^processor /proc/cpuinfo
	is "$output" 2
	is "$status" 0
}
