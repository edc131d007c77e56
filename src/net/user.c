/* SPDX-License-Identifier: Apache-2.0 */
#include "net/user.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"

#define LINE_MAX_BYTES 1024

/* connecting a datagram socket only looks the route up; its source goes to @host */
static bool find_route(const struct sockaddr *to, socklen_t len,
		       char host[INET6_ADDRSTRLEN])
{
	FB_FD int fd = socket(to->sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct sockaddr_storage from;
	socklen_t from_len = sizeof(from);

	if (fd < 0 || connect(fd, to, len) < 0)
		return false;
	if (!host[0] &&
	    getsockname(fd, (struct sockaddr *)&from, &from_len) == 0)
		(void)getnameinfo((struct sockaddr *)&from, from_len, host,
				  INET6_ADDRSTRLEN, NULL, 0, NI_NUMERICHOST);
	return true;
}

void fb_net_routes_get(struct fb_net_routes *ret)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET,
				  .sin_port = htons(53) };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6,
				   .sin6_port = htons(53) };

	/* addresses for documentation: global ones that nobody has */
	(void)inet_pton(AF_INET, "203.0.113.1", &v4.sin_addr);
	(void)inet_pton(AF_INET6, "2001:db8::1", &v6.sin6_addr);
	*ret = (struct fb_net_routes){ 0 };
	ret->v4 = find_route((struct sockaddr *)&v4, sizeof(v4), ret->host);
	ret->v6 = find_route((struct sockaddr *)&v6, sizeof(v6), ret->host);
}

void fb_net_user_plan(const uint8_t seed[3], const struct fb_net_routes *routes,
		      struct fb_net_guest *ret)
{
	/* locally administered, unicast */
	*ret = (struct fb_net_guest){
		.mac = { 0x52, 0x54, 0x00, seed[0], seed[1], seed[2] },
		.v4_prefix = routes->v4 || !routes->v6 ? FB_NET_V4_PREFIX : 0,
		.v6_prefix = routes->v6 ? FB_NET_V6_PREFIX : 0,
		.mtu = FB_NET_MTU,
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
