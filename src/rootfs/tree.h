/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tree that layers merge into.  Private to src/rootfs/.
 *
 * Nodes are names, inodes are what they name; a hard link is a second node with
 * the same inode.  Everything lives in an arena that is freed as a whole: what a
 * layer hides is small beside what it keeps.  Children are found through one
 * hash table keyed by parent and name, and listed through sibling pointers.
 *
 * An image may have millions of files, so what there is one of for each of them
 * is kept small: 80 bytes an inode, 40 and the name a node, 8 to 20 in the table.
 */
#ifndef FB_ROOTFS_TREE_H
#define FB_ROOTFS_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/err.h"

#define FB_TREE_NAME_MAX 255
#define FB_TREE_PATH_MAX 4095 /* Linux' PATH_MAX without the NUL */
#define FB_TREE_SYMLINKS_MAX 255
#define FB_TREE_NO_FRAGMENT UINT32_MAX

struct fb_xattr_set;
struct fb_dir_index;

/**
 * struct fb_tree_inode - What a name names
 * @alias:    With @mode 0, a link into a lower layer: what it turned out to be
 *            linked to, NULL while that is not known
 * @target:   Of a symbolic link
 * @blocks:   Of a file: what each block takes in the image, as SquashFS says it
 * @index:    Of a folder: its listing's index, or NULL
 * @dev:      Of a device
 * @xattrs:   In the arena, NULL for none
 * @size:     Of a file; of a folder's listing
 * @start:    Of a file's first block in the image; position of a folder's listing
 * @ref:      Position in the inode table, once @written
 * @fragment: That holds the file's bytes if it is small
 * @fragment_offset: In it
 * @ordinal:  Of the entry in its layer, to find its body again
 * @links:    Names in the image (counted when it is written)
 * @number:   In the image, 0 until it has one
 * @mode:     With the type bits
 * @wanted:   It shows: a body that was skipped is needed all the same
 */
struct fb_tree_inode {
	union {
		struct fb_tree_inode *alias;
		const char *target;
		uint32_t *blocks;
		const struct fb_dir_index *index;
		struct {
			uint32_t major;
			uint32_t minor;
		} dev;
	};
	const struct fb_xattr_set *xattrs;
	uint64_t size;
	uint64_t start;
	uint64_t ref;
	uint32_t fragment;
	uint32_t fragment_offset;
	uint32_t ordinal;
	uint32_t uid;
	uint32_t gid;
	uint32_t mtime_s;
	uint32_t links;
	uint32_t number;
	uint16_t mode;
	bool wanted : 1;
	bool written : 1;
};

/**
 * struct fb_tree_node - A name
 * @inode:    NULL where there is only a whiteout
 * @opaque:   Of a folder: nothing of lower layers shows in it
 * @attrs:    Of a folder: mode, owner, … were set; not where it is implied
 * @whiteout: The name is hidden in lower layers
 * @dead:     Replaced or taken out; skipped everywhere
 * @name:     With a NUL behind it
 */
struct fb_tree_node {
	struct fb_tree_node *parent;
	struct fb_tree_node *sibling;
	struct fb_tree_node *child;
	struct fb_tree_inode *inode;
	uint32_t hash;
	uint8_t name_len;
	bool opaque : 1;
	bool attrs : 1;
	bool whiteout : 1;
	bool dead : 1;
	char name[];
};

struct fb_tree_chunk;

/**
 * struct fb_tree - Arena and table
 * @bytes:      Of the arena
 * @link_bytes: Of what symbolic links left to be walked, in all
 */
struct fb_tree {
	struct fb_tree_chunk *chunks;
	uint64_t bytes;
	uint64_t link_bytes;
	struct fb_tree_node **slots;
	size_t slot_count; /* a power of two */
	size_t used;
};

/** fb_tree_init() - Return: 0; -ENOMEM */
int fb_tree_init(struct fb_tree *tree);

/** fb_tree_release() - Free everything */
void fb_tree_release(struct fb_tree *tree);

/** fb_tree_alloc() - Zeroed memory of the arena. Return: NULL out of memory */
void *fb_tree_alloc(struct fb_tree *tree, size_t size);

/** fb_tree_memdup() - A copy in the arena with a NUL behind it. Return: NULL out of memory */
void *fb_tree_memdup(struct fb_tree *tree, const void *data, size_t len);

/** fb_tree_root() - A new root folder, implied. Return: NULL out of memory */
struct fb_tree_node *fb_tree_root(struct fb_tree *tree);

/** fb_tree_find() - A child by name. Return: NULL where there is none */
struct fb_tree_node *fb_tree_find(const struct fb_tree *tree,
				  const struct fb_tree_node *parent,
				  const char *name, size_t len);

/**
 * fb_tree_add() - A new child, which is not there yet
 * @len: At most FB_TREE_NAME_MAX
 *
 * Return: NULL out of memory.
 */
struct fb_tree_node *fb_tree_add(struct fb_tree *tree,
				 struct fb_tree_node *parent, const char *name,
				 size_t len);

/** fb_tree_take_out() - Mark a node dead; its children go with it */
void fb_tree_take_out(struct fb_tree *tree, struct fb_tree_node *node);

/** fb_tree_move() - Give a node another parent, which has no such name. Return: 0; -ENOMEM */
int fb_tree_move(struct fb_tree *tree, struct fb_tree_node *node,
		 struct fb_tree_node *parent);

/** fb_tree_is_dir() - The node is a folder */
static inline bool fb_tree_is_dir(const struct fb_tree_node *node)
{
	return node->inode && S_ISDIR(node->inode->mode);
}

/** fb_tree_inode() - A node's inode, links into lower layers followed */
struct fb_tree_inode *fb_tree_inode(const struct fb_tree_node *node);

/**
 * fb_tree_make_dir() - Turn a node without inode into an implied folder
 *
 * Return: 0; -ENOMEM.
 */
int fb_tree_make_dir(struct fb_tree *tree, struct fb_tree_node *node);

/** fb_tree_path_len() - Bytes of a node's path from the root, without a leading slash */
size_t fb_tree_path_len(const struct fb_tree_node *node);

/**
 * fb_tree_next() - The node after @node in a walk over @top and all below it
 * @enter: Go into @node's children
 *
 * The walk is pre-order and needs no memory, dead nodes are in it: a tree can
 * be deeper than a stack, and what was replaced may still have links.
 *
 * Return: NULL at the end.
 */
struct fb_tree_node *fb_tree_next(const struct fb_tree_node *top,
				  const struct fb_tree_node *node, bool enter);

#endif
