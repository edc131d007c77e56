/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Theory of operation.  A walk stands at a folder (`dir`) with what is not there
 * below it (`missing`) and what is still to be walked (`rest`).  A symbolic link
 * puts its target in front of the rest.  Folders that are missing are made only
 * when the walk has ended, since ".." may step back over them.
 */
#include "rootfs/walk.h"

#include <errno.h>
#include <string.h>

#include "base/str.h"

/* most bytes that links may leave to be walked */
#define REST_MAX (1u << 16)
/* … and of a whole image: many entries behind long chains would take hours */
#define LINK_BYTES_MAX (256ull << 20)

const char *fb_path_component(const char **path, size_t *len)
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

/* "a/b" without its last component; "" below that */
static size_t drop_last(char *path)
{
	char *slash = strrchr(path, '/');

	if (!slash)
		slash = path;
	*slash = '\0';
	return (size_t)(slash - path);
}

static int too_long(struct fb_err *err)
{
	return fb_err_set(err, -E2BIG, "a path of over %d bytes",
			  FB_TREE_PATH_MAX);
}

/* Append "/name" to one of fb_place's buffers */
static int join(char *buf, const char *name, size_t len, struct fb_err *err)
{
	size_t used = strlen(buf);

	if (used + (used > 0) + len > FB_TREE_PATH_MAX)
		return too_long(err);
	if (used)
		buf[used++] = '/';
	memcpy(buf + used, name, len);
	buf[used + len] = '\0';
	return 0;
}

static int check_name(size_t len, struct fb_err *err)
{
	return len <= FB_TREE_NAME_MAX
		       ? 0
		       : fb_err_set(err, -E2BIG,
				    "a name of %zu bytes: %d is the most", len,
				    FB_TREE_NAME_MAX);
}

/* rule 1: no ".", no doubled slashes, ".." never above the root */
static int clean(const char *name, struct fb_place *place, struct fb_err *err)
{
	char *out = place->path;
	size_t used = 0, len;
	const char *part;

	out[0] = '\0';
	while ((part = fb_path_component(&name, &len))) {
		if (is_dot(part, len))
			continue;
		if (is_dotdot(part, len)) {
			used = drop_last(out);
			continue;
		}
		if (used + (used > 0) + len > FB_TREE_PATH_MAX)
			return too_long(err);
		if (used)
			out[used++] = '/';
		memcpy(out + used, part, len);
		used += len;
		out[used] = '\0';
	}
	part = strrchr(out, '/');
	place->last = part ? part + 1 : out;
	return 0;
}

struct walk {
	struct fb_tree *tree;
	struct fb_tree_node *root;
	struct fb_place *place;
	struct fb_str text; /* owns what links left to be walked */
	const char *rest;
	unsigned int links;
};

static int follow(struct walk *w, const struct fb_tree_node *link,
		  struct fb_err *err)
{
	struct fb_str next = FB_STR_INIT(REST_MAX);
	const char *target = link->inode->target;

	if (++w->links > FB_TREE_SYMLINKS_MAX)
		return fb_err_set(err, -ELOOP,
				  "more than %d symbolic links on the way",
				  FB_TREE_SYMLINKS_MAX);
	if (target[0] == '/')
		w->place->dir = w->root;
	fb_str_puts(&next, target);
	fb_str_putc(&next, '/');
	fb_str_puts(&next, w->rest);
	if (next.err) {
		int r = next.err;

		fb_str_release(&next);
		return fb_err_set(err, r, "follow a symbolic link: %m");
	}
	w->tree->link_bytes += next.len;
	if (w->tree->link_bytes > LINK_BYTES_MAX) {
		fb_str_release(&next);
		return fb_err_set(err, -ELOOP,
				  "symbolic links on the ways of over %llu "
				  "bytes in all",
				  LINK_BYTES_MAX);
	}
	fb_str_release(&w->text);
	w->text = next;
	w->rest = fb_str_cstr(&w->text);
	return 0;
}

