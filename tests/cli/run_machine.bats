#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154 # stderr is set by run --separate-stderr
# shellcheck disable=SC2016 # the guest expands its own words
# What run's flags change of the machine itself: its console, the limits of its disks,
# and what is told of its start.

load machine

setup_file() { fb_machine_setup_file; }

setup() {
	fb_machine_setup
	need jq
	D=$BATS_TEST_TMPDIR
}

@test "--console shows what the kernel says, and only that more" {
	run --separate-stderr vm --network none --ephemeral --console demo sh -c 'echo out; echo err >&2; exit 3'
	is "$status" 3
	is "$output" out
	has "$stderr" "Linux version"
	has "$stderr" err
	run --separate-stderr vm --network none --ephemeral demo true
	is "$stderr" ""
}

@test "--console: a panic is shown, and told as one" {
	run --separate-stderr vm --network none --ephemeral --console demo \
		sh -c 'echo c >/proc/sysrq-trigger; sleep 100'
	is "$status" 137
	[ "$(grep -c "Kernel panic - not syncing" <<<"$stderr")" -ge 2 ] || fail "$stderr"
}

@test "limits of a disk hold, and inspect shows them" {
	"$FLAMEBOX" run "${fb_engine[@]}" --network none --name limited --device-write-bps /dev/vdb:1mb \
		--device-read-iops /dev/vda:5000 demo sh -c \
		'a=$(date +%s); dd if=/dev/zero of=/f bs=1M count=4 conv=fsync 2>/dev/null; echo $(($(date +%s) - a))' \
		>"$D/took" 3>&-
	[ "$(cat "$D/took")" -ge 2 ] || fail "4 MiB in $(cat "$D/took") s"
	is "$("$FLAMEBOX" inspect limited | jq -c '.[0].HostConfig
		| [.BlkioDeviceReadBps, .BlkioDeviceWriteBps, .BlkioDeviceReadIOps, .BlkioDeviceWriteIOps]')" \
		'[[],[{"Path":"/dev/vdb","Rate":1048576}],[{"Path":"/dev/vda","Rate":5000}],[]]'
	"$FLAMEBOX" rm limited
}

@test "writes a second are counted" {
	run --separate-stderr vm --network none --device-write-iops /dev/vdb:10 demo sh -c \
		'a=$(date +%s); for i in 1 2 3 4 5 6 7 8 9 10; do echo $i >>/f; sync; done; echo $(($(date +%s) - a))'
	is "$status" 0
	[ "$output" -ge 2 ] || fail "ten syncs in $output s"
}

@test "a limit of 0 is none" {
	run --separate-stderr vm --network none --device-write-bps /dev/vdb:1 --device-write-bps /dev/vdb:0 demo \
		sh -c 'echo x >/f; sync; cat /f'
	is "$status" 0
	is "$output" x
}

@test "--timeline: each phase once, in its order" {
	run --separate-stderr vm --network none --ephemeral --timeline "$D/t.json" demo true
	is "$status" 0
	is "$stderr" ""
	local want='["request","prepare","VMM up","InstanceStart","kernel","init","entrypoint","exit"]'
	is "$(jq -c --argjson want "$want" '[.phases[].name | select(IN($want[]))]' "$D/t.json")" "$want"
	jq -e '[.phases[].at_ms] | . == sort' "$D/t.json"
	run --separate-stderr vm --network none --ephemeral --timeline "$D/t.svg" demo true
	is "$status" 0
	has "$(cat "$D/t.svg")" InstanceStart
}
