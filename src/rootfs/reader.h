/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A layer's uncompressed bytes, read, inflated and hashed by a thread of their
 * own while the calling thread parses and hands on.  Private to src/rootfs/.
 */
#ifndef FB_ROOTFS_READER_H
#define FB_ROOTFS_READER_H

#include "archive/source.h"
#include "rootfs/convert.h"

/**
 * struct fb_reader_totals - What a layer amounted to; valid after _finish()
 * @packed_bytes: As stored
 * @plain_bytes:  Inflated
 */
struct fb_reader_totals {
	uint64_t packed_bytes;
	uint64_t plain_bytes;
};

/**
 * fb_reader_open() - Start reading a layer
 * @layer:   Which (borrowed)
 * @options: Resolved ones (borrowed)
 * @verify:  Hash and check digests; not for a second reading
 * @ret:     Source of tar bytes (returned); free it with fb_source_free()
 *
 * Return: 0; a negative errno.
 */
int fb_reader_open(const struct fb_rootfs_layer *layer,
		   const struct fb_rootfs_options *options, bool verify,
		   struct fb_source **ret, struct fb_err *err);

/**
 * fb_reader_finish() - After the source gave its end: check what it was
 * @src: Source of fb_reader_open()
 * @ret: Totals; written on success only
 *
 * Return: 0; -EBADMSG digest, size or diff_id is another.
 */
int fb_reader_finish(struct fb_source *src, struct fb_reader_totals *ret,
		     struct fb_err *err);

/** fb_reader_packed_bytes() - Packed bytes read so far, for progress */
uint64_t fb_reader_packed_bytes(struct fb_source *src);

#endif
