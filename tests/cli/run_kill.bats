#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# kill -9 of any part at any moment: the next command cleans up, and says so.

load machine

setup_file() { fb_machine_setup_file; }

# children of PID $1 by name $2, at any depth
descendants() {
	local child
	for child in $(cat /proc/"$1"/task/*/children 2>/dev/null); do
		echo "$child $(cat /proc/"$child"/comm 2>/dev/null)"
		descendants "$child"
	done
}

vmm_comm=qemu
[ "${FLAMEBOX_TEST_ENGINE:-}" != firecracker ] || vmm_comm=firecracker

find_child() {
	descendants "$1" | awk -v want="$2" 'index($2, want) == 1 {print $1; exit}'
}

start() {
	"$FLAMEBOX" run "${fb_engine[@]}" "$@" demo sh -c 'echo ready; sleep 1000' >"$BATS_TEST_TMPDIR/out" \
		2>"$BATS_TEST_TMPDIR/err" 3>&- &
	client=$!
}

started() {
	wait_for 60 grep -q ready "$BATS_TEST_TMPDIR/out"
	monitor=$(find_child $client flamebox-monito)
	machine=$(find_child $client "$vmm_comm")
	[ -n "$monitor" ]
	[ -n "$machine" ]
}

gone() {
	! kill -0 "$1" 2>/dev/null || grep -q '^State:.*Z' /proc/"$1"/status
}

@test "kill -9 of the VMM: one line, 137, nothing left with --rm" {
	start --rm
	started
	kill -9 "$machine"
	status=0
	wait $client || status=$?
	[ "$status" -eq 137 ]
	grep -q 'killed by signal 9' "$BATS_TEST_TMPDIR/err"
	[ "$(wc -l <"$BATS_TEST_TMPDIR/err")" -eq 1 ]
	run -0 "$FLAMEBOX" ps -aq
	[ -z "$output" ]
}

@test "kill -9 of the monitor: the machine goes with it, 137, the next command cleans" {
	start --rm
	started
	kill -9 "$monitor"
	status=0
	wait $client || status=$?
	[ "$status" -eq 137 ]
	wait_for 10 gone "$machine"
	run -0 "$FLAMEBOX" ps -aq
	[ -z "$output" ]
}

@test "kill -9 of the client: the machine ends, the next command says what it removed" {
	start --rm
	started
	kill -9 $client
	wait $client || true
	wait_for 30 gone "$monitor"
	wait_for 30 gone "$machine"
	run -0 "$FLAMEBOX" -v ps -aq
	[[ $output == *removed* ]]
	[ -z "$(ls -A "$FLAMEBOX_ROOT/containers")" ]
}

@test "without --rm the record of a lost machine stays" {
	start --name lost
	started
	kill -9 "$machine"
	wait $client || true
	run -0 "$FLAMEBOX" ps -a
	[[ $output == *lost* ]]
	[[ $output == *"Exited (137)"* ]]
	run -0 "$FLAMEBOX" rm lost
}

@test "kill -9 at random instants leaves nothing that the next command does not clean" {
	local i victim
	for i in 1 2 3 4 5 6; do
		start --rm
		sleep "0.$((RANDOM % 9))"
		case $((i % 3)) in
		0) victim=$client ;;
		1) victim=$(find_child $client flamebox-monito) ;;
		2) victim=$(find_child $client "$vmm_comm") ;;
		esac
		kill -9 "${victim:-$client}" 2>/dev/null || true
		# a machine that was not hit yet would run for ever
		sleep 0.2
		kill -9 $client 2>/dev/null || true
		wait $client || true
	done
	no_containers() { "$FLAMEBOX" ps -a >/dev/null && [ -z "$(ls -A "$FLAMEBOX_ROOT/containers")" ]; }
	wait_for 60 no_containers
	[ -z "$("$FLAMEBOX" ps -aq)" ]
	run -0 vm demo echo still works
	[ "$output" = "still works" ]
}
