/* SPDX-License-Identifier: Apache-2.0 */
#include "rootfs/layer.h"

#include <errno.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "base/str.h"

#define WHITEOUT ".wh."
#define RESERVED ".wh..wh."
#define OPAQUE ".wh..wh..opq"

/* one component of a path; advances *path; NULL at its end */
static const char *component(const char **path, size_t *len)
{
	const char *start;

	while (**path == '/')
		(*path)++;
	if (!**path)
		return NULL;
	start = *path;
	*path = strchrnul(start, '/');
	*len = (size_t)(*path - start);
	return start;
}

static bool is_dot(const char *name, size_t len)
{
	return len == 1 && name[0] == '.';
}

static bool is_dotdot(const char *name, size_t len)
{
	return len == 2 && name[0] == '.' && name[1] == '.';
}

/* rule 1: no ".", no doubled slashes, ".." never above the root */
static int clean_path(const char *path, struct fb_str *out)
{
	const char *name;
	size_t len;
	int r = 0;

	while (r == 0 && (name = component(&path, &len))) {
		if (is_dot(name, len))
			continue;
		if (is_dotdot(name, len)) {
			char *slash = out->buf ? strrchr(out->buf, '/') : NULL;

			fb_str_truncate(out, slash ? (size_t)(slash - out->buf) :
						     0);
			continue;
		}
		if (out->len)
			r = fb_str_putc(out, '/');
		if (r == 0)
			r = fb_str_append(out, name, len);
	}
	return r;
}

static int name_error(size_t len, struct fb_err *err)
{
	return fb_err_set(err, -E2BIG, "a name of %zu bytes: %d is the most",
			  len, FB_TREE_NAME_MAX);
}

/*
 * Walks that follow symbolic links of this layer (rule 2).  @rest holds what is
 * still to be walked; a link's target is put in front of it.
 */
struct walk {
	struct fb_layer *layer;
	struct fb_tree_node *at;
	struct fb_str rest;
	unsigned int links;
	bool create; /* make implied folders (rule 3) */
};

static int walk_link(struct walk *w, const struct fb_tree_node *link,
		     const char *behind, struct fb_err *err)
{
	FB_STR struct fb_str next = FB_STR_INIT(4u * FB_TAR_NAME_MAX);
	int r;

	if (++w->links > FB_TREE_SYMLINKS_MAX)
		return fb_err_set(err, -ELOOP,
				  "more than %d symbolic links on the way",
				  FB_TREE_SYMLINKS_MAX);
	if (link->inode->target[0] == '/')
		w->at = w->layer->root;
	fb_str_puts(&next, link->inode->target);
	fb_str_putc(&next, '/');
	r = fb_str_puts(&next, behind);
	if (r < 0)
		return fb_err_set(err, r, "follow a symbolic link: %m");
	fb_str_release(&w->rest);
	w->rest = next;
	next = FB_STR_INIT(0);
	return 0;
}

/* One component. Return: 1 it is not there (without create); 0; negative errno */
static int walk_into(struct walk *w, const char *name, size_t len,
		     const char *behind, struct fb_err *err)
{
	struct fb_tree *tree = w->layer->tree;
	struct fb_tree_node *node = fb_tree_find(tree, w->at, name, len);

	if (len > FB_TREE_NAME_MAX)
		return name_error(len, err);
	if (!node || !node->inode) {
		if (!w->create)
			return 1;
		if (!node)
			node = fb_tree_add(tree, w->at, name, len);
		if (!node || fb_tree_make_dir(tree, node) < 0)
			return fb_err_set(err, -ENOMEM, "add a folder: %m");
	}
	if (S_ISLNK(node->inode->mode))
		return walk_link(w, node, behind, err);
	if (!S_ISDIR(node->inode->mode))
		return fb_err_set(err, -EBADMSG, "parent '%.*s' is not a folder",
				  (int)len, name);
	w->at = node;
	return 0;
}

/* Walk @path, cleaned; ends with w->at. Return: as walk_into() */
static int walk(struct walk *w, const char *path, size_t len,
		struct fb_err *err)
{
	FB_STR struct fb_str current = FB_STR_INIT(4u * FB_TAR_NAME_MAX);
	const char *name, *p;
	size_t name_len;
	int r;

