#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154 # stderr is set by run --separate-stderr
# Where the state lives, and the configuration file.

load lib

setup() { fb_setup; }

@test "--root goes before FLAMEBOX_ROOT" {
	run fb --root "$BATS_TEST_TMPDIR/other" images
	is "$status" 0
	[ -d "$BATS_TEST_TMPDIR/other" ]
	[ ! -e "$FLAMEBOX_ROOT" ]
}

@test "--root may be relative, and is made with its parents" {
	cd "$BATS_TEST_TMPDIR"
	run fb --root a/b/c images
	is "$status" 0
	[ -d "$BATS_TEST_TMPDIR/a/b/c" ]
}

@test "the state is nobody else's business" {
	umask 000
	run fb images
	is "$status" 0
	is "$(stat -c %a "$FLAMEBOX_ROOT")" 700
}

@test "an empty --root is refused" {
	run --separate-stderr fb --root "" images
	is "$status" 1
	is "$(lines_of "$stderr")" 1
}

@test "a state that can't be made is one line with the folder" {
	: >"$BATS_TEST_TMPDIR/file"
	run --separate-stderr fb --root "$BATS_TEST_TMPDIR/file/x" images
	is "$status" 1
	is "$(lines_of "$stderr")" 1
	has "$stderr" "$BATS_TEST_TMPDIR/file"
}

@test "a configuration file that was named must be there" {
	run --separate-stderr fb --config "$BATS_TEST_TMPDIR/none" images
	is "$status" 1
	is "$stderr" "flamebox: read configuration '$BATS_TEST_TMPDIR/none': No such file or directory"
}

@test "an unknown key is one line that names it" {
	echo '{"insecure-registry": ["a"]}' >"$BATS_TEST_TMPDIR/c.json"
	run --separate-stderr fb --config "$BATS_TEST_TMPDIR/c.json" images
	is "$status" 1
	is "$(lines_of "$stderr")" 1
	has "$stderr" "c.json': unknown key 'insecure-registry'"
}

@test "a syntax error is told with its line" {
	printf '{\n"engine": qemu\n}\n' >"$BATS_TEST_TMPDIR/c.json"
	run --separate-stderr fb --config "$BATS_TEST_TMPDIR/c.json" images
	is "$status" 1
	has "$stderr" "line 2"
}

@test "every key is taken" {
	cat >"$BATS_TEST_TMPDIR/c.json" <<-'END'
		{ "insecure-registries": ["localhost:5000"],
		  "registry-mirrors": ["https://mirror.example"],
		  "engine": "qemu", "accel": "tcg", "kernel": "/boot/vmlinux",
		  "firecracker": "/opt/firecracker",
		  "cpus": 2, "memory": "512m", "storage-size": "4g" }
	END
	run fb --config "$BATS_TEST_TMPDIR/c.json" images
	is "$status" 0
}

@test "the user's file is read, and only where it is" {
	[ "$(id -u)" != 0 ] || skip "root's file is /etc/flamebox/config.json"
	run fb images
	is "$status" 0
	mkdir -p "$HOME/.config/flamebox"
	echo '{"nope": 1}' >"$HOME/.config/flamebox/config.json"
	run fb images
	is "$status" 1
	has "$output" "unknown key 'nope'"
	export XDG_CONFIG_HOME="$HOME/elsewhere"
	run fb images
	is "$status" 0
}

@test "help and version don't care about a bad configuration" {
	echo '{' >"$BATS_TEST_TMPDIR/c.json"
	run fb --config "$BATS_TEST_TMPDIR/c.json" version
	is "$status" 0
	run fb --config "$BATS_TEST_TMPDIR/c.json" images --help
	is "$status" 0
}
