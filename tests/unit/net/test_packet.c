/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frames through a packet socket: checksums that a guest leaves to its device, and a
 * real tap in a namespace, with a child in the VMM's place.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "net/guard.h"
#include "net/packet.h"
#include "net/tap.h"
#include "tap.h"

#define TAP "test0"
#define FRAME_SIZE 60u

/* the sum over words, one by one: what the function must come to */
static uint16_t slow_sum(const uint8_t *data, size_t len)
{
	uint32_t total = 0;

	for (size_t i = 0; i < len; i++)
		total += i % 2 ? data[i] : (uint32_t)data[i] << 8;
	while (total >> 16)
		total = (total & 0xffff) + (total >> 16);
	return (uint16_t)total;
}

static void test_checksum(void)
{
	size_t wrong = 0;
	uint8_t frame[200];

	for (size_t len = 16; len < sizeof(frame); len++) {
		struct virtio_net_hdr header = {
			.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
			.csum_start = 14,
			.csum_offset = 0,
		};

		for (size_t i = 0; i < len; i++)
			frame[i] = (uint8_t)(i * 37 + len);
		if (fb_net_packet_checksum(&header, frame, len) < 0)
			wrong++;
	}
	TAP_INT(wrong, 0, "every length is taken");
	for (size_t len = 40; len < sizeof(frame); len++) {
		struct virtio_net_hdr header = {
			.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
			.csum_start = 20,
			.csum_offset = 6,
		};
		uint16_t pseudo, want, got;

		for (size_t i = 0; i < len; i++)
			frame[i] = (uint8_t)(i * 37 + len);
		want = (uint16_t)~slow_sum(frame + 20, len - 20);
		(void)fb_net_packet_checksum(&header, frame, len);
		memcpy(&pseudo, frame + 26, sizeof(pseudo));
		got = ntohs(pseudo);
		wrong += got != want;
	}
	TAP_INT(wrong, 0, "the sum is RFC 1071's, odd lengths too");
}

static void test_checksum_bounds(void)
{
	struct virtio_net_hdr header = { .csum_start = 65535,
					 .csum_offset = 65535 };
	uint8_t frame[20] = { 0 }, zero[8] = { 0xff, 0xff };

	TAP_INT(fb_net_packet_checksum(&header, frame, sizeof(frame)), 0,
		"nothing was left to do");
	header.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
	TAP_INT(fb_net_packet_checksum(&header, frame, sizeof(frame)), -EBADMSG,
		"beyond the frame");
	header.csum_start = 20;
	header.csum_offset = 0;
	TAP_INT(fb_net_packet_checksum(&header, frame, sizeof(frame)), -EBADMSG,
		"at its end");
	header.csum_start = 2;
	header.csum_offset = 17;
	TAP_INT(fb_net_packet_checksum(&header, frame, sizeof(frame)), -EBADMSG,
		"half beyond its end");
	header.csum_offset = 16;
	TAP_INT(fb_net_packet_checksum(&header, frame, sizeof(frame)), 0,
		"its last two bytes");
	header.csum_start = 0;
	header.csum_offset = 0;
	TAP_OK(fb_net_packet_checksum(&header, zero, sizeof(zero)) == 0 &&
		       zero[0] == 0xff && zero[1] == 0xff,
	       "a sum that would be 0 is written as -0");
}

static int open_tap(void)
{
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
	struct ifreq request = { .ifr_flags =
					 IFF_TAP | IFF_NO_PI | IFF_VNET_HDR };

	(void)snprintf(request.ifr_name, sizeof(request.ifr_name), TAP);
	if (fd < 0 || ioctl(fd, TUNSETIFF, &request) < 0)
		return -1;
	return fd;
}

static void fill_frame(uint8_t *frame, uint8_t with)
{
	memset(frame, 0xff, 6);
	memset(frame + 6, 0x52, 6);
	frame[12] = 0x08;
	frame[13] = 0x06;
	memset(frame + 14, with, FRAME_SIZE - 14);
}

