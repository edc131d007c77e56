/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Theory of operation.  Blocks go through the packer and come out in the same
 * order, on this thread, in write_block(): so the position of each follows from
 * what came before it, and not from which thread was faster.  A whole block that
 * lies in the input as it is needed is packed from there; others are put together
 * in the packer's slot.  A file whose blocks turn out to be in the image already
 * is taken out again by stepping back to where it began.
 *
 * A file smaller than a block waits in `small` until it is complete and then
 * goes into a fragment.  The tail of a larger one is a short block of its own:
 * a reader then never unpacks a fragment of foreign files for it.
 */
#include "rootfs/data.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "base/io.h"

static int no_memory(struct fb_err *err)
{
	return fb_err_set(err, -ENOMEM, "write file data: %m");
}

static int end_file(struct fb_data *d, struct fb_tree_inode *inode,
		    uint32_t count, struct fb_err *err)
{
	int r = 0;

	if (d->started) {
		inode->start = d->start;
		r = fb_dedup_blocks(&d->same, inode, count, d->sum, d->out->fd);
		if (r < 0)
			return fb_err_set(err, r, "compare file data: %m");
		if (r == 1)
			d->out->pos = d->start;
	}
	d->started = false;
	d->sum = 0;
	return 0;
}

/* One packed block, in order.  Without an inode it is a fragment */
static int write_block(void *ctx, const struct fb_packed *b, struct fb_err *err)
{
	struct fb_data *d = ctx;
	struct fb_tree_inode *inode = b->ctx;
	uint64_t start = d->out->pos;
	uint32_t size = b->out_len | (b->raw ? SQ_BLOCK_RAW : 0);
	int r = 0;

	if (b->out_len)
		r = fb_sqfs_output_write(d->out, b->out, b->out_len, err);
	if (r == 0)
		r = fb_sqfs_output_flush(d->out, err);
	if (r < 0)
		return r;
	if (!inode) {
		fb_fragments_written(d, b->index, start, size);
		return 0;
	}
	inode->blocks[b->index] = size;
	if (b->out_len && !d->started) {
		d->started = true;
		d->start = start;
	}
	/* holes count for nothing: not all of them come by */
	if (b->out_len)
		d->sum = d->sum * 0x9e3779b97f4a7c15ull + b->sum;
	return b->last ? end_file(d, inode, b->index + 1, err) : 0;
}

int fb_data_open(struct fb_data *data, const struct fb_rootfs_options *options,
		 struct fb_sqfs_output *out, struct fb_tree *tree,
		 struct fb_err *err)
{
	data->out = out;
	data->tree = tree;
	data->block_bytes = options->block_bytes;
	data->small = malloc(options->block_bytes);
	data->fragments.bytes = malloc(options->block_bytes);
	if (!data->small || !data->fragments.bytes)
		return no_memory(err);
	return fb_packer_new(options, write_block, data, &data->packer, err);
}

int fb_data_begin(struct fb_data *data, struct fb_tree_inode *inode,
		  struct fb_err *err)
{
	uint64_t count = 0;

	if (inode->size >= data->block_bytes)
		count = (inode->size - 1) / data->block_bytes + 1;
	if (count > UINT32_MAX)
		return fb_err_set(err, -EFBIG, "a file of over 2^32 blocks");
	inode->blocks = NULL;
	if (count) {
		inode->blocks = fb_tree_alloc(
			data->tree, (size_t)count * sizeof(*inode->blocks));
		if (!inode->blocks)
			return no_memory(err);
	}
	data->inode = inode;
	data->left = inode->size;
	data->block = 0;
	data->block_count = (uint32_t)count;
	data->fill = 0;
	return 0;
}

static uint32_t block_len(const struct fb_data *d)
{
	uint64_t left = d->left + d->fill;

	return left < d->block_bytes ? (uint32_t)left : d->block_bytes;
}

static void submit(struct fb_data *d, struct fb_packed *b, const uint8_t *in,
		   uint32_t len, struct fb_hold *hold)
{
	b->ctx = d->inode;
	b->index = d->block++;
	b->last = d->block == d->block_count;
	b->in = in;
	b->in_len = len;
	b->hold = hold;
	if (hold)
		fb_hold_get(hold);
	fb_packer_submit(d->packer);
}

/*
 * Whole blocks of a hole need no packing.  The list is zero already; only the
 * last block has to come by, since it ends the file.
 */
static uint64_t skip_hole(struct fb_data *d, uint64_t len)
{
	uint64_t blocks = len / d->block_bytes;

	if (blocks >= d->block_count - d->block)
		blocks = d->block_count - d->block - 1;
	d->block += (uint32_t)blocks;
	d->left -= blocks * d->block_bytes;
	return blocks * d->block_bytes;
}

static int append_block(struct fb_data *d, const uint8_t *bytes, uint64_t len,
			struct fb_hold *hold, uint64_t *ret_used,
			struct fb_err *err)
{
	uint32_t want = block_len(d), n;
	struct fb_packed *b;
	int r;

