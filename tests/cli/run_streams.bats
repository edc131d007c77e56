#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Standard streams: binary-clean, complete, bounded; signals; the terminal.

load machine

setup_file() { fb_machine_setup_file; }

# a machine in the background: $pid is the client, not a shell around it
vm_start() {
	"$FLAMEBOX" run --rm "${fb_engine[@]}" "$@" &
	pid=$!
}

@test "stdin arrives whole, with its end" {
	head -c 3000000 /dev/urandom >"$BATS_TEST_TMPDIR/in"
	want=$(sha256sum <"$BATS_TEST_TMPDIR/in")
	run -0 vm -i demo sha256sum <"$BATS_TEST_TMPDIR/in"
	[ "$output" = "$want" ]
}

@test "200 MB of output lose no byte; the last one is written before the exit" {
	want=$( (yes 0123456789abcdef | head -c 200000000; printf last) | sha256sum)
	run -0 bash -c "'$FLAMEBOX' run --rm demo sh -c 'yes 0123456789abcdef | head -c 200000000; printf last' | sha256sum"
	[ "$output" = "$want" ]
}

@test "both directions at once" {
	head -c 5000000 /dev/urandom >"$BATS_TEST_TMPDIR/in"
	vm -i demo cat <"$BATS_TEST_TMPDIR/in" >"$BATS_TEST_TMPDIR/out"
	cmp "$BATS_TEST_TMPDIR/in" "$BATS_TEST_TMPDIR/out"
}

@test "a closed stdout ends the writer" {
	run bash -c "'$FLAMEBOX' run --rm demo yes | head -n 1; exit \${PIPESTATUS[0]}"
	[ "${lines[0]}" = y ]
	[ "$status" -ne 0 ]
}

@test "a reader that stops does not hold stderr up" {
	mkfifo "$BATS_TEST_TMPDIR/pipe"
	# opened both ways first: opening one end of a pipe waits for the other
	exec 8<>"$BATS_TEST_TMPDIR/pipe"
	exec 7<"$BATS_TEST_TMPDIR/pipe"
	vm_start demo sh -c 'head -c 3000000 /dev/zero; echo seen >&2' \
		>"$BATS_TEST_TMPDIR/pipe" 2>"$BATS_TEST_TMPDIR/err" 3>&- 7<&- 8>&-
	exec 8>&-
	sleep 3
	# nothing of stdout was read yet: 3 MB are more than every buffer on the way
	[ ! -s "$BATS_TEST_TMPDIR/err" ]
	[ "$(cat <&7 | wc -c)" -eq 3000000 ]
	exec 7<&-
	wait $pid
	[ "$(cat "$BATS_TEST_TMPDIR/err")" = seen ]
}

@test "our own pipe is not left in non-blocking mode" {
	run -0 bash -c "{ '$FLAMEBOX' run --rm demo echo x; python3 -c 'import fcntl,os,sys; sys.stderr.write(str(bool(fcntl.fcntl(1, fcntl.F_GETFL) & os.O_NONBLOCK)))'; } | cat"
	[[ $output == *False* ]]
}

@test "signals reach the command; without a handler PID 1 ignores them" {
	vm_start demo sh -c 'trap "echo got; exit 9" USR1; echo ready; while :; do sleep 0.1; done' \
		>"$BATS_TEST_TMPDIR/out" 3>&-
	wait_for 60 grep -q ready "$BATS_TEST_TMPDIR/out"
	kill -TERM $pid
	sleep 1
	kill -0 $pid
	kill -USR1 $pid
	status=0
	wait $pid || status=$?
	[ "$status" -eq 9 ]
	grep -q got "$BATS_TEST_TMPDIR/out"
}

@test "a signal before the command runs ends the client" {
	vm_start demo sleep 100 3>&-
	sleep 0.3
	kill -TERM $pid
	status=0
	wait $pid || status=$?
	[ "$status" -eq 143 ]
	run -0 "$FLAMEBOX" ps -aq
	[ -z "$output" ]
}

@test "-t without -i has a terminal; -it without one is refused" {
	run -0 vm -t demo sh -c 'test -t 1 && echo terminal; echo $TERM'
	[ "${lines[0]}" = $'terminal\r' ]
	run vm -it demo true </dev/null
	[ "$status" -ne 0 ]
	[[ $output == *"the input device is not a TTY"* ]]
}

@test "a real terminal: size, resize, ^C, restored at the end" {
	need expect
	cat >"$BATS_TEST_TMPDIR/script" <<'TEXT'
set timeout 60
# what is typed comes back as an echo: each pattern is one that only an answer has
proc want {pattern} {
	expect {
		-re $pattern {}
		timeout { puts "\nno '$pattern'"; exit 1 }
		eof { puts "\nend before '$pattern'"; exit 1 }
	}
}
set stty_init "rows 33 columns 99"
set env(PS1) "outer% "
spawn sh
want {outer% }
send "$env(FLAMEBOX) run --rm -it -e 'PS1=in''ner% ' demo sh\r"
want {inner% }
send "stty size\r"
want {33 99\r\n.*inner% }
stty rows 44 columns 111 < $spawn_out(slave,name)
sleep 1
send "stty size\r"
want {44 111\r\n.*inner% }
send "sleep 100\r"
sleep 1
send "\003"
want {inner% }
send "echo al''ive; exit 3\r"
want {alive\r\n.*outer% }
send "echo status \$?; stty -a\r"
want {status 3\r\n.* icanon.*outer% }
send "exit\r"
expect eof
TEXT
	FLAMEBOX="$FLAMEBOX" run -0 expect "$BATS_TEST_TMPDIR/script"
}
