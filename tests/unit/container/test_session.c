/* SPDX-License-Identifier: Apache-2.0 */
/* The client's session: streams, windows, signals; a monitor that misbehaves. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "played.h"
#include "tap.h"

static const struct played_how usual = { .options = { .sig_proxy = true } };
static const struct played_how interactive = {
	.options = { .stdin_open = true, .sig_proxy = true },
};
static uint8_t zeros[FB_GUEST_WINDOW];

static void put_started(struct played *p)
{
	uint8_t hello[FB_FRAME_SMALL_MAX];

	(void)fb_frame_put_hello(hello);
	played_put(p, FB_GUEST_HELLO, 0, hello + FB_FRAME_HEADER_SIZE, 8);
	played_put(p, FB_GUEST_STARTED, 0, NULL, 0);
}

static void put_exit(struct played *p, uint32_t status)
{
	struct fb_guest_exit record = { FB_GUEST_EXITED, 0, status };
	uint8_t frame[FB_FRAME_EXIT_MAX];
	size_t len = fb_frame_put_exit(frame, 0, &record, "");

	played_put(p, FB_GUEST_EXIT, 0, frame + FB_FRAME_HEADER_SIZE,
		   len - FB_FRAME_HEADER_SIZE);
}

static void put_output(struct played *p, enum fb_guest_stream stream, char byte,
		       size_t len)
{
	uint8_t piece[FB_GUEST_FRAME_MAX];
	size_t n;

	memset(piece, byte, sizeof(piece));
	for (; len > 0; len -= n) {
		n = len < sizeof(piece) ? len : sizeof(piece);
		played_put(p, FB_GUEST_DATA, stream, piece, n);
	}
}

static void finish(struct played *p, int r, const char *what)
{
	played_hang_up(p);
	TAP_INT(played_end(p), 0, "%s: it ends", what);
	TAP_INT(p->shared->r, r, "%s: with %d", what, r);
}

static void test_usual(void)
{
	struct played p;

	played_start(&p, &usual);
	put_started(&p);
	played_put(&p, FB_GUEST_LOG, 0, "phase ready 12", 14);
	played_put(&p, FB_GUEST_LOG, 0, "phase q\"uote 12", 15);
	put_output(&p, FB_GUEST_STDOUT, 'o', 100000);
	put_output(&p, FB_GUEST_STDERR, 'e', 10);
	played_put(&p, FB_GUEST_EOF, FB_GUEST_STDOUT, NULL, 0);
	played_put(&p, FB_GUEST_EOF, FB_GUEST_STDERR, NULL, 0);
	TAP_OK(played_read(p.out, 'o', 100000), "stdout");
	TAP_OK(played_read(p.err, 'e', 10), "stderr");
	put_exit(&p, 3);
	TAP_OK(played_silent(&p),
	       "without -i no input is sent, not even its end");
	finish(&p, 0, "usual");
	TAP_OK(p.shared->seen.exited && p.shared->seen.exit.value == 3 &&
		       p.shared->seen.exit.started,
	       "the guest's word is kept");
	TAP_OK(p.shared->seen.hello_ns <= p.shared->seen.started_ns &&
		       p.shared->seen.started_ns <= p.shared->seen.exit_ns &&
		       p.shared->seen.hello_ns > 0,
	       "times in order");
	TAP_INT(p.shared->seen.phase_count, 1, "phases, but no odd names");
}

static void test_windows(void)
{
	struct fb_frame f;
	uint64_t back = 0;
	struct played p;

	played_start(&p, &usual);
	put_started(&p);
	put_output(&p, FB_GUEST_STDOUT, 'x', FB_GUEST_WINDOW);
	(void)played_read(p.out, 'x', FB_GUEST_WINDOW);
	while (back < FB_GUEST_WINDOW - FB_GUEST_WINDOW / 4) {
		if (played_get(&p, &f) != FB_GUEST_WINDOW_ADD)
			break;
		back += fb_frame_u32(&f);
	}
	TAP_OK(back >= FB_GUEST_WINDOW - FB_GUEST_WINDOW / 4 &&
		       back <= FB_GUEST_WINDOW,
	       "what was written is given back");
	finish(&p, 0, "windows");
	played_start(&p, &usual);
	put_started(&p);
	put_output(&p, FB_GUEST_STDOUT, 'x', FB_GUEST_WINDOW + 300000);
	TAP_INT(played_end(&p), 0, "a flood ends the session");
	TAP_INT(p.shared->r, -EPROTO, "as a broken protocol");
}

/* the reader of stdout has stopped: all else goes on */
static void test_stalled_reader(void)
{
	struct fb_frame f;
	struct played p;

	played_start(&p, &interactive);
	put_started(&p);
	put_output(&p, FB_GUEST_STDOUT, 'x', FB_GUEST_WINDOW);
	put_output(&p, FB_GUEST_STDERR, 'e', 1000);
	TAP_OK(played_read(p.err, 'e', 1000), "stderr goes on");
	(void)kill(p.pid, SIGUSR1);
	TAP_INT(played_get(&p, &f), FB_GUEST_SIGNAL, "signals go on");
	TAP_INT(fb_frame_u32(&f), SIGUSR1, "which");
	(void)fb_write_full(p.in, "hi", 2);
	TAP_INT(played_get(&p, &f), FB_GUEST_DATA, "input goes on");
	TAP_OK(played_read(p.out, 'x', FB_GUEST_WINDOW), "nothing is lost");
	finish(&p, 0, "stalled reader");
}

