/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finding what was stored before.  Private to src/rootfs/.  A sum only proposes;
 * bytes decide, so that what is found does not depend on the sum.
 */
#ifndef FB_ROOTFS_DEDUP_H
#define FB_ROOTFS_DEDUP_H

#include "rootfs/output.h"
#include "rootfs/tree.h"

/** struct fb_dedup - Inodes by a sum; zero it to begin */
struct fb_dedup {
	uint32_t *tags;
	struct fb_tree_inode **inodes;
	size_t slot_count;
	size_t used;
};

/** fb_dedup_release() - Free; the inodes are the tree's */
void fb_dedup_release(struct fb_dedup *table);

/** struct fb_dedup_search - A walk over the inodes with one sum */
struct fb_dedup_search {
	const struct fb_dedup *table;
	uint32_t tag;
	size_t at;
	unsigned int found;
};

/** fb_dedup_start() - Begin a walk */
void fb_dedup_start(struct fb_dedup_search *search,
		    const struct fb_dedup *table, uint64_t sum);

/** fb_dedup_next() - The next inode that may be the same. Return: NULL for no more */
struct fb_tree_inode *fb_dedup_next(struct fb_dedup_search *search);

/** fb_dedup_add() - Remember an inode that a finished walk did not find. Return: 0; -ENOMEM */
int fb_dedup_add(struct fb_dedup *table, const struct fb_dedup_search *search,
		 struct fb_tree_inode *inode);

/**
 * fb_dedup_blocks() - Was a file with these blocks stored before?
 * @inode: Complete, its blocks in the image
 * @count: Of its blocks
 * @sum:   Of its packed blocks
 * @fd:    Image
 *
 * Return: 1 yes, @inode->start is that file's; 0 no, it is remembered; -ENOMEM;
 * -EIO.
 */
int fb_dedup_blocks(struct fb_dedup *table, struct fb_tree_inode *inode,
		    size_t count, uint64_t sum, int fd);

#endif
