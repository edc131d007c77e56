/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>

#include "archive/tar_internal.h"

int tar_sparse_add(struct fb_tar_extent **list, size_t *count, uint64_t offset,
		   uint64_t len)
{
	struct fb_tar_extent *grown;

	if (*count >= FB_TAR_EXTENTS_MAX)
		return -E2BIG;
	/* doubled: capacity is the next power of two */
	if ((*count & (*count - 1)) == 0) {
		grown = reallocarray(*list, *count ? *count * 2 : 1,
				     sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		*list = grown;
	}
	(*list)[(*count)++] = (struct fb_tar_extent){ offset, len };
	return 0;
}

/* @slots pairs of 12-byte numbers; an empty one ends the map */
static int gnu_pairs(struct fb_tar *tar, const uint8_t *at, size_t slots,
		     bool *ret_end)
{
	int64_t offset, len;
	int r = 0;

	*ret_end = false;
	for (size_t i = 0; i < slots && r == 0; i++, at += 24) {
		if (at[0] == '\0') {
			*ret_end = true;
			return 0;
		}
		if (tar_number(at, 12, &offset) < 0 ||
		    tar_number(at + 12, 12, &len) < 0 || offset < 0 || len < 0)
			return -EBADMSG;
		r = tar_sparse_add(&tar->extents, &tar->extent_count,
				   (uint64_t)offset, (uint64_t)len);
	}
	return r;
}

int tar_sparse_gnu(struct fb_tar *tar, struct fb_err *err)
{
	bool extended = tar->block[TAR_GNU_IS_EXTENDED] != 0, end;
	uint8_t block[TAR_BLOCK];
	int64_t real;
	int r;

	if (tar_number(tar->block + TAR_GNU_REAL_SIZE, 12, &real) < 0 ||
	    real < 0)
		return fb_err_set(err, -EBADMSG, "malformed sparse size");
	tar->entry.size_bytes = (uint64_t)real;
	r = gnu_pairs(tar, tar->block + TAR_GNU_SPARSE, 4, &end);
	while (r == 0 && extended) {
		r = tar_read_exact(tar, block, sizeof(block), err);
		if (r < 0)
			return r;
		r = gnu_pairs(tar, block, 21, &end);
		extended = block[504] != 0;
	}
	return r < 0 ? fb_err_set(err, r, "malformed sparse map") : 0;
}

/* a decimal line; @line has room for 20 digits */
static int map_line(struct fb_tar *tar, size_t *used, size_t *have,
		    uint64_t *ret, struct fb_err *err)
{
	char line[20];
	size_t len = 0;
	uint8_t c;
	int r;

	for (;;) {
		if (*used == *have) {
			if (tar->body_left < TAR_BLOCK)
				return fb_err_set(err, -EBADMSG,
						  "sparse map is cut short");
			r = tar_read_exact(tar, tar->block, TAR_BLOCK, err);
			if (r < 0)
				return r;
			tar->body_left -= TAR_BLOCK;
			*used = 0;
			*have = TAR_BLOCK;
		}
		c = tar->block[(*used)++];
		if (c == '\n')
			break;
		if (len == sizeof(line))
			return fb_err_set(err, -EBADMSG,
					  "malformed sparse map");
		line[len++] = (char)c;
	}
	if (tar_decimal(line, len, ret) < 0)
		return fb_err_set(err, -EBADMSG, "malformed sparse map");
	return 0;
}

int tar_sparse_pax1(struct fb_tar *tar, struct fb_err *err)
{
	size_t used = 0, have = 0;
	uint64_t count, offset, len;
	int r = map_line(tar, &used, &have, &count, err);

	if (r == 0 && count > FB_TAR_EXTENTS_MAX)
		return fb_err_set(err, -E2BIG, "sparse map of over %u pieces",
				  FB_TAR_EXTENTS_MAX);
	for (uint64_t i = 0; r == 0 && i < count; i++) {
		r = map_line(tar, &used, &have, &offset, err);
		if (r == 0)
			r = map_line(tar, &used, &have, &len, err);
		if (r == 0)
			r = tar_sparse_add(&tar->extents, &tar->extent_count,
					   offset, len);
	}
	return r;
}

int tar_sparse_check(struct fb_tar *tar, struct fb_err *err)
{
	const struct fb_tar_extent *e = tar->extents;
	uint64_t at = 0, sum = 0;

	for (size_t i = 0; i < tar->extent_count; i++, e++) {
		if (e->offset < at || e->len > tar->entry.size_bytes ||
		    e->offset > tar->entry.size_bytes - e->len)
			return fb_err_set(err, -EBADMSG,
					  "sparse pieces overlap or lie "
					  "outside the file");
		at = e->offset + e->len;
		sum += e->len;
	}
	if (sum != tar->body_left)
		return fb_err_set(err, -EBADMSG,
				  "sparse pieces do not add up to the body");
	tar->entry.extents = tar->extents;
	tar->entry.extent_count = tar->extent_count;
	tar->entry.sparse = true;
	return 0;
}
