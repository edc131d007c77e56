/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bulk output.  Measured in software emulation, one virtual CPU, `dd` writing
 * 64 KiB pieces: straight to the port 650 MB/s; through init by read() and
 * write() 270; pages moved one frame a turn 300, several frames a turn 560.
 * With two virtual CPUs moving and `dd` itself are equally fast.
 *
 * A turn puts frames into the private pipe, each a header and up to
 * FB_GUEST_FRAME_MAX bytes of moved pages, and hands the whole to the port in
 * one go.  Two things can make a move fall short of its header: the private pipe
 * has no slot left (many small buffers), or somebody else read from the
 * container's pipe (it can open /proc/self/fd/1).  Then the rest is copied, and
 * what is missing is made up with zeros: the frames stay whole.
 */
#include "bulk.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/io.h"

#define PIPE_BYTES 1048576
/* 102 pages with the headers: a port's ring has 128 places */
#define TURN_BYTES 393216u

static int open_private_pipe(struct fb_channel *ch)
{
	int ends[2];

	if (ch->bulk_read >= 0)
		return 0;
	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
		return -errno;
	(void)fcntl(ends[1], F_SETPIPE_SZ, PIPE_BYTES);
	ch->bulk_read = ends[0];
	ch->bulk_write = ends[1];
	return 0;
}

/* Return: bytes moved, at most @len */
static size_t move_pages(struct fb_channel *ch, int pipe, size_t len)
{
	size_t done = 0;
	ssize_t n;

	while (done < len) {
		n = splice(pipe, NULL, ch->bulk_write, NULL, len - done,
			   SPLICE_F_NONBLOCK);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		done += (size_t)n;
	}
	return done;
}

/* The rest of a frame that pages did not fill goes behind it, by copy */
static void copy_rest(struct fb_channel *ch, int pipe, size_t len)
{
	ssize_t n = read(pipe, ch->out, len);
	size_t have = n > 0 ? (size_t)n : 0;

	while (have < len)
		ch->out[have++] = 0;
	ch->out_start = 0;
	ch->out_end = len;
}

int fb_bulk_send(struct fb_channel *ch, int pipe, enum fb_guest_stream stream,
		 size_t have, struct fb_send_window *window)
{
	uint8_t header[FB_FRAME_HEADER_SIZE];
	size_t turn = 0, moved;
	uint32_t len;

	if (open_private_pipe(ch) < 0)
		return -EOPNOTSUPP;
	while (turn < have && turn < TURN_BYTES) {
		len = fb_send_window_room(window);
		if (len > have - turn)
			len = (uint32_t)(have - turn);
		if (len == 0)
			break;
		fb_frame_put_header(header,
				    &(struct fb_frame){ .type = FB_GUEST_DATA,
							.stream = stream,
							.length = len });
		if (write(ch->bulk_write, header, sizeof(header)) !=
		    (ssize_t)sizeof(header))
			break; /* no slot left: what is there goes out first */
		moved = move_pages(ch, pipe, len);
		fb_send_window_use(window, len);
		ch->bulk_left += sizeof(header) + moved;
		turn += len;
		if (moved < len) {
			copy_rest(ch, pipe, len - moved);
			break;
		}
	}
	return ch->bulk_left > 0 ? 0 : -EOPNOTSUPP;
}
