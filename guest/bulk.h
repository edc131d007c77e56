/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_GUEST_BULK_H
#define FB_GUEST_BULK_H

#include <stddef.h>
#include <stdint.h>

#include "channel.h"
#include "wire/window.h"

/* With less than this in a pipe, copying is cheaper than moving pages */
#define FB_BULK_MIN 16384u

/**
 * fb_bulk_send() - Move what a pipe holds to the host, without copying it
 * @ch:     Idle channel with @ch->can_splice
 * @pipe:   Read end, nonblocking (borrowed)
 * @stream: Whose
 * @have:   Bytes that FIONREAD counted there
 * @window: Used up by what is sent
 *
 * Return: 0 and the channel is no longer idle; -EOPNOTSUPP nothing was done,
 * copy instead; another negative errno: the stream is broken.
 */
int fb_bulk_send(struct fb_channel *ch, int pipe, enum fb_guest_stream stream,
		 size_t have, struct fb_send_window *window);

#endif
