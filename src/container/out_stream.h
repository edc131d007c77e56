/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One of the client's own output streams, written without ever blocking and
 * without changing what others see of it.
 */
#ifndef FB_CONTAINER_OUT_STREAM_H
#define FB_CONTAINER_OUT_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** enum fb_out_kind - How a write is kept from blocking */
enum fb_out_kind {
	FB_OUT_PLAIN,	 /* it doesn't block: a file, or opened once more */
	FB_OUT_SOCKET,	 /* MSG_DONTWAIT */
	FB_OUT_PORTIONS, /* PIPE_BUF bytes at a time, behind poll() */
};

/**
 * struct fb_out_stream - An output stream and what waits for it
 * @fd:     Written to
 * @own:    @fd was opened here and is to be closed
 * @kind:   How
 * @error:  0, or the negative errno that ended it
 * @buf:    Ring of @cap bytes, allocated with the first byte that must wait
 */
struct fb_out_stream {
	int fd;
	bool own;
	enum fb_out_kind kind;
	int error;
	uint8_t *buf;
	size_t cap;
	size_t head;
	size_t len;
};

/**
 * fb_out_stream_open() - Get ready to write to a descriptor
 * @o:  Filled in
 * @fd: Descriptor (borrowed until the close)
 */
void fb_out_stream_open(struct fb_out_stream *o, int fd);

/** fb_out_stream_close() - What waits is dropped; can be repeated */
void fb_out_stream_close(struct fb_out_stream *o);

/**
 * fb_out_stream_put() - Write, and keep what can't be written yet
 * @len: So that at most FB_GUEST_WINDOW bytes wait in all
 *
 * After @error is set, bytes are dropped and count as gone.
 *
 * Return: bytes, earlier ones or these, that went out; -ENOBUFS over the maximum;
 * -ENOMEM.
 */
int64_t fb_out_stream_put(struct fb_out_stream *o, const void *data,
			  size_t len);

/** fb_out_stream_flush() - Write what waits. Return: bytes that went out */
int64_t fb_out_stream_flush(struct fb_out_stream *o);

/** fb_out_stream_waits() - There are bytes to be written: poll @fd for POLLOUT */
static inline bool fb_out_stream_waits(const struct fb_out_stream *o)
{
	return o->len > 0 && !o->error;
}

#endif
