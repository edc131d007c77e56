/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Theory of operation.  One poll loop over the machine's stream and libslirp's
 * sockets.  Frames to the machine wait in @out while it does not take them; when
 * that is half full, the host's sockets are not looked at, so their senders wait too.
 */
#include "net/slirp.h"

#include <arpa/inet.h>
#include <errno.h>
#include <slirp/libslirp.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/cleanup.h"
#include "base/io.h"
#include "net/guard.h"
#include "net/packet.h"
#include "net/user.h"

#define LENGTH_SIZE 4u
#define IN_SIZE (4u * 65536u)
#define OUT_SIZE (1u << 20)
/* sockets of all connections; more are not looked at until others end */
#define POLL_MAX 4096
#define TIMERS_MAX 8

_Static_assert(IN_SIZE > LENGTH_SIZE + FB_NET_FRAME_MAX,
	       "a whole frame always fits");

struct timer {
	SlirpTimerCb call;
	void *argument;
	int64_t expires_ms; /* -1 = not set */
};

struct network {
	Slirp *slirp;
	int fd;
	bool packet; /* a packet socket, not a stream */
	size_t in_len;
	size_t out_len;
	size_t poll_count;
	struct timer timers[TIMERS_MAX];
	struct pollfd poll[POLL_MAX];
	uint8_t in[IN_SIZE];
	uint8_t out[OUT_SIZE];
};

static int64_t clock_get_ns(void *opaque)
{
	(void)opaque;
	return (int64_t)fb_now_ns();
}

/* the guest is told its addresses, and needs no other */
static bool is_router_advertisement(const uint8_t *frame, size_t len)
{
	return len > 54 && frame[12] == 0x86 && frame[13] == 0xdd &&
	       frame[20] == IPPROTO_ICMPV6 && frame[54] == 134;
}

/* libslirp's answer to a full queue is TCP's: the sender tries again */
static ssize_t send_packet(const void *frame, size_t len, void *opaque)
{
	struct network *n = opaque;
	uint32_t size = htonl((uint32_t)len);

	if (is_router_advertisement(frame, len))
		return (ssize_t)len;
	if (len > FB_NET_FRAME_MAX ||
	    LENGTH_SIZE + len > sizeof(n->out) - n->out_len)
		return 0;
	memcpy(n->out + n->out_len, &size, LENGTH_SIZE);
	memcpy(n->out + n->out_len + LENGTH_SIZE, frame, len);
	n->out_len += LENGTH_SIZE + len;
	return (ssize_t)len;
}

static void guest_error(const char *text, void *opaque)
{
	(void)text;
	(void)opaque;
}

static void *timer_new(SlirpTimerCb call, void *argument, void *opaque)
{
	struct network *n = opaque;

	for (size_t i = 0; i < TIMERS_MAX; i++) {
		struct timer *t = &n->timers[i];

		if (t->call)
			continue;
		*t = (struct timer){ call, argument, -1 };
		return t;
	}
	abort(); /* it has one */
}

static void timer_free(void *timer, void *opaque)
{
	(void)opaque;
	*(struct timer *)timer = (struct timer){ 0 };
}

static void timer_mod(void *timer, int64_t expires_ms, void *opaque)
{
	(void)opaque;
	((struct timer *)timer)->expires_ms = expires_ms;
}

/* the set is made anew before each poll() */
static void no_registration(int fd, void *opaque)
{
	(void)fd;
	(void)opaque;
}

static void no_notice(void *opaque)
{
	(void)opaque;
}

static short poll_events(int slirp)
{
	return (short)((slirp & SLIRP_POLL_IN ? POLLIN : 0) |
		       (slirp & SLIRP_POLL_OUT ? POLLOUT : 0) |
		       (slirp & SLIRP_POLL_PRI ? POLLPRI : 0));
}

static int add_poll(int fd, int events, void *opaque)
{
	struct network *n = opaque;

	if (n->poll_count == POLL_MAX)
		return -1;
	n->poll[n->poll_count] = (struct pollfd){ fd, poll_events(events), 0 };
	return (int)n->poll_count++;
}

static int get_revents(int index, void *opaque)
{
	const struct network *n = opaque;
	short got;

	if (index < 0 || (size_t)index >= n->poll_count)
		return 0;
	got = n->poll[index].revents;
	return (got & POLLIN ? SLIRP_POLL_IN : 0) |
	       (got & POLLOUT ? SLIRP_POLL_OUT : 0) |
	       (got & POLLPRI ? SLIRP_POLL_PRI : 0) |
	       (got & POLLERR ? SLIRP_POLL_ERR : 0) |
	       (got & POLLHUP ? SLIRP_POLL_HUP : 0);
}

/* Return: ms until the next timer, at most @timeout */
static int run_timers(struct network *n, uint32_t timeout)
{
	int64_t now = (int64_t)fb_now_ms(), left = (int64_t)timeout;

	for (size_t i = 0; i < TIMERS_MAX; i++) {
		struct timer *t = &n->timers[i];

		if (t->call && t->expires_ms >= 0 && t->expires_ms <= now) {
			t->expires_ms = -1;
			t->call(t->argument);
		}
		if (t->call && t->expires_ms >= 0 && t->expires_ms - now < left)
			left = t->expires_ms - now;
	}
	return left < 0 ? 0 : (int)left;
}

