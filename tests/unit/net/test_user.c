/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "net/user.h"
#include "tap.h"

#define V4 "nameserver " FB_NET_V4_DNS "\n"
#define V6 "nameserver " FB_NET_V6_DNS "\n"

static const struct {
	const char *title;
	const char *host;
	const char *want;
} cases[] = {
	{ "no file", NULL, V4 },
	{ "an empty one", "", V4 },
	{ "name servers are ours",
	  "nameserver 192.0.2.1\nnameserver 127.0.0.53\n", V4 },
	{ "search and options stay",
	  "# made by x\nsearch a.example b.example\noptions ndots:2 edns0\n",
	  V4 "search a.example b.example\noptions ndots:2 edns0\n" },
	{ "domain stays, with a tab", "domain\texample\n",
	  V4 "domain\texample\n" },
	{ "no newline at the end", "search example", V4 "search example\n" },
	{ "only whole words, at the beginning",
	  " search a\nsearched b\nsearch\noptionsx\n;options c\n", V4 },
	{ "other lines go", "sortlist 10.0.0.0\nlookup file bind\n\n\n", V4 },
};

static const struct fb_net_routes both = { .v4 = true, .v6 = true };

static void test_resolv_conf(void)
{
	const uint8_t seed[3] = { 0 };
	struct fb_net_guest guest;

	fb_net_user_plan(seed, &both, &guest);
	for (size_t i = 0; i < FB_ARRAY_SIZE(cases); i++) {
		FB_STR struct fb_str out = FB_STR_INIT(FB_RESOLV_CONF_MAX);

		TAP_INT(fb_net_resolv_conf(&guest, cases[i].host, &out), 0,
			"resolv.conf: %s", cases[i].title);
		TAP_STR(fb_str_cstr(&out), cases[i].want, "its text");
	}
}

static void test_resolv_conf_limits(void)
{
	FB_STR struct fb_str host = FB_STR_INIT(4096);
	FB_STR struct fb_str out = FB_STR_INIT(FB_RESOLV_CONF_MAX);
	FB_STR struct fb_str small = FB_STR_INIT(30);
	const uint8_t seed[3] = { 0 };
	struct fb_net_guest guest;

	fb_net_user_plan(seed, &both, &guest);
	(void)fb_str_puts(&host, "search ");
	while (host.len < 1100)
		(void)fb_str_puts(&host, "example.");
	(void)fb_str_puts(&host, "\noptions rotate\n");
	TAP_INT(fb_net_resolv_conf(&guest, host.buf, &out), 0, "a long line");
	TAP_STR(fb_str_cstr(&out), V4 "options rotate\n",
		"is left out, the next one is not");
	TAP_INT(fb_net_resolv_conf(&guest, "search a.very.long.example\n",
				   &small),
		-E2BIG, "a full buffer is said");
}

static void test_resolv_conf_family(void)
{
	FB_STR struct fb_str out = FB_STR_INIT(FB_RESOLV_CONF_MAX);
	const uint8_t seed[3] = { 0 };
	struct fb_net_guest guest;

	fb_net_user_plan(seed, &both, &guest);
	guest.v4_prefix = 0;
	TAP_INT(fb_net_resolv_conf(&guest, NULL, &out), 0, "without IPv4");
	TAP_STR(fb_str_cstr(&out), V6, "the forwarder is asked by IPv6");
}

static bool is_address(int family, const uint8_t *bytes, const char *want)
{
	char text[INET6_ADDRSTRLEN];

	return inet_ntop(family, bytes, text, sizeof(text)) &&
	       !strcmp(text, want);
}

static void test_plan(void)
{
	const uint8_t one[3] = { 1, 2, 0xff }, two[3] = { 1, 2, 0xfe };
	struct fb_net_guest a, b;

	fb_net_user_plan(one, &both, &a);
	fb_net_user_plan(two, &both, &b);
	TAP_OK(is_address(AF_INET, a.v4, FB_NET_V4_ADDRESS) &&
		       is_address(AF_INET, a.v4_gateway, FB_NET_V4_GATEWAY) &&
		       a.v4_prefix == FB_NET_V4_PREFIX,
	       "IPv4 as documented");
	TAP_OK(is_address(AF_INET6, a.v6, FB_NET_V6_ADDRESS) &&
		       is_address(AF_INET6, a.v6_gateway, FB_NET_V6_GATEWAY) &&
		       a.v6_prefix == FB_NET_V6_PREFIX,
	       "IPv6 as documented");
	TAP_OK(!memcmp(a.v4, a.v4_gateway, 3) &&
		       memcmp(a.v4, a.v4_gateway, 4) != 0,
	       "the gateway is a neighbour");
	TAP_INT(a.mac[0] & 1, 0, "the MAC address is one machine's");
	TAP_INT(a.mac[0] & 2, 2, "and locally administered");
	TAP_OK(!memcmp(a.mac + 3, one, 3) && memcmp(a.mac, b.mac, 6) != 0,
	       "its end is the seed");
}

int main(void)
{
	test_resolv_conf();
	test_resolv_conf_limits();
	test_resolv_conf_family();
	test_plan();
	return tap_done();
}