	if (!bytes && d->fill == 0 && len >= d->block_bytes) {
		*ret_used = skip_hole(d, len);
		if (*ret_used)
			return 0;
	}
	r = fb_packer_begin(d->packer, &b, err);
	if (r < 0)
		return r;
	n = len < want - d->fill ? (uint32_t)len : want - d->fill;
	*ret_used = n;
	d->left -= n;
	if (n == want && bytes && hold) {
		submit(d, b, bytes, n, hold);
		return 0;
	}
	if (bytes)
		memcpy(b->own + d->fill, bytes, n);
	else
		memset(b->own + d->fill, 0, n);
	d->fill += n;
	if (d->fill == want) {
		d->fill = 0;
		submit(d, b, b->own, want, NULL);
	}
	return 0;
}

static void append_small(struct fb_data *d, const uint8_t *bytes, uint32_t len)
{
	if (bytes)
		memcpy(d->small + d->fill, bytes, len);
	else
		memset(d->small + d->fill, 0, len);
	d->fill += len;
	d->left -= len;
}

int fb_data_append(struct fb_data *data, const uint8_t *bytes, uint64_t len,
		   struct fb_hold *hold, struct fb_err *err)
{
	uint64_t used = 0;
	int r = 0;

	if (len > data->left)
		return fb_err_set(err, -EINVAL, "more bytes than the file has");
	if (!data->block_count && len) {
		append_small(data, bytes, (uint32_t)len);
		return 0;
	}
	for (; len > 0 && r == 0; len -= used) {
		r = append_block(data, bytes, len, hold, &used, err);
		if (bytes)
			bytes += used;
	}
	return r;
}

static bool all_zero(const uint8_t *data, uint32_t len)
{
	return data[0] == 0 && !memcmp(data, data + 1, len - 1);
}

int fb_data_end(struct fb_data *data, struct fb_err *err)
{
	struct fb_tree_inode *inode = data->inode;

	data->inode = NULL;
	if (data->left)
		return fb_err_set(err, -EINVAL,
				  "fewer bytes than the file has");
	if (data->block_count || !data->fill)
		return 0;
	if (!all_zero(data->small, data->fill))
		return fb_fragments_add(data, inode, data->small, data->fill,
					err);
	/* one block that is a hole */
	inode->blocks = fb_tree_alloc(data->tree, sizeof(*inode->blocks));
	return inode->blocks ? 0 : no_memory(err);
}

static int import_block(struct fb_data *d, int fd, uint64_t pos, uint32_t size,
			struct fb_err *err)
{
	uint32_t len = size & (SQ_BLOCK_RAW - 1);
	struct fb_packed *b;
	int r;

	if (size == 0 && d->block + 1 < d->block_count) {
		d->block++;
		return 0;
	}
	r = fb_packer_begin(d->packer, &b, err);
	if (r < 0)
		return r;
	if (len > d->block_bytes ||
	    fb_pread_full(fd, b->out, len, pos) != (ssize_t)len)
		return fb_err_set(err, -EBADMSG, "take over file data");
	b->ctx = d->inode;
	b->index = d->block++;
	b->last = d->block == d->block_count;
	b->hold = NULL;
	b->out_len = len;
	b->raw = size & SQ_BLOCK_RAW;
	b->failed = 0;
	b->sum = len ? fb_sum(b->out, len) : 0;
	fb_packer_submit_packed(d->packer);
	return 0;
}

int fb_data_import(struct fb_data *data, struct fb_tree_inode *inode, int fd,
		   uint64_t start, const uint32_t *sizes, uint32_t count,
		   struct fb_err *err)
{
	int r = fb_data_begin(data, inode, err);

	if (r == 0 && !data->block_count && count == 1 && !sizes[0]) {
		data->left = 0;
		data->inode = NULL;
		inode->blocks =
			fb_tree_alloc(data->tree, sizeof(*inode->blocks));
		return inode->blocks ? 0 : no_memory(err);
	}
	if (r == 0 && data->block_count != count)
		r = fb_err_set(err, -EBADMSG, "take over file data");
	for (uint32_t i = 0; r == 0 && i < count; i++) {
		r = import_block(data, fd, start, sizes[i], err);
		start += sizes[i] & (SQ_BLOCK_RAW - 1);
	}
	data->left = 0;
	data->inode = NULL;
	return r;
}

int fb_data_finish(struct fb_data *data, struct fb_err *err)
{
	int r = fb_fragments_flush(data, err);

	return r < 0 ? r : fb_packer_drain(data->packer, err);
}

void fb_data_end_packing(struct fb_data *data)
{
	fb_packer_free(FB_TAKE_PTR(data->packer));
	/* the workers' arenas keep it otherwise */
	(void)malloc_trim(0);
}

void fb_data_release(struct fb_data *data)
{
	fb_packer_free(data->packer);
	fb_fragments_release(&data->fragments);
	fb_dedup_release(&data->same);
	free(data->small);
	*data = (struct fb_data){ 0 };
}
