#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154,SC2314 # stderr is set by run --separate-stderr
# ps and rm, on machines that really run.

load lib

setup() {
	fb_setup
	need jq
	fb_need_machine
	fb_load test/bb:1
	JOBS=()
}

# the test's machines end with it, whatever happened
teardown() {
	local id
	if [ -d "${FLAMEBOX_ROOT:-/nonexistent}" ]; then
		for id in $(fb ps -aq); do
			fb rm -f "$id" >/dev/null 2>&1 || true
		done
	fi
	wait
}

busybox() {
	fb run --network none --entrypoint /bin/busybox --user 0 "$@"
}

is_running() {
	[ "$(fb ps --format '{{.Names}}' | grep -cx "$1")" = 1 ]
}

# start NAME [FLAG…]: a container that sleeps, in the background
start() {
	local name=$1
	shift
	busybox --name "$name" "$@" test/bb:1 sleep 1000 \
		>"$BATS_TEST_TMPDIR/$name.out" 2>&1 3>&- &
	JOBS+=("$!")
	fb_wait_until is_running "$name"
}

@test "ps without containers is its heading" {
	run --separate-stderr fb ps
	is "$status" 0
	is "$output" "CONTAINER ID   IMAGE   COMMAND   CREATED   STATUS   PORTS   NAMES"
	run fb ps -aq
	is "$output" ""
}

@test "a container that ended stays, with its exit status" {
	run busybox --name ended test/bb:1 sh -c 'exit 3'
	is "$status" 3
	run fb ps -q
	is "$output" ""
	run fb ps -a
	[[ "${lines[1]}" =~ ^[0-9a-f]{12}\ +test/bb:1\ +\"/bin/busybox\ sh\ -c\ …\"\ +.*\ ago\ +Exited\ \(3\)\ .*\ ago\ +ended$ ]] ||
		fail "${lines[1]}"
	run fb ps -a --no-trunc
	has "${lines[1]}" '"/bin/busybox sh -c exit 3"'
	[[ "${lines[1]}" =~ ^[0-9a-f]{64}\  ]]
	run fb ps -a --format json
	is "$(jq -r '.Names + " " + .State' <<<"$output")" "ended exited"
}

@test "inspect shows a container that ended, before an image of its name" {
	run busybox --name test --label k=v --label only -e A=1 -w /tmp \
		--cpus 1 --memory 256m test/bb:1 sh -c 'exit 3'
	is "$status" 3
	run --separate-stderr fb inspect test
	is "$status" 0
	local q=".[0]"
	is "$(jq -r "$q.Id" <<<"$output")" "$(fb ps -aq --no-trunc)"
	is "$(jq -r "$q.Name + \" \" + $q.Path" <<<"$output")" "test /bin/busybox"
	is "$(jq -c "$q.Args" <<<"$output")" '["sh","-c","exit 3"]'
	is "$(jq -c "$q.State | [.Status, .Running, .ExitCode, .OOMKilled, .Error]" <<<"$output")" \
		'["exited",false,3,false,""]'
	[[ "$(jq -r "$q.State.StartedAt" <<<"$output")" =~ ^20..-..-..T ]]
	[[ "$(jq -r "$q.State.FinishedAt" <<<"$output")" =~ ^20..-..-..T ]]
	is "$(jq -r "$q.Image" <<<"$output")" "$(fb images -q --no-trunc test/bb)"
	is "$(jq -r "$q.Config.Image" <<<"$output")" test/bb:1
	is "$(jq -c "$q.Config.Labels" <<<"$output")" '{"k":"v","only":""}'
	is "$(jq -r "$q.Config.WorkingDir" <<<"$output")" /tmp
	is "$(jq -r "$q.HostConfig.Memory" <<<"$output")" 268435456
	[[ "$(jq -r "$q.FlameBox.Engine" <<<"$output")" =~ ^(firecracker|qemu)$ ]]
	fb tag test/bb:1 test
	is "$(fb inspect -f '{{.Name}}' test)" test
	is "$(fb inspect --type image -f '{{.Os}}' test)" linux
	run --separate-stderr fb inspect --type container test/bb:1
	is "$status" 1
	run --separate-stderr fb inspect --type volume test
	is "$status" 1
	has "$stderr" "is not a valid value for --type"
}

@test "a container with --rm goes" {
	run busybox --rm test/bb:1 true
	is "$status" 0
	is "$(fb ps -aq)" ""
}

@test "what a terminal would act on is quoted in a command" {
	run busybox --name odd test/bb:1 echo $'\e[31m"a\nb'
	is "$status" 0
	run fb ps -a --no-trunc --format '{{.Command}}'
	is "$output" '"/bin/busybox echo \x1b[31m\"a\nb"'
}

@test "ps shows what runs; rm refuses it; rm -f ends it with 137" {
	start one
	run fb ps
	is "$(lines_of "$output")" 2
	[[ "${lines[1]}" =~ \ Up\ .*one$ ]] || fail "${lines[1]}"
	run --separate-stderr fb rm one
	is "$status" 1
	is "$output" ""
	is "$(lines_of "$stderr")" 1
	has "$stderr" "cannot remove container 'one': container is running"
	run --separate-stderr fb rm -f one
	is "$status" 0
	is "$output" "one"
	local client=0
	wait "${JOBS[0]}" || client=$?
	is "$client" 137
	is "$(fb ps -aq)" ""
}

@test "rm -f of one with --rm, whose client removes it as well" {
	start both --rm
	run --separate-stderr fb rm -f both
	is "$status" 0
	is "$stderr" ""
	local client=0
	wait "${JOBS[0]}" || client=$?
	is "$client" 137
	is "$(fb ps -aq)" ""
}

@test "rm by id, by the start of an id, several, and none" {
	busybox --name ca test/bb:1 true
	busybox --name cb test/bb:1 true
	busybox --name cc test/bb:1 true
	local id
	id=$(fb ps -a --no-trunc --format '{{.Names}} {{.ID}}' | sed -n 's/^ca //p')
	run fb rm "${id:0:12}"
	is "$status" 0
	is "$output" "${id:0:12}"
	run --separate-stderr fb rm cb nope cc
	is "$status" 1
	is "$output" "cb"$'\n'"cc"
	has "$stderr" "No such container: nope"
	is "$(fb ps -aq)" ""
	run --separate-stderr fb rm -f nope
	is "$status" 0
}

@test "an image that a container uses is not removed" {
	busybox --name user test/bb:1 true
	run --separate-stderr fb rmi test/bb:1
	is "$status" 1
	is "$(lines_of "$stderr")" 1
	has "$stderr" 'unable to remove repository reference "test/bb:1" (must force)'
	has "$stderr" "remove the container 'user' first"
	fb rm user
	run fb rmi test/bb:1
	is "$status" 0
}

@test "inspect tells the SquashFS that was booted" {
	is "$(fb inspect -f '{{json .FlameBox.Rootfs}}' test/bb:1)" null
	busybox --rm test/bb:1 true
	local want
	want=$(fb convert test/bb:1 -o "$BATS_TEST_TMPDIR/x")
	is "$(fb inspect -f '{{.FlameBox.Rootfs.Digest}}' test/bb:1)" "sha256:$want"
	is "$(fb inspect -f '{{.FlameBox.Rootfs.Size}}' test/bb:1)" \
		"$(stat -c %s "$BATS_TEST_TMPDIR/x")"
}
