/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "container/out_stream.h"
#include "flamebox/guest_abi.h"
#include "tap.h"

#define TOTAL 3000000u

static uint8_t byte_at(size_t i)
{
	return (uint8_t)(i * 31 + i / 977);
}

/* what is there to be read now. Return: bytes */
static size_t drain(int fd, size_t at, bool *intact)
{
	uint8_t buf[65536];
	struct pollfd p = { fd, POLLIN, 0 };
	size_t done = 0;
	ssize_t n;

	while (poll(&p, 1, 0) == 1 && (n = read(fd, buf, sizeof(buf))) > 0) {
		for (ssize_t i = 0; i < n; i++)
			if (buf[i] != byte_at(at + done + (size_t)i))
				*intact = false;
		done += (size_t)n;
	}
	return done;
}

/*
 * A reader that reads only now and then: every byte arrives, in order, nothing
 * blocks, and what was said to have gone has gone.
 */
static void through(int write_fd, int read_fd, const char *what)
{
	static uint8_t piece[FB_GUEST_FRAME_MAX];
	struct fb_out_stream o;
	size_t sent = 0, got = 0, gone = 0, len, held = 0;
	bool intact = true;
	int64_t n;

	fb_out_stream_open(&o, write_fd);
	while (sent < TOTAL) {
		len = 1 + sent * 7 % sizeof(piece);
		for (size_t i = 0; i < len; i++)
			piece[i] = byte_at(sent + i);
		if (sent - gone + len > FB_GUEST_WINDOW) {
			held = sent - gone;
			got += drain(read_fd, got, &intact);
			gone += (size_t)fb_out_stream_flush(&o);
			continue;
		}
		n = fb_out_stream_put(&o, piece, len);
		if (n < 0)
			break;
		sent += len;
		gone += (size_t)n;
	}
	TAP_OK(held > 0, "%s: it was full at times", what);
	while (fb_out_stream_waits(&o)) {
		got += drain(read_fd, got, &intact);
		gone += (size_t)fb_out_stream_flush(&o);
	}
	got += drain(read_fd, got, &intact);
	TAP_INT(gone, sent, "%s: all has gone", what);
	TAP_INT(got, sent, "%s: all has arrived", what);
	TAP_OK(intact, "%s: as it was", what);
	TAP_OK(!(fcntl(write_fd, F_GETFL) & O_NONBLOCK),
	       "%s: left as it was found", what);
	fb_out_stream_close(&o);
}

static void test_pipe(void)
{
	int fds[2];

	if (pipe(fds) < 0)
		exit(1);
	through(fds[1], fds[0], "pipe");
	(void)close(fds[0]);
	(void)close(fds[1]);
}

static void test_socket(void)
{
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds) < 0)
		exit(1);
	through(fds[1], fds[0], "socket");
	(void)close(fds[0]);
	(void)close(fds[1]);
}

/* a pipe that cannot be opened a second time */
static void test_portions(void)
{
	static uint8_t data[TOTAL / 4];
	struct fb_out_stream o;
	bool intact = true;
	size_t got = 0;
	int fds[2];

	if (pipe(fds) < 0)
		exit(1);
	fb_out_stream_open(&o, fds[1]);
	if (o.own)
		(void)close(o.fd);
	o.own = false;
	o.fd = fds[1];
	o.kind = FB_OUT_PORTIONS;
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = byte_at(i);
	TAP_OK(fb_out_stream_put(&o, data, sizeof(data)) >= 65536 - PIPE_BUF,
	       "portions: a pipe is filled and does not block");
	while (fb_out_stream_waits(&o)) {
		got += drain(fds[0], got, &intact);
		(void)fb_out_stream_flush(&o);
	}
	got += drain(fds[0], got, &intact);
	TAP_INT(got, sizeof(data), "portions: all has arrived");
	TAP_OK(intact, "portions: as it was");
	fb_out_stream_close(&o);
	(void)close(fds[0]);
	(void)close(fds[1]);
}

static void test_maximum(void)
{
	static uint8_t data[FB_GUEST_WINDOW];
	struct fb_out_stream o;
	int fds[2];

	if (pipe(fds) < 0)
		exit(1);
	fb_out_stream_open(&o, fds[1]);
	TAP_OK(fb_out_stream_put(&o, data, sizeof(data)) > 0, "a window");
	TAP_INT(fb_out_stream_put(&o, data, sizeof(data)), -ENOBUFS,
		"two windows are over the maximum");
	fb_out_stream_close(&o);
	(void)close(fds[0]);
	(void)close(fds[1]);
}

static void test_errors(void)
{
	struct fb_out_stream o;
	int fds[2], full = open("/dev/full", O_WRONLY | O_CLOEXEC);

	if (pipe(fds) < 0)
		exit(1);
	(void)close(fds[0]);
	fb_out_stream_open(&o, fds[1]);
	TAP_INT(fb_out_stream_put(&o, "abc", 3), 3, "no reader: bytes go");
	TAP_INT(o.error, -EPIPE, "EPIPE");
	TAP_INT(fb_out_stream_put(&o, "abc", 3), 3, "and further ones");
	TAP_OK(!fb_out_stream_waits(&o), "nothing waits");
	fb_out_stream_close(&o);
	(void)close(fds[1]);
	fb_out_stream_open(&o, full);
	TAP_INT(fb_out_stream_put(&o, "abc", 3), 3, "no space: bytes go");
	TAP_INT(o.error, -ENOSPC, "ENOSPC");
	fb_out_stream_close(&o);
	(void)close(full);
	fb_out_stream_open(&o, 999);
	TAP_INT(o.error, -EBADF, "a closed descriptor");
	fb_out_stream_close(&o);
}

/* a reader that goes while bytes wait for it */
static void test_late_epipe(void)
{
	static uint8_t data[500000];
	struct fb_out_stream o;
	int64_t gone;
	int fds[2];

	if (pipe(fds) < 0)
		exit(1);
	fb_out_stream_open(&o, fds[1]);
	gone = fb_out_stream_put(&o, data, sizeof(data));
	TAP_OK(gone > 0 && gone < (int64_t)sizeof(data), "a part waits");
	(void)close(fds[0]);
	gone += fb_out_stream_flush(&o);
	TAP_INT(gone, sizeof(data), "then counts as gone");
	TAP_INT(o.error, -EPIPE, "EPIPE");
	fb_out_stream_close(&o);
	(void)close(fds[1]);
}

int main(void)
{
	(void)signal(SIGPIPE, SIG_IGN);
	(void)alarm(120); /* what blocks, hangs */
	test_pipe();
	test_socket();
	test_portions();
	test_maximum();
	test_errors();
	test_late_epipe();
	return tap_done();
}
