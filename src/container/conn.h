/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A non-blocking connection that carries frames: guest to monitor, monitor to
 * client.  Both ends of both legs but the guest's use it.
 */
#ifndef FB_CONTAINER_CONN_H
#define FB_CONTAINER_CONN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "wire/frame.h"

#define FB_CONN_IN_SIZE (2u * (unsigned int)FB_FRAME_SIZE_MAX)
#define FB_CONN_OUT_SIZE (3u * (unsigned int)FB_FRAME_SIZE_MAX)

/**
 * struct fb_conn - One connection
 * @fd:   Stream socket (owned), non-blocking; -EBADF closed
 * @listening: @fd waits for the peer, who is whoever connects first
 * @eof:  Nothing more comes: the peer has closed, or broke the protocol
 * @deaf: The peer takes nothing more: what is put is dropped.  What it sent
 *        before may still be there to be read
 */
struct fb_conn {
	int fd;
	bool listening;
	bool eof;
	bool deaf;
	struct fb_frame_reader reader;
	uint8_t *in;
	uint8_t *out;
	size_t out_start;
	size_t out_end;
};

/**
 * fb_conn_open() - Take a socket over
 * @conn:   Written
 * @fd:     Connected socket, or one that listens (taken, also on failure)
 * @sender: Who the peer is
 *
 * Return: 0; -ENOMEM; a negative errno.
 */
int fb_conn_open(struct fb_conn *conn, int fd, enum fb_frame_sender sender);

/** fb_conn_close() - Close and free; can be repeated; then @eof and @deaf */
void fb_conn_close(struct fb_conn *conn);

/**
 * fb_conn_fill() - Read what is there, once; before that, take the peer in
 *
 * Call only when fb_conn_next() has returned 0.  Return: 1 something came; 0
 * nothing now; -EPIPE the peer is gone (@eof is set).
 */
int fb_conn_fill(struct fb_conn *conn);

/** fb_conn_next() - Take a frame. Return: 1; 0 none; -EPROTO (@eof is set) */
int fb_conn_next(struct fb_conn *conn, struct fb_frame *ret,
		 struct fb_err *err);

/** fb_conn_has_room() - Another frame of any size fits into the queue, or is dropped */
bool fb_conn_has_room(const struct fb_conn *conn);

/** fb_conn_queued() - Bytes wait to be written */
static inline bool fb_conn_queued(const struct fb_conn *conn)
{
	return conn->out_end > conn->out_start;
}

/** fb_conn_put() - Queue a frame; only with room */
void fb_conn_put(struct fb_conn *conn, const struct fb_frame *frame);

/** fb_conn_put_bytes() - Queue encoded small frames; only with room */
void fb_conn_put_bytes(struct fb_conn *conn, const void *data, size_t len);

/** fb_conn_flush() - Write what can be written. Return: 0; -EPIPE (@deaf is set) */
int fb_conn_flush(struct fb_conn *conn);

#endif
