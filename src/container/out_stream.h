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

/**
 * struct fb_out_stream - An output stream and what waits for it
 * @fd:     Written to; a reopened, non-blocking one where that is possible
 * @own:    @fd was reopened here and is to be closed
 * @step:   Most bytes of one write
 * @error:  0, or the negative errno that ended it
 * @buf:    Ring of @cap bytes, allocated with the first byte that must wait
 */
struct fb_out_stream {
	int fd;
	bool own;
	bool polled;
	size_t step;
	int error;
	uint8_t *buf;
	size_t cap;
	size_t head;
	size_t len;
};

/**
 * fb_out_stream_open() - Get ready to write to a descriptor
 * @fd: 1 or 2 (borrowed)
 */
void fb_out_stream_open(struct fb_out_stream *o, int fd);

void fb_out_stream_close(struct fb_out_stream *o);

/**
 * fb_out_stream_put() - Write, and keep what can't be written yet
 * @len: At most what the stream's window allows to be outstanding
 *
 * Return: bytes of earlier or these that went out; -ENOMEM. After @error is set,
 * bytes are dropped and count as gone.
 */
int64_t fb_out_stream_put(struct fb_out_stream *o, const void *data, size_t len);

/** fb_out_stream_flush() - Write what waits. Return: bytes that went out */
int64_t fb_out_stream_flush(struct fb_out_stream *o);

/** fb_out_stream_waits() - There are bytes to be written */
static inline bool fb_out_stream_waits(const struct fb_out_stream *o)
{
	return o->len > 0 && !o->error;
}

#endif
