/* SPDX-License-Identifier: Apache-2.0 */
#include "container/conn.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/io.h"

int fb_conn_open(struct fb_conn *conn, int fd, enum fb_frame_sender sender)
{
	int r = fb_set_nonblock(fd, true), listening = 0;
	socklen_t size = sizeof(listening);

	(void)getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size);
	*conn = (struct fb_conn){ .fd = fd, .listening = listening != 0 };
	if (r < 0) {
		fb_conn_close(conn);
		return r;
	}
	conn->in = malloc(FB_CONN_IN_SIZE);
	conn->out = malloc(FB_CONN_OUT_SIZE);
	if (!conn->in || !conn->out) {
		fb_conn_close(conn);
		return -ENOMEM;
	}
	fb_frame_reader_init(&conn->reader, sender, conn->in, FB_CONN_IN_SIZE);
	return 0;
}

void fb_conn_close(struct fb_conn *conn)
{
	conn->fd = fb_close(conn->fd);
	conn->eof = conn->deaf = true;
	free(FB_TAKE_PTR(conn->in));
	free(FB_TAKE_PTR(conn->out));
	conn->out_start = conn->out_end = 0;
}

/* Return: 1 the peer is there; 0 not yet; -EPIPE it can't be */
static int take_in(struct fb_conn *conn)
{
	int fd;

	if (!conn->listening)
		return 1;
	fd = accept4(conn->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd < 0 &&
	    (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED))
		return 0;
	if (fd < 0) {
		conn->eof = true;
		return -EPIPE;
	}
	/* nobody else is let in */
	(void)fb_close(conn->fd);
	conn->fd = fd;
	conn->listening = false;
	return 1;
}

int fb_conn_fill(struct fb_conn *conn)
{
	size_t room;
	uint8_t *to = fb_frame_reader_space(&conn->reader, &room);
	int r = take_in(conn);
	ssize_t n;

	if (r <= 0)
		return r;
	n = read(conn->fd, to, room);
	if (n > 0) {
		fb_frame_reader_fed(&conn->reader, (size_t)n);
		return 1;
	}
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	conn->eof = true;
	return -EPIPE;
}

int fb_conn_next(struct fb_conn *conn, struct fb_frame *ret, struct fb_err *err)
{
	int r = fb_frame_reader_next(&conn->reader, ret, err);

	if (r < 0)
		conn->eof = true;
	return r;
}

bool fb_conn_has_room(const struct fb_conn *conn)
{
	return conn->deaf ||
	       FB_CONN_OUT_SIZE - (conn->out_end - conn->out_start) >=
		       FB_FRAME_SIZE_MAX;
}

static uint8_t *reserve(struct fb_conn *conn, size_t len)
{
	if (FB_CONN_OUT_SIZE - conn->out_end < len) {
		memmove(conn->out, conn->out + conn->out_start,
			conn->out_end - conn->out_start);
		conn->out_end -= conn->out_start;
		conn->out_start = 0;
	}
	return conn->out + conn->out_end;
}

void fb_conn_put(struct fb_conn *conn, const struct fb_frame *frame)
{
	uint8_t *to;

	if (conn->deaf || !fb_conn_has_room(conn))
		return;
	to = reserve(conn, FB_FRAME_HEADER_SIZE + frame->length);
	fb_frame_put_header(to, frame);
	if (frame->length)
		memcpy(to + FB_FRAME_HEADER_SIZE, frame->payload,
		       frame->length);
	conn->out_end += FB_FRAME_HEADER_SIZE + frame->length;
}

void fb_conn_put_bytes(struct fb_conn *conn, const void *data, size_t len)
{
	if (conn->deaf || !fb_conn_has_room(conn))
		return;
	memcpy(reserve(conn, len), data, len);
	conn->out_end += len;
}

int fb_conn_flush(struct fb_conn *conn)
{
	ssize_t n;

	while (fb_conn_queued(conn)) {
		n = send(conn->fd, conn->out + conn->out_start,
			 conn->out_end - conn->out_start, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return 0;
		if (n < 0) {
			conn->deaf = true;
			conn->out_start = conn->out_end = 0;
			return -EPIPE;
		}
		conn->out_start += (size_t)n;
	}
	conn->out_start = conn->out_end = 0;
	return 0;
}
