#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# A real Firecracker without Linux: the kernel is a few kilobytes of our own, so a KVM
# that interprets runs it in a tenth of a second.  Processes, API, jailer, cleaning up.

load firecracker

setup_file() { fc_setup_file; }

setup() {
	fc_setup
	need curl jq
}

teardown() {
	[ -z "${JAILED:-}" ] || kill -9 "$JAILED" 2>/dev/null || true
	fc_teardown
}

@test "a machine from its start to its reset" {
	fc_config "$D/c.json"
	run timeout -s KILL 60 firecracker --no-api --level Error --config-file "$D/c.json"
	is "$status" 0
	has "$output" "tiny kernel"
}

@test "its status says nothing: a kernel's panic is 0 as well" {
	fc_config "$D/c.json" tiny=panic
	run timeout -s KILL 60 firecracker --no-api --level Error --config-file "$D/c.json"
	is "$status" 0
	has "$output" "Kernel panic - not syncing: tiny"
}

@test "paused, the guest stands still; resumed, it goes on" {
	fc_config "$D/c.json" tiny=count
	fc_start --config-file "$D/c.json"
	fb_wait_until grows_over 20
	api PATCH /vm '{"state": "Paused"}'
	is "$code" 204
	api GET /
	is "$(jq -r .state <<<"$output")" Paused
	local size
	size=$(console_size)
	sleep 0.5
	is "$(console_size)" "$size"
	api PATCH /vm '{"state": "Resumed"}'
	is "$code" 204
	fb_wait_until grows_over "$size"
}

@test "a snapshot goes on in another process, and twice at once" {
	fc_config "$D/c.json" tiny=count
	fc_start --config-file "$D/c.json"
	fb_wait_until grows_over 20
	api PUT /snapshot/create "{\"mem_file_path\": \"$D/mem\", \"snapshot_path\": \"$D/state\"}"
	is "$code" 400
	has "$output" "Create snapshot error: Cannot save the microVM state: Operation not allowed"
	api PATCH /vm '{"state": "Paused"}'
	api PUT /snapshot/create "{\"mem_file_path\": \"$D/mem\", \"snapshot_path\": \"$D/state\"}"
	is "$code" 204
	is "$(stat -c %s "$D/mem")" $((32 << 20))
	fc_teardown
	local load="{\"snapshot_path\": \"$D/state\", \"resume_vm\": true,
		\"mem_backend\": {\"backend_type\": \"File\", \"backend_path\": \"$D/mem\"}}"
	rm "$D/api"
	fc_start
	local first=$PID
	api PUT /snapshot/load "$load"
	is "$code" 204
	fb_wait_until grows_over 0
	mv "$D/api" "$D/api.first"
	mv "$D/console" "$D/console.first"
	fc_start
	api PUT /snapshot/load "$load"
	is "$code" 204
	fb_wait_until grows_over 0
	local size
	size=$(stat -c %s "$D/console.first")
	kill -9 "$PID"
	fb_wait_until sh -c "[ \$(stat -c %s '$D/console.first') -gt $size ]"
	kill -9 "$first"
	! grep -q "tiny kernel" "$D/console"
}

@test "a snapshot that is none ends the process, with a line that says why" {
	fc_start
	echo nothing >"$D/state"
	api PUT /snapshot/load "{\"snapshot_path\": \"$D/state\", \"mem_backend\":
		{\"backend_type\": \"File\", \"backend_path\": \"$D/state\"}}" || true
	wait "$PID" || PID=
	[ -z "$PID" ] || fail "it still runs"
}

@test "metrics are written when they are asked for" {
	fc_config "$D/c.json" tiny=count
	: >"$D/metrics"
	fc_start --metrics-path "$D/metrics" --config-file "$D/c.json"
	fb_wait_until grows_over 20
	api PUT /actions '{"action_type": "FlushMetrics"}'
	is "$code" 204
	is "$(tail -n 1 "$D/metrics" | jq -r '.vmm.panic_count, .seccomp.num_faults')" "0
0"
	[ "$(jq -s 'map(.uart.write_count) | add' "$D/metrics")" -ge 20 ]
}

@test "every thread has a system call filter" {
	fc_config "$D/c.json" tiny=count
	fc_start --config-file "$D/c.json"
	fb_wait_until grows_over 20
	is "$(cat "/proc/$PID"/task/*/status | grep -c '^Seccomp:')" \
		"$(cat "/proc/$PID"/task/*/status | grep -c '^Seccomp:.2')"
}

@test "the same machine in the jailer, as a user of its own" {
	[ "$(id -u)" = 0 ] || skip "the jailer is root's"
	command -v jailer >/dev/null || skip "no jailer on PATH"
	local root="$D/jail/firecracker/tiny/root" uid=1178665000 pid
	mkdir -p "$root"
	cp "$TINY" "$root/kernel"
	fc_config "$root/c.json" tiny=count
	sed -i "s,$TINY,/kernel,; s,$FC_CPU,/cpu.json," "$root/c.json"
	cp "$FC_CPU" "$root/cpu.json"
	chown -R "$uid:$uid" "$root"
	timeout -s KILL 60 jailer --id tiny --exec-file "$(command -v firecracker)" --uid "$uid" --gid "$uid" \
		--chroot-base-dir "$D/jail" --new-pid-ns -- --level Error --config-file /c.json \
		>"$D/console" 2>&1 3>&-
	pid=$(cat "$root/firecracker.pid")
	JAILED=$pid
	fb_wait_until grows_over 20
	is "$(stat -c %u "/proc/$pid")" "$uid"
	[ -f "/proc/$pid/root/kernel" ]
	[ ! -e "/proc/$pid/root/etc" ]
	[ "$(readlink "/proc/$pid/ns/pid")" != "$(readlink /proc/self/ns/pid)" ]
	is "$(grep '^Seccomp:' "/proc/$pid/status")" "Seccomp:	2"
}

@test "flamebox starts it, tells that no guest spoke, and leaves nothing" {
	"$FLAMEBOX" run --help | grep -q -- --firecracker || skip "no such engine in this build"
	[ -f "${FLAMEBOX%/*}/initramfs.cpio" ] || skip "no initramfs beside the program"
	fb_setup
	fb_layout "$D/layout" latest
	fb load -q -i "$D/layout" --name demo
	export FLAMEBOX_TEST_KVM=emulating
	cp "$TINY" "$D/kernel"
	run --separate-stderr timeout -s KILL 100 "$WITH_KVM" "$FLAMEBOX" run --engine firecracker \
		--kernel "$D/kernel" --network none demo true
	is "$status" 125
	has "$stderr" "no exit record"
	run fb ps -a -q
	is "${#lines[@]}" 1
	fb rm "${lines[0]}"
	is "$(find "$FLAMEBOX_ROOT" -type s)" ""
	is "$(find /proc/[0-9]*/fd -lname "$D/kernel" 2>/dev/null)" ""
}
