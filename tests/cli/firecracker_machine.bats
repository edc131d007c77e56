#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016,SC2154 # the guest expands its own words; fb_engine is machine.bash's
# One start of Linux on a real Firecracker, and what FlameBox does with it while it
# runs: pause, limits of its disk, console, timeline, balloon.

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
	"$FLAMEBOX" run "${fb_engine[@]}" --name one --network none \
		--memory 128m --console --timeline "$D/t.json" --device-write-bps /dev/vdb:50kb demo sh -c \
		'i=0; while [ $i -lt 100 ]; do i=$((i+1)); echo $i; ls / >/dev/null; done
		 dd if=/dev/zero of=/f bs=64k count=4 conv=fsync; exit 5' \
		>"$D/out" 2>"$D/err" 3>&- &
	CLIENT=$!
	wait_long said '^10$'
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
	awk '$1 != NR { exit 1 } END { exit NR != 100 }' "$D/out"
	has "$(cat "$D/err")" "Linux version"
	local want='["request","prepare","VMM up","InstanceStart","kernel","init","entrypoint","exit"]'
	is "$(jq -c --argjson want "$want" '[.phases[].name | select(IN($want[]))]' "$D/t.json")" "$want"
	# an event of Firecracker's own, which tells those since its last line of figures, of
	# which there is one a minute: also what the disk's coming to rest writes has to wait
	"$FLAMEBOX" inspect one >"$D/inspect"
	[ "$(jq '.[0].FlameBox.Metrics.block_disk1.rate_limiter_throttled_events' "$D/inspect")" -gt 0 ] ||
		fail "$(jq '.[0].FlameBox.Metrics.block_disk1' "$D/inspect")"
}