/* Return: 0; -EPIPE the machine is gone; another negative errno */
static int read_frames(struct network *n)
{
	ssize_t got;

	if (n->packet)
		return fb_net_packet_take(n->fd, n->in, &n->in_len,
					  sizeof(n->in));
	got = read(n->fd, n->in + n->in_len, sizeof(n->in) - n->in_len);
	if (got < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	if (got == 0)
		return -EPIPE;
	n->in_len += (size_t)got;
	return 0;
}

/* Return: 0; -EPIPE the machine is gone; -EMSGSIZE; another negative errno */
static int take_frames(struct network *n)
{
	size_t whole, at = 0;
	int r = read_frames(n);

	if (r < 0)
		return r;
	r = fb_net_guard_filter(n->in, &n->in_len, &whole);
	if (r < 0)
		return r;
	while (at < whole) {
		uint32_t size;

		memcpy(&size, n->in + at, LENGTH_SIZE);
		size = ntohl(size);
		slirp_input(n->slirp, n->in + at + LENGTH_SIZE, (int)size);
		at += LENGTH_SIZE + size;
	}
	memmove(n->in, n->in + whole, n->in_len - whole);
	n->in_len -= whole;
	return 0;
}

static int flush(struct network *n)
{
	ssize_t sent;

	if (n->out_len == 0)
		return 0;
	sent = n->packet
		       ? (ssize_t)fb_net_packet_send(n->fd, n->out, n->out_len)
		       : send(n->fd, n->out, n->out_len, MSG_NOSIGNAL);
	if (sent < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	memmove(n->out, n->out + sent, n->out_len - (size_t)sent);
	n->out_len -= (size_t)sent;
	return 0;
}

static int turn(struct network *n)
{
	bool room = n->out_len < sizeof(n->out) / 2;
	uint32_t timeout = INT32_MAX;
	int r;

	n->poll[0] = (struct pollfd){ n->fd, POLLIN, 0 };
	if (n->out_len)
		n->poll[0].events |= POLLOUT;
	n->poll_count = 1;
	if (room)
		slirp_pollfds_fill(n->slirp, &timeout, add_poll, n);
	r = poll(n->poll, n->poll_count, run_timers(n, timeout));
	if (r < 0 && errno != EINTR)
		return -errno;
	if (room)
		slirp_pollfds_poll(n->slirp, r < 0, get_revents, n);
	if (r > 0 && n->poll[0].revents & (POLLIN | POLLHUP | POLLERR)) {
		r = take_frames(n);
		if (r < 0)
			return r;
	}
	return flush(n);
}

static Slirp *start(const struct fb_net_slirp_options *options,
		    struct network *n)
{
	static const SlirpCb callbacks = {
		.send_packet = send_packet,
		.guest_error = guest_error,
		.clock_get_ns = clock_get_ns,
		.timer_new = timer_new,
		.timer_free = timer_free,
		.timer_mod = timer_mod,
		.register_poll_fd = no_registration,
		.unregister_poll_fd = no_registration,
		.notify = no_notice,
	};
	SlirpConfig config = {
		.version = 4,
		.in_enabled = options->v4,
		.in6_enabled = options->v6,
		.vprefix_len = FB_NET_V6_PREFIX,
		.if_mtu = FB_NET_MTU,
		.if_mru = FB_NET_MTU,
		.disable_host_loopback = true,
		.disable_dhcp = true,
	};

	(void)inet_pton(AF_INET, "10.0.2.0", &config.vnetwork);
	(void)inet_pton(AF_INET, "255.255.255.0", &config.vnetmask);
	(void)inet_pton(AF_INET, FB_NET_V4_GATEWAY, &config.vhost);
	(void)inet_pton(AF_INET, FB_NET_V4_ADDRESS, &config.vdhcp_start);
	(void)inet_pton(AF_INET, FB_NET_V4_DNS, &config.vnameserver);
	(void)inet_pton(AF_INET6, "fec0::", &config.vprefix_addr6);
	(void)inet_pton(AF_INET6, FB_NET_V6_GATEWAY, &config.vhost6);
	(void)inet_pton(AF_INET6, FB_NET_V6_DNS, &config.vnameserver6);
	return slirp_new(&config, &callbacks, n);
}

int fb_net_slirp_run(const struct fb_net_slirp_options *options)
{
	struct network *n = calloc(1, sizeof(*n));
	int r;

	if (!n)
		return -ENOMEM;
	n->fd = options->fd;
	n->packet = fb_net_is_packet(n->fd);
	r = fb_set_nonblock(n->fd, true);
	n->slirp = start(options, n);
	if (!n->slirp)
		r = -ENOMEM;
	while (r == 0)
		r = turn(n);
	if (n->slirp)
		slirp_cleanup(n->slirp);
	free(n);
	return r == -EPIPE || r == -ECONNRESET ? 0 : r;
}
