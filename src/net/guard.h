/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a machine may send to its user-mode network.
 *
 * Such a network opens host sockets to whatever address a guest's packet names, for
 * 127.0.0.1 and ::1 as well: a guest whose root forges such packets would reach
 * services that listen on the host's loopback only.  No such frame gets through.
 */
#ifndef FB_NET_GUARD_H
#define FB_NET_GUARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Most bytes of a frame: 64 KiB of packet and an Ethernet header */
#define FB_NET_FRAME_MAX (65536u + 18u)

/**
 * fb_net_frame_allowed() - May this frame of a guest go out?  Pure
 * @frame: Ethernet frame (borrowed), any bytes
 * @len:   Count
 *
 * ARP, IPv4 and IPv6 only, and nothing to or from loopback or the unspecified
 * address, also where an IPv6 address holds such an IPv4 one; DHCP's packets
 * from the unspecified address are of no use here and go too.  IPv6's neighbour
 * discovery from "::" passes, being multicast.
 */
bool fb_net_frame_allowed(const uint8_t *frame, size_t len);

/**
 * fb_net_guard_filter() - Take what is not allowed out of a stream.  Pure
 * @data:      Frames, each behind its length (4 bytes, big endian); changed
 * @len:       Bytes, changed: those that are left
 * @ret_whole: Of those, bytes of whole frames, all allowed; the rest is the
 *             beginning of a frame
 *
 * Return: 0; -EMSGSIZE a frame over FB_NET_FRAME_MAX: the stream is of no use.
 */
int fb_net_guard_filter(uint8_t *data, size_t *len, size_t *ret_whole);

#endif
