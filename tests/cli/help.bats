#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154 # stderr is set by run --separate-stderr
# shellcheck disable=SC2016 # bash -c expands its own words
# --help, bad command lines, exit statuses: docker's.

load lib

setup() { fb_setup; }

commands() {
	fb help-dump | awk -F'\t' '$1 != "" && $2 == "" { print $1 }'
}

@test "without a word, with help and with --help the overview is shown" {
	run --separate-stderr fb
	is "$status" 0
	has "$output" "Usage:  flamebox [OPTIONS] COMMAND"
	local first=$output
	run fb help
	is "$status" 0
	is "$output" "$first"
	run fb --help
	is "$status" 0
	is "$output" "$first"
	run fb -h
	is "$output" "$first"
}

@test "the overview names every command" {
	run fb
	local c
	[ -n "$(commands)" ]
	for c in $(commands); do
		grep -Eq "^  $c +[A-Z]" <<<"$output" || fail "no $c"
	done
}

@test "every command has help, three ways, on standard output, with status 0" {
	local c
	for c in $(commands); do
		run --separate-stderr fb "$c" --help
		is "$status" 0
		is "$stderr" ""
		has "$output" "Usage:  flamebox $c"
		local first=$output
		run fb help "$c"
		is "$output" "$first"
		[ ! -e "$FLAMEBOX_ROOT" ] || fail "$c --help made a state"
	done
}

@test "the help of a command names each of its options" {
	local c long short value
	while IFS='|' read -r c long short value; do
		[ -n "$long" ] || continue
		# shellcheck disable=SC2086
		run fb $c --help
		has "$output" " ${short:+$short, }$long"
		[ -z "$value" ] || has "$output" "$long $value"
	done < <(fb help-dump | tr '\t' '|')
}

@test "no line of help is over 80 columns" {
	local c
	for c in "" $(commands); do
		# shellcheck disable=SC2086
		run fb $c --help
		[ "$(awk '{ if (length > m) m = length } END { print m }' \
			<<<"$output")" -le 80 ] || fail "$c"
	done
}

@test "--version and version" {
	run --separate-stderr fb --version
	is "$status" 0
	[[ "$output" =~ ^flamebox\ version\ [0-9]+\.[0-9]+\.[0-9]+$ ]]
	run --separate-stderr fb version
	is "$status" 0
	[[ "$output" =~ ^flamebox\ version\ [0-9]+\.[0-9]+\.[0-9]+$ ]]
}

@test "an unknown command is one line and status 1" {
	run --separate-stderr fb xyzzy
	is "$status" 1
	is "$output" ""
	is "$stderr" "flamebox: unknown command: flamebox xyzzy; see 'flamebox --help'"
	run --separate-stderr fb help xyzzy
	is "$status" 1
	is "$(lines_of "$stderr")" 1
}

@test "an unknown command that is nearly one is told" {
	run --separate-stderr fb imags
	is "$status" 1
	has "$stderr" "did you mean 'images'?"
	run --separate-stderr fb plul
	has "$stderr" "did you mean 'pull'?"
}

@test "a bad flag is one line and status 125, on every command" {
	local c
	for c in $(commands); do
		run --separate-stderr fb "$c" --no-such-flag
		is "$status" 125
		is "$output" ""
		is "$stderr" "flamebox: unknown flag: --no-such-flag; see 'flamebox $c --help'"
		[ ! -e "$FLAMEBOX_ROOT" ] || fail "$c made a state"
	done
}

@test "bad global flags are status 125" {
	run --separate-stderr fb --nope images
	is "$status" 125
	is "$stderr" "flamebox: unknown flag: --nope; see 'flamebox --help'"
	run --separate-stderr fb -x images
	is "$status" 125
	has "$stderr" "unknown shorthand flag: 'x' in -x"
	run --separate-stderr fb --root
	is "$status" 125
	has "$stderr" "flag needs an argument: --root"
}

@test "too few and too many words are one line and status 1" {
	run --separate-stderr fb pull
	is "$status" 1
	is "$stderr" "flamebox: 'flamebox pull' requires 1 argument; see 'flamebox pull --help'"
	run --separate-stderr fb tag a
	is "$stderr" "flamebox: 'flamebox tag' requires 2 arguments; see 'flamebox tag --help'"
	run --separate-stderr fb rmi
	is "$stderr" "flamebox: 'flamebox rmi' requires at least 1 argument; see 'flamebox rmi --help'"
	run --separate-stderr fb images a b
	is "$status" 1
	is "$stderr" "flamebox: 'flamebox images' requires at most 1 argument; see 'flamebox images --help'"
	run --separate-stderr fb version x
	is "$stderr" "flamebox: 'flamebox version' accepts no arguments; see 'flamebox version --help'"
	[ ! -e "$FLAMEBOX_ROOT" ]
}

@test "a value that can't be is told with flag and value" {
	run --separate-stderr fb pull --quiet=maybe a
	is "$status" 125
	has "$stderr" 'invalid argument "maybe" for "-q, --quiet" flag: parsing "maybe": invalid syntax'
	run --separate-stderr fb convert --block-size 12x a
	is "$status" 125
	has "$stderr" 'invalid argument "12x" for "--block-size" flag: invalid suffix: '"'x'"
}

@test "control characters in an error are made visible" {
	run --separate-stderr fb $'im\e[31mages\nx'
	is "$status" 1
	is "$(lines_of "$stderr")" 1
	[[ "$stderr" != *$'\e'* ]]
}

@test "a full disk behind standard output is a failure" {
	[ -c /dev/full ] || skip "no /dev/full"
	run --separate-stderr bash -c '"$1" --help >/dev/full' - "$FLAMEBOX"
	is "$status" 1
	has "$stderr" "write to standard output: No space left on device"
}

@test "closed standard streams do no harm" {
	run bash -c '"$1" images <&- >&- 2>&-' - "$FLAMEBOX"
	is "$status" 0
	run bash -c '"$1" images >&-; "$1" images' - "$FLAMEBOX"
	is "$status" 0
	has "$output" "REPOSITORY"
}

@test "a reader that leaves early is no crash" {
	run bash -c '"$1" --help | head -n 1; exit ${PIPESTATUS[0]}' - "$FLAMEBOX"
	[ "$status" -le 1 ]
	has "$output" "Usage:"
}
