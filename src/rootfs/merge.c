/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Layers are merged from the top: what is there already wins, and what is
 * merged below it fills gaps.  A name that is only a whiteout stays in the
 * merged tree until the end, since it hides names of layers still to come.
 */
#include <errno.h>
#include <stdlib.h>

#include "rootfs/layer.h"

#define DEPTH_MAX (FB_TREE_PATH_MAX / 2 + 1)

bool fb_layer_is_hidden(const struct fb_tree *tree,
			const struct fb_tree_node *above,
			const struct fb_tree_node *node)
{
	const struct fb_tree_node *way[DEPTH_MAX], *at = above, *there;
	size_t depth = 0;

	if (node->dead)
		return true;
	for (const struct fb_tree_node *n = node; n->parent; n = n->parent)
		way[depth++] = n; /* paths are no longer, see walk.c */
	while (depth-- > 0) {
		if (at->opaque)
			return true;
		there = fb_tree_find(tree, at, way[depth]->name,
				     way[depth]->name_len);
		if (!there)
			return false;
		if (!fb_tree_is_dir(there))
			return true;
		at = there;
	}
	return true; /* a folder stands at the name itself */
}

/* A folder whose name its own layer whites out starts anew (rule 5) */
static void settle(struct fb_tree_node *node)
{
	if (node->whiteout && fb_tree_is_dir(node)) {
		node->opaque = true;
		node->attrs = true;
	}
}

/* What moves into the merged tree shows: bodies that were skipped are needed */
static void want_subtree(struct fb_tree_node *top)
{
	struct fb_tree_node *n;

	for (n = top; n; n = fb_tree_next(top, n, !n->dead)) {
		if (n->dead)
			continue;
		settle(n);
		if (n->inode)
			n->inode->wanted = true;
	}
}

/* two entries meet, @over of the upper layers */
static void meet(struct fb_tree_node *over, struct fb_tree_node *under)
{
	settle(under);
	if (!fb_tree_is_dir(under)) {
		/* rule 4: it goes, and nothing below it shows through */
		over->opaque = true;
		over->attrs = true;
		return;
	}
	if (!over->attrs && under->attrs) {
		/* rule 3: an implied folder takes what the one below has */
		over->inode = under->inode;
		over->attrs = true;
	}
}

struct pair {
	struct fb_tree_node *over;
	struct fb_tree_node *under;
};

struct stack {
	struct pair *v;
	size_t count;
	size_t cap;
};

static int push(struct stack *s, struct fb_tree_node *over,
		struct fb_tree_node *under)
{
	size_t cap = s->cap ? s->cap * 2 : 64;
	struct pair *grown;

	if (s->count == s->cap) {
		grown = reallocarray(s->v, cap, sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		s->v = grown;
		s->cap = cap;
	}
	s->v[s->count++] = (struct pair){ over, under };
	return 0;
}

/* children of @p->under into @p->over; folders that meet go on the stack */
static int merge_children(struct fb_tree *tree, struct pair p,
			  struct stack *stack)
{
	struct fb_tree_node *child, *next, *there;
	int r = 0;

	for (child = p.under->child; child && r == 0; child = next) {
		next = child->sibling;
		if (child->dead)
			continue;
		there = fb_tree_find(tree, p.over, child->name,
				     child->name_len);
		if (!there) {
			want_subtree(child);
			r = fb_tree_move(tree, child, p.over);
			continue;
		}
		if (!fb_tree_is_dir(there))
			continue;
		/* an opaque folder still takes attributes, if it has none */
		meet(there, child);
		if (!there->opaque && fb_tree_is_dir(child))
			r = push(stack, there, child);
	}
	p.over->opaque = p.over->opaque || p.under->opaque;
	return r;
}

int fb_layer_merge(struct fb_tree *tree, struct fb_tree_node *above,
		   struct fb_tree_node *layer)
{
	struct stack stack = { 0 };
	int r = 0;

	meet(above, layer);
	if (!above->opaque)
		r = push(&stack, above, layer);
	while (r == 0 && stack.count > 0)
		r = merge_children(tree, stack.v[--stack.count], &stack);
	free(stack.v);
	return r;
}
