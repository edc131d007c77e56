/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/io.h"
#include "net/guard.h"
#include "tap.h"

#define FRAME 94 /* Ethernet, IPv6, and some */

static size_t make_frame(uint8_t *f, const char *from, const char *to)
{
	bool v6 = strchr(to, ':') != NULL;

	memset(f, 0, FRAME);
	f[12] = v6 ? 0x86 : 0x08;
	f[13] = v6 ? 0xdd : 0x00;
	if (v6) {
		(void)inet_pton(AF_INET6, from, f + 14 + 8);
		(void)inet_pton(AF_INET6, to, f + 14 + 24);
	} else {
		(void)inet_pton(AF_INET, from, f + 14 + 12);
		(void)inet_pton(AF_INET, to, f + 14 + 16);
	}
	return FRAME;
}

static void test_addresses(void)
{
	static const struct {
		const char *from;
		const char *to;
		bool allowed;
	} cases[] = {
		{ "10.0.2.15", "192.0.2.1", true },
		{ "10.0.2.15", "10.0.2.3", true },
		{ "10.0.2.15", "127.0.0.1", false },
		{ "10.0.2.15", "127.255.255.254", false },
		{ "10.0.2.15", "126.255.255.255", true },
		{ "10.0.2.15", "128.0.0.0", true },
		{ "10.0.2.15", "0.0.0.0", false },
		{ "127.0.0.1", "192.0.2.1", false },
		{ "0.0.0.0", "255.255.255.255", false },
		{ "fec0::15", "2001:db8::1", true },
		{ "fec0::15", "::1", false },
		{ "fec0::15", "::", false },
		{ "fec0::15", "::127.0.0.1", false },
		{ "fec0::15", "::ffff:127.0.0.1", false },
		{ "fec0::15", "::ffff:192.0.2.1", false },
		{ "fec0::15", "::1:0:0:1", true },
		{ "::1", "2001:db8::1", false },
		{ "::", "ff02::1:ff00:15", true },
		{ "::", "fec0::2", false },
		{ "fe80::1", "fec0::2", true },
	};
	uint8_t f[FRAME];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t len = make_frame(f, cases[i].from, cases[i].to);

		TAP_OK(fb_net_frame_allowed(f, len) == cases[i].allowed,
		       "%s to %s is %s", cases[i].from, cases[i].to,
		       cases[i].allowed ? "allowed" : "dropped");
	}
}

static void test_types(void)
{
	uint8_t f[FRAME] = { 0 };

	f[12] = 0x08;
	f[13] = 0x06;
	TAP_OK(fb_net_frame_allowed(f, 42), "ARP is allowed");
	TAP_OK(!fb_net_frame_allowed(f, 13), "a frame without a type is not");
	f[12] = 0x81;
	f[13] = 0x00;
	TAP_OK(!fb_net_frame_allowed(f, FRAME),
	       "nor is a VLAN tag, behind which an address could hide");
	(void)make_frame(f, "10.0.2.15", "192.0.2.1");
	TAP_OK(!fb_net_frame_allowed(f, 14 + 19),
	       "nor half an IPv4 header, whose rest may follow");
	(void)make_frame(f, "fec0::15", "2001:db8::1");
	TAP_OK(!fb_net_frame_allowed(f, 14 + 39), "nor half an IPv6 header");
}

static size_t put(uint8_t *at, const char *to)
{
	size_t len = make_frame(at + 4, "10.0.2.15", to);

	at[0] = at[1] = at[2] = 0;
	at[3] = (uint8_t)len;
	return len + 4;
}

static void test_filter(void)
{
	uint8_t data[1024], good[1024];
	size_t len = 0, want = 0, whole = 99, part;

	len += put(data, "127.0.0.1");
	want += put(good, "192.0.2.1");
	len += put(data + len, "192.0.2.1");
	len += put(data + len, "127.0.0.1");
	want += put(good + want, "192.0.2.2");
	len += put(data + len, "192.0.2.2");
	part = put(good + want, "192.0.2.3") - 7;
	len += put(data + len, "192.0.2.3") - 7;
	TAP_INT(fb_net_guard_filter(data, &len, &whole), 0,
		"a stream is filtered");
	TAP_INT(whole, want, "all allowed whole frames are left");
	TAP_INT(len, want + part, "and the beginning of the next");
	TAP_OK(!memcmp(data, good, len), "byte for byte");

	len = 4;
	memcpy(data, (uint8_t[]){ 0, 1, 0, 19 }, 4);
	TAP_INT(fb_net_guard_filter(data, &len, &whole), -EMSGSIZE,
		"a frame that is too large ends the stream");
	len = 3;
	TAP_INT(fb_net_guard_filter(data, &len, &whole), 0,
		"half a length is kept");
	TAP_INT(len, 3, "as it is");
	TAP_INT(whole, 0, "for later");
}

int main(void)
{
	(void)alarm(120);
	test_addresses();
	test_types();
	test_filter();
	return tap_done();
}
