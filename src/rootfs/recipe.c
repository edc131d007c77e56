/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Theory of operation.  A source between the layer's reader and the tar parser keeps
 * what the parser reads and counts what it only passes over: bodies, padding.  That
 * is the layer's tar without bodies, whatever formats are in it, and read by the same
 * parser later.  The file: a head, of each layer a packed stream of that, then of
 * each a packed stream of where the bodies went, then the table of layers, whose
 * place the head says; it is written last, so that what was not finished is nothing.
 */
#include "rootfs/recipe.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "rootfs/data.h"
#include "rootfs/recipe_format.h"

#define OUT_SIZE (128u << 10)

struct layer {
	struct fb_recipe_layer at;
	struct fb_tree_inode **bodies;
	size_t count;
	size_t cap;
};

struct fb_recipe {
	int fd;
	uint64_t pos;
	struct fb_recipe_head head;
	struct layer *layers;
	size_t layer_count;
	size_t layer_cap;
	ZSTD_CCtx *zstd;
	uint8_t *out;
	int failed; /* what is not remembered is no error: it is not kept */
};

/* Into the packed stream; @how: ZSTD_e_end ends it */
static void pack(struct fb_recipe *r, const void *data, size_t len,
		 ZSTD_EndDirective how)
{
	ZSTD_inBuffer in = { data, len, 0 };
	size_t left;

	do {
		ZSTD_outBuffer out = { r->out, OUT_SIZE, 0 };

		if (r->failed)
			return;
		left = ZSTD_compressStream2(r->zstd, &out, &in, how);
		if (ZSTD_isError(left))
			r->failed = -EIO;
		else if (out.pos)
			r->failed =
				fb_pwrite_full(r->fd, r->out, out.pos, r->pos);
		r->pos += out.pos;
	} while (how == ZSTD_e_end ? left > 0 : in.pos < in.size);
}

int fb_recipe_new(int fd, const struct fb_rootfs_options *options,
		  struct fb_recipe **ret, struct fb_err *err)
{
	struct fb_recipe *r = calloc(1, sizeof(*r));

	if (!r)
		return fb_err_set(err, -ENOMEM, "convert: %m");
	r->fd = fd;
	fb_recipe_head(options, &r->head);
	r->pos = sizeof(r->head);
	r->zstd = ZSTD_createCCtx();
	r->out = malloc(OUT_SIZE);
	if (!r->zstd || !r->out ||
	    ZSTD_isError(ZSTD_CCtx_setParameter(r->zstd,
						ZSTD_c_compressionLevel, 1))) {
		fb_recipe_free(r);
		return fb_err_set(err, -ENOMEM, "convert: %m");
	}
	*ret = r;
	return 0;
}

void fb_recipe_free(struct fb_recipe *recipe)
{
	if (!recipe)
		return;
	for (size_t i = 0; i < recipe->layer_count; i++)
		free(recipe->layers[i].bodies);
	free(recipe->layers);
	ZSTD_freeCCtx(recipe->zstd);
	free(recipe->out);
	free(recipe);
}

struct recording {
	struct fb_source base;
	struct fb_source *from;
	struct fb_recipe *recipe;
	uint64_t passed;
};

static ssize_t recording_read(struct fb_source *src, void *buf, size_t len,
			      struct fb_err *err)
{
	struct recording *s = (struct recording *)src;
	struct fb_recipe_piece piece = { .passed = s->passed };
	ssize_t n = fb_source_read(s->from, buf, len, err);

	if (n <= 0)
		return n;
	piece.kept = (uint64_t)n;
	pack(s->recipe, &piece, sizeof(piece), ZSTD_e_continue);
	pack(s->recipe, buf, (size_t)n, ZSTD_e_continue);
	s->passed = 0;
	return n;
}

static ssize_t recording_view(struct fb_source *src, size_t len,
			      const uint8_t **ret_data, struct fb_err *err)
{
	struct recording *s = (struct recording *)src;
	/* the reader of a layer never needs the buffer */
	ssize_t n = fb_source_view(s->from, NULL, len, ret_data, err);

	if (n > 0)
		s->passed += (uint64_t)n;
	return n;
}

static int64_t recording_skip(struct fb_source *src, uint64_t len,
			      struct fb_err *err)
{
	struct recording *s = (struct recording *)src;
	int64_t n = fb_source_skip(s->from, len, err);

	if (n > 0)
		s->passed += (uint64_t)n;
	return n;
}

