#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# FlameBox on the stand-in for Firecracker: what goes through the channel, and a VMM
# that is slow, refuses, or dies at each step.  No machine runs.

load firecracker

setup_file() { play_setup_file; }
setup() { play_setup; }
teardown() { play_teardown; }

# brief FAULTS ARGUMENT…: a machine that leaves nothing
brief() {
	local faults=$1
	shift
	fc "$faults" --rm --ephemeral "$@"
}

@test "output, errors and the exit status" {
	run --separate-stderr brief "" demo echo two words
	is "$status" 0
	is "$output" "two words"
	run --separate-stderr brief "" demo complain loudly
	is "$stderr" loudly
	is "$output" ""
	run brief "" demo exit 42
	is "$status" 42
	run -127 --separate-stderr brief "" demo nonexistent
	nothing_left
}

@test "stdin comes back whole" {
	head -c 3000000 /dev/urandom >"$BATS_TEST_TMPDIR/in"
	brief "" -i demo cat <"$BATS_TEST_TMPDIR/in" >"$BATS_TEST_TMPDIR/out"
	cmp "$BATS_TEST_TMPDIR/in" "$BATS_TEST_TMPDIR/out"
}

@test "a flood loses no byte, and a reader that stops ends it" {
	is "$(brief "" demo flood 50000000 | wc -c)" 50000000
	cut_off() { brief "" demo flood 500000000 | head -c 10; }
	run cut_off
	is "$output" xxxxxxxxxx
	nothing_left
}

@test "a signal goes through" {
	standin ""
	"$WITH_KVM" "$FLAMEBOX" run --rm --engine firecracker --firecracker "$program" --network none --ephemeral \
		--cidfile "$BATS_TEST_TMPDIR/cid" demo sleep 100 3>&- &
	local client=$! status=0
	wait_for 20 sh -c "'$FLAMEBOX' ps | grep -q sleep"
	kill -TERM "$client"
	wait "$client" || status=$?
	is "$status" 143
	nothing_left
}

@test "out of memory, a panic, and a machine that is just gone are told apart" {
	verbose=-v run --separate-stderr brief "" demo oom
	is "$status" 137
	has "$stderr" "ran out of memory"
	run --separate-stderr brief panic-hello demo true
	is "$status" 125
	has "$stderr" "Kernel panic - not syncing: stand-in"
	run --separate-stderr brief "" demo panic
	is "$status" 137
	has "$stderr" "Kernel panic - not syncing: stand-in"
	run --separate-stderr brief "" demo lost
	is "$status" 137
	run --separate-stderr brief "" demo crash
	is "$status" 137
	has "$stderr" "killed by signal 9"
	nothing_left
}

@test "dead before the command runs: 125, one line that says why, nothing left" {
	local step
	for step in start socket config boot hello spec; do
		run --separate-stderr brief "die-$step" demo true
		is "$status" 125
		has "$stderr" "died at '$step'"
		is "$(lines_of "$stderr")" 1
		run --separate-stderr brief "kill-$step" demo true
		is "$status" 125
		has "$stderr" "killed by signal 9"
		is "$(lines_of "$stderr")" 1
	done
	nothing_left
}

@test "dead once the command may have run: 137, one line, nothing left" {
	local step
	for step in started output exit; do
		run --separate-stderr brief "kill-$step" demo echo x
		[ "$status" = 137 ] || fail "$step: status $status: $stderr"
		has "$stderr" "killed by signal 9"
		is "$(lines_of "$stderr")" 1
	done
	nothing_left
}

@test "what is refused is told in Firecracker's words" {
	local section
	for section in boot-source machine-config drives vsock entropy balloon; do
		run --separate-stderr brief "refuse-$section" demo true
		is "$status" 125
		has "$stderr" "refused by the stand-in"
		is "$(lines_of "$stderr")" 1
	done
	nothing_left
}

@test "slow at every step is only slow" {
	run --separate-stderr brief \
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
		"$WITH_KVM" "$FLAMEBOX" run --rm --engine firecracker --firecracker "$program" --network none --ephemeral \
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
	run --separate-stderr brief version=1.9.0 demo true
	is "$status" 125
	has "$stderr" "Firecracker 1.9 is too old"
	has "$stderr" "install-firecracker"
	run --separate-stderr brief version=nonsense demo true
	is "$status" 125
	nothing_left
}