static void test_input(void)
{
	uint64_t got = 0, want = FB_GUEST_WINDOW;
	uint8_t add[4] = { 0, 0, 16, 0 }; /* 1 MiB */
	struct fb_frame f;
	struct played p;
	pid_t writer;

	played_start(&p, &interactive);
	writer = fork();
	if (writer == 0)
		_exit(fb_write_full(p.in, zeros, sizeof(zeros)) < 0 ||
		      fb_write_full(p.in, zeros, 1000) < 0);
	p.in = fb_close(p.in);
	TAP_OK(played_silent(&p), "nothing before the command runs");
	put_started(&p);
	while (got < want && played_get(&p, &f) == FB_GUEST_DATA)
		got += f.length;
	TAP_INT(got, want, "a window of it");
	TAP_OK(played_silent(&p), "and no more");
	played_put(&p, FB_GUEST_WINDOW_ADD, FB_GUEST_STDIN, add, sizeof(add));
	for (want += 1000; got < want && played_get(&p, &f) == FB_GUEST_DATA;)
		got += f.length;
	TAP_INT(got, want, "then the rest");
	TAP_INT(played_get(&p, &f), FB_GUEST_EOF, "then its end");
	finish(&p, 0, "input");
}

static void test_input_refused(void)
{
	struct fb_frame f;
	struct played p;

	played_start(&p, &interactive);
	put_started(&p);
	(void)fb_write_full(p.in, "a", 1);
	TAP_INT(played_get(&p, &f), FB_GUEST_DATA, "input");
	played_put(&p, FB_GUEST_CLOSE, FB_GUEST_STDIN, NULL, 0);
	(void)usleep(100000);
	(void)fb_write_full(p.in, "b", 1);
	TAP_OK(played_silent(&p), "a guest that wants no more gets no more");
	played_put(&p, FB_GUEST_CLOSE, FB_GUEST_STDIN, NULL, 0);
	TAP_INT(played_end(&p), 0, "to say so twice");
	TAP_INT(p.shared->r, -EPROTO, "breaks the protocol");
}

static void test_signals(void)
{
	struct played_how alone = { .options = { .sig_proxy = false } };
	struct fb_frame f;
	struct played p;

	played_start(&p, &usual);
	(void)kill(p.pid, SIGUSR2);
	(void)kill(p.pid, SIGUSR1);
	TAP_OK(played_silent(&p), "signals wait for the command");
	put_started(&p);
	TAP_INT(played_get(&p, &f), FB_GUEST_SIGNAL, "then come");
	TAP_INT(fb_frame_u32(&f), SIGUSR1, "one");
	TAP_INT(played_get(&p, &f), FB_GUEST_SIGNAL, "after");
	TAP_INT(fb_frame_u32(&f), SIGUSR2, "the other");
	(void)kill(p.pid, SIGTERM);
	TAP_INT(played_get(&p, &f), FB_GUEST_SIGNAL,
		"SIGTERM is the command's");
	TAP_INT(fb_frame_u32(&f), SIGTERM, "its number");
	(void)kill(p.pid, SIGRTMIN + 3);
	TAP_INT(played_get(&p, &f), FB_GUEST_SIGNAL, "a real-time signal");
	TAP_INT(fb_frame_u32(&f), SIGRTMIN + 3, "its number");
	finish(&p, 0, "signals");
	TAP_INT(p.shared->seen.aborted_by, 0, "not aborted");

	played_start(&p, &usual);
	(void)kill(p.pid, SIGTERM);
	TAP_INT(played_end(&p), 0, "SIGTERM before the command runs");
	TAP_INT(p.shared->seen.aborted_by, SIGTERM, "ends the session");

	played_start(&p, &alone);
	put_started(&p);
	(void)kill(p.pid, SIGUSR1);
	TAP_OK(played_silent(&p), "--sig-proxy=false forwards nothing");
	(void)kill(p.pid, SIGINT);
	TAP_INT(played_end(&p), 0, "and SIGINT");
	TAP_INT(p.shared->seen.aborted_by, SIGINT, "ends the client");
}

