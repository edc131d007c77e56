#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Machines that root starts through Firecracker's jailer: what they see, what they may
# take, and that nothing is left, whoever was killed.  The kernel is our tiny one.

load firecracker

setup_file() {
	fc_setup_file
	[ -z "$FC_LACK" ] || return 0
	[ "$(id -u)" = 0 ] || FC_LACK="the jailer is root's"
	[ -x "$(dirname "$(realpath "$(command -v firecracker)")")/jailer" ] ||
		FC_LACK="no jailer beside firecracker"
	[ -f "${FLAMEBOX%/*}/initramfs.cpio" ] || FC_LACK="no initramfs beside the program"
	[ -z "$FC_LACK" ] || return 0
	# one that waits for ever, at a word of every kernel's command line
	sed 's/tiny=wait/reboot=k\x0/' "$TINY" >"$BATS_FILE_TMPDIR/waits"
	export FLAMEBOX_TEST_KVM=emulating
	local free='' mount
	while read -r _ mount _ _; do
		[[ $mount != /sys/fs/cgroup* ]] || free="$free $mount"
	done </proc/mounts
	export CGROUP_MOUNTS=$free
	# one state for all of them: each leaves it as it was
	export FLAMEBOX_ROOT="$BATS_FILE_TMPDIR/root" HOME="$BATS_FILE_TMPDIR"
	unset XDG_CONFIG_HOME XDG_DATA_HOME XDG_RUNTIME_DIR
	command -v umoci >/dev/null || FC_LACK="no umoci here"
	[ -x /bin/busybox ] || FC_LACK="no busybox here"
	[ -z "$FC_LACK" ] || return 0
	fb_layout "$BATS_FILE_TMPDIR/demo" latest
	"$FLAMEBOX" load -q -i "$BATS_FILE_TMPDIR/demo" --name demo >&2
}

setup() { fc_setup; }

# a test that failed leaves nothing to the next one
teardown() {
	[ -n "$FC_LACK" ] || "$FLAMEBOX" ps -aq | xargs -r "$FLAMEBOX" rm -f
}

in_jail() { # KERNEL FLAG…
	local kernel=$1
	shift
	timeout -s KILL 60 "$WITH_KVM" ${closed:+--closed} "$FLAMEBOX" -v run --engine firecracker \
		--kernel "$kernel" --network none "$@" demo true
}

# start FLAG…: a machine that waits; its processes in $machine, $warden and $monitor
start() {
	rm -f "$D/id"
	in_jail "$BATS_FILE_TMPDIR/waits" --cidfile "$D/id" "$@" >"$D/out" 2>"$D/err" 3>&- &
	client=$!
	fb_wait_until find_machine || fail "$(cat "$D/err")"
	monitor=$(parent_of "$warden")
}

parent_of() {
	awk '/^PPid/ {print $2}' "/proc/$1/status"
}

# until the jailer has ended it is the machine's parent
find_machine() {
	id=$(cat "$D/id") && [ -n "$id" ] &&
		machine=$(pgrep -f -- "^/firecracker --id $id ") || return 1
	warden=$(parent_of "$machine")
	[ "$(cat "/proc/$warden/comm")" = flamebox-jail ]
}

groups_left() {
	local mount
	for mount in $CGROUP_MOUNTS; do
		ls -d "$mount"/flamebox/"$1" 2>/dev/null
	done
	return 0
}

ended() {
	! kill -0 "$1" 2>/dev/null || grep -q '^State:.*Z' "/proc/$1/status"
}

# nothing_left: neither process, nor mount, nor control group, nor container
nothing_left() {
	fb_wait_until ended "$machine"
	fb_wait_until ended "$warden"
	fb_wait_until ended "$monitor"
	is "$("$FLAMEBOX" ps -aq)" ""
	is "$(groups_left "$id")" ""
	is "$(ls "$FLAMEBOX_ROOT/containers")" ""
	is "$(grep -c "$id" /proc/[0-9]*/mountinfo 2>/dev/null | grep -v ':0$')" ""
}