	w->rest = FB_STR_INIT(4u * FB_TAR_NAME_MAX);
	r = fb_str_append(&w->rest, path, len);
	while (r == 0) {
		/* keeps the text alive while a link replaces it */
		fb_str_release(&current);
		current = w->rest;
		w->rest = FB_STR_INIT(4u * FB_TAR_NAME_MAX);
		p = fb_str_cstr(&current);
		name = component(&p, &name_len);
		if (!name)
			break;
		if (is_dot(name, name_len)) {
			r = fb_str_puts(&w->rest, p);
			continue;
		}
		if (is_dotdot(name, name_len)) {
			if (w->at->parent)
				w->at = w->at->parent;
			r = fb_str_puts(&w->rest, p);
			continue;
		}
		r = walk_into(w, name, name_len, p, err);
		if (r == 0 && !w->rest.buf)
			r = fb_str_puts(&w->rest, p);
	}
	/* what was not found stays for the caller */
	if (r == 1) {
		fb_str_release(&w->rest);
		w->rest = current;
		current = FB_STR_INIT(0);
	}
	return r;
}

static int set_xattrs(struct fb_layer *layer, struct fb_tree_inode *inode,
		      const struct fb_tar_entry *e, struct fb_err *err)
{
	struct fb_tree_xattr **last = &inode->xattrs, *x;

	inode->xattrs = NULL;
	if (e->acl)
		layer->result->dropped_acls++;
	for (size_t i = 0; i < e->xattr_count; i++) {
		const struct fb_tar_xattr *from = &e->xattrs[i];

		/* rule 10 */
		if (!strncmp(from->name, "system.posix_acl_", 17)) {
			layer->result->dropped_acls++;
			continue;
		}
		if ((strncmp(from->name, "user.", 5) &&
		     strncmp(from->name, "trusted.", 8) &&
		     strncmp(from->name, "security.", 9)) ||
		    !strncmp(from->name, "trusted.overlay.", 16)) {
			layer->result->dropped_xattrs++;
			continue;
		}
		x = fb_tree_alloc(layer->tree, sizeof(*x));
		if (x) {
			x->name = fb_tree_memdup(layer->tree, from->name,
						 strlen(from->name));
			x->value = fb_tree_memdup(layer->tree, from->value,
						  from->value_len);
			x->value_len = from->value_len;
		}
		if (!x || !x->name || !x->value)
			return fb_err_set(err, -ENOMEM, "keep xattrs: %m");
		*last = x;
		last = &x->next;
	}
	return 0;
}

static const uint32_t type_bits[] = {
	[FB_TAR_FILE] = S_IFREG, [FB_TAR_LINK] = 0,
	[FB_TAR_SYMLINK] = S_IFLNK, [FB_TAR_CHAR] = S_IFCHR,
	[FB_TAR_BLOCK] = S_IFBLK, [FB_TAR_DIR] = S_IFDIR,
	[FB_TAR_FIFO] = S_IFIFO, [FB_TAR_SKIPPED] = 0,
};

static uint32_t clamp_time(int64_t when_s)
{
	return when_s < 0	   ? 0 :
	       when_s > UINT32_MAX ? UINT32_MAX :
				     (uint32_t)when_s;
}

static int set_attributes(struct fb_layer *layer, struct fb_tree_inode *inode,
			  const struct fb_tar_entry *e, struct fb_err *err)
{
	inode->mode = type_bits[e->type] | e->mode;
	inode->uid = e->uid;
	inode->gid = e->gid;
	inode->mtime_s = clamp_time(e->mtime_s);
	inode->dev_major = e->dev_major;
	inode->dev_minor = e->dev_minor;
	inode->ordinal = layer->entries;
	if (e->type == FB_TAR_SYMLINK) {
		if (e->link_len == 0)
			return fb_err_set(err, -EBADMSG,
					  "symbolic link to nothing");
		if (e->link_len > 4095)
			return fb_err_set(err, -E2BIG,
					  "symbolic link of %zu bytes: 4095 is "
					  "the most",
					  e->link_len);
		inode->mode = S_IFLNK | 0777;
		inode->target = fb_tree_memdup(layer->tree, e->link,
					       e->link_len);
		if (!inode->target)
			return fb_err_set(err, -ENOMEM, "keep a link: %m");
	}
	return set_xattrs(layer, inode, e, err);
}

