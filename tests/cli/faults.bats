#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154 # stderr is set by run --separate-stderr
# The store under faults: killed at any system call, a disk that fails or is full
# at any call, and several commands at once.  Whatever happens, what is visible is
# whole, and the next command goes on as if nothing had been.

load lib
load registry

setup() {
	fb_setup
	cd "$BATS_TEST_TMPDIR" || return 1
}

teardown() {
	[ -z "${stopped-}" ] || kill -KILL "$stopped" 2>/dev/null || true
	registry_stop
}

# Calls that change something on disk
changes=openat,mkdirat,renameat,unlinkat,unlink,ftruncate,fallocate,fchmod,write,pwrite64,fsync,fdatasync

# injected WHAT COMMAND…: with a fault by strace; its own exit status is of no use
injected() {
	local what=$1
	shift
	strace -qq -o /dev/null -e "inject=$what" "$FLAMEBOX" "$@" \
		>out 2>err </dev/null || return
}

# trace_of CALLS COMMAND…: the calls of a run that goes well, as NAME:when=N, since
# each is counted for itself
trace_of() {
	local calls=$1
	shift
	strace -qq -o calls -e "trace=$calls" "$FLAMEBOX" "$@" >/dev/null
	sed 's/(.*//' calls | awk '{ print $1 ":when=" ++count[$1] }'
}

need_strace() {
	need strace
	strace -qq -o /dev/null -e inject=getppid:error=EPERM true 2>/dev/null ||
		skip "no process may be traced here"
}

# killed_at NAME:when=N COMMAND…: counts in $killed how often it was really killed
killed_at() {
	local at=$1
	shift
	injected "${at/:/:signal=KILL:}" "$@" || killed=$((killed + 1))
}

# Whole, and nothing left behind by a dead command
is_sound() {
	run fb verify
	is "$status:$output" "0:$output"
	is "$(find "$FLAMEBOX_ROOT/tmp" "$FLAMEBOX_ROOT/leases" -type f)" ""
}

# an image archive image.tar, called app:1
make_archive() {
	need skopeo
	fb_layout layout latest
	skopeo copy -q oci:layout:latest docker-archive:image.tar:app:1
}

# some COUNT: so many of the lines of standard input, other ones every time, in
# their order, and the last one
some() {
	awk -v count="$1" -v seed="$RANDOM" '
		{ line[NR] = $0 }
		END {
			srand(seed)
			for (i = 0; i < count - 1; i++)
				print line[int((i + rand()) * NR / (count - 1)) + 1]
			print line[NR]
		}'
}

@test "a load that is killed at any call" {
	need_strace
	make_archive
	local at killed=0
	# the first one of all also makes folders and tables
	fb load -q -i image.tar >/dev/null
	fb rmi app:1 >/dev/null
	trace_of "$changes" load -i image.tar >trace
	fb rmi app:1 >/dev/null
	for at in $(some 10 <trace); do
		killed_at "$at" load -i image.tar
		is_sound
		# there is nothing between all and nothing
		[[ "$(fb images --format '{{.Repository}}:{{.Tag}}')" =~ ^(app:1)?$ ]]
		is "$(fb load -i image.tar)" "Loaded image: app:1"
		is_sound
		is "$(fb images -q | wc -l)" 1
		fb rmi app:1 >/dev/null
		is "$(find "$FLAMEBOX_ROOT/oci/blobs" -type f)" ""
	done
	[ "$killed" -gt 7 ]
}

@test "rmi and prune that are killed at any call" {
	need_strace
	make_archive
	local at command killed=0
	for command in "rmi app:1" "prune -af"; do
		fb load -q -i image.tar >/dev/null
		# shellcheck disable=SC2086
		trace_of "$changes" $command >trace
		for at in $(some 6 <trace); do
			fb load -q -i image.tar >/dev/null
			# shellcheck disable=SC2086
			killed_at "$at" $command
			is_sound
			[[ "$(fb images --format '{{.Repository}}:{{.Tag}}')" =~ ^(app:1)?$ ]]
			fb prune -af >/dev/null
			is "$(fb images -q)" ""
			is "$(find "$FLAMEBOX_ROOT/oci/blobs" -type f)" ""
		done
	done
	[ "$killed" -gt 9 ]
}

@test "a pull that is killed at any call" {
	need_strace
	registry_start r
	fb_layout layout latest
	skopeo copy -q --dest-tls-verify=false oci:layout:latest "docker://$reg/app:1"
	local at killed=0
	trace_of "$changes" pull -q "$reg/app:1" >trace
	rm -rf "$FLAMEBOX_ROOT"
	for at in $(some 6 <trace); do
		killed_at "$at" pull -q "$reg/app:1"
		is_sound
		[[ "$(fb images --format '{{.Repository}}:{{.Tag}}')" =~ ^($reg/app:1)?$ ]]
		is "$(fb pull -q "$reg/app:1")" "$reg/app:1"
		is_sound
		is "$(ls -A "$FLAMEBOX_ROOT/partial")" ""
		fb prune -af >/dev/null
		is "$(find "$FLAMEBOX_ROOT/oci/blobs" -type f)" ""
	done
}

