/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A layer's uncompressed bytes, read, inflated and hashed by threads of their
 * own while the calling thread parses and hands on.  Private to src/rootfs/.
 */
#ifndef FB_ROOTFS_READER_H
#define FB_ROOTFS_READER_H

#include "archive/inflate.h"
#include "archive/source.h"
#include "rootfs/convert.h"
#include "rootfs/hold.h"

struct fb_chunks; /* opaque */

/**
 * fb_chunks_new() - Buffers that one reader after another fills
 *
 * Return: buffers (returned), NULL out of memory.  Free them when no reader uses
 * them and every hold was put.
 */
struct fb_chunks *fb_chunks_new(void);

/** fb_chunks_free() - Free; NULL is fine */
void fb_chunks_free(struct fb_chunks *chunks);

/**
 * struct fb_reader_totals - What a layer amounted to
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
 * @chunks:  Buffers (borrowed), no other reader's that is open
 * @ret:     Source of tar bytes (returned); free it with fb_source_free()
 *
 * Return: 0; a negative errno.
 */
int fb_reader_open(const struct fb_rootfs_layer *layer,
		   const struct fb_rootfs_options *options, bool verify,
		   struct fb_chunks *chunks, struct fb_source **ret,
		   struct fb_err *err);

/** fb_reader_hold() - What keeps the bytes of the last view alive */
struct fb_hold *fb_reader_hold(struct fb_source *src);

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

/** fb_reader_kind() - What the bytes turned out to be, once some were read */
enum fb_compression fb_reader_kind(struct fb_source *src);

#endif
