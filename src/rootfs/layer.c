/* SPDX-License-Identifier: Apache-2.0 */
#include "rootfs/layer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "rootfs/walk.h"

#define RESERVED ".wh..wh."
#define OPAQUE ".wh..wh..opq"
#define PSEUDO_LINKS ".wh..wh.plnk/"
/* what SquashFS' 32 bits hold */
#define MAJOR_MAX 0xfffu
#define MINOR_MAX 0xfffffu

static int no_memory(struct fb_err *err)
{
	return fb_err_set(err, -ENOMEM, "add an entry: %m");
}

static const uint16_t type_bits[] = {
	[FB_TAR_FILE] = S_IFREG,    [FB_TAR_LINK] = 0,
	[FB_TAR_SYMLINK] = S_IFLNK, [FB_TAR_CHAR] = S_IFCHR,
	[FB_TAR_BLOCK] = S_IFBLK,   [FB_TAR_DIR] = S_IFDIR,
	[FB_TAR_FIFO] = S_IFIFO,    [FB_TAR_SKIPPED] = 0,
};

/* rule 9 */
static uint32_t clamp_time(int64_t when_s)
{
	return when_s < 0	     ? 0
	       : when_s > UINT32_MAX ? UINT32_MAX
				     : (uint32_t)when_s;
}

static int set_target(struct fb_layer *layer, struct fb_tree_inode *inode,
		      const struct fb_tar_entry *e, struct fb_err *err)
{
	if (e->link_len == 0)
		return fb_err_set(err, -EBADMSG, "symbolic link to nothing");
	if (e->link_len > FB_TREE_PATH_MAX)
		return fb_err_set(err, -E2BIG,
				  "symbolic link of %zu bytes: %d is the most",
				  e->link_len, FB_TREE_PATH_MAX);
	inode->mode = S_IFLNK | 0777;
	inode->target = fb_tree_memdup(layer->tree, e->link, e->link_len);
	return inode->target ? 0 : no_memory(err);
}

static int set_device(struct fb_layer *layer, struct fb_tree_inode *inode,
		      const struct fb_tar_entry *e, struct fb_err *err)
{
	if (e->dev_major > MAJOR_MAX || e->dev_minor > MINOR_MAX)
		return fb_err_set(err, -E2BIG,
				  "device %u:%u: Linux has %u:%u at most",
				  e->dev_major, e->dev_minor, MAJOR_MAX,
				  MINOR_MAX);
	inode->dev.major = e->dev_major;
	inode->dev.minor = e->dev_minor;
	/* rule 16: stays here, to hide what is below, and is never written */
	if (e->type == FB_TAR_CHAR && !e->dev_major && !e->dev_minor)
		layer->result->dropped_devices++;
	return 0;
}

static int set_attributes(struct fb_layer *layer, struct fb_tree_inode *inode,
			  const struct fb_tar_entry *e, struct fb_err *err)
{
	inode->mode = (uint16_t)(type_bits[e->type] | e->mode);
	inode->uid = e->uid;
	inode->gid = e->gid;
	inode->mtime_s = clamp_time(e->mtime_s);
	inode->ordinal = layer->entries;
	inode->fragment = FB_TREE_NO_FRAGMENT;
	if (fb_xattrs_keep(layer->xattrs, layer->tree, e, layer->result,
			   &inode->xattrs) < 0)
		return no_memory(err);
	if (e->type == FB_TAR_SYMLINK)
		return set_target(layer, inode, e, err);
	if (e->type == FB_TAR_CHAR || e->type == FB_TAR_BLOCK)
		return set_device(layer, inode, e, err);
	if (e->type == FB_TAR_FILE)
		inode->size = e->size_bytes;
	return 0;
}

/* A node for a new thing at this name: rules 4 and 7 within a layer */
static struct fb_tree_node *make_node(struct fb_layer *layer,
				      struct fb_tree_node *parent,
				      const char *name, bool keep_folder)
{
	size_t len = strlen(name);
	struct fb_tree_node *old = fb_tree_find(layer->tree, parent, name, len);
	struct fb_tree_node *node = old;

	if (old && old->inode && !(keep_folder && fb_tree_is_dir(old))) {
		fb_tree_take_out(layer->tree, old);
		node = NULL;
	}
	if (!node)
		node = fb_tree_add(layer->tree, parent, name, len);
	/* a whiteout acts whatever else the layer has there (rule 5) */
	if (node && old)
		node->whiteout = old->whiteout;
	return node;
}

static int apply_reserved(struct fb_layer *layer, struct fb_tree_node *parent,
			  const char *name, struct fb_err *err)
{
	struct fb_tree_node *node;
	size_t len;

	if (!strcmp(name, OPAQUE)) {
		parent->opaque = true;
		return 0;
	}
	if (!strncmp(name, RESERVED, strlen(RESERVED))) {
		layer->result->ignored_entries++;
		return 0;
	}
	name += strlen(FB_WHITEOUT_PREFIX);
	len = strlen(name);
	if (!*name || !strcmp(name, ".") || !strcmp(name, ".."))
		return fb_err_set(err, -EBADMSG, "whiteout of nothing");
	node = fb_tree_find(layer->tree, parent, name, len);
	if (!node)
		node = fb_tree_add(layer->tree, parent, name, len);
	if (!node)
		return no_memory(err);
	node->whiteout = true;
	return 0;
}

