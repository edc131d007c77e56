#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# flamebox(1) and the completion say what the program's tables say.

load lib

setup() {
	fb_setup
	MAN="$BATS_TEST_DIRNAME/../../man"
}

# COMMAND<tab>--long<tab>-l<tab>value of every option in the page, and a line
# for every command
documented() {
	awk '
	/^\.Sh / { command = ""; section = $2 }
	/^\.Ss flamebox / { command = $3; print command "\t\t\t" }
	/^\.It Fl / && (section == "DESCRIPTION" || command != "") {
		short = ""; long = ""; value = ""
		for (i = 2; i <= NF; i++) {
			if ($i == "Fl" && $(i + 1) ~ /^-/) long = "-" $(i + 1)
			else if ($i == "Fl") short = "-" $(i + 1)
			if ($i == "Ar") value = $(i + 1)
		}
		print command "\t" long "\t" short "\t" value
	}' "$MAN/flamebox.1" | sort
}

@test "the manual has every command and option, and no other" {
	[ "$(documented | wc -l)" -gt 50 ]
	diff <(fb help-dump | sort) <(documented) >&2
}

@test "the manual has every key of the configuration" {
	local key
	for key in insecure-registries registry-mirrors engine accel firecracker kernel \
		cpus memory storage-size; do
		sed -n '/^\.Sh CONFIGURATION/,/^\.Sh ENVIRONMENT/p' "$MAN/flamebox.1" |
			grep -Eq "^\.It .*Cm $key( |$)" || fail "no $key"
	done
}

@test "the manual pages are well-formed" {
	need mandoc
	mandoc -T lint -W warning "$MAN/flamebox.1" "$MAN/flamebox-convert.1"
}

complete_line() {
	PATH="$(dirname "$FLAMEBOX"):$PATH" bash -c '
		. "$1"; shift
		COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=()
		_flamebox
		printf "%s\n" "${COMPREPLY[@]}"' - "$MAN/flamebox.bash" "$@"
}

@test "the completion knows commands, options and images" {
	[ "$(basename "$FLAMEBOX")" = flamebox ] || skip "another name"
	run complete_line flamebox im
	is "$output" images
	run complete_line flamebox images --di
	is "$output" --digests
	run complete_line flamebox --root /tmp/x convert --compression z
	is "$output" zstd
	run complete_line flamebox pull --progress j
	is "$output" json
	run complete_line flamebox save --format docker
	is "$output" docker-archive
	fb_load test/bb:1
	run complete_line flamebox rmi test/
	is "$output" test/bb:1
}
