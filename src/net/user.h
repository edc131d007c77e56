/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The network that needs no right: a user-mode back end, a fixed address plan.
 */
#ifndef FB_NET_USER_H
#define FB_NET_USER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

#define FB_NET_V4_ADDRESS "10.0.2.15"
#define FB_NET_V4_GATEWAY "10.0.2.2"
#define FB_NET_V4_DNS "10.0.2.3"
#define FB_NET_V4_PREFIX 24
#define FB_NET_V6_ADDRESS "fec0::15"
#define FB_NET_V6_GATEWAY "fec0::2"
#define FB_NET_V6_DNS "fec0::3"
#define FB_NET_V6_PREFIX 64
/* libslirp takes 65521 */
#define FB_NET_MTU 65520

#define FB_RESOLV_CONF_MAX 65536

/**
 * struct fb_net_guest - What the guest is told
 * @mac:     Of its interface
 * @v4, @v4_gateway: Network byte order
 * @v6, @v6_gateway: Likewise
 * @v4_prefix, @v6_prefix: Bits; 0 = nothing in this family
 * @mtu:     0 = the device's own
 */
struct fb_net_guest {
	uint8_t mac[6];
	uint8_t v4[4];
	uint8_t v4_gateway[4];
	uint8_t v4_prefix;
	uint8_t v6[16];
	uint8_t v6_gateway[16];
	uint8_t v6_prefix;
	uint32_t mtu;
};

/**
 * struct fb_net_routes - Whether the host can reach the world at all
 * @v4, @v6: There is a route in this family
 * @host:    The host's own address on the way there (IPv4's first); "" = none.
 *           A guest reaches the host's services there, those that listen on its
 *           loopback only excepted
 */
struct fb_net_routes {
	bool v4;
	bool v6;
	char host[46]; /* INET6_ADDRSTRLEN */
};

/** fb_net_routes_get() - Ask the kernel's routing tables; sends nothing */
void fb_net_routes_get(struct fb_net_routes *ret);

/**
 * fb_net_user_plan() - The address plan of the user-mode network
 * @seed:   Bytes that make the MAC address differ between machines
 * @routes: Of the host: a family without a route is not given to the guest; IPv4
 *          is, where there is neither
 */
void fb_net_user_plan(const uint8_t seed[3], const struct fb_net_routes *routes,
		      struct fb_net_guest *ret);

/**
 * fb_net_resolv_conf() - The guest's resolv.conf from the host's
 * @guest: Address plan: decides in which family our forwarder is asked
 * @host:  Host's text (borrowed), any bytes; NULL = none
 * @out:   Text is appended: our forwarder as the only name server, and the
 *         host's search and options lines
 *
 * Return: 0; -E2BIG; -ENOMEM.
 */
int fb_net_resolv_conf(const struct fb_net_guest *guest, const char *host,
		       struct fb_str *out);

#endif
