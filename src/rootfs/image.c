/* SPDX-License-Identifier: Apache-2.0 */
#include "rootfs/image.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/hash.h"
#include "base/io.h"
#include "rootfs/image_internal.h"

#define BACKLOG_PER_WORKER 8u
#define ZEROES_SIZE (64u << 10)
#define HASH_BUF_SIZE (1u << 20)

int fb_image_error(struct fb_image *image, int sqfs_error, const char *what,
		   struct fb_err *err)
{
	int code = image->file.failed;

	if (!code) {
		switch (sqfs_error) {
		case SQFS_ERROR_ALLOC:
			code = -ENOMEM;
			break;
		case SQFS_ERROR_OVERFLOW:
			code = -E2BIG;
			break;
		case SQFS_ERROR_UNSUPPORTED:
			code = -EOPNOTSUPP;
			break;
		default:
			code = -EIO;
			break;
		}
	}
	if (code == -EFBIG)
		return fb_err_hint(err,
				   fb_err_set(err, code,
					      "%s: the image grows over %llu "
					      "bytes",
					      what,
					      (unsigned long long)
						      image->file.max_bytes),
				   "raise --max-image-size");
	return fb_err_set(err, code, "%s: %m", what);
}

static int file_read_at(sqfs_file_t *base, sqfs_u64 offset, void *buffer,
			size_t size)
{
	struct image_file *f = (struct image_file *)base;
	ssize_t n = fb_pread_full(f->fd, buffer, size, offset);

	if (n < 0)
		f->failed = (int)n;
	return n < 0		     ? SQFS_ERROR_IO :
	       (size_t)n < size ? SQFS_ERROR_OUT_OF_BOUNDS :
				     0;
}

static int file_write_at(sqfs_file_t *base, sqfs_u64 offset,
			 const void *buffer, size_t size)
{
	struct image_file *f = (struct image_file *)base;
	int r;

	if (size > f->max_bytes || offset > f->max_bytes - size) {
		f->failed = -EFBIG;
		return SQFS_ERROR_IO;
	}
	r = fb_pwrite_full(f->fd, buffer, size, offset);
	if (r < 0) {
		f->failed = r;
		return SQFS_ERROR_IO;
	}
	if (offset + size > f->size)
		f->size = offset + size;
	return 0;
}

static sqfs_u64 file_get_size(const sqfs_file_t *base)
{
	return ((const struct image_file *)base)->size;
}

static int file_truncate(sqfs_file_t *base, sqfs_u64 size)
{
	struct image_file *f = (struct image_file *)base;

	if (ftruncate(f->fd, (off_t)size) < 0) {
		f->failed = -errno;
		return SQFS_ERROR_IO;
	}
	f->size = size;
	return 0;
}

static void nothing_to_destroy(sqfs_object_t *obj)
{
	(void)obj;
}

/* "none": whatever is stored is stored as it is */
struct no_compressor {
	sqfs_compressor_t base;
	sqfs_compressor_config_t config;
};

static void none_get_configuration(const sqfs_compressor_t *cmp,
				   sqfs_compressor_config_t *cfg)
{
	*cfg = ((const struct no_compressor *)cmp)->config;
}

static int none_write_options(sqfs_compressor_t *cmp, sqfs_file_t *file)
{
	(void)cmp;
	(void)file;
	return 0;
}

static int none_read_options(sqfs_compressor_t *cmp, sqfs_file_t *file)
{
	(void)cmp;
	(void)file;
	return 0;
}

static sqfs_s32 none_do_block(sqfs_compressor_t *cmp, const sqfs_u8 *in,
			      sqfs_u32 size, sqfs_u8 *out, sqfs_u32 outsize)
{
	(void)cmp;
	(void)in;
	(void)size;
	(void)out;
	(void)outsize;
	return 0;
}

static void none_destroy(sqfs_object_t *obj)
{
	free(obj);
}

static sqfs_object_t *none_copy(const sqfs_object_t *obj)
{
	struct no_compressor *copy = malloc(sizeof(*copy));

	if (copy)
		memcpy(copy, obj, sizeof(*copy));
	return (sqfs_object_t *)copy;
}

