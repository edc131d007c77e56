/* SPDX-License-Identifier: Apache-2.0 */
/* Reading what recipe.c wrote. */
#include <errno.h>
#include <lz4.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "rootfs/recipe.h"
#include "rootfs/recipe_format.h"

#define IN_SIZE (128u << 10)
/* most blocks of one file that are believed */
#define BLOCKS_MAX (1u << 28)

void fb_recipe_head(const struct fb_rootfs_options *options,
		    struct fb_recipe_head *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->magic = FB_RECIPE_MAGIC;
	ret->version = FB_ROOTFS_FORMAT_VERSION;
	ret->compression = options->compression;
	ret->level = options->level;
	ret->block_bytes = options->block_bytes;
	ret->libraries[0] = ZSTD_versionNumber();
	ret->libraries[1] = (uint32_t)LZ4_versionNumber();
	ret->libraries[2] =
		(uint32_t)(zlibVersion()[2] << 8 | zlibVersion()[4]);
}

int fb_rootfs_known_find(int recipe_fd, const struct fb_rootfs_options *options,
			 const struct fb_digest *diff_id,
			 struct fb_rootfs_known *ret)
{
	struct fb_recipe_head head, want;
	struct fb_rootfs_options o;
	struct fb_recipe_layer layer;

	if (fb_rootfs_options_resolve(options, &o, NULL) < 0 ||
	    fb_pread_full(recipe_fd, &head, sizeof(head), 0) !=
		    (ssize_t)sizeof(head))
		return -ENOENT;
	fb_recipe_head(&o, &want);
	want.table_start = head.table_start;
	want.layer_count = head.layer_count;
	if (memcmp(&head, &want, sizeof(head)) != 0 ||
	    head.layer_count > FB_ROOTFS_LAYERS_MAX)
		return -ENOENT;
	for (uint64_t i = 0; i < head.layer_count; i++) {
		if (fb_pread_full(recipe_fd, &layer, sizeof(layer),
				  head.table_start + i * sizeof(layer)) !=
		    (ssize_t)sizeof(layer))
			return -ENOENT;
		if (!fb_digest_equal(&layer.diff_id, diff_id))
			continue;
		ret->recipe_fd = recipe_fd;
		ret->at = head.table_start + i * sizeof(layer);
		return 0;
	}
	return -ENOENT;
}

/* a packed stream in a recipe */
struct stream {
	int fd;
	uint64_t pos;
	uint64_t end;
	ZSTD_DCtx *zstd;
	uint8_t *buf;
	ZSTD_inBuffer in;
};

struct fb_known {
	struct fb_source base; /* the tar */
	struct stream tar;
	struct stream bodies;
	struct fb_recipe_piece piece;
};

static int stream_open(struct stream *s, int fd, uint64_t start, uint64_t bytes)
{
	s->fd = fd;
	s->pos = start;
	s->end = start + bytes;
	s->zstd = ZSTD_createDCtx();
	s->buf = malloc(IN_SIZE);
	s->in = (ZSTD_inBuffer){ s->buf, 0, 0 };
	return s->zstd && s->buf ? 0 : -ENOMEM;
}

static void stream_release(struct stream *s)
{
	ZSTD_freeDCtx(s->zstd);
	free(s->buf);
}

static int stream_fill(struct stream *s)
{
	uint64_t left = s->end - s->pos;
	ssize_t n;

	n = fb_pread_full(s->fd, s->buf,
			  left < IN_SIZE ? (size_t)left : IN_SIZE, s->pos);
	if (n <= 0)
		return -EBADMSG;
	s->pos += (uint64_t)n;
	s->in = (ZSTD_inBuffer){ s->buf, (size_t)n, 0 };
	return 0;
}

/* Exactly @len bytes. Return: 0; -ENODATA nothing comes any more; -EBADMSG */
static int stream_take(struct stream *s, void *data, size_t len)
{
	ZSTD_outBuffer out = { data, len, 0 };
	size_t before, n;

	while (out.pos < len) {
		before = out.pos;
		n = ZSTD_decompressStream(s->zstd, &out, &s->in);
		if (ZSTD_isError(n))
			return -EBADMSG;
		if (out.pos > before || s->in.pos < s->in.size)
			continue;
		if (s->pos == s->end)
			return out.pos ? -EBADMSG : -ENODATA;
		if (stream_fill(s) < 0)
			return -EBADMSG;
	}
	return 0;
}