static void test_outputs_that_fail(void)
{
	int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
	struct played_how to_full = { .options = { .sig_proxy = true },
				      .stdout_fd = full };
	struct fb_frame f;
	struct played p;

	played_start(&p, &usual);
	put_started(&p);
	p.out = fb_close(p.out);
	put_output(&p, FB_GUEST_STDOUT, 'x', 100);
	TAP_INT(played_get(&p, &f), FB_GUEST_CLOSE, "no reader: CLOSE");
	TAP_INT(f.stream, FB_GUEST_STDOUT, "of that stream");
	put_output(&p, FB_GUEST_STDOUT, 'x', 100000);
	put_output(&p, FB_GUEST_STDERR, 'e', 10);
	TAP_OK(played_read(p.err, 'e', 10), "the other goes on");
	TAP_OK(played_silent(&p), "what still comes is dropped in silence");
	finish(&p, 0, "no reader");
	TAP_INT(p.shared->seen.output_error, 0, "which is no error");

	played_start(&p, &to_full);
	put_started(&p);
	put_output(&p, FB_GUEST_STDOUT, 'x', 100);
	TAP_INT(played_get(&p, &f), FB_GUEST_CLOSE, "a full disk: CLOSE");
	finish(&p, 0, "full disk");
	TAP_INT(p.shared->seen.output_error, -ENOSPC, "which is an error");
	(void)close(full);
}

static void test_late_reader(void)
{
	struct played p;

	played_start(&p, &usual);
	put_started(&p);
	put_output(&p, FB_GUEST_STDOUT, 'x', 900000);
	put_exit(&p, 0);
	played_hang_up(&p);
	(void)usleep(200000);
	TAP_OK(played_read(p.out, 'x', 900000),
	       "a reader may be as late as it likes");
	TAP_INT(played_end(&p), 0, "then it ends");

	played_start(&p, &usual);
	put_started(&p);
	put_output(&p, FB_GUEST_STDOUT, 'x', 900000);
	put_exit(&p, 0);
	played_hang_up(&p);
	(void)usleep(200000);
	(void)kill(p.pid, SIGTERM);
	TAP_INT(played_end(&p), 0, "or the user is tired of waiting");
	TAP_INT(p.shared->seen.aborted_by, SIGTERM, "and says so");
}

static void test_bad_monitors(void)
{
	static const uint8_t garbage[] = "\x7fnonsense that is no frame";
	struct played p;

	played_start(&p, &usual);
	(void)fb_write_full(p.conn.fd, garbage, sizeof(garbage));
	TAP_INT(played_end(&p), 0, "garbage");
	TAP_INT(p.shared->r, -EPROTO, "breaks the protocol");

	played_start(&p, &usual);
	put_started(&p);
	played_put(&p, FB_GUEST_EOF, FB_GUEST_STDOUT, NULL, 0);
	put_output(&p, FB_GUEST_STDOUT, 'x', 1);
	TAP_INT(played_end(&p), 0, "output after its end");
	TAP_INT(p.shared->r, -EPROTO, "breaks the protocol");

	played_start(&p, &usual);
	put_started(&p);
	(void)fb_write_full(p.conn.fd, "\4\0\0\1\0\1\0\0", 8);
	finish(&p, 0, "a monitor that dies within a frame");
	TAP_OK(!p.shared->seen.exited, "and no exit was seen");
}

int main(void)
{
	(void)signal(SIGPIPE, SIG_IGN);
	test_usual();
	test_windows();
	test_stalled_reader();
	test_input();
	test_input_refused();
	test_signals();
	test_outputs_that_fail();
	test_late_reader();
	test_bad_monitors();
	return tap_done();
}
