#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The main job, on machines that really boot.

load machine

setup_file() { fb_machine_setup_file; }

@test "output, error output and exit status are the command's" {
	run --separate-stderr -7 vm demo sh -c 'echo out; echo err >&2; exit 7'
	[ "$output" = out ]
	[ "$stderr" = err ]
}

@test "the image's own command runs, and standard input is empty without -i" {
	run -0 --separate-stderr vm demo <<<'echo not read'
	[ -z "$output" ]
}

@test "a command that is not there: 127; that is no program: 126; docker's words" {
	run --separate-stderr -127 vm demo nosuch
	[[ $stderr == *'exec: "nosuch": executable file not found in $PATH'* ]]
	run --separate-stderr -126 vm demo /etc/passwd
	[[ $stderr == *permission\ denied* ]]
	[ "${#stderr_lines[@]}" -eq 1 ]
}

@test "killed by a signal: 128 + signal" {
	run -143 vm --init demo sh -c 'kill -TERM $$; sleep 5'
}

@test "the entrypoint is PID 1, and our init is not seen" {
	run -0 vm demo sh -c 'echo $$; ps -o pid,comm | grep -c init; ls /proc | grep -c "^[0-9]"'
	[ "${lines[0]}" = 1 ]
	[ "${lines[1]}" = 0 ]
}

