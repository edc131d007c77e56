/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>

#include "rootfs/tables.h"

/* a table that is never full: twice as many slots as ids */
#define SLOTS 131072u

static uint32_t *find(const struct fb_ids *ids, uint32_t id)
{
	uint32_t at = id * 2654435761u >> 15;

	for (;; at++) {
		uint32_t *slot = &ids->slots[at & (SLOTS - 1)];

		if (!*slot || ids->v[*slot - 1] == id)
			return slot;
	}
}

int fb_ids_index(struct fb_ids *ids, uint32_t id, uint16_t *ret,
		 struct fb_err *err)
{
	uint32_t *slot;

	if (!ids->slots) {
		ids->v = calloc(SQ_IDS_MAX, sizeof(*ids->v));
		ids->slots = calloc(SLOTS, sizeof(*ids->slots));
	}
	if (!ids->v || !ids->slots)
		return fb_err_set(err, -ENOMEM, "write ids: %m");
	slot = find(ids, id);
	if (!*slot) {
		if (ids->count == SQ_IDS_MAX)
			return fb_err_set(err, -E2BIG,
					  "more than %u different user and "
					  "group ids: SquashFS holds no more",
					  SQ_IDS_MAX);
		ids->v[ids->count++] = id;
		*slot = ids->count;
	}
	*ret = (uint16_t)(*slot - 1);
	return 0;
}

void fb_ids_release(struct fb_ids *ids)
{
	free(ids->v);
	free(ids->slots);
}
