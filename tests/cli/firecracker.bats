#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Firecracker as an engine, with the stand-in in its place: what is handed over, what
# it is given and refused, and what is kept of it.  It is no proof of booting.

load firecracker

setup_file() { play_setup_file; }
setup() { play_setup; }
teardown() { play_teardown; }

@test "without a disk, and with one that is kept" {
	run fc "" --rm --ephemeral demo exit 3
	is "$status" 3
	run fc "" --name kept demo exit 4
	is "$status" 4
	"$FLAMEBOX" rm kept
	nothing_left
}

@test "a state folder of any length" {
	local deep=$BATS_TEST_TMPDIR layout
	layout=$(dirname "$FLAMEBOX")/demo
	[ -f "$layout/index.json" ] || layout=$BATS_FILE_TMPDIR/demo
	while [ ${#deep} -lt 300 ]; do deep=$deep/a-folder-with-a-name; done
	mkdir -p "$deep"
	"$FLAMEBOX" --root "$deep" load -q -i "$layout" --name demo >&2
	FLAMEBOX_ROOT=$deep run --separate-stderr fc "" --rm demo echo deep
	is "$status" 0
	is "$output" deep
}

@test "only the first connection is the guest's" {
	run fc "" --rm --ephemeral demo second
	is "$status" 0
}

@test "what it said last is kept with the container, and its figures of itself" {
	run --separate-stderr fc refuse-machine-config --name refused demo true
	is "$status" 125
	has "$stderr" "refused by the stand-in"
	has "$("$FLAMEBOX" inspect refused | jq -r '.[0].FlameBox.VmmLog')" "refused by the stand-in"
	run fc "" --name measured demo true
	is "$status" 0
	# the last line of them
	is "$("$FLAMEBOX" inspect measured | jq -c '.[0].FlameBox.Metrics.utc_timestamp_ms')" 2
	is "$("$FLAMEBOX" inspect refused | jq -c '.[0].FlameBox.Metrics')" null
	"$FLAMEBOX" rm refused measured
}

@test "what it lacks is told before anything is made" {
	run --separate-stderr fc "" --accel tcg demo true
	is "$status" 125
	has "$stderr" "Firecracker has no software emulation"
	has "$stderr" "use --engine qemu"
	run --separate-stderr fc "" --cpus 64 demo true
	is "$status" 125
	nothing_left
}

@test "a KVM that only root can open: told with what mends it, since no jail is there" {
	[ "$(id -u)" = 0 ] || skip "needs root"
	standin ""
	run --separate-stderr "$WITH_KVM" --closed "$FLAMEBOX" run --rm \
		--engine firecracker --firecracker "$program" --network none --ephemeral demo true
	is "$status" 125
	has "$stderr" "/dev/kvm is for root only"
	has "$stderr" "chmod g+rw /dev/kvm"
	nothing_left
}

@test "the network, through a tap in a namespace of its own" {
	[ -c /dev/net/tun ] || skip "no /dev/net/tun here"
	network=default run --separate-stderr fc "" --rm demo gateway
	is "$status" 0
	# the gateway's address: libslirp's
	is "$output" 52550a000202
	! ip link show flamebox0 2>/dev/null || fail "the tap is in the host's namespace"
}

@test "a user without rights has the network as well" {
	[ "$(id -u)" = 0 ] || skip "needs root to become another user"
	[ -c /dev/net/tun ] || skip "no /dev/net/tun here"
	as_nobody_setup "$play"
	standin ""
	run --separate-stderr as_nobody "$FLAMEBOX" run --rm --engine firecracker \
		--firecracker "$program" demo gateway
	is "$status" 0
	is "$output" 52550a000202
}
