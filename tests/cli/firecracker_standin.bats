#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The stand-in for Firecracker: what it takes and what it refuses, so that the tests
# which drive FlameBox on it prove something.

load firecracker

setup() {
	STANDIN="${FLAMEBOX%/*}/tests/firecracker/firecracker"
	FC_PROGRAM=$STANDIN
	[ -x "$STANDIN" ] || skip "no stand-in built"
	need curl jq
	D=$BATS_TEST_TMPDIR
	: >"$D/kernel"
	: >"$D/disk"
	cat >"$D/config.json" <<-EOF
		{"boot-source": {"kernel_image_path": "$D/kernel", "boot_args": "console=ttyS0 quiet"},
		 "machine-config": {"vcpu_count": 1, "mem_size_mib": 64},
		 "drives": [{"drive_id": "disk0", "is_root_device": false, "is_read_only": true,
		             "path_on_host": "$D/disk"}],
		 "vsock": {"guest_cid": 3, "uds_path": "$D/vsock"}, "entropy": {}}
	EOF
}

teardown() {
	[ -z "${REAL:-}" ] || kill -9 "$REAL" 2>/dev/null || true
	fc_teardown
}

# refused METHOD PATH BODY TEXT: 400, with TEXT in the fault
refused() {
	api "$1" "$2" "$3"
	is "$code" 400
	has "$(jq -r .fault_message <<<"$output")" "$4"
}

# host: who listens for the guest, and keeps what it says
host() {
	need socat
	socat -u "UNIX-LISTEN:$D/vsock_1024" "CREATE:$D/said" 3>&- &
	fb_wait_until test -S "$D/vsock_1024"
}

@test "its table of fields is that of the OpenAPI text" {
	local text="${FIRECRACKER_OPENAPI:-$BATS_TEST_DIRNAME/../../../shared/firecracker/openapi-v1.16.1.yaml}"
	[ -f "$text" ] || skip "no OpenAPI text of Firecracker here: set FIRECRACKER_OPENAPI"
	python3 -c 'import yaml' 2>/dev/null || skip "no python3-yaml here"
	run python3 "$BATS_TEST_DIRNAME/../firecracker/check_schema.py" "$STANDIN" "$text"
	is "$status" 0
}