/* A node for a new thing at this name: rules 4 and 7 within a layer */
static int place(struct fb_layer *layer, struct fb_tree_node *parent,
		 const char *name, size_t len, bool keep_folder,
		 struct fb_tree_node **ret, struct fb_err *err)
{
	struct fb_tree_node *old = fb_tree_find(layer->tree, parent, name, len);
	bool whiteout = old && old->whiteout, opaque = old && old->opaque;
	struct fb_tree_node *node = old;

	if (len > FB_TREE_NAME_MAX)
		return name_error(len, err);
	if (old && old->inode && !(keep_folder && fb_tree_is_dir(old))) {
		fb_tree_take_out(layer->tree, old);
		node = NULL;
	}
	if (!node) {
		node = fb_tree_add(layer->tree, parent, name, len);
		if (!node)
			return fb_err_set(err, -ENOMEM, "add an entry: %m");
		node->whiteout = whiteout;
		node->opaque = opaque && keep_folder;
	}
	*ret = node;
	return 0;
}

static int apply_whiteout(struct fb_layer *layer, struct fb_tree_node *parent,
			  const char *name, size_t len, struct fb_err *err)
{
	struct fb_tree_node *node;

	if (len == strlen(OPAQUE) && !memcmp(name, OPAQUE, len)) {
		parent->opaque = true;
		return 0;
	}
	if (len >= strlen(RESERVED) && !memcmp(name, RESERVED, strlen(RESERVED))) {
		layer->result->ignored_entries++;
		return 0;
	}
	name += strlen(WHITEOUT);
	len -= strlen(WHITEOUT);
	if (len == 0 || is_dot(name, len) || is_dotdot(name, len))
		return fb_err_set(err, -EBADMSG, "whiteout of nothing");
	node = fb_tree_find(layer->tree, parent, name, len);
	if (!node)
		node = fb_tree_add(layer->tree, parent, name, len);
	if (!node)
		return fb_err_set(err, -ENOMEM, "add a whiteout: %m");
	node->whiteout = true;
	return 0;
}

static int open_link(struct fb_layer *layer, struct walk *w, const char *last,
		     const char *name, struct fb_tree_inode **ret,
		     struct fb_err *err)
{
	FB_STR struct fb_str path = FB_STR_INIT(1u << 20);
	FB_STR struct fb_str rest = FB_STR_INIT(4u * FB_TAR_NAME_MAX);
	struct fb_tree_node *up[512], *n = w->at;
	struct fb_layer_link *link;
	size_t depth = 0;

	for (; n->parent && depth < FB_ARRAY_SIZE(up); n = n->parent)
		up[depth++] = n;
	if (n->parent)
		return fb_err_set(err, -EBADMSG, "link target is too deep");
	while (depth-- > 0) {
		fb_str_append(&path, up[depth]->name, up[depth]->name_len);
		fb_str_putc(&path, '/');
	}
	fb_str_puts(&path, fb_str_cstr(&w->rest));
	fb_str_putc(&path, '/');
	fb_str_puts(&path, last);
	if (path.err || clean_path(fb_str_cstr(&path), &rest) < 0)
		return fb_err_set(err, -ENOMEM, "keep a link: %m");
	link = fb_tree_alloc(layer->tree, sizeof(*link));
	if (link) {
		link->path = fb_tree_memdup(layer->tree, fb_str_cstr(&rest),
					    rest.len);
		link->name = fb_tree_memdup(layer->tree, name, strlen(name));
		link->inode = fb_tree_alloc(layer->tree, sizeof(*link->inode));
	}
	if (!link || !link->path || !link->name || !link->inode)
		return fb_err_set(err, -ENOMEM, "keep a link: %m");
	link->layer = layer->number;
	link->next = *layer->links;
	*layer->links = link;
	*ret = link->inode;
	return 0;
}

/* rule 8: what the target's name means now, here or in a lower layer */
static int find_target(struct fb_layer *layer, const struct fb_tar_entry *e,
		       struct fb_tree_inode **ret, struct fb_err *err)
{
	FB_STR struct fb_str path = FB_STR_INIT(FB_TAR_NAME_MAX);
	struct walk w = { .layer = layer, .at = layer->root };
	struct fb_tree_node *node = NULL;
	const char *last;
	int r = clean_path(e->link, &path);

