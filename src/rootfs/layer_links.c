/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hard links into lower layers (rule 8).  Their inode stands for one that is not
 * known yet; each lower layer, once it is complete, is asked for the target's
 * path, until one holds it, or hides it from those below.
 */
#include <errno.h>
#include <string.h>

#include "rootfs/layer.h"
#include "rootfs/walk.h"

int fb_layer_open_link(struct fb_layer *layer, const char *path,
		       const char *name, struct fb_tree_inode **ret)
{
	struct fb_tree *tree = layer->tree;
	struct fb_layer_link *link = fb_tree_alloc(tree, sizeof(*link));

	if (!link)
		return -ENOMEM;
	link->path = fb_tree_memdup(tree, path, strlen(path));
	link->name = fb_tree_memdup(tree, name, strlen(name));
	link->inode = fb_tree_alloc(tree, sizeof(*link->inode));
	if (!link->path || !link->name || !link->inode)
		return -ENOMEM;
	link->layer = layer->number;
	link->next = *layer->links;
	*layer->links = link;
	*ret = link->inode;
	return 0;
}

int fb_layer_link_error(const struct fb_layer_link *link, const char *why,
			struct fb_err *err)
{
	return fb_err_set(err, -EBADMSG,
			  "layer %zu: entry '%.200s': hard link to %s '%.200s'",
			  link->layer, link->name, why, link->path);
}

static void found(struct fb_layer_link *link, struct fb_tree_inode *inode)
{
	link->inode->alias = inode;
	/* a body that was skipped is needed if the link shows */
	if (link->inode->wanted)
		inode->wanted = true;
}

/* Return: 1 found; 0 this layer says nothing of it; negative errno */
static int look_up(const struct fb_layer *layer, struct fb_layer_link *link,
		   struct fb_err *err)
{
	const struct fb_tree_node *at = layer->root, *node;
	const char *path = link->path, *name;
	size_t len;

	while ((name = fb_path_component(&path, &len))) {
		node = fb_tree_find(layer->tree, at, name, len);
		if (!node && !at->opaque && !at->whiteout)
			return 0;
		if (!node || !node->inode || (!fb_tree_is_dir(node) && *path))
			return fb_layer_link_error(link, "nothing:", err);
		if (!fb_tree_is_dir(node)) {
			found(link, node->inode);
			return 1;
		}
		at = node;
	}
	return fb_layer_link_error(link, "the folder", err);
}

int fb_layer_resolve_links(struct fb_layer *layer, struct fb_err *err)
{
	struct fb_layer_link **at = layer->links, *link;
	int r;

	while ((link = *at)) {
		r = link->layer == layer->number ? 0
						 : look_up(layer, link, err);
		if (r < 0)
			return r;
		if (r == 1)
			*at = link->next;
		else
			at = &link->next;
	}
	return 0;
}