/* in the VMM's place: join, open, send a frame, await one. Return: exit status */
static int be_vmm(const struct fb_net_tap *tap)
{
	struct {
		struct virtio_net_hdr header;
		uint8_t frame[FRAME_SIZE];
	} packet = { 0 }, got;
	struct pollfd poll_fd = { .events = POLLIN };

	if ((tap->user_ns >= 0 && setns(tap->user_ns, 0) < 0) ||
	    setns(tap->net_ns, 0) < 0)
		return 2;
	poll_fd.fd = open_tap();
	if (poll_fd.fd < 0)
		return 3;
	fill_frame(packet.frame, 1);
	packet.header.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
	packet.header.csum_start = 34;
	packet.header.csum_offset = 6;
	if (write(poll_fd.fd, &packet, sizeof(packet)) !=
	    (ssize_t)sizeof(packet))
		return 4;
	if (poll(&poll_fd, 1, 10000) != 1 ||
	    read(poll_fd.fd, &got, sizeof(got)) != (ssize_t)sizeof(got))
		return 5;
	fill_frame(packet.frame, 2);
	return memcmp(got.frame, packet.frame, FRAME_SIZE) ? 6 : 0;
}

static void test_both_ways(const struct fb_net_tap *tap)
{
	static uint8_t stream[8 + FB_NET_FRAME_MAX];
	struct pollfd poll_fd = { tap->frames, POLLIN, 0 };
	uint32_t size = htonl(FRAME_SIZE);
	uint8_t want[FRAME_SIZE];
	uint16_t sum;
	int status = -1, r = 0;
	size_t len = 0;
	pid_t pid = fork();

	if (pid == 0)
		_exit(be_vmm(tap));
	if (poll(&poll_fd, 1, 10000) == 1)
		r = fb_net_packet_take(tap->frames, stream, &len,
				       sizeof(stream));
	TAP_INT(r, 0, "frames are taken");
	TAP_INT(len, 4 + FRAME_SIZE, "one, the kernel itself says nothing");
	fill_frame(want, 1);
	sum = htons((uint16_t)~slow_sum(want + 34, FRAME_SIZE - 34));
	memcpy(want + 40, &sum, sizeof(sum));
	TAP_OK(!memcmp(stream, &size, 4) &&
		       !memcmp(stream + 4, want, FRAME_SIZE),
	       "behind its length, and with its checksum");
	fill_frame(stream + 4, 2);
	TAP_INT(fb_net_packet_send(tap->frames, stream, 4 + FRAME_SIZE),
		4 + FRAME_SIZE, "one is sent");
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		status = -1;
	TAP_INT(status, 0, "and arrives");
	len = 0;
	TAP_INT(fb_net_packet_take(tap->frames, stream, &len, sizeof(stream)),
		0, "look again");
	TAP_INT(len, 0, "what was sent does not come back");
}

static void test_tap(void)
{
	struct fb_net_tap tap = FB_NET_TAP_INIT;
	struct fb_err err = { 0 };
	int r;

	if (access("/dev/net/tun", R_OK | W_OK) < 0) {
		tap_skip("no right to /dev/net/tun");
		return;
	}
	r = fb_net_tap_make(TAP, geteuid(), 65520, &tap, &err);
	if (r == -EPERM || r == -ENOSPC) {
		tap_skip(err.msg);
		return;
	}
	TAP_INT(r, 0, "a tap of its own: %s", err.msg);
	TAP_INT(if_nametoindex(TAP), 0, "which this namespace has not");
	TAP_OK(fb_net_is_packet(tap.frames), "its frames' socket");
	TAP_OK(!fb_net_is_packet(tap.net_ns), "and what is none");
	if (r == 0)
		test_both_ways(&tap);
	fb_net_tap_release(&tap);
	fb_net_tap_release(&tap);
}

int main(void)
{
	test_checksum();
	test_checksum_bounds();
	test_tap();
	return tap_done();
}