static struct fb_known *of(struct fb_source *src)
{
	return (struct fb_known *)src; /* the base is its first member */
}

/* Return: 1 there is a piece; 0 the end; -EBADMSG */
static int have_piece(struct fb_known *k, struct fb_err *err)
{
	int r = 0;

	while (r == 0 && !k->piece.passed && !k->piece.kept)
		r = stream_take(&k->tar, &k->piece, sizeof(k->piece));
	if (r == -ENODATA)
		return 0;
	return r < 0 ? fb_err_set(err, r, "a layer as it was remembered: %m")
		     : 1;
}

static ssize_t known_read(struct fb_source *src, void *buf, size_t len,
			  struct fb_err *err)
{
	struct fb_known *k = of(src);
	int r = have_piece(k, err);

	if (r <= 0)
		return r;
	if (k->piece.passed)
		return fb_err_set(
			err, -EBADMSG,
			"a layer as it was remembered: no such bytes");
	if (len > k->piece.kept)
		len = (size_t)k->piece.kept;
	r = stream_take(&k->tar, buf, len);
	if (r < 0)
		return fb_err_set(err, -EBADMSG,
				  "a layer as it was remembered: cut short");
	k->piece.kept -= len;
	return (ssize_t)len;
}

static int64_t known_skip(struct fb_source *src, uint64_t len,
			  struct fb_err *err)
{
	struct fb_known *k = of(src);
	int r = have_piece(k, err);

	if (r <= 0)
		return r;
	if (!k->piece.passed)
		return fb_err_set(err, -EBADMSG,
				  "a layer as it was remembered: no such gap");
	if (len > k->piece.passed)
		len = k->piece.passed;
	k->piece.passed -= len;
	return (int64_t)len;
}

static const struct fb_source_ops known_ops = { .read = known_read,
						.skip = known_skip };

int fb_known_open(const struct fb_rootfs_known *where, struct fb_known **ret,
		  struct fb_err *err)
{
	struct fb_recipe_layer l;
	struct fb_known *k = calloc(1, sizeof(*k));
	int r = k ? 0 : -ENOMEM;

	if (r == 0 && fb_pread_full(where->recipe_fd, &l, sizeof(l),
				    where->at) != (ssize_t)sizeof(l))
		r = -EBADMSG;
	if (r == 0)
		r = stream_open(&k->tar, where->recipe_fd, l.tar_start,
				l.tar_bytes);
	if (r == 0)
		r = stream_open(&k->bodies, where->recipe_fd, l.bodies_start,
				l.bodies_bytes);
	if (r < 0) {
		fb_known_free(k);
		return fb_err_set(err, r, "a layer as it was remembered: %m");
	}
	k->base.ops = &known_ops;
	*ret = k;
	return 0;
}

void fb_known_free(struct fb_known *known)
{
	if (!known)
		return;
	stream_release(&known->tar);
	stream_release(&known->bodies);
	free(known);
}

struct fb_source *fb_known_source(struct fb_known *known)
{
	return &known->base;
}

int fb_known_body(struct fb_known *known, struct fb_body *ret,
		  uint32_t **ret_sizes, struct fb_err *err)
{
	FB_FREE uint32_t *sizes = NULL;
	int r = stream_take(&known->bodies, ret, sizeof(*ret));

	*ret_sizes = NULL;
	if (r == 0 && ret->kind == FB_BODY_BLOCKS) {
		if (!ret->count || ret->count > BLOCKS_MAX)
			return fb_err_set(err, -EBADMSG,
					  "a layer as it was remembered");
		sizes = reallocarray(NULL, ret->count, sizeof(*sizes));
		r = sizes ? stream_take(&known->bodies, sizes,
					ret->count * sizeof(*sizes))
			  : -ENOMEM;
	}
	if (r < 0)
		return fb_err_set(err, r == -ENODATA ? -EBADMSG : r,
				  "a layer as it was remembered: %m");
	*ret_sizes = FB_TAKE_PTR(sizes);
	return 0;
}