@test "what FlameBox renders has no field that Firecracker does not know" {
	local file found=
	for file in "$BATS_TEST_DIRNAME"/../golden/firecracker/*.json; do
		[ -f "$file" ] || continue
		found=1
		run "$STANDIN" --standin-fields-only --no-api --config-file "$file"
		[ "$status" = 0 ] || fail "$file: $output"
		jq '.vsock.bogus = 1' "$file" >"$D/bad.json"
		run "$STANDIN" --standin-fields-only --no-api --config-file "$D/bad.json"
		is "$status" 1
	done
	[ -n "$found" ] || skip "no rendered configurations here"
}

@test "by the API: a machine is described, started, paused, resumed" {
	host
	fc_start
	api GET /
	is "$(jq -r .state <<<"$output")" "Not started"
	refused PATCH /vm '{"state": "Paused"}' "not supported before starting"
	refused PUT /actions '{"action_type": "InstanceStart"}' "without kernel configuration"
	api PUT /boot-source "{\"kernel_image_path\": \"$D/kernel\"}"
	is "$code" 204
	api PUT /drives/disk0 "{\"drive_id\": \"disk0\", \"is_root_device\": false, \"path_on_host\": \"$D/disk\"}"
	is "$code" 204
	api PUT /vsock "{\"guest_cid\": 3, \"uds_path\": \"$D/vsock\"}"
	is "$code" 204
	api PUT /actions '{"action_type": "InstanceStart"}'
	is "$code" 204
	api GET /
	is "$(jq -r .state <<<"$output")" Running
	fb_wait_until test -s "$D/said"
	has "$(head -c 12 "$D/said" | tr -d '\0')" "FBX1"
	refused PUT /boot-source "{\"kernel_image_path\": \"$D/kernel\"}" "not supported after starting"
	refused PUT /snapshot/create '{"mem_file_path": "m", "snapshot_path": "s"}' "Create snapshot error"
	api PATCH /vm '{"state": "Paused"}'
	is "$code" 204
	api GET /
	is "$(jq -r .state <<<"$output")" Paused
	api PATCH /vm '{"state": "Resumed"}'
	is "$code" 204
	api GET /vm/config
	is "$(jq -r '.drives[0].drive_id' <<<"$output")" disk0
}

@test "what the OpenAPI text does not know is refused, each with its reason" {
	fc_start
	refused PUT /boot-source '{"kernel_image_path": "x", "kernel": 1}' 'unknown field `kernel`'
	refused PUT /boot-source '{"boot_args": "x"}' 'missing field `kernel_image_path`'
	refused PUT /boot-source '{"kernel_image_path": 5}' "expected a string"
	refused PUT /boot-source '{"kernel_image_path": "/nonexistent"}' "cannot be opened"
	refused PUT /boot-source '{' "deserializing the json body"
	refused PUT /machine-config '{"vcpu_count": 33, "mem_size_mib": 64}' 'integer `33`'
	refused PUT /machine-config '{"vcpu_count": 0, "mem_size_mib": 64}' 'integer `0`'
	refused PUT /machine-config '{"vcpu_count": 1, "mem_size_mib": "64"}' "expected an integer"
	refused PUT /drives/a '{"drive_id": "b", "is_root_device": false}' "does not match"
	refused PUT /drives/a '{"drive_id": "a", "is_root_device": false, "cache_type": "None"}' 'unknown variant `None`'
	refused PUT /drives/a '{"drive_id": "a", "is_root_device": false, "rate_limiter": {"bandwidth": {"size": 1}}}' \
		'missing field `refill_time`'
	refused PUT /vsock '{"guest_cid": 2, "uds_path": "x"}' 'integer `2`'
	refused PUT /nothing '{}' "Invalid request method and/or path: PUT nothing"
	refused GET /actions '' "Invalid request method"
	api PUT /actions "{\"action_type\": \"$(head -c 60000 /dev/zero | tr '\0' x)\"}"
	is "$code" 400
	has "$output" "larger than the limit"
}

# both METHOD PATH BODY: the stand-in and the real one say the same, the list of what
# was expected and the place in the text aside
both() {
	local cut='s/, expected.*//; s/invalid type.*/invalid type/; s/ at line.*//; s/ (os error.*//; s/[.]*"}$//'
	local code output said
	api "$@"
	said="$code $(sed "$cut" <<<"$output")"
	D=$D/real api "$@"
	is "$said" "$code $(sed "$cut" <<<"$output")"
}

@test "a real Firecracker refuses the same, in the same words" {
	command -v firecracker >/dev/null || skip "no firecracker on PATH"
	mkdir "$D/real"
	firecracker --api-sock "$D/real/api" >/dev/null 2>&1 3>&- &
	REAL=$!
	fc_start
	fb_wait_until test -S "$D/real/api"
	both PUT /boot-source '{"kernel_image_path": "x", "kernel": 1}'
	both PUT /boot-source '{"boot_args": "x"}'
	both PUT /boot-source '{"kernel_image_path": 5}'
	both PUT /boot-source '{"kernel_image_path": "/nonexistent"}'
	both PUT /machine-config '{"vcpu_count": 1, "mem_size_mib": "64"}'
	both PUT /drives/a '{"drive_id": "b", "is_root_device": false}'
	both PUT /drives/a '{"drive_id": "a", "is_root_device": false, "cache_type": "None"}'
	both PUT /drives/a '{"drive_id": "a", "is_root_device": false, "rate_limiter": {"bandwidth": {"size": 1}}}'
	both PUT /balloon '{"amount_mib": 1, "deflate_on_oom": true, "bogus": 1}'
	both PUT /network-interfaces/e '{"iface_id": "e"}'
	both PUT /nothing '{}'
	both GET /nothing
	both PATCH /vm '{"state": "Paused"}'
	both PATCH /vm '{"state": "Asleep"}'
	both PATCH /balloon '{"amount_mib": 5}'
	both PUT /actions '{"action_type": "InstanceStart"}'
	both PUT /actions '{"action_type": "Dance"}'
	both PUT /snapshot/create '{"mem_file_path": "m", "snapshot_path": "s"}'
	both PUT /entropy '{}'
	both PUT /snapshot/load '{"snapshot_path": "s", "mem_file_path": "m"}'
	both GET /
}

