/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tap of a VMM that has no other way to the network.
 *
 * It stands alone in a network namespace of its own, without an address: nothing
 * of the host's kernel answers on it or forwards from it.  The frames pass through
 * a packet socket bound to it, whose holder (flamebox-net) stays in the host's
 * namespace.  So the VMM sees no interface of the host, and no rule of the host's
 * firewall or routing is touched.
 */
#ifndef FB_NET_TAP_H
#define FB_NET_TAP_H

#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

/**
 * struct fb_net_tap - A tap and its surroundings; descriptors owned
 * @user_ns:  User namespace that the VMM joins first; -EBADF where root made it
 * @net_ns:   Network namespace with the tap in it
 * @frames:   Packet socket, non-blocking, each frame behind a struct virtio_net_hdr
 */
struct fb_net_tap {
	int user_ns;
	int net_ns;
	int frames;
};

#define FB_NET_TAP_INIT ((struct fb_net_tap){ -EBADF, -EBADF, -EBADF })

/** fb_net_tap_release() - Close; the namespaces end with their last process */
void fb_net_tap_release(struct fb_net_tap *tap);

/**
 * fb_net_tap_make() - Make namespace, tap and socket
 * @name:  Of the tap
 * @owner: User that may open it
 * @mtu:   Of the tap
 * @ret:   Written on success only
 *
 * As root in a network namespace, otherwise in a user namespace as well, in which
 * the caller keeps its user id.
 *
 * Return: 0; -EACCES @owner has no right to /dev/net/tun; -EPERM this host forbids
 * user namespaces; both with the fix as the hint; a negative errno.
 */
int fb_net_tap_make(const char *name, uid_t owner, uint32_t mtu,
		    struct fb_net_tap *ret, struct fb_err *err);

#endif
