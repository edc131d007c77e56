/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Theory of operation.  Folders are written from the leaves up: first all
 * folders in a folder, then the inodes of everything in it in the order of the
 * names, then its listing, which says where those are.  So what `ls -l` reads
 * lies together.  Numbers are given on the way down, since a folder's inode
 * says its parent's.  The walk keeps its own stack, a frame for a folder on the
 * way, because a stranger's tree is deeper than our stack may be.
 */
#include "rootfs/tables.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

/* a folder on the way: what shows in it, sorted */
struct frame {
	struct fb_tree_node *dir;
	struct fb_tree_node **children;
	size_t count;
	size_t next;
};

struct stack {
	struct frame *v;
	size_t depth;
	size_t cap;
};

static int no_memory(struct fb_err *err)
{
	return fb_err_set(err, -ENOMEM, "write folders: %m");
}

/* Whiteouts stay in the tree, and devices 0:0, which would be some (rule 16) */
static bool is_shown(const struct fb_tree_node *node)
{
	const struct fb_tree_inode *inode = fb_tree_inode(node);

	return !node->dead && inode &&
	       !(S_ISCHR(inode->mode) && !inode->dev.major &&
		 !inode->dev.minor);
}

static int by_name(const void *a, const void *b)
{
	const struct fb_tree_node *x = *(struct fb_tree_node *const *)a;
	const struct fb_tree_node *y = *(struct fb_tree_node *const *)b;

	/* as the kernel compares: bytes, a shorter name first */
	return strcmp(x->name, y->name);
}

static int collect(struct frame *f, struct fb_err *err)
{
	struct fb_tree_node *child;
	size_t count = 0;

	for (child = f->dir->child; child; child = child->sibling)
		count += is_shown(child);
	f->children = calloc(count + 1, sizeof(struct fb_tree_node *));
	if (!f->children)
		return no_memory(err);
	for (child = f->dir->child; child; child = child->sibling)
		if (is_shown(child))
			f->children[f->count++] = child;
	qsort(f->children, count, sizeof(struct fb_tree_node *), by_name);
	return 0;
}

static int give_number(struct fb_tables *t, struct fb_tree_inode *inode,
		       struct fb_err *err)
{
	if (inode->number)
		return 0;
	if (t->inode_count == UINT32_MAX - 1)
		return fb_err_set(err, -E2BIG, "over 2^32 inodes");
	inode->number = ++t->inode_count;
	return 0;
}

static int push(struct fb_tables *t, struct stack *s, struct fb_tree_node *dir,
		struct fb_err *err)
{
	size_t cap = s->cap ? s->cap * 2 : 64;
	struct fb_tree_inode *inode;
	struct frame *f;
	int r;

	if (s->depth == s->cap) {
		f = reallocarray(s->v, cap, sizeof(*f));
		if (!f)
			return no_memory(err);
		s->v = f;
		s->cap = cap;
	}
	f = &s->v[s->depth++];
	*f = (struct frame){ .dir = dir };
	r = collect(f, err);
	dir->inode->links = 2;
	for (size_t i = 0; i < f->count && r == 0; i++) {
		inode = fb_tree_inode(f->children[i]);
		r = give_number(t, inode, err);
		if (S_ISDIR(inode->mode))
			dir->inode->links++;
	}
	t->directories++;
	return r;
}

/* all folders below are complete: the inodes here, then the listing */
static int write_folder(struct fb_tables *t, const struct frame *f,
			struct fb_err *err)
{
	struct fb_tree_inode *inode;
	int r = 0;

	for (size_t i = 0; i < f->count && r == 0; i++) {
		inode = fb_tree_inode(f->children[i]);
		if (!inode->written)
			r = fb_inode_write(t, inode, f->dir->inode->number,
					   err);
	}
	return r < 0 ? r
		     : fb_listing_write(t, f->children, f->count, f->dir->inode,
					err);
}

