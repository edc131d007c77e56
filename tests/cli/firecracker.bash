# SPDX-License-Identifier: Apache-2.0
# What the tests about Firecracker share: a real one, found on PATH and never
# installed (fc_…), and FlameBox on the stand-in (play_…).

load machine

WITH_KVM="$BATS_TEST_DIRNAME/../../scripts/with-kvm"
# where machines that root starts can open /dev/kvm
usual() { "$WITH_KVM" "$@"; }

# as_nobody_setup DIR: DIR is the home of a user without rights, who has the image demo
as_nobody_setup() {
	need setpriv
	local beside
	nobody_home=$1
	beside=$(dirname "$FLAMEBOX")/demo
	[ -f "$beside/index.json" ] || beside=$BATS_FILE_TMPDIR/demo
	cp -r "$beside" "$nobody_home/demo"
	chown -R 65534:65534 "$nobody_home"
	as_nobody test -x "$FLAMEBOX" || skip "another user can't reach the program"
	as_nobody unshare -U true || skip "no user namespaces here"
	as_nobody "$FLAMEBOX" load -q -i "$nobody_home/demo" --name demo >&2
}

# as_nobody COMMAND…: as that user
as_nobody() {
	usual setpriv --reuid 65534 --regid 65534 --clear-groups \
		env HOME="$nobody_home" FLAMEBOX_ROOT="$nobody_home/root" "$@"
}

# What the probe says of KVM: native, emulating, denied, …
kvm_verdict() {
	usual "$FLAMEBOX" doctor 2>/dev/null | sed -n 's/^[a-z]* *accelerator *KVM is \([a-z]*\):.*/\1/p'
}

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
	cat >"$FC_CPU" <<-'EOT'
		{"cpuid_modifiers": [{"leaf": "0x1", "subleaf": "0x0", "flags": 0,
		  "modifiers": [{"register": "ecx", "bitmap": "0bxxxxxxxxxxxxxxxxxx0xxxxxxxxxxxxx"}]}]}
	EOT
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
	cat >"$1" <<-EOT
		{"boot-source": {"kernel_image_path": "$TINY", "boot_args": "console=ttyS0 ${2:-}"},
		 "drives": [], "cpu-config": "$FC_CPU",
		 "machine-config": {"vcpu_count": 1, "mem_size_mib": 32}}
	EOT
}

# fc_start ARGUMENT…: FC_PROGRAM with its API at $D/api, its console in $D/console
fc_start() {
	"${FC_PROGRAM:-firecracker}" --api-sock "$D/api" --level Error "$@" \
		>"$D/console" 2>"$D/stderr" </dev/null 3>&- &
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

# FlameBox on the stand-in: it plays the guest itself, so any KVM will do
play_setup_file() {
	fb_machine_setup_file
	STANDIN="$(dirname "$FLAMEBOX")/tests/firecracker/firecracker"
	export FLAMEBOX_TEST_KVM=emulating STANDIN
	[ -x "$STANDIN" ] || FB_MACHINE_LACK="no stand-in built"
	[ -z "$FB_MACHINE_LACK" ] || return 0
	case $(kvm_verdict) in
	native | emulating) ;;
	*) FB_MACHINE_LACK="no KVM here" ;;
	esac
}

play_setup() {
	fb_machine_setup
	# a user of a machine that root starts must reach it
	play=$(mktemp -d /tmp/fb-play-XXXXXX)
	chmod 755 "$play"
}

play_teardown() { rm -rf "${play:-}"; }

# standin FAULTS: a stand-in with these words in its name, in $program
standin() {
	program="$play/firecracker${1:+"+$1"}"
	[ -e "$program" ] || cp "$STANDIN" "$program"
}

# fc FAULTS ARGUMENT…: flamebox run on it
fc() {
	standin "$1"
	shift
	usual "$FLAMEBOX" ${verbose:+"$verbose"} run --engine firecracker --firecracker "$program" \
		--network "${network:-none}" "$@"
}

# nothing_left: no container, no socket, no process of the stand-in
nothing_left() {
	is "$("$FLAMEBOX" ps -aq)" ""
	is "$(find "$FLAMEBOX_ROOT" -type s)" ""
	is "$(find /proc/[0-9]*/exe -lname "$play/*" 2>/dev/null)" ""
}