@test "by a file: the same checks, said as Firecracker says them, status 1" {
	local change
	for change in '.drives[0].bogus = 1' 'del(.drives)' '."boot-source".kernel_image_path = "/nonexistent"' \
		'.more = {}' '.vsock.guest_cid = 1' '.drives[0].path_on_host = "/nonexistent"'; do
		jq "$change" "$D/config.json" >"$D/bad.json"
		run "$STANDIN" --no-api --config-file "$D/bad.json"
		is "$status" 1
		has "$output" "Configuration for VMM from one single json failed"
		has "$output" "exit_code=1"
	done
	echo '{' >"$D/bad.json"
	run "$STANDIN" --no-api --config-file "$D/bad.json"
	is "$status" 1
	has "$output" "Invalid JSON"
}

@test "its command line is as strict as the real one" {
	run "$STANDIN" --version
	is "$output" "Firecracker v1.16.1"
	run "$STANDIN" --bogus
	is "$status" 153
	run "$STANDIN" --no-api
	is "$status" 153
	has "$output" "config-file"
	run "$STANDIN" --level Loud
	is "$status" 152
	: >"$D/api"
	run "$STANDIN" --api-sock "$D/api"
	is "$status" 1
	has "$output" "Failed to open the API socket at: $D/api. Check that it is not already used."
}

@test "a guest without a host resets, status 0: no evidence of anything" {
	run "$STANDIN" --no-api --config-file "$D/config.json" --level Warning
	is "$status" 0
	has "$output" "no host at vsock port 1024"
}

@test "a snapshot is made of a paused machine, and loaded elsewhere" {
	host
	fc_start --config-file "$D/config.json"
	fb_wait_until test -s "$D/said"
	api PATCH /vm '{"state": "Paused"}'
	api PUT /snapshot/create "{\"mem_file_path\": \"$D/mem\", \"snapshot_path\": \"$D/state\"}"
	is "$code" 204
	is "$(stat -c %s "$D/mem")" $((64 << 20))
	kill -9 "$PID"
	rm -f "$D/api" "$D/said" "$D"/vsock*
	mkdir "$D/clone"
	socat -u "UNIX-LISTEN:$D/clone/vsock_1024" "CREATE:$D/said" 3>&- &
	fb_wait_until test -S "$D/clone/vsock_1024"
	fc_start
	refused PUT /snapshot/load "{\"snapshot_path\": \"$D/state\"}" "mem_backend"
	api PUT /snapshot/load "{\"snapshot_path\": \"$D/state\", \"resume_vm\": true,
		\"mem_backend\": {\"backend_type\": \"File\", \"backend_path\": \"$D/mem\"},
		\"vsock_override\": {\"uds_path\": \"$D/clone/vsock\"}}"
	is "$code" 204
	fb_wait_until test -s "$D/said"
	refused PUT /snapshot/load "{\"snapshot_path\": \"$D/state\", \"mem_file_path\": \"$D/mem\"}" "after starting"
}

@test "faults in its name: refuses, dies, is killed, is slow" {
	local name
	for name in refuse-drives die-config die-start kill-boot version=1.9.0 slow-start; do
		ln "$STANDIN" "$D/fc+$name" 2>/dev/null || cp "$STANDIN" "$D/fc+$name"
	done
	run "$D/fc+version=1.9.0" --version
	is "$output" "Firecracker v1.9.0"
	run "$D/fc+refuse-drives" --no-api --config-file "$D/config.json"
	is "$status" 1
	has "$output" "Block device error: refused by the stand-in"
	run "$D/fc+die-config" --no-api --config-file "$D/config.json"
	is "$status" 1
	has "$output" "died at 'config'"
	run "$D/fc+kill-boot" --no-api --config-file "$D/config.json"
	is "$status" 137
	run "$D/fc+slow-start" --no-api --config-file "$D/config.json"
	is "$status" 0
}
