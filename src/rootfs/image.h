/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The SquashFS that is written: file data while layers are read, everything
 * else at the end.  Private to src/rootfs/.
 */
#ifndef FB_ROOTFS_IMAGE_H
#define FB_ROOTFS_IMAGE_H

#include "rootfs/data.h"
#include "rootfs/xattrs.h"

/** struct fb_image - An image being made; zero it to begin */
struct fb_image {
	const struct fb_rootfs_options *options;
	struct fb_sqfs_output out;
	struct fb_codec *codec;
	struct fb_data data;
};

/**
 * fb_image_open() - Begin an image
 * @image:   Zeroed; release with fb_image_release() also on failure
 * @fd:      Empty file (borrowed)
 * @options: Resolved ones (borrowed)
 * @tree:    Arena (borrowed)
 *
 * Starts the packing threads.  File data goes to @image->data.
 *
 * Return: 0; a negative errno.
 */
int fb_image_open(struct fb_image *image, int fd,
		  const struct fb_rootfs_options *options, struct fb_tree *tree,
		  struct fb_err *err);

/**
 * fb_image_finish() - Write inodes, folders and tables from the merged tree
 * @root: Merged root (mutated: links are counted, inodes numbered)
 * @ret:  @digest, @image_bytes, @inodes, @directories are filled in
 *
 * Return: 0; -E2BIG over SquashFS' limits; -EFBIG; -ENOMEM; -EIO; -ENOSPC.
 */
int fb_image_finish(struct fb_image *image, struct fb_tree_node *root,
		    struct fb_rootfs_result *ret, struct fb_err *err);

/** fb_image_release() - Stop the threads and free; the file stays as it is */
void fb_image_release(struct fb_image *image);

#endif
