/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The SquashFS that is written: file data while layers are read, everything
 * else at the end.  Private to src/rootfs/; libsquashfs behind it.
 */
#ifndef FB_ROOTFS_IMAGE_H
#define FB_ROOTFS_IMAGE_H

#include "rootfs/convert.h"
#include "rootfs/tree.h"

struct fb_image; /* opaque */

/**
 * fb_image_open() - Begin an image
 * @fd:      Empty file (borrowed)
 * @options: Resolved ones (borrowed)
 * @ret:     Image (returned)
 *
 * Starts the compressing threads.
 *
 * Return: 0; -EOPNOTSUPP compression not built in; a negative errno.
 */
int fb_image_open(int fd, const struct fb_rootfs_options *options,
		  struct fb_image **ret, struct fb_err *err);

/** fb_image_begin_file() - The next bytes are those of @inode. Return: 0; negative errno */
int fb_image_begin_file(struct fb_image *image, struct fb_tree_inode *inode,
			struct fb_err *err);

/** fb_image_append() - Bytes; NULL @data = zeroes. Return: 0; -EFBIG; -ENOSPC; … */
int fb_image_append(struct fb_image *image, const void *data, uint64_t len,
		    struct fb_err *err);

/** fb_image_end_file() - Return: 0; negative errno */
int fb_image_end_file(struct fb_image *image, struct fb_err *err);

/**
 * fb_image_finish() - Write inodes, folders and tables from the merged tree
 * @tree: Arena (mutated: links are counted, inodes numbered)
 * @root: Merged root
 * @ret:  @digest, @image_bytes, @inodes, @directories are filled in
 *
 * Return: 0; -E2BIG over SquashFS' limits; -EFBIG; -ENOMEM; -EIO; -ENOSPC.
 */
int fb_image_finish(struct fb_image *image, struct fb_tree *tree,
		    struct fb_tree_node *root, struct fb_rootfs_result *ret,
		    struct fb_err *err);

/** fb_image_free() - Stop the threads and free; the file stays as it is */
void fb_image_free(struct fb_image *image);

#endif
