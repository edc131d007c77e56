/* SPDX-License-Identifier: Apache-2.0 */
/* What convert.c and reuse.c share; nobody else includes this. */
#ifndef FB_ROOTFS_CONVERT_INTERNAL_H
#define FB_ROOTFS_CONVERT_INTERNAL_H

#include "archive/tar.h"
#include "rootfs/convert.h"
#include "rootfs/image.h"
#include "rootfs/layer.h"
#include "rootfs/reader.h"
#include "rootfs/recipe.h"

/* inodes of a layer, in the order of its entries */
struct fb_inodes {
	struct fb_tree_inode **v;
	size_t count;
	size_t cap;
};

/**
 * struct fb_conversion - State of one fb_rootfs_convert()
 * @chunks:  Buffers of the layer being read and of the next, in turn
 * @ahead:   The next layer's source, opened early, or NULL
 * @recipe:  Where the layers are remembered, or NULL
 */
struct fb_conversion {
	struct fb_rootfs_options options;
	const struct fb_rootfs_layer *layers;
	size_t count;
	struct fb_chunks *chunks[2];
	struct fb_source *ahead;
	struct fb_recipe *recipe;
	struct fb_tree tree;
	struct fb_tree_node *merged;
	struct fb_layer_link *links;
	struct fb_xattr_sets xattrs;
	struct fb_image image;
	struct fb_rootfs_result result;
	uint64_t entries;
	uint64_t file_bytes;
	uint64_t total_bytes;
	uint64_t told_bytes;
};

/**
 * struct fb_reading - What reading one layer needs
 * @source: Its bytes
 * @tap:    The same, remembered as they pass, or NULL
 * @skipped: Files that were hidden
 */
struct fb_reading {
	struct fb_conversion *c;
	struct fb_layer layer;
	struct fb_source *source;
	struct fb_source *tap;
	struct fb_tar *tar;
	struct fb_inodes skipped;
};

/** fb_inodes_add() - Append. Return: 0; -ENOMEM */
int fb_inodes_add(struct fb_inodes *list, struct fb_tree_inode *inode);

/** fb_conversion_check_entry() - Count an entry, against the limits. Return: 0; -EFBIG */
int fb_conversion_check_entry(struct fb_conversion *c,
			      const struct fb_tar_entry *e, struct fb_err *err);

/**
 * fb_reuse_layer() - Take a layer from where an earlier conversion remembered it
 * @rd: Its layer is known; afterwards it is complete, or as before
 *
 * Return: 1 done; 0 that has not all that shows, or is damaged: read the layer;
 * -ENOMEM, -ENOSPC, …
 */
int fb_reuse_layer(struct fb_reading *rd, struct fb_err *err);

#endif
