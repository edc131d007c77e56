/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Packing blocks, one at a time, each on its own.  Private to src/rootfs/.  A
 * block's packed bytes depend on nothing but the block, the kind and the level.
 */
#ifndef FB_ROOTFS_CODEC_H
#define FB_ROOTFS_CODEC_H

#include "rootfs/convert.h"

struct fb_codec; /* opaque; one a thread */

/**
 * fb_codec_new() - A context for packing and unpacking
 * @options: Resolved ones (borrowed)
 *
 * Return: context (returned), NULL out of memory.
 */
struct fb_codec *fb_codec_new(const struct fb_rootfs_options *options);

/** fb_codec_free() - Free; NULL is fine */
void fb_codec_free(struct fb_codec *codec);

/**
 * fb_codec_pack() - Pack a block, if that makes it smaller
 * @codec: Context (mutated)
 * @in:    Bytes (borrowed), @len of them, at least 1
 * @out:   Room for @len bytes
 *
 * Return: bytes in @out, less than @len; 0 it does not get smaller; -EIO.
 */
int fb_codec_pack(struct fb_codec *codec, const void *in, uint32_t len,
		  void *out);

/**
 * fb_codec_unpack() - The reverse
 * @room: Of @out
 *
 * Return: bytes in @out; -EIO; -ENOMEM.
 */
int fb_codec_unpack(struct fb_codec *codec, const void *in, uint32_t len,
		    void *out, uint32_t room);

/** fb_codec_id() - What the superblock calls it */
unsigned int fb_codec_id(enum fb_rootfs_compression kind);

#endif
