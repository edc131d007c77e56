/* SPDX-License-Identifier: Apache-2.0 */
#include "streams.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "bulk.h"

/* A writer that fills a pipe of the usual size gets a larger one */
#define GROW_FROM 32768
#define GROWN_BYTES 1048576

void fb_output_init(struct fb_output *o, enum fb_guest_stream stream, int fd,
		    bool is_pipe)
{
	*o = (struct fb_output){ .fd = fd,
				 .stream = stream,
				 .is_pipe = is_pipe };
	fb_send_window_init(&o->window);
	o->window.ended = fd < 0;
}

bool fb_output_wants(const struct fb_output *o)
{
	return o->fd >= 0 && fb_send_window_room(&o->window) > 0;
}

static int put_end(struct fb_output *o, struct fb_channel *ch)
{
	uint8_t frame[FB_FRAME_SMALL_MAX];

	o->fd = fb_close(o->fd);
	o->window.ended = true;
	return fb_channel_put(ch, frame,
			      fb_frame_put_empty(frame, FB_GUEST_EOF, 0,
						 o->stream));
}

/* Return: 0 when pages were moved; 1 when reading is the better way */
static int try_bulk(struct fb_output *o, struct fb_channel *ch)
{
	int have = 0, r;

	if (!o->is_pipe || !ch->can_splice ||
	    ioctl(o->fd, FIONREAD, &have) < 0 || have < (int)FB_BULK_MIN)
		return 1;
	if (!o->grown && have >= GROW_FROM) {
		o->grown = true;
		(void)fcntl(o->fd, F_SETPIPE_SZ, GROWN_BYTES);
	}
	r = fb_bulk_send(ch, o->fd, o->stream, (size_t)have, &o->window);
	return r == -EOPNOTSUPP ? 1 : r;
}

int fb_output_pump(struct fb_output *o, struct fb_channel *ch)
{
	int r = try_bulk(o, ch);
	ssize_t n;

	if (r <= 0)
		return r;
	n = read(o->fd, fb_channel_data_room(ch),
		 fb_send_window_room(&o->window));
	if (n > 0) {
		fb_send_window_use(&o->window, (uint32_t)n);
		fb_channel_data_put(ch, o->stream, (uint32_t)n);
		return 0;
	}
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	/* 0 of a pipe; EIO of a terminal that nobody holds any more */
	return put_end(o, ch);
}

int fb_output_close(struct fb_output *o, struct fb_channel *ch)
{
	int r = fb_send_window_close(&o->window);

	if (r < 0 || o->window.ended)
		return r;
	return put_end(o, ch);
}

void fb_input_init(struct fb_input *in, int fd, bool is_terminal)
{
	in->fd = fd;
	in->is_terminal = is_terminal;
	in->ending = false;
	in->start = 0;
	in->held = 0;
	fb_recv_window_init(&in->window);
}

int fb_input_data(struct fb_input *in, struct fb_channel *ch,
		  const uint8_t *data, uint32_t len)
{
	uint32_t at, first;
	int r = fb_recv_window_got(&in->window, len);

	if (r < 0)
		return r;
	if (in->fd < 0)
		return 0; /* dropped: the host was told, or will soon know */
	at = (in->start + in->held) % FB_GUEST_WINDOW;
	first = FB_GUEST_WINDOW - at < len ? FB_GUEST_WINDOW - at : len;
	memcpy(in->ring + at, data, first);
	memcpy(in->ring, data + first, len - first);
	in->held += len;
	return fb_input_flush(in, ch);
}

static void input_close(struct fb_input *in)
{
	in->fd = fb_close(in->fd);
	in->held = 0;
}

int fb_input_end(struct fb_input *in)
{
	int r = fb_recv_window_end(&in->window);

	if (r < 0)
		return r;
	in->ending = true;
	if (in->held == 0 && !in->is_terminal)
		input_close(in);
	return 0;
}

int fb_input_refuse(struct fb_input *in, struct fb_channel *ch)
{
	uint8_t frame[FB_FRAME_SMALL_MAX];

	input_close(in);
	if (in->window.refused)
		return 0;
	in->window.refused = true;
	return fb_channel_put(ch, frame,
			      fb_frame_put_empty(frame, FB_GUEST_CLOSE, 0,
						 FB_GUEST_STDIN));
}

static int give_back(struct fb_input *in, struct fb_channel *ch, uint32_t len)
{
	uint32_t back = fb_recv_window_handed(&in->window, len);
	uint8_t frame[FB_FRAME_SMALL_MAX];

	if (back == 0)
		return 0;
	return fb_channel_put(ch, frame,
			      fb_frame_put_u32(frame, FB_GUEST_WINDOW_ADD, 0,
					       FB_GUEST_STDIN, back));
}

int fb_input_flush(struct fb_input *in, struct fb_channel *ch)
{
	uint32_t first;
	ssize_t n;
	int r;

	while (in->held > 0 && in->fd >= 0) {
		first = FB_GUEST_WINDOW - in->start;
		n = write(in->fd, in->ring + in->start,
			  in->held < first ? in->held : first);
		if (n == 0 || (n < 0 && (errno == EAGAIN || errno == EINTR)))
			return 0;
		if (n < 0)
			return fb_input_refuse(in, ch);
		in->start = (in->start + (uint32_t)n) % FB_GUEST_WINDOW;
		in->held -= (uint32_t)n;
		r = give_back(in, ch, (uint32_t)n);
		if (r < 0)
			return r;
	}
	if (in->ending && !in->is_terminal)
		input_close(in);
	return 0;
}
