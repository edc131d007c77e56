#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# FlameBox on the stand-in for Firecracker: what goes through the channel, and a VMM
# that is slow, refuses, or dies at each step.  No machine runs.

load machine

setup_file() {
	fb_machine_setup_file
	STANDIN="$(dirname "$FLAMEBOX")/tests/firecracker/firecracker"
	export FLAMEBOX_TEST_KVM=emulating STANDIN
	[ -x "$STANDIN" ] || FB_MACHINE_LACK="no stand-in built"
	[ -z "$FB_MACHINE_LACK" ] || return 0
	case $("$FLAMEBOX" doctor 2>/dev/null | grep '^[a-z]* *accelerator') in
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

# standin FAULTS: a stand-in with these words in its name, in $program
standin() {
	program="$play/firecracker${1:+"+$1"}"
	[ -e "$program" ] || cp "$STANDIN" "$program"
}

# fc FAULTS ARGUMENT…: flamebox run on it
fc() {
	standin "$1"
	shift
	"$FLAMEBOX" ${verbose:+"$verbose"} run --rm --engine firecracker --firecracker "$program" --network none \
		--ephemeral "$@"
}

# nothing_left: no container, no socket, no process of the stand-in
nothing_left() {
	is "$("$FLAMEBOX" ps -aq)" ""
	is "$(find "$FLAMEBOX_ROOT" -type s)" ""
	is "$(find /proc/[0-9]*/exe -lname "$play/*" 2>/dev/null)" ""
}

@test "output, errors and the exit status" {
	run --separate-stderr fc "" demo echo two words
	is "$status" 0
	is "$output" "two words"
	run --separate-stderr fc "" demo complain loudly
	is "$stderr" loudly
	is "$output" ""
	run fc "" demo exit 42
	is "$status" 42
	run -127 --separate-stderr fc "" demo nonexistent
	nothing_left
}

@test "stdin comes back whole" {
	head -c 3000000 /dev/urandom >"$BATS_TEST_TMPDIR/in"
	fc "" -i demo cat <"$BATS_TEST_TMPDIR/in" >"$BATS_TEST_TMPDIR/out"
	cmp "$BATS_TEST_TMPDIR/in" "$BATS_TEST_TMPDIR/out"
}

@test "a flood loses no byte, and a reader that stops ends it" {
	is "$(fc "" demo flood 50000000 | wc -c)" 50000000
	run bash -c "'$FLAMEBOX' run --rm --engine firecracker --firecracker '$play/firecracker' \
		--network none --ephemeral demo flood 500000000 | head -c 10"
	is "$output" xxxxxxxxxx
	nothing_left
}

@test "a signal goes through" {
	standin ""
	"$FLAMEBOX" run --rm --engine firecracker --firecracker "$program" --network none --ephemeral \
		--cidfile "$BATS_TEST_TMPDIR/cid" demo sleep 100 3>&- &
	local client=$! status=0
	wait_for 20 sh -c "'$FLAMEBOX' ps | grep -q sleep"
	kill -TERM "$client"
	wait "$client" || status=$?
	is "$status" 143
	nothing_left
}

@test "out of memory, a panic, and a machine that is just gone are told apart" {
	verbose=-v run --separate-stderr fc "" demo oom
	is "$status" 137
	has "$stderr" "ran out of memory"
	run --separate-stderr fc "" demo panic
	is "$status" 137
	has "$stderr" "Kernel panic - not syncing: stand-in"
	run --separate-stderr fc "" demo lost
	is "$status" 137
	run --separate-stderr fc "" demo crash
	is "$status" 137
	has "$stderr" "killed by signal 9"
	nothing_left
}

@test "dead before the command runs: 125, one line that says why, nothing left" {
	local step
	for step in start socket config boot hello spec; do
		run --separate-stderr fc "die-$step" demo true
		is "$status" 125
		has "$stderr" "died at '$step'"
		is "$(lines_of "$stderr")" 1
		run --separate-stderr fc "kill-$step" demo true
		is "$status" 125
		has "$stderr" "killed by signal 9"
		is "$(lines_of "$stderr")" 1
	done
	nothing_left
}

@test "dead once the command may have run: 137, one line, nothing left" {
	local step
	for step in started output exit; do
		run --separate-stderr fc "kill-$step" demo echo x
		[ "$status" = 137 ] || fail "$step: status $status: $stderr"
		has "$stderr" "killed by signal 9"
		is "$(lines_of "$stderr")" 1
	done
	nothing_left
}

@test "what is refused is told in Firecracker's words" {
	local section
	for section in boot-source machine-config drives vsock entropy balloon; do
		run --separate-stderr fc "refuse-$section" demo true
		is "$status" 125
		has "$stderr" "refused by the stand-in"
		is "$(lines_of "$stderr")" 1
	done
	nothing_left
}

@test "slow at every step is only slow" {
	run --separate-stderr fc \
		slow-start+slow-socket+slow-config+slow-boot+slow-hello+slow-spec+slow-started+slow-output+slow-exit \
		demo echo late
	is "$status" 0
	is "$output" late
	is "$stderr" ""
}

@test "one that hangs goes with its client" {
	local step client
	for step in start boot hello spec exit; do
		standin "hang-$step"
		"$FLAMEBOX" run --rm --engine firecracker --firecracker "$program" --network none --ephemeral \
			demo true 3>&- &
		client=$!
		wait_for 20 sh -c "find /proc/[0-9]*/exe -lname '$program' 2>/dev/null | grep -q ."
		kill -9 "$client"
		wait "$client" || true
		wait_for 20 sh -c "! find /proc/[0-9]*/exe -lname '$program' 2>/dev/null | grep -q ."
	done
	nothing_left
}

@test "a version that is too old is told before anything starts" {
	run --separate-stderr fc version=1.9.0 demo true
	is "$status" 125
	has "$stderr" "Firecracker 1.9 is too old"
	run --separate-stderr fc version=nonsense demo true
	is "$status" 125
	nothing_left
}