@test "environment: defaults, -e, --env-file, values from here, any bytes" {
	printf '# comment\nF=from file\nG=x y\n' >"$BATS_TEST_TMPDIR/env"
	export HERE=there
	run -0 vm -e A=1 -e HERE -e "N=$(printf 'a\nb')" -e F2= \
		--env-file "$BATS_TEST_TMPDIR/env" demo \
		sh -c 'echo "$A|$HERE|$N|$F|$G|$PATH|$HOME|${F2-unset}"'
	[ "$output" = "1|there|a
b|from file|x y|/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin|/root|" ]
}

@test "3,000 arguments, 2,000 variables, a value of 100 kB" {
	# no loops: bats traps every command of a test
	mapfile -t args < <(seq -f argument%g 3000)
	seq 2000 | awk '{printf "V%d=value %d\n", $1, $1}' >"$BATS_TEST_TMPDIR/vars"
	big=$(head -c 100000 /dev/zero | tr '\0' x)
	run -0 vm --env-file "$BATS_TEST_TMPDIR/vars" -e "BIG=$big" demo \
		sh -c 'echo $# ${#BIG} "$V2000" "${3000}"; env | grep -c ^V' sh "${args[@]}"
	[ "${lines[0]}" = "3000 100000 value 2000 argument3000" ]
	[ "${lines[1]}" = 2000 ]
}

@test "working folder, made if missing; user and groups by name and number" {
	run -0 vm -w /new/folder -u app demo sh -c 'pwd; id -u; id -g; id -G'
	[ "${lines[0]}" = /new/folder ]
	[ "${lines[1]}" = 1000 ]
	[ "${lines[2]}" = 1000 ]
	[[ ${lines[3]} == *50* ]]
	run -0 vm -u 1234:77 demo id
	[[ $output == *uid=1234*gid=77* ]]
	run -125 vm -u nosuchuser demo true
	[[ $output == *"unable to find user nosuchuser: no matching entries in passwd file"* ]]
}

@test "entrypoint replaced and reset; host name; hosts" {
	run -0 vm --entrypoint echo demo hello
	[ "$output" = hello ]
	run -0 vm --hostname box --add-host db:10.1.2.3 demo \
		sh -c 'hostname; grep db /etc/hosts; grep box /etc/hosts; cat /etc/hostname'
	[ "${lines[0]}" = box ]
	[[ ${lines[1]} == 10.1.2.3*db ]]
	[[ ${lines[2]} == *box ]]
	[ "${lines[3]}" = box ]
}

@test "read-only root, tmpfs, ulimit, memory, cpus" {
	run -0 vm --read-only --tmpfs /scratch:size=1m,mode=1777 --ulimit nofile=100:200 \
		--memory 256m --cpus 2 demo sh -c '
		touch /x 2>/dev/null || echo ro
		touch /scratch/x && echo scratch
		dd if=/dev/zero of=/scratch/y bs=1k count=2000 2>/dev/null || echo full
		ulimit -n; nproc
		awk "/MemTotal/ {print (\$2 < 270000 && \$2 > 180000) ? \"fits\" : \$2}" /proc/meminfo'
	[ "$output" = "ro
scratch
full
100
2
fits" ]
}

@test "the writable disk has the size asked for; --ephemeral has none" {
	run -0 vm --storage-size 64m demo sh -c 'df -m / | tail -1; mount | grep " on / "'
	[[ $output == *overlay* ]]
	run -0 vm --storage-size 64m demo sh -c 'dd if=/dev/zero of=/big bs=1M count=100 2>&1 | grep -c "No space"'
	[ "$output" = 1 ]
	run -0 vm --ephemeral demo sh -c 'echo x >/f && cat /f'
	[ "$output" = x ]
}

@test "the file systems that a container expects" {
	run -0 vm demo sh -c 'for m in /proc /sys /dev /dev/pts /dev/shm /dev/mqueue /sys/fs/cgroup; do
		grep -q " $m " /proc/mounts || echo "missing $m"; done
		test -c /dev/null -a -c /dev/full -a -c /dev/tty -a -L /dev/stdout && echo nodes'
	[ "$output" = nodes ]
}

@test "no network: loopback alone; default: an address, a route, a name server" {
	run -0 vm --network none demo sh -c 'ip -o addr | grep -c eth0; ip -o addr show lo | grep -c 127.0.0.1'
	[ "${lines[0]}" = 0 ]
	[ "${lines[1]}" = 1 ]
	run -0 vm demo sh -c 'ip -o -4 addr show eth0; ip route; cat /etc/resolv.conf'
	[[ $output == *"default via"* ]]
	[[ $output == *nameserver* ]]
}

@test "host-gateway: a service of the host answers" {
	[ -n "$(ip route get 203.0.113.1 2>/dev/null)" ] || skip "this host has no route to anywhere"
	echo "from the host" >"$BATS_TEST_TMPDIR/hello"
	python3 -u -m http.server 0 --directory "$BATS_TEST_TMPDIR" >"$BATS_TEST_TMPDIR/log" 2>&1 3>&- &
	server=$!
	wait_for 20 grep -q port "$BATS_TEST_TMPDIR/log"
	port=$(sed -n 's/.* port \([0-9]*\).*/\1/p' "$BATS_TEST_TMPDIR/log")
	run -0 vm --add-host host.docker.internal:host-gateway demo \
		sh -c "printf 'GET /hello HTTP/1.0\r\n\r\n' | nc -w 10 host.docker.internal $port"
	[[ $output == *"from the host"* ]]
	# the end of nc's input half closes the connection: nothing may come twice
	head -c 3000000 /dev/urandom >"$BATS_TEST_TMPDIR/big"
	want=$(sha256sum <"$BATS_TEST_TMPDIR/big")
	run -0 vm --add-host host.docker.internal:host-gateway demo \
		sh -c "printf 'GET /big HTTP/1.0\r\n\r\n' | nc host.docker.internal $port | sed '1,/^\r*\$/d' | sha256sum"
	kill $server
	[ "$output" = "$want" ]
}

@test "nothing of the configuration is on the kernel's command line" {
	run -0 vm -e SECRET=hunter2 demo cat /proc/cmdline
	[[ $output != *hunter2* ]]
	[[ $output != *demo* ]]
}

@test "--cidfile, --name, --label; a container without --rm stays and is listed" {
	run -0 "$FLAMEBOX" run --name keeper --label a=b --cidfile "$BATS_TEST_TMPDIR/cid" demo true
	[ "$(wc -c <"$BATS_TEST_TMPDIR/cid")" -eq 64 ]
	run -0 "$FLAMEBOX" ps -a
	[[ $output == *keeper* ]]
	run -125 "$FLAMEBOX" run --name keeper demo true
	[[ $output == *'The container name "/keeper" is already in use'* ]] || [[ $output == *"already in use"* ]]
	run -125 "$FLAMEBOX" run --cidfile "$BATS_TEST_TMPDIR/cid" demo true
	[[ $output == *"container ID file found"* ]]
	run -0 "$FLAMEBOX" rm keeper
}

@test "--rm leaves nothing" {
	run -0 vm demo true
	run -0 "$FLAMEBOX" ps -aq
	[ -z "$output" ]
	[ -z "$(ls -A "$FLAMEBOX_ROOT/containers")" ]
}

@test "--init reaps, forwards signals, keeps the status" {
	run -5 vm --init demo sh -c 'ps -o pid,args | head -3; exit 5'
	[[ $output != *" 1 sh -c"* ]]
}

@test "--pull never on a missing image; impossible values: 125 before anything runs" {
	run -125 vm --pull never nosuchimage true
	[[ $output == *nosuchimage* ]]
	run -125 vm --cpus 999 demo true
	[[ $output == *"range of CPUs is from 0.01 to"* ]]
	run -125 vm --memory 1m demo true
	[[ $output == *"Minimum memory limit"* ]]
	run -125 vm --no-such-flag demo true
	[[ $output == *"unknown flag: --no-such-flag"* ]]
	run -125 vm --ulimit nofile=9:3 demo true
	run -125 vm --network nosuch demo true
	run -125 vm --stop-signal NOPE demo true
	run -125 vm --kernel /nonexistent demo true
	run -125 vm --platform linux/s390x --pull never demo true
}

@test "a guest that runs out of memory: 137, and the reason with -v" {
	run -137 "$FLAMEBOX" -v run --rm --memory 96m --ephemeral demo tail /dev/zero
	[[ $output == *"ran out of memory"* ]]
}

@test "a real kernel panic is told from an exit" {
	run --separate-stderr vm --memory 96m --ephemeral demo \
		sh -c 'echo c >/proc/sysrq-trigger'
	[ "$status" -eq 137 ]
	[[ $stderr == *panic* ]]
}