static void recording_free(struct fb_source *src)
{
	free(src);
}

static const struct fb_source_ops recording_ops = {
	.read = recording_read,
	.view = recording_view,
	.free = recording_free,
};

/* of a layer that was remembered itself */
static const struct fb_source_ops rerecording_ops = {
	.read = recording_read,
	.skip = recording_skip,
	.free = recording_free,
};

static struct layer *add_layer(struct fb_recipe *r)
{
	size_t cap = r->layer_cap ? r->layer_cap * 2 : 8;
	struct layer *grown;

	if (r->layer_count == r->layer_cap) {
		grown = reallocarray(r->layers, cap, sizeof(*grown));
		if (!grown)
			return NULL;
		r->layers = grown;
		r->layer_cap = cap;
	}
	r->layers[r->layer_count] = (struct layer){ .at.tar_start = r->pos };
	return &r->layers[r->layer_count++];
}

int fb_recipe_source(struct fb_recipe *recipe, struct fb_source *from,
		     struct fb_source **ret, struct fb_err *err)
{
	struct recording *s = calloc(1, sizeof(*s));

	if (!s || !add_layer(recipe)) {
		free(s);
		return fb_err_set(err, -ENOMEM, "convert: %m");
	}
	s->base.ops =
		fb_source_can_skip(from) ? &rerecording_ops : &recording_ops;
	s->from = from;
	s->recipe = recipe;
	*ret = &s->base;
	return 0;
}

int fb_recipe_body(struct fb_recipe *recipe, struct fb_tree_inode *inode)
{
	struct layer *l = &recipe->layers[recipe->layer_count - 1];
	size_t cap = l->cap ? l->cap * 2 : 256;
	struct fb_tree_inode **grown;

	if (l->count == l->cap) {
		grown = reallocarray(l->bodies, cap,
				     sizeof(struct fb_tree_inode *));
		if (!grown)
			return -ENOMEM;
		l->bodies = grown;
		l->cap = cap;
	}
	l->bodies[l->count++] = inode;
	return 0;
}

int fb_recipe_layer_end(struct fb_recipe *recipe,
			const struct fb_digest *diff_id)
{
	struct layer *l = &recipe->layers[recipe->layer_count - 1];

	pack(recipe, NULL, 0, ZSTD_e_end);
	l->at.tar_bytes = recipe->pos - l->at.tar_start;
	l->at.diff_id = *diff_id;
	return recipe->failed;
}

static void write_body(struct fb_recipe *r, const struct fb_tree_inode *inode,
		       uint32_t block_bytes,
		       const struct fb_fragments *fragments)
{
	struct fb_body b = { .kind = FB_BODY_ABSENT };

	if (inode->fragment != FB_TREE_NO_FRAGMENT) {
		b.kind = FB_BODY_FRAGMENT;
		b.start = fragments->v[inode->fragment].start;
		b.size = fragments->v[inode->fragment].size;
		b.offset = inode->fragment_offset;
	} else if (inode->blocks) {
		b.kind = FB_BODY_BLOCKS;
		b.start = inode->start;
		b.count = (uint32_t)((inode->size - 1) / block_bytes + 1);
	}
	pack(r, &b, sizeof(b), ZSTD_e_continue);
	if (b.kind == FB_BODY_BLOCKS)
		pack(r, inode->blocks, b.count * sizeof(*inode->blocks),
		     ZSTD_e_continue);
}

int fb_recipe_finish(struct fb_recipe *recipe, uint32_t block_bytes,
		     const struct fb_fragments *fragments)
{
	struct fb_recipe *r = recipe;
	int failed;

	for (size_t i = 0; i < r->layer_count; i++) {
		struct layer *l = &r->layers[i];

		l->at.bodies_start = r->pos;
		for (size_t k = 0; k < l->count; k++)
			write_body(r, l->bodies[k], block_bytes, fragments);
		pack(r, NULL, 0, ZSTD_e_end);
		l->at.bodies_bytes = r->pos - l->at.bodies_start;
	}
	r->head.table_start = r->pos;
	r->head.layer_count = r->layer_count;
	for (size_t i = 0; !r->failed && i < r->layer_count; i++) {
		r->failed = fb_pwrite_full(r->fd, &r->layers[i].at,
					   sizeof(r->layers[i].at), r->pos);
		r->pos += sizeof(r->layers[i].at);
	}
	failed = r->failed;
	return failed ? failed
		      : fb_pwrite_full(r->fd, &r->head, sizeof(r->head), 0);
}
