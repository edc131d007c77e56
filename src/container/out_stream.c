/* SPDX-License-Identifier: Apache-2.0 */
#include "container/out_stream.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "container/reopen.h"
#include "flamebox/guest_abi.h"

void fb_out_stream_open(struct fb_out_stream *o, int fd)
{
	struct stat st;
	int again;

	*o = (struct fb_out_stream){ .fd = fd, .kind = FB_OUT_PLAIN };
	if (fstat(fd, &st) < 0) {
		o->error = -errno;
		return;
	}
	if (S_ISSOCK(st.st_mode)) {
		o->kind = FB_OUT_SOCKET;
		return;
	}
	again = fb_reopen_nonblock(fd, O_WRONLY);
	if (again >= 0) {
		o->fd = again;
		o->own = true;
	} else if (S_ISFIFO(st.st_mode) || isatty(fd)) {
		o->kind = FB_OUT_PORTIONS;
	}
}

void fb_out_stream_close(struct fb_out_stream *o)
{
	if (o->own)
		o->fd = fb_close(o->fd);
	o->own = false;
	free(FB_TAKE_PTR(o->buf));
	o->len = 0;
}

static ssize_t write_some(const struct fb_out_stream *o, const uint8_t *data,
			  size_t len)
{
	struct pollfd p = { o->fd, POLLOUT, 0 };

	switch (o->kind) {
	case FB_OUT_SOCKET:
		return send(o->fd, data, len, MSG_NOSIGNAL | MSG_DONTWAIT);
	case FB_OUT_PORTIONS:
		if (poll(&p, 1, 0) == 0) {
			errno = EAGAIN;
			return -1;
		}
		return write(o->fd, data, len < PIPE_BUF ? len : PIPE_BUF);
	case FB_OUT_PLAIN:
		break;
	}
	return write(o->fd, data, len);
}

/* as much as goes now. Return: bytes written; @error is set where it failed */
static size_t write_now(struct fb_out_stream *o, const uint8_t *data,
			size_t len)
{
	size_t done = 0;
	ssize_t n;

	while (done < len) {
		n = write_some(o, data + done, len - done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			if (n == 0 || errno != EAGAIN)
				o->error = n < 0 ? -errno : -EIO;
			break;
		}
		done += (size_t)n;
	}
	return done;
}

static int keep(struct fb_out_stream *o, const uint8_t *data, size_t len)
{
	size_t at, n;

	if (len == 0)
		return 0;
	if (!o->buf) {
		o->cap = FB_GUEST_WINDOW;
		o->buf = malloc(o->cap);
		if (!o->buf)
			return -ENOMEM;
	}
	if (len > o->cap - o->len)
		return -ENOBUFS;
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
	if (o->len == 0)
		o->head = 0;
	return gone;
}

int64_t fb_out_stream_put(struct fb_out_stream *o, const void *data, size_t len)
{
	int64_t gone = fb_out_stream_flush(o);
	size_t done = 0;
	int r;

	if (!o->error && o->len == 0)
		done = write_now(o, data, len);
	if (o->error)
		return gone + (int64_t)len;
	r = keep(o, (const uint8_t *)data + done, len - done);
	return r < 0 ? r : gone + (int64_t)done;
}
