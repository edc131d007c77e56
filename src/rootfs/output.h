/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The image file, and metadata streams into it.  Private to src/rootfs/.
 */
#ifndef FB_ROOTFS_OUTPUT_H
#define FB_ROOTFS_OUTPUT_H

#include "base/str.h"
#include "rootfs/codec.h"
#include "rootfs/format.h"

/**
 * struct fb_sqfs_output - The image file, written from its start to its end
 * @fd:   File (borrowed)
 * @pos:  Where the next byte goes
 * @max_bytes: What @pos may reach
 * @buf:  Bytes that are not in the file yet, before @pos
 * @used: Of @buf
 * @written_out: The disk was told to begin with what is before it
 */
struct fb_sqfs_output {
	int fd;
	uint64_t pos;
	uint64_t max_bytes;
	uint8_t *buf;
	size_t used;
	uint64_t written_out;
};

/** fb_sqfs_output_open() - Begin at @pos. Return: 0; -ENOMEM */
int fb_sqfs_output_open(struct fb_sqfs_output *out, int fd, uint64_t pos,
			uint64_t max_bytes);

/** fb_sqfs_output_release() - Free; what was not flushed is lost */
void fb_sqfs_output_release(struct fb_sqfs_output *out);

/** fb_sqfs_output_write() - Append. Return: 0; -EFBIG with a hint; -ENOSPC; -EIO; … */
int fb_sqfs_output_write(struct fb_sqfs_output *out, const void *data,
			 size_t len, struct fb_err *err);

/** fb_sqfs_output_check() - Does the image fit at @size bytes? Return: 0; -EFBIG with a hint */
int fb_sqfs_output_check(const struct fb_sqfs_output *out, uint64_t size,
			 struct fb_err *err);

/** fb_sqfs_output_flush() - Everything into the file. Return: as fb_sqfs_output_write() */
int fb_sqfs_output_flush(struct fb_sqfs_output *out, struct fb_err *err);

/**
 * struct fb_meta - A stream of metadata: packed blocks of 8 KiB
 * @out:    Where they go, or NULL: to @kept
 * @kept:   Packed blocks, for streams that are written later
 * @bytes:  Of packed blocks so far: the position of the block being filled
 * @used:   Bytes in it
 * @locations: Positions in the image of every block, where @locate is set
 */
struct fb_meta {
	struct fb_codec *codec;
	struct fb_sqfs_output *out;
	struct fb_str kept;
	uint64_t bytes;
	uint32_t used;
	bool locate;
	struct fb_str locations;
	uint8_t block[SQ_META_SIZE];
	uint8_t packed[2 + SQ_META_SIZE];
};

/** fb_meta_init() - @out as in the struct; release with fb_meta_release() */
void fb_meta_init(struct fb_meta *meta, struct fb_codec *codec,
		  struct fb_sqfs_output *out);
void fb_meta_release(struct fb_meta *meta);

/** fb_meta_write() - Append. Return: 0; -ENOMEM; as fb_sqfs_output_write() */
int fb_meta_write(struct fb_meta *meta, const void *data, size_t len,
		  struct fb_err *err);

/** fb_meta_flush() - End the block being filled. Return: as fb_meta_write() */
int fb_meta_flush(struct fb_meta *meta, struct fb_err *err);

/** fb_meta_ref() - Where the next byte will be: block << 16 | offset */
static inline uint64_t fb_meta_ref(const struct fb_meta *meta)
{
	return meta->bytes << 16 | meta->used;
}

#endif
