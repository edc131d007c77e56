/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_GUEST_STREAMS_H
#define FB_GUEST_STREAMS_H

#include <stdbool.h>
#include <stdint.h>

#include "channel.h"
#include "wire/window.h"

/**
 * struct fb_output - stdout or stderr on its way to the host
 * @fd:     Read end, nonblocking; -EBADF once ended
 * @stream: Which
 * @is_pipe: Pages can be moved out of it
 * @grown:  The pipe was made larger
 * @window: Credit
 */
struct fb_output {
	int fd;
	enum fb_guest_stream stream;
	bool is_pipe;
	bool grown;
	struct fb_send_window window;
};

/**
 * struct fb_input - stdin on its way from the host
 * @fd:     Write end, nonblocking; -EBADF once closed
 * @is_terminal: An end of file closes nothing
 * @ending: EOF came, behind what is still held
 * @start:  First held byte in the ring; @held of them
 * @window: Counts
 */
struct fb_input {
	int fd;
	bool is_terminal;
	bool ending;
	uint32_t start;
	uint32_t held;
	struct fb_recv_window window;
	uint8_t ring[FB_GUEST_WINDOW];
};

/** fb_output_init() - @fd is taken; -EBADF: a stream that does not exist */
void fb_output_init(struct fb_output *o, enum fb_guest_stream stream, int fd,
		    bool is_pipe);

/** fb_output_wants() - Is there something to read for, and credit to send it? */
bool fb_output_wants(const struct fb_output *o);

/**
 * fb_output_pump() - Queue what can be read now
 * @o:  Stream
 * @ch: Idle channel
 *
 * At its end EOF is queued, and @o->fd closed.
 *
 * Return: 0; negative errno, when the channel must be given up.
 */
int fb_output_pump(struct fb_output *o, struct fb_channel *ch);

/** fb_output_close() - The host wants no more: the writer gets SIGPIPE. Return: 0; -EPROTO */
int fb_output_close(struct fb_output *o, struct fb_channel *ch);

/** fb_input_init() - @fd is taken; -EBADF: there is no stdin */
void fb_input_init(struct fb_input *in, int fd, bool is_terminal);

/** fb_input_data() - DATA came. Return: 0; -EPROTO over the window */
int fb_input_data(struct fb_input *in, struct fb_channel *ch,
		  const uint8_t *data, uint32_t len);

/** fb_input_end() - EOF came. Return: 0; -EPROTO */
int fb_input_end(struct fb_input *in);

/**
 * fb_input_flush() - Write as much of what is held as the process takes
 *
 * Where nobody reads any more, CLOSE is queued.
 *
 * Return: 0; negative errno, when the channel must be given up.
 */
int fb_input_flush(struct fb_input *in, struct fb_channel *ch);

/** fb_input_refuse() - Nobody reads: tell the host, and let go. Return: as _flush() */
int fb_input_refuse(struct fb_input *in, struct fb_channel *ch);

#endif
