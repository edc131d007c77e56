/* SPDX-License-Identifier: Apache-2.0 */
#include "rootfs/xattrs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

#define FIRST_SLOTS 64u

void fb_xattr_sets_release(struct fb_xattr_sets *sets)
{
	free(sets->slots);
	*sets = (struct fb_xattr_sets){ 0 };
}

static bool starts(const char *text, const char *prefix)
{
	return !strncmp(text, prefix, strlen(prefix));
}

/* A namespace, and a name in it */
static bool is_in(const char *name, const char *space)
{
	return starts(name, space) && name[strlen(space)];
}

/* What Linux lets such an entry have, and SquashFS holds */
static bool is_possible(enum fb_tar_type type, const char *name)
{
	if (is_in(name, "user."))
		return type == FB_TAR_FILE || type == FB_TAR_DIR;
	return is_in(name, "trusted.") || is_in(name, "security.");
}

/* rule 10; counts what is left out */
static bool is_kept(enum fb_tar_type type, const char *name,
		    struct fb_rootfs_result *result)
{
	if (starts(name, "system.posix_acl_")) {
		result->dropped_acls++;
		return false;
	}
	if (is_possible(type, name) && !starts(name, "trusted.overlay."))
		return true;
	result->dropped_xattrs++;
	return false;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct fb_xattr *)a)->name,
		      ((const struct fb_xattr *)b)->name);
}

static uint32_t hash_bytes(uint32_t h, const void *data, size_t len)
{
	for (size_t i = 0; i < len; i++)
		h = (h ^ ((const uint8_t *)data)[i]) * 16777619u;
	return h;
}

/* stirred with an address, so that nobody can make them collide beforehand */
static uint32_t hash_list(const struct fb_xattr_sets *sets,
			  const struct fb_xattr *v, uint32_t count)
{
	uint32_t h = 2166136261u ^ (uint32_t)((uintptr_t)sets >> 4);

	for (uint32_t i = 0; i < count; i++) {
		h = hash_bytes(h, v[i].name, v[i].name_len + 1u);
		h = hash_bytes(h, &v[i].value_len, sizeof(v[i].value_len));
		h = hash_bytes(h, v[i].value, v[i].value_len);
	}
	return h;
}

static bool is_same(const struct fb_xattr_set *set, const struct fb_xattr *v,
		    uint32_t count)
{
	if (set->count != count)
		return false;
	for (uint32_t i = 0; i < count; i++)
		if (strcmp(set->v[i].name, v[i].name) != 0 ||
		    set->v[i].value_len != v[i].value_len ||
		    memcmp(set->v[i].value, v[i].value, v[i].value_len) != 0)
			return false;
	return true;
}

static int grow(struct fb_xattr_sets *sets)
{
	size_t count = sets->slot_count ? sets->slot_count * 2 : FIRST_SLOTS;
	struct fb_xattr_set **slots, *set, *next;

	if (sets->count < sets->slot_count)
		return 0;
	slots = calloc(count, sizeof(struct fb_xattr_set *));
	if (!slots)
		return -ENOMEM;
	for (size_t i = 0; i < sets->slot_count; i++) {
		for (set = sets->slots[i]; set; set = next) {
			next = set->chain;
			set->chain = slots[set->hash & (count - 1)];
			slots[set->hash & (count - 1)] = set;
		}
	}
	free(sets->slots);
	sets->slots = slots;
	sets->slot_count = count;
	return 0;
}

static int add_set(struct fb_xattr_sets *sets, struct fb_tree *tree,
		   const struct fb_xattr *v, uint32_t count, uint32_t hash,
		   const struct fb_xattr_set **ret)
{
	struct fb_xattr_set *set =
		fb_tree_alloc(tree, sizeof(*set) + count * sizeof(set->v[0]));
	struct fb_xattr_set **slot;

	if (!set)
		return -ENOMEM;
	for (uint32_t i = 0; i < count; i++) {
		set->v[i] = v[i];
		set->v[i].name = fb_tree_memdup(tree, v[i].name, v[i].name_len);
		set->v[i].value =
			fb_tree_memdup(tree, v[i].value, v[i].value_len);
		if (!set->v[i].name || !set->v[i].value)
			return -ENOMEM;
	}
	set->hash = hash;
	set->count = count;
	set->index = UINT32_MAX;
	slot = &sets->slots[hash & (sets->slot_count - 1)];
	set->chain = *slot;
	*slot = set;
	sets->count++;
	*ret = set;
	return 0;
}

int fb_xattrs_keep(struct fb_xattr_sets *sets, struct fb_tree *tree,
		   const struct fb_tar_entry *entry,
		   struct fb_rootfs_result *result,
		   const struct fb_xattr_set **ret)
{
	FB_FREE struct fb_xattr *v = NULL;
	const struct fb_xattr_set *set;
	uint32_t count = 0, hash;

	*ret = NULL;
	if (entry->acl)
		result->dropped_acls++;
	if (entry->xattr_count == 0)
		return 0;
	v = calloc(entry->xattr_count, sizeof(*v));
	if (!v || grow(sets) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < entry->xattr_count; i++) {
		const struct fb_tar_xattr *x = &entry->xattrs[i];

		if (is_kept(entry->type, x->name, result))
			v[count++] = (struct fb_xattr){
				.name = x->name,
				.value = x->value,
				.name_len = (uint32_t)strlen(x->name),
				.value_len = (uint32_t)x->value_len,
			};
	}
	if (count == 0)
		return 0;
	qsort(v, count, sizeof(*v), by_name);
	hash = hash_list(sets, v, count);
	for (set = sets->slots[hash & (sets->slot_count - 1)]; set;
	     set = set->chain) {
		if (set->hash == hash && is_same(set, v, count)) {
			*ret = set;
			return 0;
		}
	}
	return add_set(sets, tree, v, count, hash, ret);
}
