#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154 # stderr is set by run --separate-stderr
# shellcheck disable=SC2016 # the guest expands its own words
# pause, unpause, and what a paused container looks like to the others.

load machine

setup_file() { fb_machine_setup_file; }

setup() {
	fb_machine_setup
	need jq
	D=$BATS_TEST_TMPDIR
	JOBS=()
}

teardown() {
	local id
	for id in $("$FLAMEBOX" ps -aq); do
		"$FLAMEBOX" rm -f "$id" >/dev/null 2>&1 || true
	done
	wait
}

fb() { "$FLAMEBOX" "$@"; }

# start NAME SCRIPT: in the background, its output in $D/NAME
start() {
	"$FLAMEBOX" run "${fb_engine[@]}" --network none --ephemeral --name "$1" --label l=1 demo sh -c "$2" \
		>"$D/$1" 2>"$D/$1.err" 3>&- &
	JOBS+=("$!")
	wait_for 500 test -s "$D/$1" || fail "no output: $(cat "$D/$1.err")"
}

count='i=0; while :; do i=$((i+1)); echo $i; sleep 0.05; done'

has_more_than() {
	[ "$(stat -c %s "$D/$1")" -gt "$2" ]
}

@test "a paused container stands, and goes on where it was; all say so" {
	start one "$count"
	run --separate-stderr fb pause one
	is "$status" 0
	is "$output" one
	is "$stderr" ""
	# what was on its way may still come
	sleep 0.3
	local size
	size=$(stat -c %s "$D/one")
	sleep 0.7
	is "$(stat -c %s "$D/one")" "$size"
	[[ "$(fb ps --format '{{.Status}}')" =~ ^Up\ .*\ \(Paused\)$ ]] || fail "$(fb ps)"
	is "$(fb ps --format '{{.Names}} {{.State}}')" "one paused"
	is "$(fb inspect one | jq -c '.[0].State | [.Status, .Running, .Paused]')" '["paused",true,true]'
	is "$(fb ps -q --filter status=paused | wc -l)" 1
	is "$(fb ps -q --filter status=running)" ""
	run --separate-stderr fb pause one
	is "$status" 1
	is "$output" ""
	has "$stderr" "container 'one' is already paused"
	run --separate-stderr fb rm one
	is "$status" 1
	has "$stderr" "container is paused and must be unpaused first"
	run --separate-stderr fb unpause one
	is "$status" 0
	is "$output" one
	wait_for 100 has_more_than one "$size"
	# nothing is missing, nothing came twice
	sed '$d' "$D/one" | awk '$1 != NR { exit 1 }'
	is "$(fb ps --format '{{.State}}')" running
	is "$(fb inspect one | jq -c '.[0].State | [.Status, .Running, .Paused]')" '["running",true,false]'
	run --separate-stderr fb unpause one
	is "$status" 1
	has "$stderr" "container 'one' is not paused"
}

@test "what does not run, or is not there, is told; the others are paused all the same" {
	run fb run "${fb_engine[@]}" --network none --ephemeral --name ended demo true
	start two "$count"
	run --separate-stderr fb pause ended two nope
	is "$status" 1
	is "$output" two
	has "$stderr" "container 'ended' is not running"
	has "$stderr" "No such container: nope"
	run --separate-stderr fb unpause ended two
	is "$status" 1
	is "$output" two
	has "$stderr" "container 'ended' is not paused"
	run fb container pause two
	is "$output" two
	run fb container unpause two
	is "$output" two
	run --separate-stderr fb pause
	is "$status" 1
	has "$stderr" "requires at least 1 argument"
}

@test "a signal waits until it goes on; the time is right then" {
	start three 'trap "date +%s; exit 7" TERM; echo ready; while :; do sleep 0.05; done'
	fb pause three
	kill -TERM "${JOBS[0]}"
	sleep 3
	is "$(cat "$D/three")" ready
	local before status=0
	before=$(date +%s)
	fb unpause three
	wait "${JOBS[0]}" || status=$?
	is "$status" 7
	[ "$(tail -n 1 "$D/three")" -ge $((before - 1)) ] || fail "behind: $(tail -n 1 "$D/three") for $before"
}

@test "a paused container ends as any other" {
	local status=0
	start four "$count"
	fb pause four
	run fb rm -f four
	is "$status" 0
	is "$output" four
	status=0
	wait "${JOBS[0]}" || status=$?
	is "$status" 137
	start five "$count"
	fb pause five
	kill -9 "${JOBS[1]}"
	wait_for 20 sh -c "! '$FLAMEBOX' ps -q | grep -q ."
	is "$(fb ps -a --format '{{.State}}')" exited
	is "$(fb inspect five | jq .[0].State.Paused)" false
}

@test "who was killed while pausing leaves nothing that stays" {
	start six "$count"
	local folder
	folder=$(find "$FLAMEBOX_ROOT" -path '*/containers/*' -name started -printf '%h\n')
	: >"$folder/paused"
	is "$(fb ps --format '{{.State}}')" paused
	fb unpause six
	is "$(fb ps --format '{{.State}}')" running
	: >"$folder/paused"
	fb pause six
	fb unpause six
	local size
	size=$(stat -c %s "$D/six")
	wait_for 100 has_more_than six "$size"
}

@test "ps shows what is asked for" {
	run fb run "${fb_engine[@]}" --network none --ephemeral --name first demo sh -c 'exit 3'
	start second "$count"
	names() { fb ps --format '{{.Names}}' "$@"; }
	is "$(names -f name=sec)" second
	is "$(names -f name='^f')" ""
	is "$(names -a -f name='^f')" first
	is "$(names -f exited=3)" first
	is "$(names -f exited=4)" ""
	is "$(names -f status=exited)" first
	is "$(names -f status=exited -f status=running | sort | tr '\n' ' ')" "first second "
	is "$(names -a -f label=l)" second
	is "$(names -a -f label=l=1 -f label=l=2)" ""
	is "$(names -a -f ancestor=demo | wc -l)" 2
	is "$(names -a -f ancestor="$(fb images -q demo)" | wc -l)" 2
	is "$(names -a -f ancestor=other)" ""
	is "$(names -a -f before=second)" first
	is "$(names -a -f since=first)" second
	is "$(names -f id="$(fb ps -q)")" second
	is "$(names -l)" second
	is "$(names -n 2 | tr '\n' ' ')" "second first "
	is "$(names -n 1 -f exited=3)" first
	run --separate-stderr fb ps -f status=nonsense
	is "$status" 1
	has "$stderr" "invalid filter 'status=nonsense'"
	run --separate-stderr fb ps -f nonsense=1
	is "$status" 1
	has "$stderr" "invalid filter 'nonsense'"
	run --separate-stderr fb ps -f nonsense
	is "$status" 1
	has "$stderr" "bad format of filter (expected name=value)"
	run --separate-stderr fb ps -f since=nope
	is "$status" 1
	has "$stderr" "No such container: nope"
}