	if (r < 0)
		return fb_err_set(err, r, "link target: %m");
	if (path.len == 0)
		return fb_err_set(err, -EBADMSG, "hard link to the root");
	last = strrchr(path.buf, '/');
	last = last ? last + 1 : path.buf;
	r = walk(&w, path.buf, (size_t)(last - path.buf), err);
	if (r == 0)
		node = fb_tree_find(layer->tree, w.at, last, strlen(last));
	if (r >= 0 && node && fb_tree_is_dir(node)) {
		r = fb_err_set(err, -EBADMSG, "hard link to the folder '%.200s'",
			       e->link);
	} else if (r >= 0 && node && node->inode) {
		*ret = node->inode;
		r = 0;
	} else if (r >= 0) {
		r = open_link(layer, &w, last, e->name, ret, err);
	}
	fb_str_release(&w.rest);
	return r;
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
		       struct fb_tree_node *parent, const char *name,
		       struct fb_tree_node **ret_node, struct fb_err *err)
{
	struct fb_tree_inode *inode = NULL;
	struct fb_tree_node *node = NULL;
	size_t len = strlen(name);
	int r = 0;

	if (!strncmp(name, WHITEOUT, strlen(WHITEOUT)))
		return apply_whiteout(layer, parent, name, len, err);
	if (e->type == FB_TAR_CHAR && e->dev_major == 0 && e->dev_minor == 0) {
		layer->result->dropped_devices++; /* rule 16 */
		return 0;
	}
	if (e->type == FB_TAR_LINK)
		r = find_target(layer, e, &inode, err);
	if (r == 0)
		r = place(layer, parent, name, len, e->type == FB_TAR_DIR,
			  &node, err);
	if (r < 0)
		return r;
	if (!inode) {
		inode = node->inode ? node->inode :
				      fb_tree_alloc(layer->tree, sizeof(*inode));
		if (!inode)
			return fb_err_set(err, -ENOMEM, "add an entry: %m");
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
	FB_STR struct fb_str path = FB_STR_INIT(FB_TAR_NAME_MAX);
	struct walk w = { .layer = layer, .at = layer->root, .create = true };
	const char *last;
	int r;

	*ret_node = NULL;
	if (entry->type == FB_TAR_SKIPPED) {
		layer->result->ignored_entries++;
		return 0;
	}
	r = clean_path(entry->name, &path);
	if (r < 0)
		return fb_err_set(err, r, "name: %m");
	if (path.len == 0)
		return apply_root(layer, entry, err);
	last = strrchr(path.buf, '/');
	last = last ? last + 1 : path.buf;
	r = walk(&w, path.buf, (size_t)(last - path.buf), err);
	if (r == 0)
		r = apply_named(layer, entry, w.at, last, ret_node, err);
	fb_str_release(&w.rest);
	return r;
}

static int link_error(const struct fb_layer_link *link, const char *why,
		      struct fb_err *err)
{
	return fb_err_set(err, -EBADMSG,
			  "layer %zu: entry '%.200s': hard link to %s '%.200s'",
			  link->layer, link->name, why, link->path);
}

/* Return: 1 found (or an error was set); 0 this layer says nothing of it */
static int look_link_up(const struct fb_layer *layer,
			struct fb_layer_link *link, struct fb_err *err)
{
	const struct fb_tree_node *at = layer->root;
	const struct fb_tree_node *node;
	const char *path = link->path, *name;
	size_t len;

	while ((name = component(&path, &len))) {
		node = fb_tree_find(layer->tree, at, name, len);
		if (!node)
			return at->opaque || at->whiteout ?
				       link_error(link, "nothing:", err) :
				       0;
		if (!node->inode)
			return link_error(link, "nothing:", err);
		if (!fb_tree_is_dir(node)) {
			if (*path)
				return link_error(link, "nothing:", err);
			link->inode->alias = node->inode;
			if (node->inode->skipped)
				node->inode->wanted = true;
			return 1;
		}
		at = node;
	}
	return link_error(link, "the folder", err);
}

int fb_layer_resolve_links(struct fb_layer *layer, struct fb_err *err)
{
	struct fb_layer_link **at = layer->links, *link;
	int r;

	while ((link = *at)) {
		if (link->layer == layer->number) {
			at = &link->next;
			continue;
		}
		r = look_link_up(layer, link, err);
		if (r < 0)
			return r;
		if (r == 1)
			*at = link->next;
		else
			at = &link->next;
	}
	return 0;
}
