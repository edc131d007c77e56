/* SPDX-License-Identifier: Apache-2.0 */
#include "net/user.h"

#include <arpa/inet.h>
#include <string.h>

#define LINE_MAX_BYTES 1024

void fb_net_user_plan(const uint8_t seed[3], struct fb_net_guest *ret)
{
	/* locally administered, unicast */
	*ret = (struct fb_net_guest){
		.mac = { 0x52, 0x54, 0x00, seed[0], seed[1], seed[2] },
		.v4_prefix = FB_NET_V4_PREFIX,
		.v6_prefix = FB_NET_V6_PREFIX,
	};
	(void)inet_pton(AF_INET, FB_NET_V4_ADDRESS, ret->v4);
	(void)inet_pton(AF_INET, FB_NET_V4_GATEWAY, ret->v4_gateway);
	(void)inet_pton(AF_INET6, FB_NET_V6_ADDRESS, ret->v6);
	(void)inet_pton(AF_INET6, FB_NET_V6_GATEWAY, ret->v6_gateway);
}

static bool starts_with_word(const char *line, size_t len, const char *word)
{
	size_t n = strlen(word);

	return len > n && !strncmp(line, word, n) &&
	       (line[n] == ' ' || line[n] == '\t');
}

int fb_net_resolv_conf(const struct fb_net_guest *guest, const char *host,
		       struct fb_str *out)
{
	const char *line = host ? host : "";
	size_t len;

	fb_str_puts(out, guest->v4_prefix ? "nameserver " FB_NET_V4_DNS "\n"
					  : "nameserver " FB_NET_V6_DNS "\n");
	for (; *line; line += len + (line[len] == '\n')) {
		len = strcspn(line, "\n");
		if (len <= LINE_MAX_BYTES &&
		    (starts_with_word(line, len, "search") ||
		     starts_with_word(line, len, "domain") ||
		     starts_with_word(line, len, "options"))) {
			fb_str_append(out, line, len);
			fb_str_putc(out, '\n');
		}
	}
	return out->err;
}
