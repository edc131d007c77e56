#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What the processes behind a running machine may reach of the host, and what a
# guest reaches through them.

load machine

setup_file() { fb_machine_setup_file; }

setup() {
	fb_machine_setup
	"$FLAMEBOX" run --rm demo sh -c 'echo ready; sleep 1000' \
		>"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/err" 3>&- &
	client=$!
	wait_for 60 grep -q ready "$BATS_TEST_TMPDIR/out"
	monitor=$(child $client flamebox-monito)
	machine=$(child "$monitor" qemu)
	[ -n "$machine" ]
}

teardown() {
	[ -n "${client:-}" ] || return 0
	kill -9 "$client" 2>/dev/null || true
	wait "$client" 2>/dev/null || true
	[ -z "${monitor:-}" ] || wait_for 20 test ! -e /proc/"$monitor"
}

# the child of PID $1 whose name begins with $2
child() {
	local pid
	for pid in $(cat /proc/"$1"/task/*/children); do
		case $(cat /proc/"$pid"/comm) in "$2"*) echo "$pid" ;; esac
	done
}

status_of() {
	sed -n "s/^$2:[[:space:]]*//p" /proc/"$1"/status
}

@test "the VMM gains no rights, filters its system calls, leaves no core file" {
	is "$(status_of "$machine" NoNewPrivs)" 1
	is "$(status_of "$machine" Seccomp)" 2
	is "$(status_of "$machine" CapEff)" 0000000000000000
	grep -Eq '^Max core file size +0 +0 ' /proc/"$machine"/limits
}

@test "started by root, the VMM is another user, in no group" {
	[ "$(id -u)" = 0 ] || skip "not root"
	local uid
	uid=$(status_of "$machine" Uid | cut -f1)
	[ "$uid" -ge $((0x46420000)) ] && [ "$uid" -le $((0x4642ffff)) ]
	is "$(status_of "$machine" Uid)" "$uid"$'\t'"$uid"$'\t'"$uid"$'\t'"$uid"
	is "$(status_of "$machine" Groups)" ""
	[ ! -r /proc/self/loginuid ] || [ "$(id -u "$uid" 2>/dev/null)" = "" ]
}

@test "the VMM holds the descriptors it was given and no other" {
	[ -r /proc/"$machine"/fd ] || skip "may not look"
	local fd target state
	state=$(cd "$FLAMEBOX_ROOT" && pwd -P)
	for fd in /proc/"$machine"/fd/*; do
		target=$(readlink "$fd") || continue
		case $target in
		/dev/null | socket:* | pipe:* | anon_inode:*) ;;
		"$state"/*.squashfs | "$state"/*/upper*) ;;
		*/vmlinux | */initramfs.cpio | /memfd:*) ;;
		*) fail "descriptor $fd is $target" ;;
		esac
	done
}

@test "the VMM's own view of the host is closed by Landlock" {
	"$FLAMEBOX" doctor | grep -q 'ok *sandbox' || skip "no Landlock here"
	[ "$(id -u)" = 0 ] || skip "may not enter"
	need gdb
	# what the process itself gets when it tries
	run gdb -p "$machine" -batch -nx \
		-ex 'print (int)open("/etc/passwd", 0)' \
		-ex 'print (int)open("/usr/share", 0)'
	has "$output" '$1 = -1'
	[[ "$output" == *'$2 = '[0-9]* ]]
}

@test "the network runs as the machine's user, in a sandbox" {
	local pid net
	net=$(child "$monitor" flamebox-net)
	[ -n "$net" ]
	for pid in $net; do
		is "$(status_of "$pid" Uid)" "$(status_of "$machine" Uid)"
		is "$(status_of "$pid" CapEff)" 0000000000000000
		is "$(status_of "$pid" NoNewPrivs)" 1
		is "$(status_of "$pid" Seccomp)" 2
	done
}

@test "kill -9 of the monitor ends the VMM and the network" {
	local all
	all="$machine $(child "$monitor" flamebox-net)"
	kill -9 "$monitor"
	gone() {
		local pid
		for pid in $all; do
			[ ! -e /proc/"$pid" ] || grep -q '^State:.*Z' /proc/"$pid"/status || return 1
		done
	}
	wait_for 20 gone
}

@test "a guest does not reach what listens on the host's loopback" {
	need python3
	cat >"$BATS_TEST_TMPDIR/listen.py" <<'EOF'
import socket, sys, threading
def serve(s):
    while True:
        c, _ = s.accept()
        open(sys.argv[1] + "/hit", "a").write("x")
        c.sendall(b"HTTP/1.0 200 OK\r\n\r\nSECRET\n")
        c.close()
s = socket.create_server(("127.0.0.1", 0))
open(sys.argv[1] + "/port.tmp", "w").write(str(s.getsockname()[1]))
__import__("os").rename(sys.argv[1] + "/port.tmp", sys.argv[1] + "/port")
serve(s)
EOF
	python3 "$BATS_TEST_TMPDIR/listen.py" "$BATS_TEST_TMPDIR" 3>&- &
	local server=$! port
	wait_for 20 test -e "$BATS_TEST_TMPDIR/port"
	port=$(cat "$BATS_TEST_TMPDIR/port")
	# it does listen
	python3 -c "import socket; socket.create_connection(('127.0.0.1', $port))"
	wait_for 5 test -e "$BATS_TEST_TMPDIR/hit"
	rm "$BATS_TEST_TMPDIR/hit"
	# by the gateway, the name server, and with forged packets to 127.0.0.1
	run vm demo sh -c "
		for host in 10.0.2.2 10.0.2.3 10.0.2.15; do
			timeout 3 wget -q -O - http://\$host:$port/
		done
		echo 1 > /proc/sys/net/ipv4/conf/eth0/route_localnet
		ip addr del 127.0.0.1/8 dev lo
		ip route add 127.0.0.1/32 via 10.0.2.2 dev eth0 src 10.0.2.15 && echo forging
		timeout 3 wget -q -O - http://127.0.0.1:$port/
		echo end"
	kill "$server"
	has "$output" forging
	has "$output" end
	[[ "$output" != *SECRET* ]]
	[ ! -e "$BATS_TEST_TMPDIR/hit" ]
}
