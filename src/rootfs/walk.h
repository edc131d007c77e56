/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of tar entries to places in a layer's tree.  Private to src/rootfs/.
 */
#ifndef FB_ROOTFS_WALK_H
#define FB_ROOTFS_WALK_H

#include "rootfs/tree.h"

#define FB_WHITEOUT_PREFIX ".wh."

/**
 * struct fb_place - Where a name is, its last component apart
 * @path:    The name, cleaned: no ".", "..", doubled slashes
 * @dir:     Deepest folder on the way that is there
 * @missing: What follows below @dir and is not there, "a/b" or ""
 * @last:    The last component, in @path; "" for the root
 */
struct fb_place {
	char path[FB_TREE_PATH_MAX + 1];
	char missing[FB_TREE_PATH_MAX + 1];
	struct fb_tree_node *dir;
	const char *last;
};

/**
 * fb_place_find() - Walk to where a name is
 * @tree:  Table (borrowed, counts what links cost)
 * @root:  Of the layer
 * @name:  As it stands in the archive
 * @ret:   Written also on failure, then without meaning
 *
 * Parents are resolved through the layer's own symbolic links, inside the root;
 * the last component is not (rules 1 and 2).
 *
 * Return: 0; 1 a parent has a reserved name (".wh."): the entry means nothing;
 * -EBADMSG a parent is a file; -E2BIG over Linux' limits; -ELOOP; -ENOMEM.
 */
int fb_place_find(struct fb_tree *tree, struct fb_tree_node *root,
		  const char *name, struct fb_place *ret, struct fb_err *err);

/** fb_place_make() - Make the missing folders, implied (rule 3). Return: 0; -E2BIG; -ENOMEM */
int fb_place_make(struct fb_tree *tree, struct fb_place *place,
		  struct fb_err *err);

/**
 * fb_place_path() - Where the name really is
 * @place: Place
 * @ret:   malloc'ed path from the root (returned), no leading slash
 *
 * Return: 0; -ENOMEM.
 */
int fb_place_path(const struct fb_place *place, char **ret);

/**
 * fb_path_component() - The next component of a path
 * @path: Advanced past it
 * @len:  Its bytes
 *
 * Return: its start, or NULL at the end.
 */
const char *fb_path_component(const char **path, size_t *len);

#endif
