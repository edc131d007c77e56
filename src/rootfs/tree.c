/* SPDX-License-Identifier: Apache-2.0 */
#include "rootfs/tree.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK_SIZE (1u << 20)
#define FIRST_SLOTS 1024u
#define TOMB ((struct fb_tree_node *)(uintptr_t)1)

/* there is one of these for every file of an image */
static_assert(sizeof(struct fb_tree_inode) <= 80, "inodes have grown");
static_assert(sizeof(struct fb_tree_node) <= 40, "nodes have grown");

struct fb_tree_chunk {
	struct fb_tree_chunk *next;
	size_t used;
	size_t size;
	max_align_t data[];
};

int fb_tree_init(struct fb_tree *tree)
{
	*tree = (struct fb_tree){ .slot_count = FIRST_SLOTS };
	tree->slots = calloc(FIRST_SLOTS, sizeof(struct fb_tree_node *));
	return tree->slots ? 0 : -ENOMEM;
}

void fb_tree_release(struct fb_tree *tree)
{
	struct fb_tree_chunk *next;

	for (; tree->chunks; tree->chunks = next) {
		next = tree->chunks->next;
		free(tree->chunks);
	}
	free(tree->slots);
	*tree = (struct fb_tree){ 0 };
}

void *fb_tree_alloc(struct fb_tree *tree, size_t size)
{
	struct fb_tree_chunk *chunk = tree->chunks;
	size_t room = CHUNK_SIZE - sizeof(*chunk);
	void *at;

	size = (size + 7) & ~(size_t)7;
	if (!chunk || chunk->size - chunk->used < size) {
		if (size > room)
			room = size;
		chunk = calloc(1, sizeof(*chunk) + room);
		if (!chunk)
			return NULL;
		chunk->size = room;
		tree->bytes += room;
		chunk->next = tree->chunks;
		tree->chunks = chunk;
	}
	at = (char *)chunk->data + chunk->used;
	chunk->used += size;
	return at;
}

void *fb_tree_memdup(struct fb_tree *tree, const void *data, size_t len)
{
	char *copy = fb_tree_alloc(tree, len + 1);

	if (copy && len)
		memcpy(copy, data, len);
	return copy;
}

/* FNV-1a over the name, stirred with the parent; only speed depends on it */
static uint32_t hash_name(const struct fb_tree_node *parent, const char *name,
			  size_t len)
{
	uint64_t h = 14695981039346656037ull ^ ((uintptr_t)parent >> 3);

	for (size_t i = 0; i < len; i++)
		h = (h ^ (uint8_t)name[i]) * 1099511628211ull;
	h ^= h >> 29;
	return (uint32_t)(h * 0x9e3779b97f4a7c15ull >> 32);
}

static size_t find_slot(const struct fb_tree *tree,
			const struct fb_tree_node *parent, const char *name,
			size_t len, uint32_t hash)
{
	size_t mask = tree->slot_count - 1, i = hash & mask;
	const struct fb_tree_node *n;

	for (;; i = (i + 1) & mask) {
		n = tree->slots[i];
		if (!n)
			return SIZE_MAX;
		if (n != TOMB && n->hash == hash && n->parent == parent &&
		    n->name_len == len && !memcmp(n->name, name, len))
			return i;
	}
}

static void put_slot(struct fb_tree *tree, struct fb_tree_node *node)
{
	size_t mask = tree->slot_count - 1, i = node->hash & mask;

	while (tree->slots[i] && tree->slots[i] != TOMB)
		i = (i + 1) & mask;
	if (!tree->slots[i])
		tree->used++;
	tree->slots[i] = node;
}

static int grow(struct fb_tree *tree)
{
	struct fb_tree_node **old = tree->slots;
	size_t old_count = tree->slot_count;

	if (tree->used + 1 <= old_count / 4 * 3)
		return 0;
	tree->slots = calloc(old_count * 2, sizeof(struct fb_tree_node *));
	if (!tree->slots) {
		tree->slots = old;
		return -ENOMEM;
	}
	tree->slot_count = old_count * 2;
	tree->used = 0;
	for (size_t i = 0; i < old_count; i++)
		if (old[i] && old[i] != TOMB)
			put_slot(tree, old[i]);
	free(old);
	return 0;
}

struct fb_tree_node *fb_tree_root(struct fb_tree *tree)
{
	struct fb_tree_node *root = fb_tree_alloc(tree, sizeof(*root) + 1);

	return root && fb_tree_make_dir(tree, root) == 0 ? root : NULL;
}

struct fb_tree_node *fb_tree_find(const struct fb_tree *tree,
				  const struct fb_tree_node *parent,
				  const char *name, size_t len)
{
	size_t slot = find_slot(tree, parent, name, len,
				hash_name(parent, name, len));

	return slot == SIZE_MAX ? NULL : tree->slots[slot];
}

struct fb_tree_node *fb_tree_add(struct fb_tree *tree,
				 struct fb_tree_node *parent, const char *name,
				 size_t len)
{
	struct fb_tree_node *node;

	if (grow(tree) < 0)
		return NULL;
	node = fb_tree_alloc(tree,
			     offsetof(struct fb_tree_node, name) + len + 1);
	if (!node)
		return NULL;
	memcpy(node->name, name, len);
	node->name_len = (uint8_t)len;
	node->hash = hash_name(parent, name, len);
	node->parent = parent;
	node->sibling = parent->child;
	parent->child = node;
	put_slot(tree, node);
	return node;
}

static void forget_slot(struct fb_tree *tree, const struct fb_tree_node *node)
{
	size_t slot = find_slot(tree, node->parent, node->name, node->name_len,
				node->hash);

	if (slot != SIZE_MAX && tree->slots[slot] == node)
		tree->slots[slot] = TOMB;
}

void fb_tree_take_out(struct fb_tree *tree, struct fb_tree_node *node)
{
	forget_slot(tree, node);
	node->dead = true;
}

int fb_tree_move(struct fb_tree *tree, struct fb_tree_node *node,
		 struct fb_tree_node *parent)
{
	if (grow(tree) < 0)
		return -ENOMEM;
	forget_slot(tree, node);
	node->parent = parent;
	node->hash = hash_name(parent, node->name, node->name_len);
	node->sibling = parent->child;
	parent->child = node;
	put_slot(tree, node);
	return 0;
}

struct fb_tree_inode *fb_tree_inode(const struct fb_tree_node *node)
{
	struct fb_tree_inode *inode = node->inode;

	while (inode && inode->mode == 0 && inode->alias)
		inode = inode->alias;
	return inode;
}

int fb_tree_make_dir(struct fb_tree *tree, struct fb_tree_node *node)
{
	node->inode = fb_tree_alloc(tree, sizeof(*node->inode));
	if (!node->inode)
		return -ENOMEM;
	node->inode->mode = S_IFDIR | 0755;
	return 0;
}

size_t fb_tree_path_len(const struct fb_tree_node *node)
{
	size_t len = 0;

	for (; node->parent; node = node->parent)
		len += node->name_len + 1u;
	return len ? len - 1 : 0;
}

struct fb_tree_node *fb_tree_next(const struct fb_tree_node *top,
				  const struct fb_tree_node *node, bool enter)
{
	struct fb_tree_node *next = enter ? node->child : NULL;

	while (!next && node != top) {
		next = node->sibling;
		node = node->parent;
	}
	return next;
}
