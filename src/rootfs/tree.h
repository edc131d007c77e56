/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tree that layers merge into.  Private to src/rootfs/.
 *
 * Nodes are names, inodes are what they name; a hard link is a second node with
 * the same inode.  Everything lives in an arena that is freed as a whole: what a
 * layer hides is small beside what it keeps.  Children are found through one
 * hash table keyed by parent and name, and listed through sibling pointers.
 */
#ifndef FB_ROOTFS_TREE_H
#define FB_ROOTFS_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/err.h"

#define FB_TREE_NAME_MAX 255
#define FB_TREE_SYMLINKS_MAX 255

struct sqfs_inode_generic_t;

/** struct fb_tree_xattr - One attribute; lives in the arena */
struct fb_tree_xattr {
	struct fb_tree_xattr *next;
	const char *name;
	const uint8_t *value;
	size_t value_len;
};

/**
 * struct fb_tree_inode - What a name names
 * @alias:    Of a link into a lower layer, once it is resolved; else NULL
 * @mode:     With the type bits; 0 while a link into a lower layer is open
 * @target:   Of a symbolic link
 * @file:     Made by the block processor for a regular file
 * @ordinal:  Of the entry in its layer, to find its body again
 * @skipped:  The body was not read, because the name was hidden
 * @wanted:   It is needed all the same
 * @links:    Names in the image (counted when it is written)
 * @number, @ref: In the image; 0 until written
 */
struct fb_tree_inode {
	struct fb_tree_inode *alias;
	struct sqfs_inode_generic_t *file;
	const char *target;
	struct fb_tree_xattr *xattrs;
	uint64_t ordinal;
	uint64_t ref;
	uint32_t mode;
	uint32_t uid;
	uint32_t gid;
	uint32_t mtime_s;
	uint32_t dev_major;
	uint32_t dev_minor;
	uint32_t links;
	uint32_t number;
	bool skipped;
	bool wanted;
};

/**
 * struct fb_tree_node - A name
 * @inode:    NULL where there is only a whiteout
 * @opaque:   Of a folder: nothing of lower layers shows in it
 * @attrs:    Of a folder: mode, owner, … were set; not where it is implied
 * @whiteout: The name is hidden in lower layers
 * @dead:     Replaced or taken out; skipped everywhere
 */
struct fb_tree_node {
	struct fb_tree_node *parent;
	struct fb_tree_node *sibling;
	struct fb_tree_node *child;
	struct fb_tree_inode *inode;
	const char *name;
	uint32_t hash;
	uint16_t name_len;
	bool opaque : 1;
	bool attrs : 1;
	bool whiteout : 1;
	bool dead : 1;
};

struct fb_tree_chunk;

struct fb_tree {
	struct fb_tree_chunk *chunks;
	struct fb_tree_node **slots;
	size_t slot_count; /* a power of two */
	size_t used;
};

/** fb_tree_init() - Return: 0; -ENOMEM */
int fb_tree_init(struct fb_tree *tree);

/** fb_tree_release() - Free everything, the files' inodes excepted */
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

/** fb_tree_add() - A new child, which is not there yet. Return: NULL out of memory */
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

#endif
