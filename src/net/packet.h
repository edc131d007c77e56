/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frames of a tap through a packet socket (net/tap.h), in the form of a stream: each
 * behind its length, 4 bytes, big endian.
 */
#ifndef FB_NET_PACKET_H
#define FB_NET_PACKET_H

#include <linux/virtio_net.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/** fb_net_is_packet() - Is it a packet socket? */
bool fb_net_is_packet(int fd);

/**
 * fb_net_packet_checksum() - Do what the guest left to its device.  Pure
 * @header: Of the frame (borrowed), any bytes
 * @frame:  Frame, changed
 * @len:    Its bytes
 *
 * A guest leaves the checksum of TCP and UDP to the device; nobody behind us will
 * compute it.
 *
 * Return: 0; -EBADMSG the header does not fit the frame.
 */
int fb_net_packet_checksum(const struct virtio_net_hdr *header, uint8_t *frame,
			   size_t len);

/**
 * fb_net_packet_take() - Read the frames that are there, a few dozen at most
 * @fd:   Packet socket, non-blocking (borrowed)
 * @data: Stream, appended to
 * @len:  Bytes in it, changed
 * @size: Room in all
 *
 * What is too long or does not make sense is dropped.
 *
 * Return: 0; -EPIPE the tap is gone; another negative errno.
 */
int fb_net_packet_take(int fd, uint8_t *data, size_t *len, size_t size);

/**
 * fb_net_packet_send() - Send whole frames
 * @fd:   Packet socket, non-blocking (borrowed)
 * @data: Stream of whole frames (borrowed)
 * @len:  Bytes
 *
 * A frame that can't be sent for another reason than want of room is dropped.
 *
 * Return: bytes of the frames that are done with, 0 where there is no room now.
 */
size_t fb_net_packet_send(int fd, const uint8_t *data, size_t len);

#endif
