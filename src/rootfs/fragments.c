/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "rootfs/data.h"

/* smaller files are not worth the memory of being found again */
#define SAME_MIN 64u
/* fragments that may be read back: some at first, some for each that is made */
#define READS_FIRST 256u
#define READS_EACH 4u

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

/* The place in the cache that is to be overwritten next */
static uint8_t *cache_slot(struct fb_data *d, uint32_t index)
{
	struct fb_fragments *f = &d->fragments;
	unsigned int at = f->cache_next;

	if (!f->cache[at].bytes)
		f->cache[at].bytes = malloc(d->block_bytes);
	if (!f->cache[at].bytes)
		return NULL;
	f->cache_next = (at + 1) % FB_FRAGMENT_CACHE;
	f->cache[at].index = index;
	return f->cache[at].bytes;
}

static const uint8_t *cached(const struct fb_fragments *f, uint32_t index)
{
	if (index == f->count)
		return f->bytes;
	for (unsigned int i = 0; i < FB_FRAGMENT_CACHE; i++)
		if (f->cache[i].bytes && f->cache[i].index == index)
			return f->cache[i].bytes;
	return NULL;
}

int fb_fragments_flush(struct fb_data *data, struct fb_err *err)
{
	struct fb_fragments *f = &data->fragments;
	struct fb_packed *b;
	uint8_t *copy;
	int r;

	if (!f->len)
		return 0;
	r = fb_packer_begin(data->packer, &b, err);
	if (r < 0)
		return r;
	copy = cache_slot(data, f->count);
	if (!copy || grow(f) < 0)
		return no_memory(err);
	memcpy(copy, f->bytes, f->len);
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
	f->reads += f->count == 1 ? READS_FIRST : READS_EACH;
	return 0;
}

void fb_fragments_written(struct fb_data *data, uint32_t index, uint64_t start,
			  uint32_t size)
{
	data->fragments.v[index] = (struct fb_fragment){ start, size };
}

/* Have a fragment in the cache again. Return: bytes; NULL with *ret_error */
static const uint8_t *read_back(struct fb_data *d, uint32_t index,
				int *ret_error, struct fb_err *err)
{
	struct fb_fragment *at = &d->fragments.v[index];
	FB_FREE uint8_t *packed = malloc(d->block_bytes);
	uint8_t *bytes = cache_slot(d, index);
	uint32_t len;
	int r = 0;

	*ret_error = -ENOMEM;
	if (!packed || !bytes)
		return NULL;
	if (!at->size)
		r = fb_packer_drain(d->packer, err);
	len = at->size & (SQ_BLOCK_RAW - 1);
	if (r == 0 &&
	    fb_pread_full(d->out->fd, packed, len, at->start) != (ssize_t)len)
		r = -EIO;
	if (r == 0 && at->size & SQ_BLOCK_RAW)
		memcpy(bytes, packed, len);
	else if (r == 0)
		r = fb_codec_unpack(d->codec, packed, len, bytes,
				    d->block_bytes);
	*ret_error = r < 0 ? r : 0;
	return r < 0 ? NULL : bytes;
}

/* Return: 1 it is in a fragment already; 0 not; negative errno */
static int find_same(struct fb_data *d, struct fb_dedup_search *search,
		     struct fb_tree_inode *inode, const uint8_t *bytes,
		     uint32_t len, struct fb_err *err)
{
	struct fb_fragments *f = &d->fragments;
	struct fb_tree_inode *other;
	const uint8_t *there;
	int r = 0;

	while ((other = fb_dedup_next(search))) {
		if (other->size != len)
			continue;
		there = cached(f, other->fragment);
		if (!there && !f->reads)
			continue;
		if (!there) {
			f->reads--;
			there = read_back(d, other->fragment, &r, err);
		}
		if (r < 0)
			return fb_err_set(err, r, "compare small files: %m");
		if (!memcmp(there + other->fragment_offset, bytes, len)) {
			inode->fragment = other->fragment;
			inode->fragment_offset = other->fragment_offset;
			return 1;
		}
	}
	return 0;
}

int fb_fragments_add(struct fb_data *data, struct fb_tree_inode *inode,
		     const uint8_t *bytes, uint32_t len, struct fb_err *err)
{
	struct fb_fragments *f = &data->fragments;
	struct fb_dedup_search search;
	int r = 0;

	if (len >= SAME_MIN) {
		fb_dedup_start(&search, &f->same, fb_sum(bytes, len));
		r = find_same(data, &search, inode, bytes, len, err);
		if (r != 0)
			return r < 0 ? r : 0;
	}
	if (f->len + len > data->block_bytes)
		r = fb_fragments_flush(data, err);
	if (r < 0)
		return r;
	memcpy(f->bytes + f->len, bytes, len);
	inode->fragment = f->count;
	inode->fragment_offset = f->len;
	f->len += len;
	if (len >= SAME_MIN && fb_dedup_add(&f->same, &search, inode) < 0)
		return no_memory(err);
	return 0;
}

void fb_fragments_release(struct fb_fragments *fragments)
{
	for (unsigned int i = 0; i < FB_FRAGMENT_CACHE; i++)
		free(fragments->cache[i].bytes);
	free(fragments->bytes);
	free(fragments->v);
	fb_dedup_release(&fragments->same);
}
