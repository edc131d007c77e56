/* SPDX-License-Identifier: Apache-2.0 */
/*
 * passt: the user-mode network as a process of its own, which the machine talks
 * to over a socket.  Unlike the engine's built-in network it does not lend the
 * gateway's address to the host's loopback, and the VMM itself needs no network.
 */
#ifndef FB_NET_PASST_H
#define FB_NET_PASST_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/str.h"
#include "net/user.h"

#define FB_NET_PASST_MTU 65520

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
 * struct fb_net_passt - A passt that works here
 * @program: Path (owned); NULL = there is none
 * @guard:   It is too old to be trusted with packets to loopback addresses:
 *           net/guard.h belongs before it
 * @reason:  Why there is none, one line; ""
 */
struct fb_net_passt {
	char *program;
	bool guard;
	char reason[256];
};

/** fb_net_passt_release() - Free what it owns */
void fb_net_passt_release(struct fb_net_passt *passt);

/**
 * struct fb_net_passt_query - How passt would be used
 * @cache_dir_fd: Folder of the file "passt" that remembers the answer (borrowed);
 *                negative: ask again
 * @routes:       Of the host; without any, passt does not start
 * @drop_ids:     It would run as @uid and @gid
 * @path:         Where to look for it; NULL = $PATH
 */
struct fb_net_passt_query {
	int cache_dir_fd;
	struct fb_net_routes routes;
	bool drop_ids;
	uid_t uid;
	gid_t gid;
	const char *path;
};

/**
 * fb_net_passt_find() - Find passt and find out whether it starts
 * @query: See above
 * @ret:   Always filled in; fb_net_passt_release()
 *
 * It is started once on a socket whose other end is closed: it then sets itself
 * up and ends with status 0, or says what this host denies it (user namespaces,
 * as a rule).  At most two seconds; the cache's key changes with the boot, the
 * program, the user and the routes.
 */
void fb_net_passt_find(const struct fb_net_passt_query *query,
		       struct fb_net_passt *ret);

/**
 * fb_net_passt_needs_guard() - From what `passt --version` says.  Pure
 * @text: Its output (borrowed); a version is the date of a release
 *
 * Return: false only for a version that is known to drop packets from and to
 * loopback addresses itself.
 */
bool fb_net_passt_needs_guard(const char *text);

/**
 * fb_net_passt_guest() - Change an address plan to what passt serves
 * @routes: Of the host: a family without a route is not given to the guest
 * @guest:  From fb_net_user_plan()
 */
void fb_net_passt_guest(const struct fb_net_routes *routes,
			struct fb_net_guest *guest);

/**
 * fb_net_passt_render() - passt's arguments.  Pure
 * @guest: Address plan, from fb_net_passt_guest()
 * @fd:    Number of its connected socket
 * @argv:  Arguments are appended, with the program's name
 *
 * No inbound ports, no DHCP (the guest is told its addresses), names by
 * FB_NET_V4_DNS, nothing of the host's under the gateway's address.
 *
 * Return: 0; -ENOMEM.
 */
int fb_net_passt_render(const struct fb_net_guest *guest, int fd,
			struct fb_strv *argv);

#endif
