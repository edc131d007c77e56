/* SPDX-License-Identifier: Apache-2.0 */
#include "net/guard.h"

#include <errno.h>
#include <string.h>

#define ETHERNET_HEADER 14u
#define IPV4_HEADER 20u
#define IPV6_HEADER 40u
#define LENGTH_SIZE 4u

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
