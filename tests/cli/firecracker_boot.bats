#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Linux on a real Firecracker, from FlameBox's command line.  Where KVM interprets guest
# code each start takes a minute or more, with the kernel that is made for it: only
# `make check ENGINE=firecracker` runs these there.

load firecracker

setup_file() {
	case ${FLAMEBOX_TEST_ENGINE:-auto} in
	auto) export FLAMEBOX_TEST_ENGINE=firecracker ;;
	esac
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
	[ "$FLAMEBOX_TEST_ENGINE" = firecracker ] || FB_MACHINE_LACK="another engine is tested"
}

setup() {
	fb_machine_setup
	D=$BATS_TEST_TMPDIR
}

teardown() { play_teardown; }

# start NAME SCRIPT…: a machine without a network in the background, $client is its client
start() {
	local name=$1
	shift
	"$FLAMEBOX" run "${fb_engine[@]}" --network none --name "$name" demo sh -c "$*" \
		>"$D/$name.out" 2>"$D/$name.err" 3>&- &
	client=$!
}

# of NAME COMM: the process with that name below the client's monitor
below() {
	local child
	for child in $(cat /proc/"$1"/task/*/children 2>/dev/null); do
		[[ "$(cat "/proc/$child/comm" 2>/dev/null)" != "$2"* ]] || echo "$child"
		below "$child" "$2"
	done
}

@test "output, errors, stdin, a writable disk and the exit status" {
	head -c 300000 /dev/urandom >"$D/in"
	run --separate-stderr vm --network none -i demo sh -c \
		'cat >/file; sync; sha256sum </file; echo out of it >&2; df -k / | tail -n 1; exit 7' <"$D/in"
	is "$status" 7
	is "${lines[0]}" "$(sha256sum <"$D/in")"
	# the writable disk, not a part of the memory
	[ "$(awk '{print $2}' <<<"${lines[1]}")" -gt 1000000 ]
	is "$stderr" "out of it"
}

# by way of a file: with nc and sed in one pipe a program of the guest's crashed where
# KVM interprets, after the server had answered; one after the other they do not
@test "the network, through a tap: a service of the host answers" {
	need python3
	[ -c /dev/net/tun ] || skip "no /dev/net/tun here"
	[ -n "$(ip route get 203.0.113.1 2>/dev/null)" ] || skip "this host has no route to anywhere"
	head -c 200000 /dev/urandom >"$D/served"
	python3 -u -m http.server 0 --directory "$D" >"$D/log" 2>&1 3>&- &
	local server=$! port
	wait_for 100 grep -q port "$D/log"
	port=$(sed -n 's/.* port \([0-9]*\).*/\1/p' "$D/log")
	run --separate-stderr vm --ephemeral --add-host host.docker.internal:host-gateway demo \
		sh -c "ip addr show eth0 | grep -o 10.0.2.15/24
			printf 'GET /served HTTP/1.0\r\n\r\n' | nc host.docker.internal $port >/got
			tail -c 200000 /got | sha256sum"
	kill "$server"
	is "$status" 0
	is "$output" "10.0.2.15/24
$(sha256sum <"$D/served")"
}

@test "two processors" {
	run --separate-stderr vm --network none --ephemeral --cpus 2 demo sh -c \
		'grep -c ^processor /proc/cpuinfo; taskset 2 sh -c "echo on the second"'
	is "$output" "2
on the second"
	is "$status" 0
}

@test "without root: the same machine, and the network in a user namespace" {
	[ "$(id -u)" = 0 ] || skip "needs root to become another user"
	[ -c /dev/net/tun ] || skip "no /dev/net/tun here"
	play=$(mktemp -d /tmp/fb-play-XXXXXX)
	chmod 755 "$play"
	as_nobody_setup "$play"
	cp "$(command -v firecracker)" "$play/firecracker"
	run --separate-stderr as_nobody "$FLAMEBOX" run --rm "${fb_engine[@]}" --firecracker "$play/firecracker" \
		demo sh -c 'id -u; ping -c 1 -W 60 10.0.2.2 | grep -o "1 packets received"; exit 5'
	is "$stderr" ""
	is "$output" "0
1 packets received"
	is "$status" 5
	is "$(as_nobody "$FLAMEBOX" ps -aq)" ""
}

@test "two at once; a flood over vsock loses no byte" {
	start one 'yes 0123456789abcdef | head -c 3000000; printf last'
	local first=$client
	run --separate-stderr vm --network none --ephemeral demo sh -c 'echo second; exit 3'
	is "$status" 3
	is "$output" second
	wait "$first"
	is "$(sha256sum <"$D/one.out")" "$( (
		yes 0123456789abcdef | head -c 3000000
		printf last
	) | sha256sum)"
	"$FLAMEBOX" rm one
}

@test "kill -9 of Firecracker: told as lost, 137, and nothing runs on" {
	local status=0
	start lost 'echo ready; sleep 1000'
	wait_for 500 grep -q ready "$D/lost.out"
	local machine
	machine=$(below "$client" firecracker)
	[ -n "$machine" ]
	kill -9 "$machine"
	wait "$client" || status=$?
	is "$status" 137
	has "$(cat "$D/lost.err")" "killed by signal 9"
	"$FLAMEBOX" rm lost
}

@test "kill -9 of the monitor: Firecracker goes with it, and the next command cleans up" {
	local status=0
	start orphan 'echo ready; sleep 1000'
	wait_for 500 grep -q ready "$D/orphan.out"
	local machine
	machine=$(below "$client" firecracker)
	kill -9 "$(below "$client" flamebox-monito)"
	wait "$client" || status=$?
	is "$status" 137
	wait_for 10 sh -c "! kill -0 $machine 2>/dev/null"
	is "$("$FLAMEBOX" ps -aq)" ""
	is "$(find "$FLAMEBOX_ROOT" -type s)" ""
}

@test "kill -9 of the client: the machine goes with it, and the next command cleans up" {
	start left 'echo ready; sleep 1000'
	wait_for 500 grep -q ready "$D/left.out"
	local machine
	machine=$(below "$client" firecracker)
	kill -9 "$client"
	wait "$client" || true
	wait_for 10 sh -c "! kill -0 $machine 2>/dev/null"
	"$FLAMEBOX" rm left
	is "$("$FLAMEBOX" ps -aq)" ""
	is "$(find "$FLAMEBOX_ROOT" -type s)" ""
}

@test "a panic is told as one" {
	run --separate-stderr vm --network none --ephemeral demo sh -c 'echo c >/proc/sysrq-trigger'
	is "$status" 137
	has "$stderr" panic
}

@test "out of memory is told apart from a panic" {
	run --separate-stderr "$FLAMEBOX" -v run --rm "${fb_engine[@]}" --network none --memory 64m --ephemeral demo \
		dd if=/dev/zero of=/dev/null bs=47M count=1
	is "$status" 137
	has "$stderr" "ran out of memory"
}