static int write_folders(struct fb_tables *t, struct stack *s,
			 struct fb_tree_node *root, struct fb_err *err)
{
	struct fb_tree_node *child;
	struct frame *top;
	int r = push(t, s, root, err);

	while (r == 0 && s->depth > 0) {
		top = &s->v[s->depth - 1];
		if (top->next < top->count) {
			child = top->children[top->next++];
			if (fb_tree_is_dir(child))
				r = push(t, s, child, err);
			continue;
		}
		r = write_folder(t, top, err);
		free(top->children);
		s->depth--;
	}
	return r;
}

static void count_links(struct fb_tree_node *root)
{
	struct fb_tree_node *n;

	for (n = root; n; n = fb_tree_next(root, n, !n->dead && n->inode))
		if (n->inode && !n->dead && !S_ISDIR(n->inode->mode))
			fb_tree_inode(n)->links++;
}

int fb_tables_tree(struct fb_tables *t, struct fb_tree_node *root,
		   struct fb_err *err)
{
	struct stack stack = { 0 };
	int r = give_number(t, root->inode, err);

	count_links(root);
	if (r == 0)
		r = write_folders(t, &stack, root, err);
	/* the root's parent is the one number that no inode has */
	if (r == 0)
		r = fb_inode_write(t, root->inode, t->inode_count + 1, err);
	while (stack.depth > 0)
		free(stack.v[--stack.depth].children);
	free(stack.v);
	return r;
}

/* Ends a table of metadata blocks: the list of where they are */
static int put_locations(struct fb_tables *t, struct fb_meta *m,
			 uint64_t *ret_place, struct fb_err *err)
{
	int r = fb_meta_flush(m, err);

	if (r < 0)
		return r;
	*ret_place = t->out->pos;
	return fb_sqfs_output_write(t->out, fb_str_cstr(&m->locations),
				    m->locations.len, err);
}

int fb_tables_fragments(struct fb_tables *t, const struct fb_fragments *f,
			uint64_t *ret_place, struct fb_err *err)
{
	struct fb_meta m;
	uint8_t buf[16], *p;
	int r = 0;

	*ret_place = SQ_NONE64;
	if (!f->count)
		return 0;
	fb_meta_init(&m, t->codec, t->out);
	m.locate = true;
	for (uint32_t i = 0; i < f->count && r == 0; i++) {
		p = buf;
		sq_put64(&p, f->v[i].start);
		sq_put32(&p, f->v[i].size);
		sq_put32(&p, 0);
		r = fb_meta_write(&m, buf, sizeof(buf), err);
	}
	if (r == 0)
		r = put_locations(t, &m, ret_place, err);
	fb_meta_release(&m);
	return r;
}

int fb_tables_ids(struct fb_tables *t, uint64_t *ret_place, struct fb_err *err)
{
	struct fb_meta m;
	uint8_t buf[4], *p;
	int r = 0;

	fb_meta_init(&m, t->codec, t->out);
	m.locate = true;
	for (uint32_t i = 0; i < t->ids.count && r == 0; i++) {
		p = buf;
		sq_put32(&p, t->ids.v[i]);
		r = fb_meta_write(&m, buf, sizeof(buf), err);
	}
	if (r == 0)
		r = put_locations(t, &m, ret_place, err);
	fb_meta_release(&m);
	return r;
}

static const struct {
	const char *prefix;
	enum sq_xattr_type type;
} namespaces[] = {
	{ "user.", SQ_USER },
	{ "trusted.", SQ_TRUSTED },
	{ "security.", SQ_SECURITY },
};

static int put_pair(struct fb_meta *m, const struct fb_xattr *x,
		    struct fb_err *err)
{
	uint8_t buf[8], *p = buf;
	unsigned int type = SQ_USER;
	size_t skip = 0;
	int r;

