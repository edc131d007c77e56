/* SPDX-License-Identifier: Apache-2.0 */
#include "played.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/spawn.h"

#define HANG_MS 120000

static void must(bool ok, const char *what)
{
	if (ok)
		return;
	printf("Bail out! %s: %s\n", what, strerror(errno));
	exit(1);
}

static void wait_for(int fd, short events, const char *what)
{
	struct pollfd p = { fd, events, 0 };

	must(poll(&p, 1, HANG_MS) == 1, what);
}

static void child(const struct played_how *how, int socket, const int fds[3],
		  struct played_result *shared)
{
	for (int i = 0; i < 3; i++)
		if (dup2(fds[i], i) < 0)
			_exit(99);
	/* no other end of the pipes may stay open here */
	for (int fd = 3; fd < 64; fd++)
		if (fd != socket)
			(void)close(fd);
	shared->r = fb_session_run(socket, &how->options, &shared->seen,
				   &shared->err);
	_exit(0);
}

void played_start(struct played *p, const struct played_how *how)
{
	int pair[2], in[2], out[2], err[2], fds[3];
	sigset_t before;

	(void)fflush(stdout);
	must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0 &&
		     pipe2(in, O_CLOEXEC) == 0 && pipe2(out, O_CLOEXEC) == 0 &&
		     pipe2(err, O_CLOEXEC) == 0,
	     "pipes");
	p->shared = mmap(NULL, sizeof(*p->shared), PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	must(p->shared != MAP_FAILED, "shared memory");
	fds[0] = how->stdin_fd ? how->stdin_fd : in[0];
	fds[1] = how->stdout_fd ? how->stdout_fd : out[1];
	fds[2] = err[1];
	/* as in real life, before there is a session that could miss one */
	(void)sigprocmask(SIG_BLOCK, NULL, &before);
	fb_client_signals_block();
	p->pid = fork();
	must(p->pid >= 0, "fork");
	if (p->pid == 0)
		child(how, pair[1], fds, p->shared);
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
	(void)close(pair[1]);
	(void)close(in[0]);
	(void)close(out[1]);
	(void)close(err[1]);
	p->in = in[1];
	p->out = out[0];
	p->err = err[0];
	must(fb_conn_open(&p->conn, pair[0], FB_FRAME_FROM_HOST) == 0, "conn");
}

static void send_all(struct played *p, const void *data, size_t len)
{
	const uint8_t *from = data;
	ssize_t n;

	while (len > 0) {
		wait_for(p->conn.fd, POLLOUT, "the session takes nothing");
		n = send(p->conn.fd, from, len, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && errno == EAGAIN)
			continue;
		if (n < 0)
			return;
		from += n;
		len -= (size_t)n;
	}
}

void played_put(struct played *p, enum fb_guest_frame_type type,
		enum fb_guest_stream stream, const void *data, size_t len)
{
	struct fb_frame frame = { .type = type,
				  .stream = stream,
				  .length = (uint32_t)len };
	uint8_t head[FB_FRAME_HEADER_SIZE];

	fb_frame_put_header(head, &frame);
	send_all(p, head, sizeof(head));
	send_all(p, data, len);
}

enum fb_guest_frame_type played_get(struct played *p, struct fb_frame *ret)
{
	struct fb_err err = { 0 };
	int r;

	while ((r = fb_conn_next(&p->conn, ret, &err)) == 0) {
		wait_for(p->conn.fd, POLLIN, "the session says nothing");
		if (fb_conn_fill(&p->conn) < 0)
			return 0;
	}
	must(r > 0, err.msg);
	return ret->type;
}

bool played_silent(struct played *p)
{
	struct pollfd poll_fd = { p->conn.fd, POLLIN, 0 };

	return poll(&poll_fd, 1, 200) == 0;
}

bool played_read(int fd, char byte, size_t len)
{
	char buf[65536];
	bool same = true;
	ssize_t n;

	while (len > 0) {
		wait_for(fd, POLLIN, "no output");
		n = read(fd, buf, len < sizeof(buf) ? len : sizeof(buf));
		if (n <= 0)
			return false;
		for (ssize_t i = 0; i < n; i++)
			same = same && buf[i] == byte;
		len -= (size_t)n;
	}
	return same;
}

void played_hang_up(struct played *p)
{
	fb_conn_close(&p->conn);
}

int played_end(struct played *p)
{
	int pidfd = pidfd_open(p->pid, 0), status = -1;

	must(pidfd >= 0, "watch the session");
	wait_for(pidfd, POLLIN, "the session does not end");
	(void)close(pidfd);
	(void)fb_spawn_wait(p->pid, &status);
	fb_conn_close(&p->conn);
	p->in = fb_close(p->in);
	p->out = fb_close(p->out);
	p->err = fb_close(p->err);
	return status;
}
