/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_GUEST_CHANNEL_H
#define FB_GUEST_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "wire/frame.h"

/* Room that is kept for small frames behind a data frame */
#define FB_CHANNEL_SMALL_ROOM 4096u

/**
 * struct fb_channel - The connection with the host
 * @fd:        Port or socket; nonblocking once open
 * @can_splice: It is a port, into which pipe pages can be moved
 * @reader:    What the host sent; feeds from @in
 * @out:       Whole frames on their way: @out_start … @out_end
 * @bulk_read: Private pipe whose @bulk_left bytes go out before @out;
 * @bulk_write: its other end; both -EBADF until first used
 */
struct fb_channel {
	int fd;
	bool can_splice;
	struct fb_frame_reader reader;
	size_t out_start;
	size_t out_end;
	int bulk_read;
	int bulk_write;
	size_t bulk_left;
	uint8_t in[2 * FB_FRAME_SIZE_MAX];
	uint8_t out[FB_FRAME_SIZE_MAX + FB_CHANNEL_SMALL_ROOM];
};

/**
 * fb_channel_open() - Find the host, connect, and say hello
 * @ch: Filled in
 *
 * Takes the virtio-serial port of our name, else the host's vsock.  Devices that
 * are still being found are waited for by the kernel's own events.
 *
 * Return: 0; -ENODEV no way to the host within ten seconds; negative errno.
 */
int fb_channel_open(struct fb_channel *ch, struct fb_err *err);

/** fb_channel_block() - Make reads and writes wait, or not. Return: 0 or negative errno */
int fb_channel_block(struct fb_channel *ch, bool block);

/**
 * fb_channel_fill() - Read what the host sent into the reader
 *
 * Return: 0, also where nothing was there; -EPIPE the host is gone; negative errno.
 */
int fb_channel_fill(struct fb_channel *ch);

/**
 * fb_channel_put() - Queue one small frame
 *
 * Return: 0; -ENOBUFS, when a peer makes us answer and does not read.
 */
int fb_channel_put(struct fb_channel *ch, const uint8_t *frame, size_t len);

/** fb_channel_idle() - Is everything written? Only then may data be queued */
bool fb_channel_idle(const struct fb_channel *ch);

/**
 * fb_channel_data_room() - Where the payload of one data frame goes
 *
 * The channel must be idle; fb_channel_data_put() queues what was put there.
 *
 * Return: FB_GUEST_FRAME_MAX bytes (borrowed).
 */
uint8_t *fb_channel_data_room(struct fb_channel *ch);

/** fb_channel_data_put() - @len bytes lie in the room: queue them as DATA */
void fb_channel_data_put(struct fb_channel *ch, enum fb_guest_stream stream,
			 uint32_t len);

/**
 * fb_channel_flush() - Write as much as the host takes now
 *
 * Return: 0, also where something is left; -EPIPE the host is gone; negative errno.
 */
int fb_channel_flush(struct fb_channel *ch);

#endif
