/* SPDX-License-Identifier: Apache-2.0 */
/* What image.c and image_tables.c share. */
#ifndef FB_ROOTFS_IMAGE_INTERNAL_H
#define FB_ROOTFS_IMAGE_INTERNAL_H

#include <sqfs/block.h>
#include <sqfs/block_processor.h>
#include <sqfs/block_writer.h>
#include <sqfs/compressor.h>
#include <sqfs/dir_writer.h>
#include <sqfs/error.h>
#include <sqfs/frag_table.h>
#include <sqfs/id_table.h>
#include <sqfs/inode.h>
#include <sqfs/io.h>
#include <sqfs/meta_writer.h>
#include <sqfs/super.h>
#include <sqfs/xattr_writer.h>

#include "rootfs/image.h"

/**
 * struct image_file - The library's view of our descriptor
 * @failed: Negative errno of the first failure; the library only knows "I/O"
 */
struct image_file {
	sqfs_file_t base;
	int fd;
	uint64_t size;
	uint64_t max_bytes;
	int failed;
};

/* regular files whose sqfs inode has to be freed */
struct image_file_ref {
	struct image_file_ref *next;
	struct fb_tree_inode *inode;
};

struct fb_image {
	const struct fb_rootfs_options *options;
	struct image_file file;
	struct image_file_ref *files;
	sqfs_super_t super;
	sqfs_compressor_t *cmp;
	sqfs_compressor_t *uncmp;
	sqfs_block_writer_t *blocks;
	sqfs_block_processor_t *processor;
	sqfs_frag_table_t *frags;
	sqfs_id_table_t *ids;
	sqfs_xattr_writer_t *xattrs;
};

/** fb_image_error() - A library error as ours, with the errno behind it */
int fb_image_error(struct fb_image *image, int sqfs_error, const char *what,
		   struct fb_err *err);

/** fb_image_write_tables() - Inodes, folders, fragments, ids, xattrs, superblock */
int fb_image_write_tables(struct fb_image *image, struct fb_tree *tree,
			  struct fb_tree_node *root,
			  struct fb_rootfs_result *ret, struct fb_err *err);

#endif
