/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The network, by rtnetlink: one message a step, each acknowledged.  Without an
 * IPv6 address of ours the interface gets none of its own making either, and so
 * sends and believes no router messages.
 */
#include "network.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"

#define LOOPBACK_INDEX 1 /* the first device of every network namespace */

/** struct message - One request while it is built */
struct message {
	struct nlmsghdr head;
	uint8_t body[256];
};

static void *start(struct message *m, uint16_t type, uint16_t flags,
		   size_t body)
{
	memset(m, 0, sizeof(*m));
	m->head.nlmsg_type = type;
	m->head.nlmsg_flags = (uint16_t)(NLM_F_REQUEST | NLM_F_ACK | flags);
	m->head.nlmsg_len = (uint32_t)NLMSG_LENGTH(body);
	return m->body;
}

/* What is put is small and known: it always fits */
static struct rtattr *attr(struct message *m, unsigned int type,
			   const void *data, size_t len)
{
	struct rtattr *a =
		(void *)((uint8_t *)m + NLMSG_ALIGN(m->head.nlmsg_len));

	a->rta_type = (unsigned short)type;
	a->rta_len = (unsigned short)RTA_LENGTH(len);
	if (len)
		memcpy(RTA_DATA(a), data, len);
	m->head.nlmsg_len = (uint32_t)(NLMSG_ALIGN(m->head.nlmsg_len) +
				       RTA_ALIGN(a->rta_len));
	return a;
}

static void attr_end(struct message *m, struct rtattr *a)
{
	a->rta_len = (unsigned short)((uint8_t *)m + m->head.nlmsg_len -
				      (uint8_t *)a);
}

static int ask(int fd, const struct message *m)
{
	struct {
		struct nlmsghdr head;
		struct nlmsgerr error;
		uint8_t rest[512];
	} reply;
	ssize_t n;

	if (send(fd, m, m->head.nlmsg_len, 0) < 0)
		return -errno;
	n = recv(fd, &reply, sizeof(reply), 0);
	if (n < 0)
		return -errno;
	if ((size_t)n < sizeof(reply.head) + sizeof(reply.error) ||
	    reply.head.nlmsg_type != NLMSG_ERROR)
		return -EPROTO;
	return reply.error.error;
}

static void no_own_ipv6(struct message *m)
{
	const uint8_t none = IN6_ADDR_GEN_MODE_NONE;
	struct rtattr *spec = attr(m, IFLA_AF_SPEC, NULL, 0);
	struct rtattr *inet6 = attr(m, AF_INET6, NULL, 0);

	(void)attr(m, IFLA_INET6_ADDR_GEN_MODE, &none, 1);
	attr_end(m, inet6);
	attr_end(m, spec);
}

static int link_up(int fd, int index, const struct fb_spec_net *net)
{
	static const uint8_t no_mac[6];
	struct message m;
	struct ifinfomsg *link = start(&m, RTM_NEWLINK, 0, sizeof(*link));

	link->ifi_index = index;
	link->ifi_flags = IFF_UP;
	link->ifi_change = IFF_UP;
	if (net && memcmp(net->mac, no_mac, sizeof(no_mac)) != 0)
		(void)attr(&m, IFLA_ADDRESS, net->mac, sizeof(net->mac));
	if (net && net->mtu)
		(void)attr(&m, IFLA_MTU, &net->mtu, sizeof(net->mtu));
	if (net && net->v6.prefix == 0)
		no_own_ipv6(&m);
	return ask(fd, &m);
}

static int add_address(int fd, int index, int family,
		       const struct fb_spec_addr *addr)
{
	size_t len = family == AF_INET ? 4 : 16;
	struct message m;
	struct ifaddrmsg *a =
		start(&m, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, sizeof(*a));

	a->ifa_family = (uint8_t)family;
	a->ifa_prefixlen = addr->prefix;
	a->ifa_index = (uint32_t)index;
	a->ifa_flags = family == AF_INET6 ? IFA_F_NODAD : 0;
	(void)attr(&m, IFA_LOCAL, addr->addr, len);
	(void)attr(&m, IFA_ADDRESS, addr->addr, len);
	return ask(fd, &m);
}

/* Is the gateway outside of our prefix? Then it is reached over the link */
static bool is_outside(const struct fb_spec_addr *addr)
{
	for (unsigned int bit = 0; bit < addr->prefix; bit++)
		if ((addr->addr[bit / 8] ^ addr->gateway[bit / 8]) &
		    0x80 >> bit % 8)
			return true;
	return false;
}

static int add_route(int fd, int index, int family,
		     const struct fb_spec_addr *addr)
{
	size_t len = family == AF_INET ? 4 : 16;
	struct message m;
	struct rtmsg *r =
		start(&m, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, sizeof(*r));

	r->rtm_family = (uint8_t)family;
	r->rtm_table = RT_TABLE_MAIN;
	r->rtm_protocol = RTPROT_BOOT;
	r->rtm_scope = RT_SCOPE_UNIVERSE;
	r->rtm_type = RTN_UNICAST;
	r->rtm_flags = is_outside(addr) ? RTNH_F_ONLINK : 0;
	(void)attr(&m, RTA_GATEWAY, addr->gateway, len);
	(void)attr(&m, RTA_OIF, &index, sizeof(index));
	return ask(fd, &m);
}

static int configure(int fd, int index, int family, const char *name,
		     const struct fb_spec_addr *addr, struct fb_err *err)
{
	int r;

	if (addr->prefix == 0)
		return 0;
	r = add_address(fd, index, family, addr);
	if (r < 0)
		return fb_err_set(err, r, "set address of '%s': %m", name);
	r = addr->has_gateway ? add_route(fd, index, family, addr) : 0;
	if (r < 0)
		return fb_err_set(err, r, "set route of '%s': %m", name);
	return 0;
}

int fb_network_up(const struct fb_spec_net *net, struct fb_err *err)
{
	FB_FD int fd =
		socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	int r, index;

	if (fd < 0)
		return fb_err_set(err, -errno, "open the network: %m");
	r = link_up(fd, LOOPBACK_INDEX, NULL);
	if (r < 0)
		return fb_err_set(err, r, "bring up loopback: %m");
	if (!net->name[0])
		return 0;
	index = (int)if_nametoindex(net->name);
	if (index == 0)
		return fb_err_set(err, -ENODEV, "find network interface '%s'",
				  net->name);
	r = link_up(fd, index, net);
	if (r < 0)
		return fb_err_set(err, r, "bring up '%s': %m", net->name);
	r = configure(fd, index, AF_INET, net->name, &net->v4, err);
	if (r == 0)
		r = configure(fd, index, AF_INET6, net->name, &net->v6, err);
	return r;
}
