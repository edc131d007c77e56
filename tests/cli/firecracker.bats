#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Firecracker as an engine, with a program in its place that plays the guest itself:
# what is handed over, the channel, and how each end is told.  It is no proof of booting.

load lib
load machine

usual() { "$BATS_TEST_DIRNAME/../../scripts/with-kvm" "$@"; }

setup_file() {
	fb_machine_setup_file
	export FLAMEBOX_TEST_KVM=emulating
	[ -z "$FB_MACHINE_LACK" ] || return 0
	case $(usual "$FLAMEBOX" doctor 2>/dev/null | grep accelerator) in
	*"KVM is native"* | *"KVM is emulating"*) ;;
	*) FB_MACHINE_LACK="no KVM here" ;;
	esac
}

setup() {
	fb_machine_setup
	# a user of a machine that root starts must reach it
	play=$(mktemp -d /tmp/fb-play-XXXXXX)
	chmod 755 "$play"
}

teardown() { rm -rf "${play:-}"; }

fc() { # MODE [FLAG…]
	sed "s/\"MODE\"/\"$1\"/" "$BATS_TEST_DIRNAME/firecracker_guest" >"$play/firecracker"
	chmod 755 "$play/firecracker"
	shift
	run --separate-stderr usual "$FLAMEBOX" run --engine firecracker \
		--firecracker "$play/firecracker" --network "${network:-none}" "$@" demo true
}

@test "output and exit status of a machine on Firecracker" {
	fc plays --rm
	is "$status" 3
	is "$output" "out of the guest"
}

@test "without a disk, and with one that is kept" {
	fc plays --rm --ephemeral
	is "$status" 3
	fc plays --name kept
	is "$status" 3
	"$FLAMEBOX" rm kept
}

@test "a state folder of any length" {
	local deep=$BATS_TEST_TMPDIR layout
	layout=$(dirname "$FLAMEBOX")/demo
	[ -f "$layout/index.json" ] || layout=$BATS_FILE_TMPDIR/demo
	while [ ${#deep} -lt 300 ]; do deep=$deep/a-folder-with-a-name; done
	mkdir -p "$deep"
	"$FLAMEBOX" --root "$deep" load -q -i "$layout" --name demo >&2
	FLAMEBOX_ROOT=$deep fc plays --rm
	is "$status" 3
}

@test "only the first connection is the guest's" {
	fc second --rm
	is "$status" 3
}

@test "a machine that ends before its guest spoke" {
	fc dies-early --rm
	is "$status" 125
	has "$stderr" "the VMM was killed by signal 9"
}

@test "a machine that is lost while the command runs" {
	fc dies --rm
	is "$status" 137
	is "$output" "out of the guest"
	has "$stderr" "killed"
}

@test "what Firecracker refuses is told in its words" {
	fc refuses --rm
	is "$status" 125
	has "$stderr" "it does not fit"
}

@test "what Firecracker said last is kept with the container" {
	fc refuses --name refused
	is "$status" 125
	has "$("$FLAMEBOX" inspect refused | jq -r '.[0].FlameBox.VmmLog')" "it does not fit"
	fc plays --name measured
	is "$status" 3
	is "$("$FLAMEBOX" inspect measured | jq -c '.[0].FlameBox.Metrics')" '{"a":2}'
	is "$("$FLAMEBOX" inspect refused | jq -c '.[0].FlameBox.Metrics')" null
	"$FLAMEBOX" rm refused measured
}

@test "a panic on the console is told" {
	fc panics --rm
	is "$status" 125
	has "$stderr" "Kernel panic - not syncing: test"
}

@test "a Firecracker that is too old" {
	fc old --rm
	is "$status" 125
	has "$stderr" "Firecracker 1.9 is too old"
	has "$stderr" "install-firecracker"
}

@test "what it lacks is told before anything is made" {
	fc plays --accel tcg
	is "$status" 125
	has "$stderr" "Firecracker has no software emulation"
	has "$stderr" "use --engine qemu"
	fc plays --cpus 64
	is "$status" 125
}

@test "the network, through a tap in a namespace of its own" {
	[ -c /dev/net/tun ] || skip "no /dev/net/tun here"
	network=default fc network --rm
	is "$status" 3
	# the gateway's address: libslirp's
	has "$output" "52550a000202"
	! ip link show flamebox0 2>/dev/null || fail "the tap is in the host's namespace"
}

@test "a user without rights has the network as well" {
	[ "$(id -u)" = 0 ] || skip "needs root to become another user"
	[ -c /dev/net/tun ] || skip "no /dev/net/tun here"
	command -v setpriv >/dev/null || skip "no setpriv here"
	local home=$play/home beside
	mkdir "$home"
	beside=$(dirname "$FLAMEBOX")/demo
	[ -f "$beside/index.json" ] || beside=$BATS_FILE_TMPDIR/demo
	cp -r "$beside" "$home/demo"
	chown -R 65534:65534 "$play"
	as_nobody() {
		usual setpriv --reuid 65534 --regid 65534 --clear-groups \
			env HOME="$home" FLAMEBOX_ROOT="$home/root" "$@"
	}
	as_nobody test -x "$FLAMEBOX" || skip "another user can't reach the program"
	as_nobody unshare -U true || skip "no user namespaces here"
	as_nobody "$FLAMEBOX" load -q -i "$home/demo" --name demo >&2
	sed 's/"MODE"/"network"/' "$BATS_TEST_DIRNAME/firecracker_guest" >"$play/firecracker"
	chmod 755 "$play/firecracker"
	run --separate-stderr as_nobody "$FLAMEBOX" run --rm --engine firecracker \
		--firecracker "$play/firecracker" demo true
	is "$status" 3
	has "$output" "52550a000202"
}

@test "nothing is left behind" {
	local before after
	before=$("$FLAMEBOX" ps -aq | sort)
	fc plays --rm
	fc dies --rm
	after=$("$FLAMEBOX" ps -aq | sort)
	is "$after" "$before"
}
