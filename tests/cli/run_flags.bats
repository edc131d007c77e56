#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154 # stderr is set by run --separate-stderr
# What is wrong with a run whatever the image is: one line, docker's words,
# status 125, and nothing was touched.  Needs no machine.

load lib

setup() { fb_setup; }

# refused TEXT FLAG…
refused() {
	local want=$1
	shift
	run --separate-stderr fb run "$@" no-such-image-anywhere </dev/null
	is "$status" 125
	is "$output" ""
	is "$(lines_of "$stderr")" 1
	has "$stderr" "$want"
	[ ! -e "$FLAMEBOX_ROOT" ] || fail "$* made a state"
}

@test "CPUs" {
	local n
	n=$(nproc --all)
	refused "range of CPUs is from 0.01 to " --cpus 0
	refused "range of CPUs is from 0.01 to " --cpus $((n + 1))
	refused 'invalid argument "abc" for "--cpus" flag: failed to parse abc as a rational number' --cpus abc
	refused 'invalid argument "-1" for "--cpus" flag' --cpus -1
	refused 'invalid argument "nan" for "--cpus" flag' --cpus nan
	refused 'invalid argument "" for "--cpus" flag' --cpus ''
}

@test "memory and disk" {
	refused "Minimum memory limit allowed is" --memory 1m
	refused "Minimum memory limit allowed is" --memory 0
	refused "that this host has" --memory 900t
	refused "invalid argument \"lots\" for \"-m, --memory\" flag: invalid size: 'lots'" --memory lots
	refused 'for "-m, --memory" flag' -m 99999999p
	refused "storage size must be between" --storage-size 1k
	refused "invalid suffix: 'x'" --storage-size 1x
}

@test "environment, labels and their files" {
	refused 'invalid argument "=x" for "-e, --env" flag: invalid environment variable: =x' -e =x
	refused 'invalid argument "" for "-e, --env" flag: invalid environment variable:' -e ''
	refused "invalid argument \"=x\" for \"-l, --label\" flag: invalid label '=x': empty name" -l =x
	refused "open /nonexistent: No such file or directory" --env-file /nonexistent
	refused "open /nonexistent: No such file or directory" --label-file /nonexistent
	printf 'A=1\nB C=2\n' >"$BATS_TEST_TMPDIR/env"
	refused "line 2: variable 'B C' contains whitespaces" --env-file "$BATS_TEST_TMPDIR/env"
	printf '=x\n' >"$BATS_TEST_TMPDIR/env"
	refused "no variable name on line '=x'" --env-file "$BATS_TEST_TMPDIR/env"
}

@test "limits of disks" {
	local flag
	for flag in --device-read-bps --device-write-bps --device-read-iops --device-write-iops; do
		refused "invalid argument \"1mb\" for \"$flag\" flag: bad format: 1mb" $flag 1mb
		refused "for \"$flag\" flag: bad format for device path: sda:1" $flag sda:1
		refused "for \"$flag\" flag: a machine has no disk '/dev/sda'" $flag /dev/sda:1
		refused "for \"$flag\" flag: invalid rate for device: /dev/vdb:x. The" $flag /dev/vdb:x
		refused "for \"$flag\" flag: invalid rate for device: /dev/vdb:-1" $flag /dev/vdb:-1
		refused "for \"$flag\" flag: invalid rate for device: /dev/vdb:. The" $flag /dev/vdb:
		refused "this machine has no disk '/dev/vdb'" --ephemeral $flag /dev/vdb:1
		refused "this machine has no disk '/dev/vdb'" --read-only $flag /dev/vdb:1
	done
	refused "Unit is optional and can be kb, mb, or gb" --device-read-bps /dev/vda:1x
	refused "Number must be a positive integer" --device-read-iops /dev/vda:1kb
	refused "nothing is ever written to '/dev/vda'" --device-write-bps /dev/vda:1mb
	refused "nothing is ever written to '/dev/vda'" --device-write-iops /dev/vda:1
	refused "invalid rate for device" --device-read-bps /dev/vda:2000000g
}

@test "ulimits" {
	refused 'invalid argument "as=1" for "--ulimit" flag: invalid ulimit type: as' --ulimit as=1
	refused 'invalid ulimit argument: nofile' --ulimit nofile
	refused 'ulimit soft limit must be less than or equal to hard limit: 2 > 1' --ulimit nofile=2:1
}

@test "names of hosts, signals, folders" {
	refused "invalid hostname: 'a b'" --hostname 'a b'
	refused "invalid hostname: ''" -h ''
	refused "invalid signal: FOO" --stop-signal FOO
	refused "the working directory 'rel' is invalid, it needs to be an absolute path" -w rel
	refused 'bad format for add-host: "a"' --add-host a
	refused 'invalid IP address in add-host: "b"' --add-host a:b
	refused "invalid mount path: 'rel' mount path must be absolute" --tmpfs rel
	refused 'invalid tmpfs option "nope"' --tmpfs /x:nope
}

@test "choices" {
	refused "invalid pull option: 'foo': must be one of \"always\", \"missing\" or \"never\"" --pull foo
	refused "network foo not found" --network foo
	refused "invalid platform 'foo'" --platform foo
	refused "unknown engine 'foo'" --engine foo
	refused "unknown accelerator 'foo'" --accel foo
	refused "open /nonexistent: No such file or directory" --kernel /nonexistent
	refused "open /nonexistent: No such file or directory" --initramfs /nonexistent
}

@test "the configuration file is held to the same" {
	echo '{"engine": "foo"}' >"$BATS_TEST_TMPDIR/c.json"
	run --separate-stderr fb --config "$BATS_TEST_TMPDIR/c.json" run x
	is "$status" 125
	has "$stderr" "unknown engine 'foo'"
	run --separate-stderr fb --config "$BATS_TEST_TMPDIR/none" run x
	is "$status" 125
}

@test "-it without a terminal; a cidfile that is there" {
	refused "the input device is not a TTY" -it
	: >"$BATS_TEST_TMPDIR/cid"
	refused "container ID file found" --cidfile "$BATS_TEST_TMPDIR/cid"
}

@test "the image's name" {
	run --separate-stderr fb run --pull never Alpine
	is "$status" 125
	has "$stderr" "invalid reference format: repository name (library/Alpine) must be lowercase"
	run --separate-stderr fb run --pull never no-such-image
	is "$status" 125
	is "$output" ""
	has "$stderr" "No such image: no-such-image"
}

@test "flags end at the image" {
	run --separate-stderr fb run --pull never no-such-image --no-such-flag
	is "$status" 125
	has "$stderr" "No such image"
	run --separate-stderr fb run
	is "$status" 1
	has "$stderr" "'flamebox run' requires at least 1 argument"
}
