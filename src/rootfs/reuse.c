/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Theory of operation.  The layer's tar without bodies is gone through first: the
 * entries are applied, and it is seen which files show; if the earlier image lacks
 * one of these (it was hidden there) everything is taken back, and the layer read as
 * any other.  So the bytes of the image are the same with and without: data comes in
 * the order of the layer.  Then whole blocks are copied as they are packed, and small
 * files, whose fragments differ with their neighbours, are packed again.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "rootfs/codec.h"
#include "rootfs/convert_internal.h"

/**
 * struct reuse - One layer at work
 * @known:  The earlier conversion's memory
 * @files:  Inodes of files with bytes, in the order of the layer; NULL hidden
 * @packed: A fragment of the earlier image
 * @bytes:  The same unpacked: @len of them, from @start
 */
struct reuse {
	struct fb_reading *rd;
	const struct fb_rootfs_known *where;
	struct fb_known *known;
	struct fb_inodes files;
	uint8_t *packed;
	uint8_t *bytes;
	uint64_t start;
	uint32_t len;
};

/* what is taken back where a layer cannot be reused */
struct before {
	struct fb_layer_link *links;
	uint64_t entries;
	uint64_t file_bytes;
	struct fb_rootfs_result result;
};

/* Return: 1; negative errno */
static int note_hidden(struct reuse *u, struct fb_tree_inode *inode,
		       struct fb_err *err)
{
	u->rd->c->result.hidden_files++;
	return fb_inodes_add(&u->rd->skipped, inode) < 0
		       ? fb_err_set(err, -ENOMEM, "convert: %m")
		       : 1;
}

/* Return: 1 it is there, or hidden; 0 it is needed and absent; negative errno */
static int take_file(struct reuse *u, const struct fb_tree_node *node,
		     bool hidden, struct fb_err *err)
{
	struct fb_conversion *c = u->rd->c;
	FB_FREE uint32_t *sizes = NULL;
	struct fb_body body = { 0 };
	int r = fb_known_body(u->known, &body, &sizes, err);

	if (r < 0)
		return r;
	if (!hidden && body.kind == FB_BODY_ABSENT)
		return 0;
	r = fb_inodes_add(&u->files, hidden ? NULL : node->inode);
	if (r == 0 && c->recipe)
		r = fb_recipe_body(c->recipe, node->inode);
	return r < 0 ? fb_err_set(err, r, "convert: %m") : 1;
}

/* Return: 1; 0 a file is needed and absent; negative errno */
static int take_entry(struct reuse *u, const struct fb_tar_entry *e,
		      struct fb_err *err)
{
	struct fb_reading *rd = u->rd;
	struct fb_tree_node *node;
	bool hidden;
	int r = fb_conversion_check_entry(rd->c, e, err);

	if (r == 0)
		r = fb_layer_apply(&rd->layer, e, &node, err);
	if (r < 0)
		return fb_err_wrap(err, r, "entry '%.200s'", e->name);
	if (!node)
		return 1;
	hidden = fb_layer_is_hidden(&rd->c->tree, rd->c->merged, node);
	if (e->size_bytes)
		r = take_file(u, node, hidden, err);
	else
		r = 1;
	return r == 1 && hidden ? note_hidden(u, node->inode, err) : r;
}

static int take_entries(struct reuse *u, struct fb_err *err)
{
	struct fb_tar_entry e;
	int r;

	while ((r = fb_tar_next(u->rd->tar, &e, err)) > 0) {
		r = take_entry(u, &e, err);
		if (r <= 0)
			return r;
		u->rd->layer.entries++;
	}
	return r < 0 ? r : 1;
}

static int open_fragment(struct reuse *u, const struct fb_body *body)
{
	uint32_t block_bytes = u->rd->c->options.block_bytes;
	uint32_t size = body->size & (SQ_BLOCK_RAW - 1);
	int n = (int)size;

	if (u->len && u->start == body->start)
		return 0;
	if (!u->bytes)
		u->bytes = malloc(block_bytes);
	if (!u->packed)
		u->packed = malloc(block_bytes);
	if (!u->bytes || !u->packed)
		return -ENOMEM;
	u->len = 0;
	if (size > block_bytes ||
	    fb_pread_full(u->where->image_fd, u->packed, size, body->start) !=
		    (ssize_t)size)
		return -EBADMSG;
	if (body->size & SQ_BLOCK_RAW)
		memcpy(u->bytes, u->packed, size);
	else
		n = fb_codec_unpack(u->rd->c->image.codec, u->packed, size,
				    u->bytes, block_bytes);
	if (n < 0)
		return n;
	u->len = (uint32_t)n;
	u->start = body->start;
	return 0;
}

