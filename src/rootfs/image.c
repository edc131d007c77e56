/* SPDX-License-Identifier: Apache-2.0 */
#include "rootfs/image.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "rootfs/digest.h"
#include "rootfs/tables.h"

#define LZ4_OPTIONS_SIZE 10u

/* lz4 is the one kind whose options the kernel insists on */
static int write_options(struct fb_image *image, struct fb_err *err)
{
	uint8_t buf[LZ4_OPTIONS_SIZE], *p = buf;

	if (image->options->compression != FB_ROOTFS_LZ4)
		return 0;
	sq_put16(&p, SQ_META_RAW | (LZ4_OPTIONS_SIZE - 2));
	sq_put32(&p, 1); /* the format that has blocks only */
	sq_put32(&p, image->options->level > 1);
	return fb_sqfs_output_write(&image->out, buf, sizeof(buf), err);
}

int fb_image_open(struct fb_image *image, int fd,
		  const struct fb_rootfs_options *options, struct fb_tree *tree,
		  struct fb_err *err)
{
	int r;

	image->options = options;
	image->codec = fb_codec_new(options);
	if (!image->codec || fb_sqfs_output_open(&image->out, fd, SQ_SUPER_SIZE,
						 options->max_image_bytes) < 0)
		return fb_err_set(err, -ENOMEM, "set up the image: %m");
	r = write_options(image, err);
	if (r == 0)
		r = fb_sqfs_output_flush(&image->out, err);
	return r < 0 ? r
		     : fb_data_open(&image->data, options, &image->out, tree,
				    err);
}

static unsigned int super_flags(const struct fb_image *image,
				const struct fb_table_places *at)
{
	unsigned int flags = SQ_DUPLICATES;

	if (image->options->compression == FB_ROOTFS_NONE)
		flags |= SQ_RAW_INODES | SQ_RAW_DATA | SQ_RAW_FRAGMENTS |
			 SQ_RAW_XATTRS | SQ_RAW_IDS;
	if (image->options->compression == FB_ROOTFS_LZ4)
		flags |= SQ_COMPRESSOR_OPTIONS;
	if (at->xattrs == SQ_NONE64)
		flags |= SQ_NO_XATTRS;
	if (at->fragments == SQ_NONE64)
		flags |= SQ_NO_FRAGMENTS;
	return flags;
}

static unsigned int log2_of(uint32_t n)
{
	return 31u - (unsigned int)__builtin_clz(n);
}

/* bytes_used ends the last table: the kernel checks tables against it */
static int write_super(struct fb_image *image, const struct fb_tables *t,
		       const struct fb_table_places *at, struct fb_err *err)
{
	uint8_t buf[SQ_SUPER_SIZE], *p = buf;
	int r;

	sq_put32(&p, SQ_MAGIC);
	sq_put32(&p, t->inode_count);
	sq_put32(&p, 0); /* made at no time: the same layers, the same bytes */
	sq_put32(&p, image->options->block_bytes);
	sq_put32(&p, image->data.fragments.count);
	sq_put16(&p, fb_codec_id(image->options->compression));
	sq_put16(&p, log2_of(image->options->block_bytes));
	sq_put16(&p, super_flags(image, at));
	sq_put16(&p, t->ids.count);
	sq_put16(&p, 4);
	sq_put16(&p, 0);
	sq_put64(&p, at->root_ref);
	sq_put64(&p, image->out.pos);
	sq_put64(&p, at->ids);
	sq_put64(&p, at->xattrs);
	sq_put64(&p, at->inodes);
	sq_put64(&p, at->listings);
	sq_put64(&p, at->fragments);
	sq_put64(&p, SQ_NONE64); /* no table for NFS */
	r = fb_pwrite_full(image->out.fd, buf, sizeof(buf), 0);
	return r < 0 ? fb_err_set(err, r, "write the superblock: %m") : 0;
}

static int write_tree(struct fb_tables *t, struct fb_tree_node *root,
		      struct fb_table_places *at, struct fb_err *err)
{
	int r;

	at->inodes = t->out->pos;
	r = fb_tables_tree(t, root, err);
	if (r == 0)
		r = fb_meta_flush(&t->inodes, err);
	if (r == 0)
		r = fb_meta_flush(&t->listings, err);
	at->listings = t->out->pos;
	at->root_ref = root->inode->ref;
	if (r == 0)
		r = fb_sqfs_output_write(t->out, fb_str_cstr(&t->listings.kept),
					 t->listings.kept.len, err);
	return r;
}

static int write_tables(struct fb_image *image, struct fb_tables *t,
			struct fb_tree_node *root, struct fb_err *err)
{
	struct fb_table_places at;
	int r = write_tree(t, root, &at, err);

	if (r == 0)
		r = fb_tables_fragments(t, &image->data.fragments,
					&at.fragments, err);
	if (r == 0)
		r = fb_tables_ids(t, &at.ids, err);
	if (r == 0)
		r = fb_tables_xattrs(t, &at.xattrs, err);
	if (r == 0)
		r = fb_sqfs_output_flush(&image->out, err);
	return r < 0 ? r : write_super(image, t, &at, err);
}

static void release_tables(struct fb_tables *t)
{
	fb_meta_release(&t->inodes);
	fb_meta_release(&t->listings);
	fb_ids_release(&t->ids);
	free(t->sets);
}

int fb_image_finish(struct fb_image *image, struct fb_tree_node *root,
		    struct fb_rootfs_result *ret, struct fb_err *err)
{
	FB_FREE struct fb_tables *t = calloc(1, sizeof(*t));
	int r;

	if (!t)
		return fb_err_set(err, -ENOMEM, "write tables: %m");
	t->out = &image->out;
	t->codec = image->codec;
	t->tree = image->data.tree;
	t->block_bytes = image->options->block_bytes;
	fb_meta_init(&t->inodes, image->codec, &image->out);
	fb_meta_init(&t->listings, image->codec, NULL);
	r = fb_data_finish(&image->data, err);
	if (r == 0)
		r = write_tables(image, t, root, err);
	ret->inodes = t->inode_count;
	ret->directories = t->directories;
	release_tables(t);
	if (r < 0)
		return r;
	ret->image_bytes = (image->out.pos + SQ_PAD - 1) / SQ_PAD * SQ_PAD;
	r = fb_sqfs_output_check(&image->out, ret->image_bytes, err);
	if (r < 0)
		return r;
	/* also takes off what duplicates left behind the end */
	if (ftruncate(image->out.fd, (off_t)image->out.pos) < 0 ||
	    ftruncate(image->out.fd, (off_t)ret->image_bytes) < 0)
		return fb_err_set(err, -errno, "pad the image: %m");
	if (image->options->skip_image_digest)
		return 0;
	/* whoever syncs it next finds that done while it was hashed */
	(void)sync_file_range(image->out.fd, 0, 0, SYNC_FILE_RANGE_WRITE);
	/* what packing took is not held beside what hashing takes */
	fb_data_end_packing(&image->data);
	return fb_digest_file(image->out.fd, &ret->digest, err);
}

void fb_image_release(struct fb_image *image)
{
	fb_data_release(&image->data);
	fb_sqfs_output_release(&image->out);
	fb_codec_free(image->codec);
	*image = (struct fb_image){ 0 };
}
