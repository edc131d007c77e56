/* SPDX-License-Identifier: Apache-2.0 */
#include "net/packet.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "net/guard.h"

#define LENGTH_SIZE 4u
/* frames in a row from the guest before the host's sockets are looked at */
#define TURN_LIMIT 64

bool fb_net_is_packet(int fd)
{
	int domain = 0;
	socklen_t size = sizeof(domain);

	return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) == 0 &&
	       domain == AF_PACKET;
}

/* RFC 1071 over big-endian words; the result is not inverted yet */
static uint16_t sum(const uint8_t *data, size_t len)
{
	uint64_t total = 0;
	size_t i = 0;

	for (; i + 4 <= len; i += 4) {
		uint32_t word;

		memcpy(&word, data + i, sizeof(word));
		total += word;
	}
	/* the order of bytes does not matter until the end: what is left is put
	 * where it would lie in memory */
	if (i < len) {
		uint32_t word = 0;

		memcpy(&word, data + i, len - i);
		total += word;
	}
	while (total >> 16)
		total = (total & 0xffff) + (total >> 16);
	return (uint16_t)total;
}

int fb_net_packet_checksum(const struct virtio_net_hdr *header, uint8_t *frame,
			   size_t len)
{
	size_t start = header->csum_start;
	size_t at = start + header->csum_offset;
	uint16_t value;

	if (!(header->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM))
		return 0;
	if (start > len || at + sizeof(value) > len)
		return -EBADMSG;
	/* in the field lies the sum of the pseudo header */
	value = (uint16_t)~sum(frame + start, len - start);
	/* 0 means "none" for UDP, and is the same sum as this */
	if (value == 0)
		value = 0xffff;
	memcpy(frame + at, &value, sizeof(value));
	return 0;
}

/* Return: 1 a frame was appended, or one was dropped; 0 none is there; negative errno */
static int take_one(int fd, uint8_t *data, size_t *len)
{
	uint8_t *frame = data + *len + LENGTH_SIZE;
	struct virtio_net_hdr header;
	struct iovec parts[] = { { &header, sizeof(header) },
				 { frame, FB_NET_FRAME_MAX } };
	struct msghdr message = { .msg_iov = parts, .msg_iovlen = 2 };
	ssize_t n = recvmsg(fd, &message, 0);
	uint32_t size;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n < 0)
		return errno == ENETDOWN || errno == ENXIO ? -EPIPE : -errno;
	if (n <= (ssize_t)sizeof(header) || message.msg_flags & MSG_TRUNC)
		return 1;
	n -= (ssize_t)sizeof(header);
	if (fb_net_packet_checksum(&header, frame, (size_t)n) < 0)
		return 1;
	size = htonl((uint32_t)n);
	memcpy(data + *len, &size, LENGTH_SIZE);
	*len += LENGTH_SIZE + (size_t)n;
	return 1;
}

int fb_net_packet_take(int fd, uint8_t *data, size_t *len, size_t size)
{
	int r = 1;

	for (int i = 0; i < TURN_LIMIT && r > 0 &&
			size - *len >= LENGTH_SIZE + FB_NET_FRAME_MAX;
	     i++)
		r = take_one(fd, data, len);
	return r < 0 ? r : 0;
}

size_t fb_net_packet_send(int fd, const uint8_t *data, size_t len)
{
	struct virtio_net_hdr plain = { 0 };
	size_t done = 0;

	while (len - done > LENGTH_SIZE) {
		struct iovec parts[2] = { { &plain, sizeof(plain) } };
		struct msghdr message = { .msg_iov = parts, .msg_iovlen = 2 };
		uint32_t size;

		memcpy(&size, data + done, LENGTH_SIZE);
		size = ntohl(size);
		if (size > len - done - LENGTH_SIZE)
			break;
		parts[1].iov_base =
			(void *)(uintptr_t)(data + done + LENGTH_SIZE);
		parts[1].iov_len = size;
		if (sendmsg(fd, &message, MSG_NOSIGNAL) < 0 &&
		    (errno == EAGAIN || errno == EINTR))
			break;
		done += LENGTH_SIZE + size;
	}
	return done;
}