	for (size_t i = 0; i < FB_ARRAY_SIZE(namespaces); i++) {
		if (strncmp(x->name, namespaces[i].prefix,
			    strlen(namespaces[i].prefix)) != 0)
			continue;
		type = namespaces[i].type;
		skip = strlen(namespaces[i].prefix);
	}
	sq_put16(&p, type);
	sq_put16(&p, (unsigned int)(x->name_len - skip));
	r = fb_meta_write(m, buf, 4, err);
	if (r == 0)
		r = fb_meta_write(m, x->name + skip, x->name_len - skip, err);
	p = buf;
	sq_put32(&p, x->value_len);
	if (r == 0)
		r = fb_meta_write(m, buf, 4, err);
	return r < 0 ? r : fb_meta_write(m, x->value, x->value_len, err);
}

/* what listxattr(2) needs: names with their NULs */
static uint32_t list_bytes(const struct fb_xattr_set *set)
{
	uint32_t bytes = 0;

	for (uint32_t i = 0; i < set->count; i++)
		bytes += set->v[i].name_len + 1;
	return bytes;
}

static int put_sets(struct fb_tables *t, struct fb_meta *pairs,
		    struct fb_meta *list, struct fb_err *err)
{
	uint8_t buf[16], *p;
	int r = 0;

	for (uint32_t i = 0; i < t->set_count && r == 0; i++) {
		const struct fb_xattr_set *set = t->sets[i];

		p = buf;
		sq_put64(&p, fb_meta_ref(pairs));
		sq_put32(&p, set->count);
		sq_put32(&p, list_bytes(set));
		r = fb_meta_write(list, buf, sizeof(buf), err);
		for (uint32_t k = 0; k < set->count && r == 0; k++)
			r = put_pair(pairs, &set->v[k], err);
	}
	return r < 0 ? r : fb_meta_flush(pairs, err);
}

/* The list of sets is kept until the pairs are written; its blocks' places */
static int put_list(struct fb_tables *t, const struct fb_meta *list,
		    uint64_t pairs_at, uint64_t *ret_place, struct fb_err *err)
{
	const uint8_t *bytes = (const uint8_t *)fb_str_cstr(&list->kept);
	FB_STR struct fb_str places = FB_STR_INIT((size_t)1 << 30);
	uint64_t at = t->out->pos;
	uint8_t buf[16], *p = buf;
	int r = fb_sqfs_output_write(t->out, bytes, list->kept.len, err);

	for (size_t i = 0; i < list->kept.len;) {
		uint8_t place[8], *q = place;

		sq_put64(&q, at + i);
		fb_str_append(&places, place, sizeof(place));
		i += 2u + ((bytes[i] | (uint32_t)bytes[i + 1] << 8) &
			   (SQ_META_RAW - 1));
	}
	if (r == 0 && places.err)
		r = fb_err_set(err, places.err, "write xattrs: %m");
	*ret_place = t->out->pos;
	sq_put64(&p, pairs_at);
	sq_put32(&p, t->set_count);
	sq_put32(&p, 0);
	if (r == 0)
		r = fb_sqfs_output_write(t->out, buf, sizeof(buf), err);
	return r < 0 ? r
		     : fb_sqfs_output_write(t->out, fb_str_cstr(&places),
					    places.len, err);
}

int fb_tables_xattrs(struct fb_tables *t, uint64_t *ret_place,
		     struct fb_err *err)
{
	FB_FREE struct fb_meta *m = NULL;
	uint64_t pairs_at = t->out->pos;
	int r;

	*ret_place = SQ_NONE64;
	if (!t->set_count)
		return 0;
	m = calloc(2, sizeof(*m));
	if (!m)
		return fb_err_set(err, -ENOMEM, "write xattrs: %m");
	fb_meta_init(&m[0], t->codec, t->out);
	fb_meta_init(&m[1], t->codec, NULL);
	r = put_sets(t, &m[0], &m[1], err);
	if (r == 0)
		r = fb_meta_flush(&m[1], err);
	if (r == 0)
		r = put_list(t, &m[1], pairs_at, ret_place, err);
	fb_meta_release(&m[0]);
	fb_meta_release(&m[1]);
	return r;
}