static int copy_small(struct reuse *u, struct fb_tree_inode *inode,
		      const struct fb_body *body, struct fb_err *err)
{
	struct fb_data *data = &u->rd->c->image.data;
	int r = open_fragment(u, body);

	if (r == 0 &&
	    (body->offset > u->len || inode->size > u->len - body->offset))
		r = -EBADMSG;
	if (r < 0)
		return fb_err_set(err, r, "take over a small file: %m");
	r = fb_data_begin(data, inode, err);
	if (r == 0)
		r = fb_data_append(data, u->bytes + body->offset, inode->size,
				   NULL, err);
	return r < 0 ? r : fb_data_end(data, err);
}

static int copy_body(struct reuse *u, struct fb_tree_inode *inode,
		     struct fb_err *err)
{
	FB_FREE uint32_t *sizes = NULL;
	struct fb_body body = { 0 };
	int r = fb_known_body(u->known, &body, &sizes, err);

	if (r < 0 || !inode)
		return r;
	if (body.kind == FB_BODY_FRAGMENT)
		return copy_small(u, inode, &body, err);
	return fb_data_import(&u->rd->c->image.data, inode, u->where->image_fd,
			      body.start, sizes, body.count, err);
}

static int open_known(struct reuse *u, struct fb_err *err)
{
	struct fb_reading *rd = u->rd;
	struct fb_source *source;
	int r = fb_known_open(u->where, &u->known, err);

	if (r < 0)
		return r;
	source = fb_known_source(u->known);
	if (rd->c->recipe)
		r = fb_recipe_source(rd->c->recipe, source, &rd->tap, err);
	return r < 0 ? r
		     : fb_tar_open(rd->tap ? rd->tap : source, &rd->tar, err);
}

/* The layer as if it had not been looked at; what it put in the arena is lost room */
static int take_back(struct fb_reading *rd, const struct before *before)
{
	struct fb_conversion *c = rd->c;

	*rd->layer.links = before->links;
	c->entries = before->entries;
	c->file_bytes = before->file_bytes;
	c->result = before->result;
	rd->skipped.count = 0;
	rd->layer.entries = 0;
	rd->layer.root = fb_tree_root(&c->tree);
	rd->layer.pseudo = NULL;
	/* half a layer is in it */
	fb_recipe_free(c->recipe);
	c->recipe = NULL;
	return rd->layer.root ? 0 : -ENOMEM;
}

static void close_known(struct reuse *u)
{
	struct fb_reading *rd = u->rd;

	fb_tar_free(rd->tar);
	fb_source_free(rd->tap);
	fb_known_free(u->known);
	rd->tar = NULL;
	rd->tap = NULL;
	u->known = NULL;
}

/* Return: 1; negative errno */
static int finish(struct reuse *u, struct fb_err *err)
{
	struct fb_conversion *c = u->rd->c;
	const struct fb_rootfs_layer *layer =
		&c->layers[u->rd->layer.number - 1];
	int r;

	if (c->recipe)
		(void)fb_recipe_layer_end(c->recipe, &layer->diff_id);
	close_known(u);
	r = fb_known_open(u->where, &u->known, err);
	for (size_t i = 0; r == 0 && i < u->files.count; i++)
		r = copy_body(u, u->files.v[i], err);
	if (r < 0)
		return r;
	if (layer->size_bytes != UINT64_MAX)
		c->result.layer_bytes += layer->size_bytes;
	c->result.known_layers++;
	return 1;
}

int fb_reuse_layer(struct fb_reading *rd, struct fb_err *err)
{
	struct fb_conversion *c = rd->c;
	struct reuse u = {
		.rd = rd,
		.where = c->layers[rd->layer.number - 1].known,
	};
	const struct before before = { *rd->layer.links, c->entries,
				       c->file_bytes, c->result };
	struct fb_err why = { 0 };
	int r = open_known(&u, &why);

	if (r == 0)
		r = take_entries(&u, &why);
	if (r == 1) {
		r = finish(&u, err);
		close_known(&u);
	} else {
		close_known(&u);
		fb_log(c->options.log, FB_LOG_INFO,
		       "convert: layer %zu is read, though it is known%s%s",
		       rd->layer.number, r < 0 ? ": " : "", why.msg);
		r = take_back(rd, &before) < 0
			    ? fb_err_set(err, -ENOMEM, "convert: %m")
			    : 0;
	}
	free(u.files.v);
	free(u.packed);
	free(u.bytes);
	return r;
}
