/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The body of an entry: of a sparse file, holes and extents in turn; of any
 * other, what is stored.
 */
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "archive/tar_internal.h"

static uint64_t at_most(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static int stored_piece(struct fb_tar *tar, uint64_t max,
			struct fb_tar_piece *ret, struct fb_err *err)
{
	uint64_t room = tar->source->ops->view ? SSIZE_MAX : sizeof(tar->buf);
	const uint8_t *data;
	ssize_t n;

	n = fb_source_view(tar->source, tar->buf, (size_t)at_most(room, max),
			   &data, err);
	if (n < 0)
		return (int)n;
	if (n == 0)
		return fb_err_set(err, -EBADMSG, "archive is cut short");
	tar->pos += (uint64_t)n;
	tar->body_left -= (uint64_t)n;
	tar->file_pos += (uint64_t)n;
	*ret = (struct fb_tar_piece){ data, (uint64_t)n };
	return 1;
}

static int hole_piece(struct fb_tar *tar, uint64_t end, uint64_t max,
		      struct fb_tar_piece *ret)
{
	uint64_t len = end - tar->file_pos;

	*ret = (struct fb_tar_piece){ NULL, len < max ? len : max };
	tar->file_pos += ret->len;
	return 1;
}

/* fb_tar_piece(), the piece not longer than @max */
static int piece_up_to(struct fb_tar *tar, uint64_t max,
		       struct fb_tar_piece *ret, struct fb_err *err)
{
	const struct fb_tar_extent *e;
	uint64_t end;

	if (tar->entry.type != FB_TAR_FILE ||
	    tar->file_pos >= tar->entry.size_bytes)
		return 0;
	if (!tar->entry.sparse)
		return stored_piece(tar, at_most(tar->body_left, max), ret,
				    err);
	while (tar->extent_next < tar->extent_count) {
		e = &tar->extents[tar->extent_next];
		end = e->offset + e->len;
		if (tar->file_pos < e->offset)
			return hole_piece(tar, e->offset, max, ret);
		if (tar->file_pos < end)
			return stored_piece(tar,
					    at_most(end - tar->file_pos, max),
					    ret, err);
		tar->extent_next++;
	}
	return hole_piece(tar, tar->entry.size_bytes, max, ret);
}

int fb_tar_piece(struct fb_tar *tar, struct fb_tar_piece *ret,
		 struct fb_err *err)
{
	return piece_up_to(tar, UINT64_MAX, ret, err);
}

/* straight into the caller's buffer: this is the bulk of a layer */
static ssize_t read_stored(struct fb_tar *tar, void *buf, size_t len,
			   struct fb_err *err)
{
	ssize_t n = fb_source_read(tar->source, buf,
				   (size_t)at_most(len, tar->body_left), err);

	if (n == 0)
		return fb_err_set(err, -EBADMSG, "archive is cut short");
	if (n > 0) {
		tar->pos += (uint64_t)n;
		tar->body_left -= (uint64_t)n;
		tar->file_pos += (uint64_t)n;
	}
	return n;
}

static ssize_t read_sparse(struct fb_tar *tar, void *buf, size_t len,
			   struct fb_err *err)
{
	struct fb_tar_piece piece;
	int r = piece_up_to(tar, len, &piece, err);

	if (r <= 0)
		return r;
	if (piece.data)
		memcpy(buf, piece.data, (size_t)piece.len);
	else
		memset(buf, 0, (size_t)piece.len);
	return (ssize_t)piece.len;
}

ssize_t fb_tar_read(struct fb_tar *tar, void *buf, size_t len,
		    struct fb_err *err)
{
	size_t done = 0;
	ssize_t n;

	while (done < len && tar->entry.type == FB_TAR_FILE &&
	       tar->file_pos < tar->entry.size_bytes) {
		n = tar->entry.sparse ? read_sparse(tar, (char *)buf + done,
						    len - done, err)
				      : read_stored(tar, (char *)buf + done,
						    len - done, err);
		if (n < 0)
			return n;
		done += (size_t)n;
	}
	return (ssize_t)done;
}
