# SPDX-License-Identifier: Apache-2.0
# What the tests share that want a real Firecracker: found on PATH, never installed.

load lib

# Can a Firecracker run a kernel of a few kilobytes here?  FC_LACK says why not.
fc_setup_file() {
	export FC_LACK='' TINY="${FLAMEBOX%/*}/tests/firecracker/tiny"
	export FC_CPU="$BATS_FILE_TMPDIR/cpu.json"
	local said
	command -v firecracker >/dev/null || FC_LACK="no firecracker on PATH"
	[ -f "$TINY" ] || FC_LACK="no tiny kernel built"
	[ -c /dev/kvm ] || FC_LACK="no /dev/kvm here"
	[ -z "$FC_LACK" ] || return 0
	# a KVM that interprets has no cmpxchg16b
	cat >"$FC_CPU" <<-'EOF'
		{"cpuid_modifiers": [{"leaf": "0x1", "subleaf": "0x0", "flags": 0,
		  "modifiers": [{"register": "ecx", "bitmap": "0bxxxxxxxxxxxxxxxxxx0xxxxxxxxxxxxx"}]}]}
	EOF
	fc_config "$BATS_FILE_TMPDIR/probe.json"
	said=$(timeout -s KILL 20 firecracker --no-api --level Error \
		--config-file "$BATS_FILE_TMPDIR/probe.json" 2>&1 </dev/null) || true
	[[ "$said" == *"tiny kernel"* ]] || FC_LACK="firecracker runs nothing here: ${said##*$'\n'}"
}

fc_setup() {
	[ -z "$FC_LACK" ] || skip "$FC_LACK"
	D=$BATS_TEST_TMPDIR
	PID=
}

fc_teardown() {
	if [ -n "${PID:-}" ]; then
		kill -9 "$PID" || true
		wait "$PID" || true
	fi 2>/dev/null
}

# fc_config FILE [WORDS]: a machine of 32 MiB with the tiny kernel
fc_config() {
	cat >"$1" <<-EOF
		{"boot-source": {"kernel_image_path": "$TINY", "boot_args": "console=ttyS0 ${2:-}"},
		 "drives": [], "cpu-config": "$FC_CPU",
		 "machine-config": {"vcpu_count": 1, "mem_size_mib": 32}}
	EOF
}

# fc_start ARGUMENT…: with its API at $D/api, its console in $D/console
fc_start() {
	firecracker --api-sock "$D/api" --level Error "$@" >"$D/console" 2>"$D/stderr" </dev/null 3>&- &
	PID=$!
	fb_wait_until test -S "$D/api"
}

# api METHOD PATH [BODY]: its body in $output, its status in $code
api() {
	local -a data=()
	[ $# -lt 3 ] || data=(-d "$3")
	output=$(curl -sS --unix-socket "$D/api" -X "$1" -w '\n%{http_code}' "${data[@]}" "http://localhost$2")
	code=${output##*$'\n'}
	output=${output%$'\n'*}
}

# console_size: bytes that the guest said so far
console_size() {
	stat -c %s "$D/console"
}

grows_over() {
	[ "$(console_size)" -gt "$1" ]
}
