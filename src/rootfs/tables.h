/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What follows the file data in a SquashFS.  Private to src/rootfs/.
 */
#ifndef FB_ROOTFS_TABLES_H
#define FB_ROOTFS_TABLES_H

#include "rootfs/data.h"
#include "rootfs/xattrs.h"

/** struct fb_ids - Users and groups that occur, in the order they came */
struct fb_ids {
	uint32_t *v;
	uint32_t count;
	uint32_t *slots; /* index + 1 into @v by id; 0 empty */
};

/**
 * struct fb_tables - State while tables are written
 * @inodes, @listings: Streams; listings are kept, since the inodes come first
 * @sets:    Sets of xattrs that occur, in the order they came
 * @codec, @out: Borrowed
 */
struct fb_tables {
	struct fb_sqfs_output *out;
	struct fb_codec *codec;
	struct fb_tree *tree;
	struct fb_meta inodes;
	struct fb_meta listings;
	struct fb_ids ids;
	struct fb_xattr_set **sets;
	uint32_t set_count;
	uint32_t set_cap;
	uint32_t block_bytes;
	uint64_t directories;
	uint32_t inode_count;
};

/** struct fb_table_places - Where the tables are; SQ_NONE64 one that is not there */
struct fb_table_places {
	uint64_t inodes;
	uint64_t listings;
	uint64_t fragments;
	uint64_t ids;
	uint64_t xattrs;
	uint64_t root_ref;
};

/** fb_ids_index() - Number of an id. Return: 0; -E2BIG over 65,535; -ENOMEM */
int fb_ids_index(struct fb_ids *ids, uint32_t id, uint16_t *ret,
		 struct fb_err *err);
void fb_ids_release(struct fb_ids *ids);

/**
 * fb_tables_tree() - Write inodes and listings of a tree
 * @t:    Streams are ready
 * @root: Mutated
 *
 * Return: 0; -E2BIG; -EFBIG; -ENOMEM; -EIO; -ENOSPC.
 */
int fb_tables_tree(struct fb_tables *t, struct fb_tree_node *root,
		   struct fb_err *err);

/** struct fb_dir_index - Of a long listing, an entry for each metadata block */
struct fb_dir_index {
	uint32_t count;
	uint32_t cap;
	struct fb_dir_index_entry {
		uint32_t offset; /* in the listing */
		uint32_t block;	 /* position of the metadata block */
		const struct fb_tree_node *first;
	} v[];
};

/**
 * fb_listing_write() - Write a folder's listing
 * @children: Sorted, their inodes written
 * @dir:      Its @size, @start and @index are set
 *
 * Return: as fb_tables_tree().
 */
int fb_listing_write(struct fb_tables *t, struct fb_tree_node *const *children,
		     size_t count, struct fb_tree_inode *dir,
		     struct fb_err *err);

/**
 * fb_inode_write() - Write one inode
 * @inode:  Complete and numbered; its @ref is set
 * @parent: Number of a folder's parent
 *
 * Return: as fb_tables_tree().
 */
int fb_inode_write(struct fb_tables *t, struct fb_tree_inode *inode,
		   uint32_t parent, struct fb_err *err);

/** fb_tables_fragments() - Return: as fb_tables_tree() */
int fb_tables_fragments(struct fb_tables *t, const struct fb_fragments *f,
			uint64_t *ret_place, struct fb_err *err);

/** fb_tables_ids() - Return: as fb_tables_tree() */
int fb_tables_ids(struct fb_tables *t, uint64_t *ret_place, struct fb_err *err);

/** fb_tables_xattrs() - Return: as fb_tables_tree() */
int fb_tables_xattrs(struct fb_tables *t, uint64_t *ret_place,
		     struct fb_err *err);

#endif
