/* SPDX-License-Identifier: Apache-2.0 */
#include "container/out_stream.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "flamebox/guest_abi.h"

#define STEP (256u << 10)

/*
 * O_NONBLOCK belongs to the open file, which we share with the shell and others,
 * so it is never set on what we inherited: a pipe or terminal is opened once
 * more through /proc.  Where that fails, a write of PIPE_BUF bytes behind
 * poll() does not block on a pipe either.
 */
void fb_out_stream_open(struct fb_out_stream *o, int fd)
{
	struct stat st;
	char path[32];
	int again = -EBADF;

	*o = (struct fb_out_stream){ .fd = fd, .step = PIPE_BUF, .polled = true };
	if (fstat(fd, &st) < 0) {
		o->error = -errno;
		return;
	}
	if (S_ISREG(st.st_mode) || S_ISSOCK(st.st_mode)) {
		o->step = STEP;
		return;
	}
	if (S_ISFIFO(st.st_mode) || S_ISCHR(st.st_mode)) {
		(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		again = open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY |
					   O_CLOEXEC);
	}
	if (again >= 0) {
		o->fd = again;
		o->own = true;
		o->polled = false;
		o->step = STEP;
	}
}

void fb_out_stream_close(struct fb_out_stream *o)
{
	if (o->own)
		o->fd = fb_close(o->fd);
	free(FB_TAKE_PTR(o->buf));
}

static ssize_t write_some(struct fb_out_stream *o, const uint8_t *data, size_t len)
{
	struct pollfd p = { o->fd, POLLOUT, 0 };
	ssize_t n;

	if (len > o->step)
		len = o->step;
	if (o->polled && poll(&p, 1, 0) == 0) {
		errno = EAGAIN;
		return -1;
	}
	n = o->polled ? send(o->fd, data, len, MSG_NOSIGNAL | MSG_DONTWAIT) : -1;
	if (o->polled && (n >= 0 || errno != ENOTSOCK))
		return n;
	return write(o->fd, data, len);
}

/* as much as goes now. Return: bytes written; @error is set where it failed */
static size_t write_now(struct fb_out_stream *o, const uint8_t *data, size_t len)
{
	size_t done = 0;
	ssize_t n;

	while (done < len) {
		n = write_some(o, data + done, len - done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			if (errno != EAGAIN)
				o->error = -errno;
			break;
		}
		done += (size_t)n;
	}
	return done;
}

static int keep(struct fb_out_stream *o, const uint8_t *data, size_t len)
{
	size_t at, n;

	if (!o->buf) {
		o->cap = FB_GUEST_WINDOW;
		o->buf = malloc(o->cap);
		if (!o->buf)
			return -ENOMEM;
	}
	if (len > o->cap - o->len)
		return -ENOMEM; /* the window is kept by the caller */
	while (len > 0) {
		at = (o->head + o->len) % o->cap;
		n = o->cap - at < len ? o->cap - at : len;
		memcpy(o->buf + at, data, n);
		o->len += n;
		data += n;
		len -= n;
	}
	return 0;
}

int64_t fb_out_stream_flush(struct fb_out_stream *o)
{
	int64_t gone = 0;
	size_t n, done;

	while (o->len > 0 && !o->error) {
		n = o->cap - o->head < o->len ? o->cap - o->head : o->len;
		done = write_now(o, o->buf + o->head, n);
		o->head = (o->head + done) % o->cap;
		o->len -= done;
		gone += (int64_t)done;
		if (done < n)
			break;
	}
	if (o->error) {
		gone += (int64_t)o->len;
		o->len = 0;
	}
	return gone;
}

int64_t fb_out_stream_put(struct fb_out_stream *o, const void *data, size_t len)
{
	int64_t gone = fb_out_stream_flush(o);
	size_t done = 0;

	if (o->error)
		return gone + (int64_t)len;
	if (o->len == 0)
		done = write_now(o, data, len);
	if (o->error)
		return gone + (int64_t)len;
	if (keep(o, (const uint8_t *)data + done, len - done) < 0)
		return -ENOMEM;
	return gone + (int64_t)done;
}
