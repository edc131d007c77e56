#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154 # stderr is set by run --separate-stderr
# doctor: what is there, what is missing, and the line that mends it.

load lib

setup() {
	fb_setup
	# files of ours that are there, whatever was built
	export FLAMEBOX_LIBEXEC="$BATS_TEST_TMPDIR/libexec"
	mkdir -p "$FLAMEBOX_LIBEXEC"
	local f
	for f in vmlinux initramfs.cpio flamebox-monitor; do
		echo x >"$FLAMEBOX_LIBEXEC/$f"
	done
}

# status_of NAME: of that check, with -f json in $output
status_of() {
	jq -r --arg n "$1" '[.Checks[] | select(.Name == $n)][0].Status' <<<"$output"
}

@test "doctor names what it looked at, and says how it stands" {
	need jq
	run --separate-stderr fb doctor --format json
	is "$stderr" ""
	local c
	for c in host engine accelerator choice userns kernel vsock initramfs monitor \
		mkfs.ext4 libcurl network rights sandbox state disk; do
		[[ "$(status_of "$c")" =~ ^(ok|warning|missing)$ ]] || fail "no $c"
	done
	is "$(status_of kernel)" ok
	is "$(status_of state)" ok
	is "$(jq -r .Healthy <<<"$output")" "$([ "$status" = 0 ] && echo true || echo false)"
}

@test "the accelerator comes with its measured reason" {
	need jq
	run --separate-stderr fb doctor --format json
	has "$(jq -r '.Checks[] | select(.Name == "accelerator").Detail' <<<"$output")" "KVM is "
	[ "$(status_of accelerator)" != missing ]
}

@test "a missing file of ours is missing, with a fix and status 1" {
	rm "$FLAMEBOX_LIBEXEC/vmlinux"
	run --separate-stderr fb doctor
	is "$status" 1
	has "$output" "missing  kernel"
	has "$output" "fix: "
	has "$output" "can't run containers yet"
}

@test "without any program in PATH engine and mkfs are told with their package" {
	run --separate-stderr env PATH=/nonexistent "$FLAMEBOX" doctor
	is "$status" 1
	has "$output" "fix: apt-get install qemu-system-x86"
	has "$output" "missing  choice"
}

@test "a kernel that the configuration names wrongly is missing" {
	echo '{"kernel": "/nonexistent/vmlinux"}' >"$BATS_TEST_TMPDIR/c.json"
	run --separate-stderr fb --config "$BATS_TEST_TMPDIR/c.json" doctor
	is "$status" 1
	has "$output" "missing  kernel       '/nonexistent/vmlinux': No such file or directory"
}

@test "a kernel without vsock is told with what mends it; ours has it" {
	need jq
	run --separate-stderr fb doctor --format json
	is "$(status_of vsock)" warning
	has "$output" "CONFIG_VIRTIO_VSOCKETS=y"
	local ours="${FLAMEBOX%/*}/vmlinux"
	[ -f "$ours" ] || skip "no kernel beside the program"
	cp "$ours" "$FLAMEBOX_LIBEXEC/vmlinux"
	run --separate-stderr fb doctor --format json
	is "$(status_of vsock)" ok
}

@test "a state that can't be made is a finding, not the end" {
	: >"$BATS_TEST_TMPDIR/file"
	run --separate-stderr fb --root "$BATS_TEST_TMPDIR/file/x" doctor
	is "$status" 1
	has "$output" "missing  state"
	has "$output" "ok       host"
}

@test "doctor takes templates" {
	run --separate-stderr fb doctor -f '{{len .Checks}}'
	[[ "$output" =~ ^[0-9]+$ ]]
	run --separate-stderr fb doctor -f '{{.Nope}}'
	is "$status" 1
	has "$stderr" "can't evaluate field 'Nope'"
}