static sqfs_compressor_t *none_create(const sqfs_compressor_config_t *cfg)
{
	struct no_compressor *none = calloc(1, sizeof(*none));

	if (!none)
		return NULL;
	none->config = *cfg;
	none->base.get_configuration = none_get_configuration;
	none->base.write_options = none_write_options;
	none->base.read_options = none_read_options;
	none->base.do_block = none_do_block;
	none->base.base.destroy = none_destroy;
	none->base.base.copy = none_copy;
	return &none->base;
}

static int sqfs_id(enum fb_rootfs_compression kind)
{
	switch (kind) {
	case FB_ROOTFS_LZ4:
		return SQFS_COMP_LZ4;
	case FB_ROOTFS_GZIP:
	case FB_ROOTFS_NONE: /* the superblock must name one */
		return SQFS_COMP_GZIP;
	case FB_ROOTFS_DEFAULT:
	case FB_ROOTFS_ZSTD:
		break;
	}
	return SQFS_COMP_ZSTD;
}

static int open_compressors(struct fb_image *image,
			    const struct fb_rootfs_options *o,
			    struct fb_err *err)
{
	sqfs_compressor_config_t config;
	int r, id = sqfs_id(o->compression);
	sqfs_u16 flags = 0;

	if (o->compression == FB_ROOTFS_LZ4 && o->level > 1)
		flags = SQFS_COMP_FLAG_LZ4_HC;
	r = sqfs_compressor_config_init(&config, (SQFS_COMPRESSOR)id,
					o->block_bytes, flags);
	if (r != 0)
		return fb_image_error(image, r, "set up compression", err);
	if (o->compression != FB_ROOTFS_LZ4 && o->compression != FB_ROOTFS_NONE)
		config.level = (sqfs_u32)o->level;
	if (o->compression == FB_ROOTFS_NONE) {
		image->cmp = none_create(&config);
		image->uncmp = none_create(&config);
		r = image->cmp && image->uncmp ? 0 : SQFS_ERROR_ALLOC;
	} else {
		r = sqfs_compressor_create(&config, &image->cmp);
		config.flags |= SQFS_COMP_FLAG_UNCOMPRESS;
		if (r == 0)
			r = sqfs_compressor_create(&config, &image->uncmp);
	}
	if (r == 0)
		r = sqfs_super_init(&image->super, o->block_bytes, 0,
				    (SQFS_COMPRESSOR)id);
	return r ? fb_image_error(image, r, "set up compression", err) : 0;
}

static int open_writers(struct fb_image *image,
			const struct fb_rootfs_options *o, struct fb_err *err)
{
	sqfs_block_processor_desc_t desc = {
		.size = sizeof(desc),
		.max_block_size = o->block_bytes,
		.num_workers = o->workers,
		.max_backlog = BACKLOG_PER_WORKER * o->workers,
		.cmp = image->cmp,
		.file = &image->file.base,
		.uncmp = image->uncmp,
	};
	int r;

	image->frags = sqfs_frag_table_create(0);
	image->ids = sqfs_id_table_create(0);
	image->xattrs = sqfs_xattr_writer_create(0);
	image->blocks = sqfs_block_writer_create(&image->file.base, 4096, 0);
	if (!image->frags || !image->ids || !image->xattrs || !image->blocks)
		return fb_image_error(image, SQFS_ERROR_ALLOC, "set up image",
				      err);
	r = sqfs_super_write(&image->super, &image->file.base);
	if (r == 0) {
		r = image->cmp->write_options(image->cmp, &image->file.base);
		if (r > 0) {
			image->super.flags |= SQFS_FLAG_COMPRESSOR_OPTIONS;
			r = 0;
		}
	}
	desc.wr = image->blocks;
	desc.tbl = image->frags;
	if (r == 0)
		r = sqfs_block_processor_create_ex(&desc, &image->processor);
	return r ? fb_image_error(image, r, "set up image", err) : 0;
}

int fb_image_open(int fd, const struct fb_rootfs_options *options,
		  struct fb_image **ret, struct fb_err *err)
{
	struct fb_image *image = calloc(1, sizeof(*image));
	int r;

	if (!image)
		return fb_err_set(err, -ENOMEM, "set up image: %m");
	image->file = (struct image_file){
		.base = { .base = { .destroy = nothing_to_destroy },
			  .read_at = file_read_at,
			  .write_at = file_write_at,
			  .get_size = file_get_size,
			  .truncate = file_truncate },
		.fd = fd,
		.max_bytes = options->max_image_bytes,
	};
	image->options = options;
	r = open_compressors(image, options, err);
	if (r == 0)
		r = open_writers(image, options, err);
	if (r < 0) {
		fb_image_free(image);
		return r;
	}
	*ret = image;
	return 0;
}

