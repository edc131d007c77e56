/* SPDX-License-Identifier: Apache-2.0 */
#include "rootfs/seen.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_SLOTS 1024u

void fb_seen_release(struct fb_seen *seen)
{
	fb_hash_free(seen->hash);
	free(seen->slots);
	*seen = (struct fb_seen){ 0 };
}

static int make_key(struct fb_seen *seen, const void *bytes, size_t len,
		    struct fb_seen_key *ret)
{
	uint8_t sum[FB_HASH_SIZE_MAX];

	if (!seen->hash)
		seen->hash = fb_hash_new(FB_HASH_SHA256);
	if (!seen->hash)
		return -ENOMEM;
	if (fb_hash_update(seen->hash, bytes, len) < 0 ||
	    fb_hash_final(seen->hash, sum) < 0)
		return -EIO;
	memcpy(ret, sum, sizeof(*ret));
	return 0;
}

/*
 * The slot that holds the key, or the free one where it belongs.  Their count is no
 * power of two: a table that grows by half is three quarters of the memory, of which
 * this one has most.
 */
static struct fb_seen_slot *slot_of(const struct fb_seen *seen,
				    const struct fb_seen_key *key)
{
	size_t at =
		(size_t)((unsigned __int128)key->high * seen->slot_count >> 64);

	while (seen->slots[at].inode &&
	       (seen->slots[at].key.high != key->high ||
		seen->slots[at].key.low != key->low))
		at = at + 1 < seen->slot_count ? at + 1 : 0;
	return &seen->slots[at];
}

int fb_seen_find(struct fb_seen *seen, const void *bytes, size_t len,
		 struct fb_seen_key *ret_key, struct fb_tree_inode **ret)
{
	int r = make_key(seen, bytes, len, ret_key);

	*ret = NULL;
	if (r == 0 && seen->slot_count)
		*ret = slot_of(seen, ret_key)->inode;
	return r;
}

static int grow(struct fb_seen *seen)
{
	size_t count =
		seen->slot_count ? seen->slot_count / 2 * 3 : FIRST_SLOTS;
	struct fb_seen old = *seen;

	if (seen->used < seen->slot_count / 4 * 3)
		return 0;
	seen->slots = calloc(count, sizeof(*seen->slots));
	if (!seen->slots) {
		seen->slots = old.slots;
		return -ENOMEM;
	}
	seen->slot_count = count;
	for (size_t i = 0; i < old.slot_count; i++)
		if (old.slots[i].inode)
			*slot_of(seen, &old.slots[i].key) = old.slots[i];
	free(old.slots);
	return 0;
}

int fb_seen_add(struct fb_seen *seen, const struct fb_seen_key *key,
		struct fb_tree_inode *inode)
{
	if (grow(seen) < 0)
		return -ENOMEM;
	*slot_of(seen, key) = (struct fb_seen_slot){ *key, inode };
	seen->used++;
	return 0;
}
