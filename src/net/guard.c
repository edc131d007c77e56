/* SPDX-License-Identifier: Apache-2.0 */
#include "net/guard.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/io.h"

#define ETHERNET_HEADER 14u
#define IPV4_HEADER 20u
#define IPV6_HEADER 40u
#define LENGTH_SIZE 4u
#define BUFFER_SIZE (4u * 65536u)

_Static_assert(BUFFER_SIZE > LENGTH_SIZE + FB_NET_FRAME_MAX,
	       "a whole frame always fits");

static bool v4_is_local(const uint8_t *a)
{
	return a[0] == 127 || a[0] == 0;
}

/* ::, ::1, and what embeds an IPv4 address: ::a.b.c.d and ::ffff:a.b.c.d */
static bool v6_is_local(const uint8_t *a)
{
	static const uint8_t zero[10];

	if (memcmp(a, zero, sizeof(zero)))
		return false;
	return (a[10] == 0 && a[11] == 0) || (a[10] == 0xff && a[11] == 0xff);
}

bool fb_net_frame_allowed(const uint8_t *frame, size_t len)
{
	const uint8_t *p = frame + ETHERNET_HEADER;
	unsigned int type;

	if (len < ETHERNET_HEADER)
		return false;
	type = (unsigned int)frame[12] << 8 | frame[13];
	len -= ETHERNET_HEADER;
	switch (type) {
	case 0x0806:
		return true;
	case 0x0800:
		return len >= IPV4_HEADER && !v4_is_local(p + 12) &&
		       !v4_is_local(p + 16);
	case 0x86dd:
		return len >= IPV6_HEADER && !v6_is_local(p + 24) &&
		       (p[24] == 0xff || !v6_is_local(p + 8));
	default:
		return false;
	}
}

static size_t frame_size(const uint8_t *at)
{
	return (size_t)at[0] << 24 | (size_t)at[1] << 16 | (size_t)at[2] << 8 |
	       at[3];
}

int fb_net_guard_filter(uint8_t *data, size_t *len, size_t *ret_whole)
{
	size_t from = 0, to = 0, size;

	while (*len - from >= LENGTH_SIZE) {
		size = frame_size(data + from);
		if (size > FB_NET_FRAME_MAX)
			return -EMSGSIZE;
		if (*len - from - LENGTH_SIZE < size)
			break;
		if (fb_net_frame_allowed(data + from + LENGTH_SIZE, size)) {
			/* nothing was taken out yet, as a rule */
			if (to != from)
				memmove(data + to, data + from,
					LENGTH_SIZE + size);
			to += LENGTH_SIZE + size;
		}
		from += LENGTH_SIZE + size;
	}
	if (to != from)
		memmove(data + to, data + from, *len - from);
	*len -= from - to;
	*ret_whole = to;
	return 0;
}

/*
 * One direction.  [0, @whole) may be written, [@whole, @len) is the beginning of
 * a frame; unfiltered bytes are all "whole".
 */
struct way {
	int from;
	int to;
	bool filtered;
	size_t len;
	size_t whole;
	uint8_t data[BUFFER_SIZE];
};

static int way_read(struct way *w)
{
	ssize_t n;
	int r = 0;

	n = read(w->from, w->data + w->len, sizeof(w->data) - w->len);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	if (n == 0)
		return -EPIPE;
	w->len += (size_t)n;
	if (w->filtered)
		r = fb_net_guard_filter(w->data, &w->len, &w->whole);
	else
		w->whole = w->len;
	return r;
}

static int way_write(struct way *w)
{
	ssize_t n = send(w->to, w->data, w->whole, MSG_NOSIGNAL);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	memmove(w->data, w->data + n, w->len - (size_t)n);
	w->len -= (size_t)n;
	w->whole -= (size_t)n;
	return 0;
}

/* a way with something to write is not read: its memory is bounded */
static int way_step(struct way *w, short readable, short writable)
{
	int r = 0;

	if (w->whole == 0 && (readable & (POLLIN | POLLHUP | POLLERR)))
		r = way_read(w);
	else if (w->whole && (writable & (POLLOUT | POLLHUP | POLLERR)))
		return way_write(w);
	return r < 0 || w->whole == 0 ? r : way_write(w);
}

/* one of which nothing is wanted is not polled: its hang-up would never end */
static struct pollfd wanted(int fd, const struct way *reads,
			    const struct way *writes)
{
	short events = (short)((reads->whole ? 0 : POLLIN) |
			       (writes->whole ? POLLOUT : 0));

	return (struct pollfd){ events ? fd : -1, events, 0 };
}

int fb_net_guard_run(int guest_fd, int net_fd)
{
	static struct way out, in;
	int r = fb_set_nonblock(guest_fd, true);

	out.from = in.to = guest_fd;
	in.from = out.to = net_fd;
	out.filtered = true;
	if (r == 0)
		r = fb_set_nonblock(net_fd, true);
	while (r == 0) {
		struct pollfd p[] = { wanted(guest_fd, &out, &in),
				      wanted(net_fd, &in, &out) };

		if (poll(p, 2, -1) < 0) {
			r = errno == EINTR ? 0 : -errno;
			continue;
		}
		r = way_step(&out, p[0].revents, p[1].revents);
		if (r == 0)
			r = way_step(&in, p[1].revents, p[0].revents);
	}
	return r == -EPIPE || r == -ECONNRESET ? 0 : r;
}
