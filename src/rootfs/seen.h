/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Small files by their SHA-256, of which 128 bits are kept: equal ones are found
 * without their bytes being looked at again.  Private to src/rootfs/.
 */
#ifndef FB_ROOTFS_SEEN_H
#define FB_ROOTFS_SEEN_H

#include "base/hash.h"
#include "rootfs/tree.h"

/** struct fb_seen_key - What is kept of a sum */
struct fb_seen_key {
	uint64_t high;
	uint64_t low;
};

struct fb_seen_slot {
	struct fb_seen_key key;
	struct fb_tree_inode *inode; /* NULL: free */
};

/** struct fb_seen - Open addressing; zero it to begin */
struct fb_seen {
	struct fb_hash *hash;
	struct fb_seen_slot *slots;
	size_t slot_count;
	size_t used;
};

/** fb_seen_release() - Free; the inodes are the tree's */
void fb_seen_release(struct fb_seen *seen);

/**
 * fb_seen_find() - Was a file with these bytes seen?
 * @ret_key: For fb_seen_add()
 * @ret:     Its inode, or NULL
 *
 * Return: 0; -ENOMEM; -EIO.
 */
int fb_seen_find(struct fb_seen *seen, const void *bytes, size_t len,
		 struct fb_seen_key *ret_key, struct fb_tree_inode **ret);

/** fb_seen_add() - Remember a file that was not found. Return: 0; -ENOMEM */
int fb_seen_add(struct fb_seen *seen, const struct fb_seen_key *key,
		struct fb_tree_inode *inode);

#endif