int fb_image_begin_file(struct fb_image *image, struct fb_tree_inode *inode,
			struct fb_err *err)
{
	int r = sqfs_block_processor_begin_file(image->processor, &inode->file,
						NULL, 0);

	/* kept in a list, since the library allocates one by one */
	if (r == 0) {
		struct image_file_ref *ref = malloc(sizeof(*ref));

		if (!ref)
			return fb_err_set(err, -ENOMEM, "write a file: %m");
		ref->inode = inode;
		ref->next = image->files;
		image->files = ref;
	}
	return r ? fb_image_error(image, r, "write a file", err) : 0;
}

int fb_image_append(struct fb_image *image, const void *data, uint64_t len,
		    struct fb_err *err)
{
	static const uint8_t zeroes[ZEROES_SIZE];
	size_t n;
	int r = 0;

	while (len > 0 && r == 0) {
		n = len > ZEROES_SIZE && !data ? ZEROES_SIZE : (size_t)len;
		r = sqfs_block_processor_append(image->processor,
						data ? data : zeroes, n);
		len -= n;
	}
	return r ? fb_image_error(image, r, "write file data", err) : 0;
}

int fb_image_end_file(struct fb_image *image, struct fb_err *err)
{
	int r = sqfs_block_processor_end_file(image->processor);

	return r ? fb_image_error(image, r, "write file data", err) : 0;
}

static int hash_image(struct fb_image *image, struct fb_digest *ret,
		      struct fb_err *err)
{
	FB_FREE uint8_t *buf = malloc(HASH_BUF_SIZE);
	FB_HASH struct fb_hash *hash = fb_hash_new(FB_HASH_SHA256);
	struct fb_digest d = { .set = true, .kind = FB_HASH_SHA256 };
	uint64_t at = 0;
	ssize_t n;

	if (!buf || !hash)
		return fb_err_set(err, -ENOMEM, "hash the image: %m");
	do {
		n = fb_pread_full(image->file.fd, buf, HASH_BUF_SIZE, at);
		if (n < 0)
			return fb_err_set(err, (int)n, "hash the image: %m");
		if (fb_hash_update(hash, buf, (size_t)n) < 0)
			return fb_err_set(err, -EIO, "hash the image: %m");
		at += (uint64_t)n;
	} while ((size_t)n == HASH_BUF_SIZE);
	if (fb_hash_final(hash, d.hash) < 0)
		return fb_err_set(err, -EIO, "hash the image: %m");
	*ret = d;
	return 0;
}

int fb_image_finish(struct fb_image *image, struct fb_tree *tree,
		    struct fb_tree_node *root, struct fb_rootfs_result *ret,
		    struct fb_err *err)
{
	int r = sqfs_block_processor_finish(image->processor);

	if (r)
		return fb_image_error(image, r, "write file data", err);
	r = fb_image_write_tables(image, tree, root, ret, err);
	if (r < 0)
		return r;
	ret->image_bytes = (image->file.size + 4095) / 4096 * 4096;
	r = file_truncate(&image->file.base, ret->image_bytes);
	if (r)
		return fb_image_error(image, r, "pad the image", err);
	return image->options->skip_image_digest ?
		       0 :
		       hash_image(image, &ret->digest, err);
}

static void destroy(void *object)
{
	if (object)
		((sqfs_object_t *)object)->destroy(object);
}

void fb_image_free(struct fb_image *image)
{
	struct image_file_ref *ref, *next;

	if (!image)
		return;
	/*
	 * First the processor: its threads use all the others.  Given up in the
	 * middle of a file, it would forget the blocks it holds.
	 */
	if (image->processor) {
		(void)sqfs_block_processor_end_file(image->processor);
		(void)sqfs_block_processor_finish(image->processor);
	}
	destroy(image->processor);
	destroy(image->blocks);
	destroy(image->xattrs);
	destroy(image->ids);
	destroy(image->frags);
	destroy(image->cmp);
	destroy(image->uncmp);
	for (ref = image->files; ref; ref = next) {
		next = ref->next;
		sqfs_free(ref->inode->file);
		ref->inode->file = NULL;
		free(ref);
	}
	free(image);
}
