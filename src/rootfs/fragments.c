/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "rootfs/data.h"

/* smaller files are not worth the memory of being found again */
#define SAME_MIN 64u

static int no_memory(struct fb_err *err)
{
	return fb_err_set(err, -ENOMEM, "write small files: %m");
}

static int grow(struct fb_fragments *f)
{
	uint32_t cap = f->cap ? f->cap * 2 : 64;
	struct fb_fragment *grown;

	if (f->count < f->cap)
		return 0;
	grown = f->count < UINT32_MAX / 2
			? reallocarray(f->v, cap, sizeof(*grown))
			: NULL;
	if (!grown)
		return -ENOMEM;
	f->v = grown;
	f->cap = cap;
	return 0;
}

int fb_fragments_flush(struct fb_data *data, struct fb_err *err)
{
	struct fb_fragments *f = &data->fragments;
	struct fb_packed *b;
	int r;

	if (!f->len)
		return 0;
	r = fb_packer_begin(data->packer, &b, err);
	if (r < 0)
		return r;
	if (grow(f) < 0)
		return no_memory(err);
	memcpy(b->own, f->bytes, f->len);
	b->ctx = NULL;
	b->index = f->count;
	b->last = true;
	b->in = b->own;
	b->in_len = f->len;
	b->hold = NULL;
	fb_packer_submit(data->packer);
	f->v[f->count++] = (struct fb_fragment){ 0 };
	f->len = 0;
	return 0;
}

void fb_fragments_written(struct fb_data *data, uint32_t index, uint64_t start,
			  uint32_t size)
{
	data->fragments.v[index] = (struct fb_fragment){ start, size };
}

int fb_fragments_add(struct fb_data *data, struct fb_tree_inode *inode,
		     const uint8_t *bytes, uint32_t len, struct fb_err *err)
{
	struct fb_fragments *f = &data->fragments;
	struct fb_tree_inode *other = NULL;
	struct fb_seen_key key;
	int r = 0;

	if (len >= SAME_MIN)
		r = fb_seen_find(&f->seen, bytes, len, &key, &other);
	if (r < 0)
		return fb_err_set(err, r, "compare small files: %m");
	if (other) {
		inode->fragment = other->fragment;
		inode->fragment_offset = other->fragment_offset;
		return 0;
	}
	if (f->len + len > data->block_bytes)
		r = fb_fragments_flush(data, err);
	if (r < 0)
		return r;
	memcpy(f->bytes + f->len, bytes, len);
	inode->fragment = f->count;
	inode->fragment_offset = f->len;
	f->len += len;
	if (len >= SAME_MIN && fb_seen_add(&f->seen, &key, inode) < 0)
		return no_memory(err);
	return 0;
}

void fb_fragments_release(struct fb_fragments *fragments)
{
	free(fragments->bytes);
	free(fragments->v);
	fb_seen_release(&fragments->seen);
}
