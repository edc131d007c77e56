/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The connection with the host.
 *
 * A virtio-serial port gets its name by a message of the host that may come
 * after init has started, so finding it is: look, and where it is not there,
 * wait for the kernel's events and look again.
 *
 * Bulk data does not pass through init's memory.  What a container wrote lies
 * in the pages of its pipe; they are moved to a private pipe, behind a frame
 * header, and from there to the port (bulk.c).  The private pipe is what makes the
 * length in the header true: nobody but us can take bytes out of it.
 */
#include "channel.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/vm_sockets.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/io.h"

#define PORT_FOLDER "/sys/class/virtio-ports"
#define PATIENCE_MS 10000u
#define RESCAN_MS 100 /* where an event was lost */

static bool has_our_name(int folder, const char *port)
{
	char path[64], name[sizeof(FB_GUEST_PORT_NAME) + 1];
	FB_FD int fd = -EBADF;
	ssize_t n;

	if (snprintf(path, sizeof(path), "%s/name", port) >= (int)sizeof(path))
		return false;
	fd = openat(folder, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = read(fd, name, sizeof(name));
	return n == (ssize_t)sizeof(FB_GUEST_PORT_NAME) &&
	       memcmp(name, FB_GUEST_PORT_NAME "\n", (size_t)n) == 0;
}

/* Return: descriptor of the port; -ENOENT */
static int find_port(void)
{
	FB_DIR DIR *folder = opendir(PORT_FOLDER);
	struct dirent *entry;
	char path[300];
	int fd;

	while (folder && (entry = readdir(folder))) {
		if (entry->d_name[0] == '.' ||
		    !has_our_name(dirfd(folder), entry->d_name))
			continue;
		(void)snprintf(path, sizeof(path), "/dev/%s", entry->d_name);
		fd = open(path, O_RDWR | O_CLOEXEC | O_NOCTTY);
		return fd < 0 ? -errno : fd;
	}
	return -ENOENT;
}

/* Return: connected socket; negative errno */
static int connect_vsock(void)
{
	const struct sockaddr_vm host = {
		.svm_family = AF_VSOCK,
		.svm_cid = VMADDR_CID_HOST,
		.svm_port = FB_GUEST_VSOCK_PORT,
	};
	FB_FD int fd = socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 ||
	    connect(fd, (const struct sockaddr *)&host, sizeof(host)) < 0)
		return -errno;
	return FB_TAKE_FD(fd);
}

static int open_events(void)
{
	const struct sockaddr_nl all = { .nl_family = AF_NETLINK,
					 .nl_groups = 1 };
	FB_FD int fd =
		socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
		       NETLINK_KOBJECT_UEVENT);

	if (fd < 0 || bind(fd, (const struct sockaddr *)&all, sizeof(all)) < 0)
		return -errno;
	return FB_TAKE_FD(fd);
}

static void await_event(int events)
{
	struct pollfd p = { .fd = events, .events = POLLIN };
	char text[2048];

	(void)poll(&p, 1, RESCAN_MS);
	while (events >= 0 && recv(events, text, sizeof(text), 0) > 0)
		;
}

static int find_host(struct fb_channel *ch)
{
	uint64_t until = fb_now_ms() + PATIENCE_MS;
	FB_FD int events = -EBADF;
	int fd = find_port();

	if (fd == -ENOENT)
		events = open_events();
	while (fd == -ENOENT) {
		/* subscribed first: what comes after the look is not missed */
		fd = find_port();
		if (fd != -ENOENT)
			break;
		fd = connect_vsock();
		if (fd >= 0)
			return fd;
		if (fb_now_ms() >= until)
			return -ENODEV;
		await_event(events);
		fd = -ENOENT;
	}
	ch->can_splice = true;
	return fd;
}

int fb_channel_open(struct fb_channel *ch, struct fb_err *err)
{
	uint8_t hello[FB_FRAME_SMALL_MAX];
	int r;

	ch->bulk_read = -EBADF;
	ch->bulk_write = -EBADF;
	ch->fd = find_host(ch);
	if (ch->fd < 0)
		return fb_err_set(err, ch->fd, "find the host: %m");
	fb_frame_reader_init(&ch->reader, FB_FRAME_FROM_HOST, ch->in,
			     sizeof(ch->in));
	/* still blocking: waits until the host has opened its end */
	r = fb_write_full(ch->fd, hello, fb_frame_put_hello(hello));
	if (r < 0)
		return fb_err_set(err, r, "greet the host: %m");
	return 0;
}

int fb_channel_block(struct fb_channel *ch, bool block)
{
	return fb_set_nonblock(ch->fd, !block);
}

int fb_channel_fill(struct fb_channel *ch)
{
	size_t room;
	uint8_t *to = fb_frame_reader_space(&ch->reader, &room);
	ssize_t n = read(ch->fd, to, room);

	if (n == 0)
		return -EPIPE;
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	fb_frame_reader_fed(&ch->reader, (size_t)n);
	return 0;
}

int fb_channel_put(struct fb_channel *ch, const uint8_t *frame, size_t len)
{
	if (ch->out_start == ch->out_end) {
		ch->out_start = 0;
		ch->out_end = 0;
	}
	if (len > sizeof(ch->out) - ch->out_end)
		return -ENOBUFS;
	memcpy(ch->out + ch->out_end, frame, len);
	ch->out_end += len;
	return 0;
}

bool fb_channel_idle(const struct fb_channel *ch)
{
	return ch->out_start == ch->out_end && ch->bulk_left == 0;
}

uint8_t *fb_channel_data_room(struct fb_channel *ch)
{
	return ch->out + FB_FRAME_HEADER_SIZE;
}

void fb_channel_data_put(struct fb_channel *ch, enum fb_guest_stream stream,
			 uint32_t len)
{
	fb_frame_put_header(ch->out, &(struct fb_frame){ .type = FB_GUEST_DATA,
							 .stream = stream,
							 .length = len });
	ch->out_start = 0;
	ch->out_end = FB_FRAME_HEADER_SIZE + len;
}

/* Return: bytes written, 0 where the host takes none now; negative errno */
static ssize_t written(ssize_t n)
{
	if (n > 0)
		return n;
	if (n == 0) /* the port broke down with our bytes in its hands */
		return -EPIPE;
	return errno == EAGAIN || errno == EINTR ? 0 : -errno;
}

int fb_channel_flush(struct fb_channel *ch)
{
	ssize_t n;

	while (ch->bulk_left > 0) {
		n = written(splice(ch->bulk_read, NULL, ch->fd, NULL,
				   ch->bulk_left, SPLICE_F_NONBLOCK));
		if (n <= 0)
			return (int)n;
		ch->bulk_left -= (size_t)n;
	}
	while (ch->out_start < ch->out_end) {
		n = written(write(ch->fd, ch->out + ch->out_start,
				  ch->out_end - ch->out_start));
		if (n <= 0)
			return (int)n;
		ch->out_start += (size_t)n;
	}
	return 0;
}
