#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016 # the guest expands its own words
# One start of Linux on a real Firecracker, and what FlameBox does with it while it
# runs: pause, limits of its disk, console, timeline, balloon.

load firecracker

setup_file() {
	local FLAMEBOX_TEST_ENGINE=firecracker
	load machine
	fb_machine_setup_file
	[ -z "$FB_MACHINE_LACK" ] || return 0
	case $("$FLAMEBOX" doctor 2>/dev/null | grep '^[a-z]* *accelerator') in
	*"KVM is native"*) ;;
	*"KVM is emulating"*)
		[ "${FLAMEBOX_TEST_KVM:-}" = emulating ] ||
			FB_MACHINE_LACK="KVM interprets here: make check ENGINE=firecracker runs it"
		;;
	*) FB_MACHINE_LACK="no KVM here" ;;
	esac
}

setup() {
	[ -z "$FB_MACHINE_LACK" ] || skip "$FB_MACHINE_LACK"
	need jq
	D=$BATS_TEST_TMPDIR
}

teardown() {
	[ -z "${CLIENT:-}" ] || kill -9 "$CLIENT" 2>/dev/null || true
	"$FLAMEBOX" rm -f one >/dev/null 2>&1 || true
}

size() { stat -c %s "$D/out"; }

grows() { [ "$(size)" -gt "$1" ]; }

said() { grep -q "$1" "$D/out"; }

# fb_wait_until is too short for a start where KVM interprets
wait_long() {
	local i
	for ((i = 0; i < 4000; i++)); do
		! "$@" || return 0
		sleep 0.2
	done
	fail "waited for: $*: $(tail -n 3 "$D/err")"
}

@test "paused it stands, limits hold, the console and the phases are told" {
	local -a kernel=()
	[ -z "${FLAMEBOX_TEST_KERNEL:-}" ] || kernel=(--kernel "$FLAMEBOX_TEST_KERNEL")
	# without a jail, which metrics can't leave
	"$FLAMEBOX" run --engine firecracker --jailer off "${kernel[@]}" --name one --network none \
		--memory 128m --console --timeline "$D/t.json" --device-write-bps /dev/vdb:200kb demo sh -c \
		'echo ready; dd if=/dev/zero of=/f bs=64k count=12 conv=fsync; echo written
		 i=0; until [ -e /end ]; do i=$((i+1)); echo $i; [ $i -lt 400 ] || break; done; exit 5' \
		>"$D/out" 2>"$D/err" 3>&- &
	CLIENT=$!
	wait_long said written
	wait_long said '^20$'
	is "$("$FLAMEBOX" pause one)" one
	sleep 1
	local before status=0
	before=$(size)
	sleep 2
	is "$(size)" "$before"
	is "$("$FLAMEBOX" ps --format '{{.State}}')" paused
	is "$("$FLAMEBOX" unpause one)" one
	wait_long grows "$before"
	wait "$CLIENT" || status=$?
	CLIENT=
	is "$status" 5
	sed -n '/^written$/,$p' "$D/out" | sed 1d | awk '$1 != NR { exit 1 } END { exit NR != 400 }'
	has "$(cat "$D/err")" "Linux version"
	local want='["request","prepare","VMM up","InstanceStart","kernel","init","entrypoint","exit"]'
	is "$(jq -c --argjson want "$want" '[.phases[].name | select(IN($want[]))]' "$D/t.json")" "$want"
	# an event of Firecracker's own: a request had to wait
	"$FLAMEBOX" inspect one >"$D/inspect"
	[ "$(jq '.[0].FlameBox.Metrics.block_disk1.rate_limiter_throttled_events' "$D/inspect")" -gt 0 ] ||
		fail "$(jq '.[0].FlameBox.Metrics.block_disk1' "$D/inspect")"
}
