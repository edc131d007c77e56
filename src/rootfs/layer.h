/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One layer laid out alone: what an overlay calls an upper.  Private to
 * src/rootfs/.  The rules, each with what decides it, are in
 * docs/layer-semantics.md; numbers in the code refer to it.
 */
#ifndef FB_ROOTFS_LAYER_H
#define FB_ROOTFS_LAYER_H

#include "archive/tar.h"
#include "rootfs/convert.h"
#include "rootfs/tree.h"
#include "rootfs/xattrs.h"

/**
 * struct fb_layer_link - A hard link whose target is not in its own layer
 * @inode:  The link's; gets an alias when the target is found
 * @path:   Of the target from the root, cleaned, no leading slash; in the arena
 * @name:   Of the link, for messages; in the arena
 * @layer:  The link's, counted from 1
 */
struct fb_layer_link {
	struct fb_layer_link *next;
	struct fb_tree_inode *inode;
	const char *path;
	const char *name;
	size_t layer;
};

/**
 * struct fb_layer - State while a layer is read
 * @tree:    Arena and table (borrowed)
 * @xattrs:  Sets of the whole image (borrowed)
 * @root:    Of this layer
 * @pseudo:  Folder of what aufs kept hard links by; in no tree, or NULL
 * @links:   Links into lower layers, of this layer and of those above
 * @number:  From 1, base first
 * @entries: Read so far, which is the next one's ordinal
 * @result:  Counters (borrowed)
 */
struct fb_layer {
	struct fb_tree *tree;
	struct fb_xattr_sets *xattrs;
	struct fb_tree_node *root;
	struct fb_tree_node *pseudo;
	struct fb_layer_link **links;
	size_t number;
	uint32_t entries;
	struct fb_rootfs_result *result;
};

/**
 * fb_layer_apply() - Put one entry into the layer
 * @layer: Layer (borrowed, mutated)
 * @entry: Entry (borrowed)
 * @ret_node: The node of a regular file whose body comes next; otherwise NULL.
 *          It is dead where only a link may need the body
 *
 * Return: 0; -EBADMSG an entry that means nothing; -E2BIG a name over 255 bytes
 * or a path over 4095; -ELOOP; -ENOMEM.
 */
int fb_layer_apply(struct fb_layer *layer, const struct fb_tar_entry *entry,
		   struct fb_tree_node **ret_node, struct fb_err *err);

/**
 * fb_layer_open_link() - Remember a link whose target lies in a lower layer
 * @layer: The link's
 * @path:  Of the target, resolved
 * @name:  Of the link
 * @ret:   Its inode, which stands for the target's
 *
 * Return: 0; -ENOMEM.
 */
int fb_layer_open_link(struct fb_layer *layer, const char *path,
		       const char *name, struct fb_tree_inode **ret);

/**
 * fb_layer_resolve_links() - Look the open links of upper layers up in this one
 * @layer: Complete layer; its own links are left alone
 *
 * Return: 0; -EBADMSG a link to a folder, or to what is hidden.
 */
int fb_layer_resolve_links(struct fb_layer *layer, struct fb_err *err);

/**
 * fb_layer_link_error() - The text for a link that leads nowhere
 *
 * Return: -EBADMSG.
 */
int fb_layer_link_error(const struct fb_layer_link *link, const char *why,
			struct fb_err *err);

/**
 * fb_layer_is_hidden() - Does what lies above hide this node of a layer?
 * @tree:  Arena and table
 * @above: Root of the merged upper layers
 * @node:  Node of the layer below, no folder; dead ones are
 */
bool fb_layer_is_hidden(const struct fb_tree *tree,
			const struct fb_tree_node *above,
			const struct fb_tree_node *node);

/**
 * fb_layer_merge() - Put the merged upper layers over a complete layer
 * @tree:  Arena and table
 * @above: Root of the merged upper layers; afterwards includes @layer
 * @layer: Root of the layer; used up
 *
 * Return: 0; -ENOMEM.
 */
int fb_layer_merge(struct fb_tree *tree, struct fb_tree_node *above,
		   struct fb_tree_node *layer);

#endif
