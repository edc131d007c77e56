#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2030,SC2031 # each test is a shell of its own
# Linux on a real Firecracker, started once until init waits to be told what to run,
# saved there, and continued from in every test: half a second instead of a minute.
# Pausing, saving and loading are asked for by FlameBox's own client of the API.

load firecracker

setup_file() {
	export KERNEL=${FLAMEBOX_TEST_KERNEL:-${FLAMEBOX%/*}/vmlinux} ASK="${FLAMEBOX%/*}/tests/firecracker/ask"
	export MEM="$BATS_FILE_TMPDIR/mem" STATE="$BATS_FILE_TMPDIR/state" T="$BATS_FILE_TMPDIR/template"
	fc_setup_file
	[ -f "$KERNEL" ] || FC_LACK="no kernel here"
	[ -f "${FLAMEBOX%/*}/initramfs.cpio" ] || FC_LACK="no initramfs beside the program"
	[ -x "$ASK" ] || FC_LACK="no client of the API built"
	command -v socat >/dev/null || FC_LACK="no socat here"
	case $(kvm_verdict) in
	native) ;;
	emulating)
		[ "${FLAMEBOX_TEST_KVM:-}" = emulating ] ||
			FC_LACK="KVM interprets here: make check ENGINE=firecracker runs it"
		;;
	*) FC_LACK="no KVM here" ;;
	esac
	[ -z "$FC_LACK" ] || return 0
	make_template
}

setup() {
	fc_setup
	need jq
}

teardown() {
	[ -z "${FIRST:-}" ] || kill -9 "$FIRST" 2>/dev/null || true
	fc_teardown
}

# host FOLDER: who listens for a guest; what it says is in FOLDER/said, what FOLDER/tell
# holds is said to it
host() {
	mkfifo "$1/tell"
	socat "UNIX-LISTEN:$1/vsock_1024" "OPEN:$1/tell,rdwr!!CREATE:$1/said" 2>/dev/null 3>&- &
	echo $! >>"$BATS_FILE_TMPDIR/hosts"
	fb_wait_until test -S "$1/vsock_1024"
}

teardown_file() {
	# shellcheck disable=SC2046 # pids
	[ ! -f "$BATS_FILE_TMPDIR/hosts" ] || kill $(cat "$BATS_FILE_TMPDIR/hosts") 2>/dev/null || true
}

greeted() {
	[ "$(head -c 16 "$1/said" 2>/dev/null | tail -c +9 | head -c 4)" = FBX1 ]
}

# the machine as it is when init waits: 64 MiB and 15 kB
make_template() {
	local words="console=ttyS0 quiet reboot=k panic=-1" cpu="" i
	[ "${FLAMEBOX_TEST_KVM:-}" != emulating ] || {
		words+=" noxsave nosmap mitigations=off clearcpuid=popcnt,smap lpj=10399992 tsc=reliable"
		words+=" no_timer_check noreplace-smp acpi=off pty.legacy_count=0"
		cpu="\"cpu-config\": \"$FC_CPU\","
	}
	mkdir "$T"
	cat >"$T/config.json" <<-JSON
		{"boot-source": {"kernel_image_path": "$KERNEL", "initrd_path": "${FLAMEBOX%/*}/initramfs.cpio",
		                 "boot_args": "$words"}, $cpu
		 "machine-config": {"vcpu_count": 1, "mem_size_mib": 64}, "drives": [],
		 "vsock": {"guest_cid": 3, "uds_path": "$T/vsock"},
		 "entropy": {}, "balloon": {"amount_mib": 0, "deflate_on_oom": true}}
	JSON
	host "$T"
	firecracker --api-sock "$T/api" --level Error --config-file "$T/config.json" \
		>"$T/console" 2>&1 </dev/null 3>&- &
	for ((i = 0; i < 4000; i++)); do
		! greeted "$T" || break
		sleep 0.1
	done
	if ! greeted "$T"; then
		FC_LACK="Linux did not get as far as init: $(tail -n 1 "$T/console")"
	elif ! "$ASK" "$T" PATCH /vm '{"state": "Paused"}' ||
		! "$ASK" "$T" PUT /snapshot/create "{\"mem_file_path\": \"$MEM\", \"snapshot_path\": \"$STATE\"}"; then
		FC_LACK="no snapshot could be made"
	fi
	kill -9 $!
	wait $! || true
} 2>&1

# clone FOLDER [WORDS]: goes on from the template, its pid in PID
clone() {
	D=$1
	mkdir -p "$D"
	host "$D"
	fc_start
	"$ASK" "$D" PUT /snapshot/load "{\"snapshot_path\": \"$STATE\", ${2:-\"resume_vm\": true},
		\"mem_backend\": {\"backend_type\": \"File\", \"backend_path\": \"$MEM\"},
		\"vsock_override\": {\"uds_path\": \"$D/vsock\"}}"
}

state() {
	"$ASK" "$D" GET / | jq -r .state
}

# a frame that is out of turn before the first BEGIN: init says so, and ends
offend() {
	printf '\10\0\0\0\4\0\0\0\17\0\0\0' >"$1/tell"
}

complains() {
	grep -q "out of turn" "$1/said"
}

gone() {
	! kill -0 "$1" 2>/dev/null || [ "$(cut -d' ' -f3 "/proc/$1/stat")" = Z ]
}

@test "a clone's guest connects again, to its own host, and hears what that says" {
	clone "$BATS_TEST_TMPDIR/a"
	fb_wait_until greeted "$D"
	is "$(state)" Running
	offend "$D"
	fb_wait_until complains "$D"
	fb_wait_until gone "$PID"
	local status=0
	wait "$PID" || status=$?
	is "$status" 0
	PID=
}

@test "loaded without being resumed it waits" {
	clone "$BATS_TEST_TMPDIR/a" '"resume_vm": false'
	is "$(state)" Paused
	sleep 0.5
	[ ! -s "$D/said" ]
	"$ASK" "$D" PATCH /vm '{"state": "Resumed"}'
	fb_wait_until greeted "$D"
}

@test "two clones at once: what happens to one does not touch the other" {
	clone "$BATS_TEST_TMPDIR/a"
	FIRST=$PID
	clone "$BATS_TEST_TMPDIR/b"
	fb_wait_until greeted "$BATS_TEST_TMPDIR/a"
	fb_wait_until greeted "$BATS_TEST_TMPDIR/b"
	kill -9 "$FIRST"
	is "$(state)" Running
	offend "$D"
	fb_wait_until complains "$D"
}

@test "a clone is saved again, and goes on from there" {
	clone "$BATS_TEST_TMPDIR/a"
	fb_wait_until greeted "$D"
	"$ASK" "$D" PATCH /vm '{"state": "Paused"}'
	"$ASK" "$D" PUT /snapshot/create "{\"mem_file_path\": \"$D/mem\", \"snapshot_path\": \"$D/state\"}"
	kill -9 "$PID"
	local MEM="$D/mem" STATE="$D/state"
	clone "$BATS_TEST_TMPDIR/b"
	fb_wait_until greeted "$D"
}

@test "stopped by its processes it stands, and its channel goes on where it was" {
	clone "$BATS_TEST_TMPDIR/a"
	fb_wait_until greeted "$D"
	kill -STOP "$PID"
	sleep 0.3
	kill -CONT "$PID"
	is "$(state)" Running
	offend "$D"
	fb_wait_until complains "$D"
}

@test "what Firecracker refuses is told in its words" {
	clone "$BATS_TEST_TMPDIR/a"
	run "$ASK" "$D" PUT /snapshot/create "{\"mem_file_path\": \"$D/mem\", \"snapshot_path\": \"$D/state\"}"
	is "$status" 1
	has "$output" "Firecracker: Create snapshot error"
	run "$ASK" "$D" PUT /boot-source '{"kernel_image_path": "/x"}'
	is "$status" 1
	has "$output" "not supported after starting"
	run "$ASK" "$D" PATCH /vm '{"state": "Asleep"}'
	is "$status" 1
	has "$output" "unknown variant"
	kill -9 "$PID"
	wait "$PID" || true
	run "$ASK" "$D" GET /
	is "$status" 1
	has "$output" "Firecracker: connect to its API: Connection refused"
}
