/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The user-mode network, in a process of its own: libslirp on the machine's frames.
 *
 * QEMU has libslirp too, but there it runs inside the VMM, which then needs the
 * network, and it lends the gateway's address to the host's loopback.  passt 2023-03
 * (Debian 12's) sends bytes twice on a connection that the guest has half closed.
 */
#ifndef FB_NET_SLIRP_H
#define FB_NET_SLIRP_H

#include <stdbool.h>

#define FB_NET_SLIRP_PROGRAM "flamebox-net"
#define FB_NET_SLIRP_STREAM_FD 3

/**
 * struct fb_net_slirp_options - What the program serves
 * @fd:     Stream of the machine's frames, each behind its length (4 bytes, big
 *          endian), or packet socket of net/tap.h; non-blocking from now on
 *          (borrowed)
 * @v4, @v6: Families that the host has a route in
 */
struct fb_net_slirp_options {
	int fd;
	bool v4;
	bool v6;
};

/**
 * fb_net_slirp_run() - Be the network of one machine until its stream ends
 * @options: See above
 *
 * The guest has the addresses of net/user.h.  Frames that net/guard.h does not
 * allow are dropped, and nothing reaches the host's loopback.  Bounds: a few
 * frames of 64 KiB are queued each way; what does not fit is dropped, as on any
 * wire; the connections, by the process's limit of descriptors.
 *
 * Return: 0 at the stream's end; -EMSGSIZE it is no stream of frames; another
 * negative errno.
 */
int fb_net_slirp_run(const struct fb_net_slirp_options *options);

#endif