/* The name of a pseudo link that a path means, or NULL */
static const char *pseudo_name(const struct fb_place *place)
{
	return strncmp(place->path, PSEUDO_LINKS, strlen(PSEUDO_LINKS))
		       ? NULL
		       : place->last;
}

/*
 * aufs kept the inode of a hard link under a reserved name, and images that were
 * made on it have the names as links to that one (rule 6).
 */
static int keep_pseudo(struct fb_layer *layer, const struct fb_tar_entry *e,
		       const char *name, struct fb_tree_node **ret_node,
		       struct fb_err *err)
{
	struct fb_tree_node *node = NULL;
	int r;

	layer->result->ignored_entries++;
	if (!name || e->type != FB_TAR_FILE || strlen(name) > FB_TREE_NAME_MAX)
		return 0;
	if (!layer->pseudo)
		layer->pseudo = fb_tree_root(layer->tree);
	if (layer->pseudo)
		node = make_node(layer, layer->pseudo, name, false);
	if (node)
		node->inode = fb_tree_alloc(layer->tree, sizeof(*node->inode));
	if (!node || !node->inode)
		return no_memory(err);
	r = set_attributes(layer, node->inode, e, err);
	if (r < 0)
		return r;
	node->dead = true;
	*ret_node = node;
	return 0;
}

static struct fb_tree_node *find_pseudo(const struct fb_layer *layer,
					const struct fb_place *place)
{
	const char *name = pseudo_name(place);

	return name && layer->pseudo ? fb_tree_find(layer->tree, layer->pseudo,
						    name, strlen(name))
				     : NULL;
}

/* rule 8: what the target's name means now, here or in a lower layer */
static int find_target(struct fb_layer *layer, const struct fb_tar_entry *e,
		       struct fb_tree_inode **ret, struct fb_err *err)
{
	FB_FREE char *path = NULL;
	struct fb_tree_node *node = NULL;
	struct fb_place place;
	int r = fb_place_find(layer->tree, layer->root, e->link, &place, err);

	if (r < 0)
		return fb_err_wrap(err, r, "hard link to '%.200s'", e->link);
	if (!place.last[0])
		return fb_err_set(err, -EBADMSG, "hard link to the root");
	if (r == 1 && (node = find_pseudo(layer, &place))) {
		*ret = node->inode;
		return 0;
	}
	if (r == 1 || !strncmp(place.last, FB_WHITEOUT_PREFIX,
			       strlen(FB_WHITEOUT_PREFIX)))
		return fb_err_set(err, -EBADMSG,
				  "hard link to the reserved name '%.200s'",
				  e->link);
	if (!place.missing[0])
		node = fb_tree_find(layer->tree, place.dir, place.last,
				    strlen(place.last));
	if (node && fb_tree_is_dir(node))
		return fb_err_set(err, -EBADMSG,
				  "hard link to the folder '%.200s'", e->link);
	if (node && node->inode) {
		*ret = node->inode;
		return 0;
	}
	if (fb_place_path(&place, &path) < 0 ||
	    fb_layer_open_link(layer, path, e->name, ret) < 0)
		return no_memory(err);
	return 0;
}

static int apply_root(struct fb_layer *layer, const struct fb_tar_entry *e,
		      struct fb_err *err)
{
	if (e->type != FB_TAR_DIR)
		return fb_err_set(err, -EBADMSG, "the root is not a folder");
	layer->root->attrs = true; /* rule 13 */
	return set_attributes(layer, layer->root->inode, e, err);
}

static int apply_named(struct fb_layer *layer, const struct fb_tar_entry *e,
		       const struct fb_place *place,
		       struct fb_tree_node **ret_node, struct fb_err *err)
{
	struct fb_tree_inode *inode = NULL;
	struct fb_tree_node *node;
	int r = 0;

	if (!strncmp(place->last, FB_WHITEOUT_PREFIX,
		     strlen(FB_WHITEOUT_PREFIX)))
		return apply_reserved(layer, place->dir, place->last, err);
	if (e->type == FB_TAR_LINK)
		r = find_target(layer, e, &inode, err);
	if (r < 0)
		return r;
	node = make_node(layer, place->dir, place->last, e->type == FB_TAR_DIR);
	if (!node)
		return no_memory(err);
	if (!inode) {
		inode = node->inode
				? node->inode
				: fb_tree_alloc(layer->tree, sizeof(*inode));
		if (!inode)
			return no_memory(err);
		r = set_attributes(layer, inode, e, err);
		if (r < 0)
			return r;
	}
	node->inode = inode;
	node->attrs = true;
	if (e->type == FB_TAR_FILE)
		*ret_node = node;
	return 0;
}

int fb_layer_apply(struct fb_layer *layer, const struct fb_tar_entry *entry,
		   struct fb_tree_node **ret_node, struct fb_err *err)
{
	struct fb_place place;
	int r;

	*ret_node = NULL;
	if (entry->type == FB_TAR_SKIPPED) {
		layer->result->ignored_entries++;
		return 0;
	}
	r = fb_place_find(layer->tree, layer->root, entry->name, &place, err);
	if (r == 1)
		return keep_pseudo(layer, entry, pseudo_name(&place), ret_node,
				   err);
	if (r < 0)
		return r;
	if (!place.last[0])
		return apply_root(layer, entry, err);
	r = fb_place_make(layer->tree, &place, err);
	return r < 0 ? r : apply_named(layer, entry, &place, ret_node, err);
}
