/* SPDX-License-Identifier: Apache-2.0 */
/* A recipe's file, as it lies in memory.  Private to src/rootfs/recipe*.c. */
#ifndef FB_ROOTFS_RECIPE_FORMAT_H
#define FB_ROOTFS_RECIPE_FORMAT_H

#include "rootfs/convert.h"

#define FB_RECIPE_MAGIC 0x31657069636572ull

/**
 * struct fb_recipe_head - At the file's start
 * @libraries: Versions of zstd, lz4, zlib: another one packs otherwise
 */
struct fb_recipe_head {
	uint64_t magic;
	uint32_t version;
	uint32_t compression;
	int32_t level;
	uint32_t block_bytes;
	uint32_t libraries[3];
	uint32_t unused;
	uint64_t table_start;
	uint64_t layer_count;
};

/** struct fb_recipe_layer - In the table */
struct fb_recipe_layer {
	struct fb_digest diff_id;
	uint64_t tar_start;
	uint64_t tar_bytes;
	uint64_t bodies_start;
	uint64_t bodies_bytes;
};

/** struct fb_recipe_piece - So much was passed over, then so much is kept, and follows */
struct fb_recipe_piece {
	uint64_t passed;
	uint64_t kept;
};

/** fb_recipe_head() - The head of a recipe made with these options, no layers in it */
void fb_recipe_head(const struct fb_rootfs_options *options,
		    struct fb_recipe_head *ret);

#endif
