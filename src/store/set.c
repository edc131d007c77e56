/* SPDX-License-Identifier: Apache-2.0 */
/* A set of digests: gathered, sorted once, then only asked. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store/internal.h"

static int compare(const void *a, const void *b)
{
	const struct fb_digest *x = a, *y = b;

	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	return memcmp(x->hash, y->hash, sizeof(x->hash));
}

int fb_digest_set_add(struct fb_digest_set *set, const struct fb_digest *d)
{
	if (set->count == set->cap) {
		size_t cap = set->cap ? set->cap * 2 : 64;
		struct fb_digest *v = reallocarray(set->v, cap, sizeof(*v));

		if (!v)
			return -ENOMEM;
		set->v = v;
		set->cap = cap;
	}
	set->v[set->count++] = *d;
	return 0;
}

void fb_digest_set_seal(struct fb_digest_set *set)
{
	if (set->count)
		qsort(set->v, set->count, sizeof(*set->v), compare);
}

bool fb_digest_set_has(const struct fb_digest_set *set,
		       const struct fb_digest *d)
{
	return set->count &&
	       bsearch(d, set->v, set->count, sizeof(*set->v), compare) != NULL;
}

void fb_digest_set_release(struct fb_digest_set *set)
{
	free(set->v);
	*set = (struct fb_digest_set){ 0 };
}