@test "a machine in the jailer, from its start to its reset" {
	run --separate-stderr in_jail "$TINY" --name short
	is "$status" 125
	has "$stderr" "is started by"
	has "$stderr" "console: tiny kernel"
	has "$stderr" "no exit record"
	id=$(ls "$FLAMEBOX_ROOT/containers")
	is "$(groups_left "$id")" ""
	# its figures of itself come out of the jail as well
	is "$("$FLAMEBOX" inspect short | jq -c '.[0].FlameBox.Metrics.vmm.panic_count')" 0
	fb rm short
	is "$(ls "$FLAMEBOX_ROOT/containers")" ""
}

@test "what it is and what it sees" {
	start --rm --memory 64m --cpus 1
	local uid root="/proc/$machine/root"
	uid=$(stat -c %u "/proc/$machine")
	[ "$uid" -ge $((0x46420000)) ]
	is "$(awk '/^Uid|^Gid/ {print $2, $3, $4, $5}' "/proc/$machine/status" | sort -u)" "$uid $uid $uid $uid"
	is "$(grep '^Seccomp:' "/proc/$machine/status")" "Seccomp:	2"
	is "$(grep '^CapEff:' "/proc/$machine/status")" "CapEff:	0000000000000000"
	# first of its PID namespace, which is inside another one
	is "$(awk '/^NSpid/ {print NF, $NF}' "/proc/$machine/status")" "4 1"
	local name
	for name in net mnt pid ipc uts; do
		[ "$(readlink "/proc/$machine/ns/$name")" != "$(readlink "/proc/self/ns/$name")" ]
	done
	is "$(ls "$root")" "dev
firecracker
firecracker.pid
proc
run"
	# the image itself, not a copy of it
	local image number
	image=$(stat -c %i "$FLAMEBOX_ROOT"/rootfs/*.squashfs)
	number=$(stat -c '%i %n' "$root"/proc/self/fd/* | sed -n "s,^$image .*/,,p")
	[ -n "$number" ]
	is "$(awk -v at="/proc/self/fd/$number" '$5 == at {print $6}' "/proc/$machine/mountinfo" | cut -d, -f1)" ro
	is "$(awk '/^Max open files/ {print $4, $5}' "/proc/$machine/limits")" "1024 1024"
	is "$(awk '/^Max core file size/ {print $5}' "/proc/$machine/limits")" 0
	kill -9 "$machine"
	wait "$client" || true
	nothing_left
}

@test "a /dev/kvm that only root can open will do: the jail has one of its own" {
	closed=1 run --separate-stderr in_jail "$TINY" --rm
	has "$stderr" "console: tiny kernel"
	closed=1 run --separate-stderr in_jail "$TINY" --rm --jailer off
	is "$status" 125
	has "$stderr" "/dev/kvm is for root only"
}

@test "control groups limit it" {
	start --rm --memory 64m --cpus 1
	[ -n "$(groups_left "$id")" ] || skip "no control group can limit it here"
	local group found=''
	for group in $(groups_left "$id"); do
		grep -q "^$machine$" "$group/cgroup.procs"
		if [ -f "$group/memory.limit_in_bytes" ]; then
			is "$(cat "$group/memory.limit_in_bytes")" $((128 << 20))
			found=1
		fi
		if [ -f "$group/cpu.cfs_quota_us" ]; then
			is "$(cat "$group/cpu.cfs_quota_us")" 100000
			found=1
		fi
		if [ -f "$group/memory.max" ]; then
			is "$(cat "$group/memory.max")" $((128 << 20))
			found=1
		fi
	done
	[ -n "$found" ]
	kill -9 "$machine"
	wait "$client" || true
	nothing_left
}

@test "kill -9 of Firecracker: told as that, nothing left" {
	start --rm
	kill -9 "$machine"
	wait "$client" || true
	has "$(cat "$D/err")" "the VMM was killed by signal 9"
	nothing_left
}

@test "kill -9 of who watches the jail: it goes with it" {
	start --rm
	kill -9 "$warden"
	wait "$client" || true
	has "$(cat "$D/err")" "the VMM was killed by signal 9"
	nothing_left
}

@test "kill -9 of the monitor: it goes with it, the next command cleans up" {
	start --rm
	kill -9 "$monitor"
	wait "$client" || true
	has "$(cat "$D/err")" "its monitor was lost"
	nothing_left
}

@test "kill -9 of the client: the machine ends, the next command cleans up" {
	start --rm
	kill -9 "$(parent_of "$monitor")"
	wait "$client" || true
	nothing_left
}

@test "without --rm, and with the monitor killed: rm cleans up" {
	start --name kept
	kill -9 "$monitor"
	wait "$client" || true
	fb_wait_until ended "$machine"
	"$FLAMEBOX" rm -f kept || true
	nothing_left
}

@test "two at once" {
	start --rm
	local first=$machine first_client=$client
	local uid
	uid=$(stat -c %u "/proc/$first")
	run --separate-stderr in_jail "$TINY" --rm
	has "$stderr" "console: tiny kernel"
	kill -0 "$first"
	is "$(stat -c %u "/proc/$first")" "$uid"
	kill -9 "$first"
	wait "$first_client" || true
	nothing_left
}

@test "--jailer off is our own sandbox; one that is not there is an error" {
	run --separate-stderr in_jail "$TINY" --rm --jailer off
	is "$status" 125
	has "$stderr" "no jailer: switched off"
	has "$stderr" "console: tiny kernel"
	run --separate-stderr in_jail "$TINY" --rm --jailer /nonexistent
	is "$status" 125
	has "$stderr" "/nonexistent: no such program"
	has "$stderr" "--jailer auto or off"
}

@test "the configuration's jailer" {
	mkdir -p "$D/config"
	echo '{"jailer": "off"}' >"$D/config/c.json"
	run --separate-stderr timeout -s KILL 60 "$WITH_KVM" "$FLAMEBOX" \
		--config "$D/config/c.json" -v run --rm --engine firecracker --kernel "$TINY" --network none demo true
	has "$stderr" "no jailer: switched off"
}

# hosts of these tests have version 1 more often than not: a guest of ours has version 2
@test "control groups of version 2: the words that we give it, in a machine of ours" {
	[ -f "${FLAMEBOX%/*}/vmlinux" ] || skip "no kernel beside the program"
	need qemu-system-x86_64
	local image="$D/v2" words
	"$BATS_TEST_DIRNAME/../../scripts/make-demo-image" "$image"
	umoci insert --image "$image:latest" "$(realpath "$(command -v firecracker)")" /usr/bin/firecracker
	umoci insert --image "$image:latest" "$(dirname "$(realpath "$(command -v firecracker)")")/jailer" /usr/bin/jailer
	"$FLAMEBOX" load -q -i "$image" --name v2 >&2
	words=$(sed -n '/^--resource-limit/,/^--$/p' "$BATS_TEST_DIRNAME/../golden/jailer/cgroups-v2.argv")
	run --separate-stderr timeout -s KILL 100 "$FLAMEBOX" run --rm --accel tcg --network none -i v2 sh -c '
		# what has groups below it may hold no process itself
		mkdir /sys/fs/cgroup/own && echo $$ >/sys/fs/cgroup/own/cgroup.procs || exit 1
		echo "+cpu +memory" >/sys/fs/cgroup/cgroup.subtree_control || exit 2
		set --
		while IFS= read -r word; do set -- "$@" "$word"; done
		mkdir /srv
		jailer --id one --exec-file /usr/bin/firecracker --uid 4242 --gid 4242 \
			--chroot-base-dir /srv --new-pid-ns "$@" --api-sock /api >/log 2>&1 &
		i=0
		until [ -S /srv/firecracker/one/root/api ]; do
			i=$((i + 1))
			[ $i -lt 300 ] || { cat /log; exit 3; }
			sleep 0.1
		done
		cd /sys/fs/cgroup/flamebox/one
		cat cpu.max memory.max
		read -r pid <cgroup.procs
		awk "/^Name|^Uid/ {print \$2}" "/proc/$pid/status"' <<<"$words"
	is "$stderr" ""
	is "$status" 0
	is "$output" "150000 100000
603979776
firecracker
4242"
	"$FLAMEBOX" rmi v2
}