# fails_cleanly ERROR CALLS TEXT COMMAND…: each of some calls fails once, or from
# there on
fails_cleanly() {
	local error=$1 calls=$2 text=$3 at how failed=0
	shift 3
	fb images >/dev/null
	trace_of "$calls" "$@" >trace
	for at in $(some 6 <trace); do
		for how in "$at" "$at+"; do
			fb prune -af >/dev/null
			if injected "${how/:/:error=$error:}" "$@"; then
				is "$(fb images -q | wc -l)" 1
			else
				failed=$((failed + 1))
				is "$(lines_of "$(grep -v '^flamebox: warning' err)")" 1
				[[ "$(cat err)" =~ $text ]] || fail "$(cat err)"
			fi
			is_sound
			[[ "$(fb images --format '{{.Repository}}:{{.Tag}}')" =~ ^(app:1)?$ ]]
		done
	done
	[ "$failed" -gt 3 ]
}

@test "a load onto a disk with errors" {
	need_strace
	make_archive
	fails_cleanly EIO fsync,fdatasync,pwrite64,ftruncate "(Input/output|disk I/O) error" load -i image.tar
}

@test "a load onto a disk that is full from some point on" {
	need_strace
	make_archive
	fails_cleanly ENOSPC pwrite64,fallocate,mkdirat "No space left|is full|disk I/O error" load -i image.tar
}

@test "commands at once: loads, removals, collections" {
	make_archive
	local i
	local -a pids=()
	fb images >/dev/null
	for i in 1 2; do
		(for _ in 1 2 3 4 5 6 7 8; do
			"$FLAMEBOX" load -q -i image.tar >/dev/null
			"$FLAMEBOX" rmi -f app:1 >/dev/null 2>&1 || true
		done) 3>&- &
		pids+=($!)
	done
	(for _ in $(seq 16); do
		"$FLAMEBOX" prune -af >/dev/null
		"$FLAMEBOX" images >/dev/null
	done) 3>&- &
	pids+=($!)
	for i in "${pids[@]}"; do
		wait "$i"
	done
	is_sound
	fb load -q -i image.tar >/dev/null
	is_sound
}

@test "nobody waits for a download that he does not need" {
	registry_start r
	make_archive
	head -c 60000000 /dev/urandom >big
	umoci insert --rootless --image layout:latest big /big >/dev/null
	skopeo copy -q --dest-tls-verify=false oci:layout:latest "docker://$reg/big:1"
	local i
	for i in 1 2 3 4 5; do
		rm -rf "$FLAMEBOX_ROOT"
		"$FLAMEBOX" pull -q "$reg/big:1" >pulled 2>&1 3>&- &
		stopped=$!
		until [ "$(find "$FLAMEBOX_ROOT/partial" -size +1M 2>/dev/null | wc -l)" != 0 ]; do
			kill -0 "$stopped" 2>/dev/null || break
			sleep 0.01
		done
		# in the midst of it, and not just then with the gate in its hand
		kill -STOP "$stopped" 2>/dev/null || continue
		if [ "$(find "$FLAMEBOX_ROOT/partial" -size +1M -size -57M | wc -l)" != 0 ] &&
			flock -n -x "$FLAMEBOX_ROOT/lock" true; then
			break
		fi
		kill -KILL "$stopped"
		wait "$stopped" 2>/dev/null || true
		stopped=
	done
	[ -n "$stopped" ] || skip "every pull was done before it could be stopped"
	is "$(timeout 60 "$FLAMEBOX" load -q -i image.tar)" "Loaded image: app:1"
	timeout 60 "$FLAMEBOX" images >/dev/null
	timeout 60 "$FLAMEBOX" tag app:1 other:2
	timeout 60 "$FLAMEBOX" inspect other:2 >/dev/null
	timeout 60 "$FLAMEBOX" save -o x.tar other:2
	timeout 60 "$FLAMEBOX" df >/dev/null
	timeout 60 "$FLAMEBOX" verify -q
	timeout 60 "$FLAMEBOX" rmi other:2 >/dev/null
	# what the download has so far is its own
	timeout 60 "$FLAMEBOX" prune -af >/dev/null
	is "$(fb images -q)" ""
	kill -CONT "$stopped"
	wait "$stopped" || fail "$(cat pulled)"
	stopped=
	is "$(cat pulled)" "$reg/big:1"
	is_sound
	is "$(fb images -q | wc -l)" 1
}
