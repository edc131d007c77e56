/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sets of extended attributes, each kept once however many files have it (a
 * label on every file of an image is one set).  Private to src/rootfs/.
 */
#ifndef FB_ROOTFS_XATTRS_H
#define FB_ROOTFS_XATTRS_H

#include "archive/tar.h"
#include "rootfs/convert.h"
#include "rootfs/tree.h"

/**
 * struct fb_xattr - One attribute
 * @name:      With its namespace
 * @name_len:  Of @name
 * @value_len: Of @value
 */
struct fb_xattr {
	const char *name;
	const uint8_t *value;
	uint32_t name_len;
	uint32_t value_len;
};

/**
 * struct fb_xattr_set - Attributes of a file, in the order of their names
 * @chain: With the same slot
 * @index: In the image; UINT32_MAX until it is written
 */
struct fb_xattr_set {
	struct fb_xattr_set *chain;
	uint32_t hash;
	uint32_t index;
	uint32_t count;
	struct fb_xattr v[];
};

/** struct fb_xattr_sets - All there are; zero it to begin, free slots at the end */
struct fb_xattr_sets {
	struct fb_xattr_set **slots;
	size_t slot_count;
	size_t count;
};

/** fb_xattr_sets_release() - Free; the sets themselves are the arena's */
void fb_xattr_sets_release(struct fb_xattr_sets *sets);

/**
 * fb_xattrs_keep() - The set for a tar entry's attributes
 * @sets:   Mutated
 * @tree:   Arena
 * @entry:  Entry (borrowed)
 * @result: Counters of what is left out
 * @ret:    Set in the arena, NULL for none
 *
 * Left out are namespaces that SquashFS does not hold, and "trusted.overlay.",
 * which would speak to the guest's overlay.
 *
 * Return: 0; -ENOMEM.
 */
int fb_xattrs_keep(struct fb_xattr_sets *sets, struct fb_tree *tree,
		   const struct fb_tar_entry *entry,
		   struct fb_rootfs_result *result,
		   const struct fb_xattr_set **ret);

#endif
