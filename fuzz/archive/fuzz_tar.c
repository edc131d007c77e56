/* SPDX-License-Identifier: Apache-2.0 */
/* A tar archive: every entry, every second file read. */
#include <stdint.h>
#include <stdlib.h>

#include "archive/tar.h"

static void check_entry(const struct fb_tar_entry *e)
{
	uint64_t at = 0;

	if (e->name[e->name_len] || e->link[e->link_len] || e->mode > 07777 ||
	    e->uid == UINT32_MAX || e->gid == UINT32_MAX ||
	    e->name_len > FB_TAR_NAME_MAX || e->link_len > FB_TAR_NAME_MAX ||
	    (e->type != FB_TAR_FILE && e->size_bytes))
		abort();
	for (size_t i = 0; i < e->xattr_count; i++)
		if (e->xattrs[i].value_len > FB_TAR_XATTR_VALUE_MAX)
			abort();
	for (size_t i = 0; i < e->extent_count; i++) {
		if (e->extents[i].offset < at)
			abort();
		at = e->extents[i].offset + e->extents[i].len;
		if (at > e->size_bytes)
			abort();
	}
}

static int read_file(struct fb_tar *tar, const struct fb_tar_entry *e)
{
	struct fb_tar_piece piece;
	uint64_t got = 0;
	unsigned int sum = 0;
	int r;

	while ((r = fb_tar_piece(tar, &piece, NULL)) > 0) {
		if (piece.len == 0)
			abort();
		got += piece.len;
		for (uint64_t i = 0; piece.data && i < piece.len; i++)
			sum += piece.data[i];
	}
	/* the sum is used, so that the reads are not optimised away */
	if (r == 0 && e->type == FB_TAR_FILE &&
	    got + (sum == UINT32_MAX) != e->size_bytes)
		abort();
	return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	FB_SOURCE struct fb_source *source = NULL;
	FB_TAR struct fb_tar *tar = NULL;
	struct fb_tar_entry e;
	struct fb_err err = { 0 };
	int r;

	if (fb_source_from_memory(data, size, &source, NULL) < 0 ||
	    fb_tar_open(source, &tar, NULL) < 0)
		return 0;
	while ((r = fb_tar_next(tar, &e, &err)) > 0) {
		check_entry(&e);
		if (fb_tar_entry_count(tar) % 2)
			r = read_file(tar, &e);
		if (r < 0)
			break;
	}
	if (r < 0 && err.code && !err.msg[0])
		abort();
	return 0;
}