static void step_back(struct fb_place *place)
{
	if (place->missing[0])
		(void)drop_last(place->missing);
	else if (place->dir->parent)
		place->dir = place->dir->parent;
}

/* Return: 0; 1 a reserved name; negative errno */
static int step(struct walk *w, const char *name, size_t len,
		struct fb_err *err)
{
	struct fb_place *place = w->place;
	struct fb_tree_node *node;
	int r = check_name(len, err);

	if (r < 0)
		return r;
	if (!strncmp(name, FB_WHITEOUT_PREFIX, strlen(FB_WHITEOUT_PREFIX)))
		return 1;
	if (place->missing[0])
		return join(place->missing, name, len, err);
	node = fb_tree_find(w->tree, place->dir, name, len);
	if (!node || !node->inode)
		return join(place->missing, name, len, err);
	if (S_ISLNK(node->inode->mode))
		return follow(w, node, err);
	if (!S_ISDIR(node->inode->mode))
		return fb_err_set(err, -EBADMSG,
				  "its parent '%.*s' is not a folder", (int)len,
				  name);
	place->dir = node;
	return 0;
}

int fb_place_find(struct fb_tree *tree, struct fb_tree_node *root,
		  const char *name, struct fb_place *ret, struct fb_err *err)
{
	struct walk w = { .tree = tree,
			  .root = root,
			  .place = ret,
			  .text = FB_STR_INIT(REST_MAX) };
	char parents[FB_TREE_PATH_MAX + 1];
	const char *part;
	size_t len;
	int r;

	ret->dir = root;
	ret->missing[0] = '\0';
	r = clean(name, ret, err);
	if (r < 0)
		return r;
	len = (size_t)(ret->last - ret->path);
	memcpy(parents, ret->path, len);
	parents[len] = '\0';
	w.rest = parents;
	while (r == 0 && (part = fb_path_component(&w.rest, &len))) {
		if (is_dotdot(part, len))
			step_back(ret);
		else if (!is_dot(part, len))
			r = step(&w, part, len, err);
	}
	fb_str_release(&w.text);
	return r == 0 ? check_name(strlen(ret->last), err) : r;
}

int fb_place_make(struct fb_tree *tree, struct fb_place *place,
		  struct fb_err *err)
{
	size_t dir = fb_tree_path_len(place->dir), len;
	size_t missing = strlen(place->missing);
	const char *rest = place->missing, *name;
	struct fb_tree_node *node;

	if (dir + (dir > 0) + missing + (missing > 0) + strlen(place->last) >
	    FB_TREE_PATH_MAX)
		return too_long(err);
	while ((name = fb_path_component(&rest, &len))) {
		node = fb_tree_find(tree, place->dir, name, len);
		if (!node)
			node = fb_tree_add(tree, place->dir, name, len);
		if (!node || fb_tree_make_dir(tree, node) < 0)
			return fb_err_set(err, -ENOMEM, "add a folder: %m");
		place->dir = node;
	}
	place->missing[0] = '\0';
	return 0;
}

int fb_place_path(const struct fb_place *place, char **ret)
{
	size_t dir = fb_tree_path_len(place->dir);
	size_t missing = strlen(place->missing);
	size_t last = strlen(place->last);
	char *path = malloc(dir + missing + last + 3), *end;

	if (!path)
		return -ENOMEM;
	end = path + dir;
	for (const struct fb_tree_node *n = place->dir; n->parent;
	     n = n->parent) {
		end -= n->name_len;
		memcpy(end, n->name, n->name_len);
		if (n->parent->parent)
			*--end = '/';
	}
	end = path + dir;
	if (missing) {
		if (end > path)
			*end++ = '/';
		memcpy(end, place->missing, missing);
		end += missing;
	}
	if (end > path)
		*end++ = '/';
	memcpy(end, place->last, last + 1);
	*ret = path;
	return 0;
}
