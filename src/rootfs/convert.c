/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Theory of operation.  Layers are read from the top down: what an upper layer
 * hides is known before a lower layer comes, so a hidden file is skipped instead
 * of compressed.  For each layer: lay it out alone, bodies going straight to the
 * image; look up what upper layers' hard links mean; merge it below what is
 * there.  A body that was skipped although something that shows turned out to
 * link to it is fetched by reading that layer once more.
 *
 * Threads: for each layer one reads and inflates and one hashes (reader.c); this
 * one parses, merges and writes; workers pack (packer.c).  The layer that comes
 * next is opened early, so that its first bytes are there when they are wanted.
 */
#include "rootfs/convert.h"

#include <errno.h>
#include <stdlib.h>

#include "archive/tar.h"
#include "base/cleanup.h"
#include "rootfs/convert_internal.h"

#define PROGRESS_BYTES (4u << 20)

int fb_inodes_add(struct fb_inodes *list, struct fb_tree_inode *inode)
{
	size_t cap = list->cap ? list->cap * 2 : 64;
	struct fb_tree_inode **grown;

	if (list->count == list->cap) {
		grown = reallocarray(list->v, cap,
				     sizeof(struct fb_tree_inode *));
		if (!grown)
			return -ENOMEM;
		list->v = grown;
		list->cap = cap;
	}
	list->v[list->count++] = inode;
	return 0;
}

static int tell_progress(struct fb_conversion *c, uint64_t done, bool always,
			 struct fb_err *err)
{
	int r;

	if (!c->options.progress ||
	    (!always && done < c->told_bytes + PROGRESS_BYTES))
		return 0;
	c->told_bytes = done;
	r = c->options.progress(c->options.progress_ctx, done, c->total_bytes);
	return r < 0 ? fb_err_set(err, r, "convert: %m") : 0;
}

static int tell_read(const struct fb_reading *rd, struct fb_err *err)
{
	return tell_progress(rd->c,
			     rd->c->result.layer_bytes +
				     fb_reader_packed_bytes(rd->source),
			     false, err);
}

static int copy_body(const struct fb_reading *rd, struct fb_tree_inode *inode,
		     struct fb_err *err)
{
	struct fb_data *data = &rd->c->image.data;
	struct fb_tar_piece piece;
	int r = fb_data_begin(data, inode, err);

	while (r == 0) {
		r = fb_tar_piece(rd->tar, &piece, err);
		if (r <= 0)
			break;
		r = fb_data_append(
			data, piece.data, piece.len,
			piece.data ? fb_reader_hold(rd->source) : NULL, err);
		if (r == 0)
			r = tell_read(rd, err);
	}
	return r < 0 ? r : fb_data_end(data, err);
}

int fb_conversion_check_entry(struct fb_conversion *c,
			      const struct fb_tar_entry *e, struct fb_err *err)
{
	if (++c->entries > c->options.max_entries)
		return fb_err_set(err, -EFBIG, "over %llu entries",
				  (unsigned long long)c->options.max_entries);
	if (e->size_bytes > c->options.max_unpacked_bytes - c->file_bytes)
		return fb_err_set(
			err, -EFBIG, "over %llu bytes unpacked",
			(unsigned long long)c->options.max_unpacked_bytes);
	c->file_bytes += e->size_bytes;
	/* a short name may stand for thousands of folders, and be packed well */
	if (c->tree.bytes > c->options.max_tree_bytes)
		return fb_err_set(
			err, -EFBIG,
			"over %llu bytes of names, attributes and "
			"lists of blocks",
			(unsigned long long)c->options.max_tree_bytes);
	return 0;
}

static int take_entry(struct fb_reading *rd, const struct fb_tar_entry *e,
		      struct fb_err *err)
{
	struct fb_conversion *c = rd->c;
	struct fb_tree_node *node;
	int r = fb_conversion_check_entry(c, e, err);

	if (r == 0)
		r = fb_layer_apply(&rd->layer, e, &node, err);
	if (r < 0)
		return r;
	if (!node)
		return tell_read(rd, err);
	if (rd->tap && e->size_bytes &&
	    fb_recipe_body(c->recipe, node->inode) < 0)
		return fb_err_set(err, -ENOMEM, "convert: %m");
	if (!fb_layer_is_hidden(&c->tree, c->merged, node))
		return copy_body(rd, node->inode, err);
	c->result.hidden_files++;
	r = fb_inodes_add(&rd->skipped, node->inode);
	return r < 0 ? fb_err_set(err, r, "skip: %m") : tell_read(rd, err);
}

static int read_entries(struct fb_reading *rd, struct fb_err *err)
{
	struct fb_tar_entry e;
	int r;

	while ((r = fb_tar_next(rd->tar, &e, err)) > 0) {
		r = take_entry(rd, &e, err);
		if (r < 0)
			return fb_err_wrap(err, r, "entry '%.200s'", e.name);
		rd->layer.entries++;
	}
	return r < 0 ? r : fb_tar_drain(rd->tar, err);
}

static int open_ahead(struct fb_conversion *c, size_t i, struct fb_err *err)
{
	return fb_reader_open(&c->layers[i], &c->options, true,
			      c->chunks[i % 2], &c->ahead, err);
}

/* the bytes decide; a media type that says something else is told */
static void check_kind(const struct fb_reading *rd)
{
	static const char *const names[] = {
		[FB_LAYER_PLAIN] = "plain",
		[FB_LAYER_GZIP] = "gzip",
		[FB_LAYER_ZSTD] = "zstd",
	};
	const struct fb_rootfs_layer *l = &rd->c->layers[rd->layer.number - 1];
	enum fb_compression kind = fb_reader_kind(rd->source);

	if (l->compression != FB_LAYER_UNKNOWN &&
	    (unsigned int)l->compression != (unsigned int)kind)
		fb_log(rd->c->options.log, FB_LOG_WARN,
		       "convert: layer %zu: its media type says %s, its bytes "
		       "are %s",
		       rd->layer.number, names[l->compression],
		       fb_compression_name(kind));
}

static int read_layer(struct fb_reading *rd, struct fb_err *err)
{
	struct fb_conversion *c = rd->c;
	size_t i = rd->layer.number - 1;
	struct fb_reader_totals totals;
	int r = c->layers[i].known ? fb_reuse_layer(rd, err) : 0;

	if (r != 0)
		return r < 0 ? r : 0;
	r = c->ahead ? 0 : open_ahead(c, i, err);
	rd->source = FB_TAKE_PTR(c->ahead);
	if (r == 0 && i > 0 && !c->layers[i - 1].known)
		r = open_ahead(c, i - 1, err);
	if (r == 0 && c->recipe && c->layers[i].diff_id.set)
		r = fb_recipe_source(c->recipe, rd->source, &rd->tap, err);
	if (r == 0)
		r = fb_tar_open(rd->tap ? rd->tap : rd->source, &rd->tar, err);
	if (r == 0)
		r = read_entries(rd, err);
	if (r == 0)
		r = fb_reader_finish(rd->source, &totals, err);
	if (r < 0)
		return r;
	if (rd->tap)
		(void)fb_recipe_layer_end(c->recipe, &c->layers[i].diff_id);
	check_kind(rd);
	c->result.layer_bytes += totals.packed_bytes;
	c->result.unpacked_bytes += totals.plain_bytes;
	return 0;
}

static void close_layer(struct fb_reading *rd)
{
	fb_tar_free(rd->tar);
	fb_source_free(rd->tap);
	fb_source_free(rd->source);
	rd->tar = NULL;
	rd->tap = NULL;
	rd->source = NULL;
}

/* the layer was verified when it was first read; this much must still hold */
static int copy_skipped(const struct fb_reading *rd,
			const struct fb_tar_entry *e,
			struct fb_tree_inode *inode, struct fb_err *err)
{
	if (e->type != FB_TAR_FILE || e->size_bytes != inode->size)
		return fb_err_set(err, -EIO, "changed while it was read");
	return copy_body(rd, inode, err);
}

static int read_skipped(const struct fb_reading *rd, struct fb_err *err)
{
	struct fb_tar_entry e;
	uint32_t ordinal = 0;
	size_t next = 0;
	int r = 0;

	while (r == 0 && next < rd->skipped.count) {
		r = fb_tar_next(rd->tar, &e, err);
		if (r == 0)
			return fb_err_set(err, -EIO,
					  "changed while it was read");
		if (r < 0)
			break;
		r = 0;
		if (rd->skipped.v[next]->ordinal == ordinal++)
			r = copy_skipped(rd, &e, rd->skipped.v[next++], err);
	}
	return r;
}

static int read_again(struct fb_reading *rd, struct fb_err *err)
{
	struct fb_conversion *c = rd->c;
	size_t i = rd->layer.number - 1;
	const struct fb_rootfs_layer *layer = &c->layers[i];
	int r = layer->source ? fb_source_rewind(layer->source, err) : 0;

	close_layer(rd);
	if (r == 0)
		r = fb_reader_open(layer, &c->options, false, c->chunks[i % 2],
				   &rd->source, err);
	if (r == 0)
		r = fb_tar_open(rd->source, &rd->tar, err);
	if (r == 0)
		r = read_skipped(rd, err);
	c->result.rescanned_layers++;
	return r < 0 ? fb_err_wrap(err, r, "read it again") : 0;
}

static int finish_layer(struct fb_reading *rd, struct fb_err *err)
{
	struct fb_conversion *c = rd->c;
	struct fb_inodes *skipped = &rd->skipped;
	size_t wanted = 0;
	int r = fb_layer_merge(&c->tree, c->merged, rd->layer.root);

	if (r < 0)
		return fb_err_set(err, r, "merge: %m");
	/* bodies that were skipped although something that shows links to them */
	for (size_t k = 0; k < skipped->count; k++)
		if (skipped->v[k]->wanted)
			skipped->v[wanted++] = skipped->v[k];
	skipped->count = wanted;
	return wanted ? read_again(rd, err) : 0;
}

static int convert_layer(struct fb_conversion *c, size_t i, struct fb_err *err)
{
	struct fb_reading rd = {
		.c = c,
		.layer = { .tree = &c->tree,
			   .xattrs = &c->xattrs,
			   .root = fb_tree_root(&c->tree),
			   .links = &c->links,
			   .number = i + 1,
			   .result = &c->result },
	};
	int r = rd.layer.root ? 0 : fb_err_set(err, -ENOMEM, "read: %m");

	if (r == 0)
		r = read_layer(&rd, err);
	if (r < 0)
		fb_err_wrap(err, r, "layer %zu of %zu", i + 1, c->count);
	/* its errors name the layer of the link */
	if (r == 0)
		r = fb_layer_resolve_links(&rd.layer, err);
	if (r == 0) {
		r = finish_layer(&rd, err);
		if (r < 0)
			fb_err_wrap(err, r, "layer %zu of %zu", i + 1,
				    c->count);
	}
	close_layer(&rd);
	free(rd.skipped.v);
	return r;
}

static void tell_notes(const struct fb_conversion *c)
{
	const struct fb_rootfs_result *n = &c->result;

	if (n->known_layers)
		fb_log(c->options.log, FB_LOG_INFO,
		       "convert: %llu of %zu layers were taken from an earlier "
		       "image",
		       (unsigned long long)n->known_layers, c->count);
	if (n->dropped_acls)
		fb_log(c->options.log, FB_LOG_INFO,
		       "convert: %llu entries have POSIX ACLs, which SquashFS "
		       "cannot hold: left out",
		       (unsigned long long)n->dropped_acls);
	if (n->dropped_devices)
		fb_log(c->options.log, FB_LOG_INFO,
		       "convert: %llu character devices 0:0, which would hide "
		       "names in an overlay: left out",
		       (unsigned long long)n->dropped_devices);
	if (n->dropped_xattrs)
		fb_log(c->options.log, FB_LOG_INFO,
		       "convert: %llu extended attributes that Linux or SquashFS "
		       "does not have there: left out",
		       (unsigned long long)n->dropped_xattrs);
}

static int convert_all(struct fb_conversion *c, struct fb_err *err)
{
	int r = 0;

	for (size_t i = c->count; i-- > 0 && r == 0;)
		r = convert_layer(c, i, err);
	if (r < 0)
		return r;
	if (c->links)
		return fb_layer_link_error(c->links, "nothing:", err);
	r = fb_image_finish(&c->image, c->merged, &c->result, err);
	/* what cannot be remembered is no error */
	if (r == 0 && c->recipe)
		c->result.recipe =
			fb_recipe_finish(c->recipe, c->options.block_bytes,
					 &c->image.data.fragments) == 0;
	if (r == 0)
		r = tell_progress(c, c->result.layer_bytes, true, err);
	if (r == 0)
		tell_notes(c);
	return r;
}

static int prepare(struct fb_conversion *c, int out_fd,
		   const struct fb_rootfs_options *options, struct fb_err *err)
{
	int r = fb_rootfs_options_resolve(options, &c->options, err);

	if (r < 0)
		return r;
	if (c->count > FB_ROOTFS_LAYERS_MAX)
		return fb_err_set(err, -E2BIG, "%zu layers: %d is the most",
				  c->count, FB_ROOTFS_LAYERS_MAX);
	for (size_t i = 0; i < c->count; i++)
		if (c->layers[i].size_bytes < UINT64_MAX - c->total_bytes)
			c->total_bytes += c->layers[i].size_bytes;
	c->chunks[0] = fb_chunks_new();
	c->chunks[1] = fb_chunks_new();
	if (!c->chunks[0] || !c->chunks[1] || fb_tree_init(&c->tree) < 0 ||
	    !(c->merged = fb_tree_root(&c->tree)))
		return fb_err_set(err, -ENOMEM, "convert: %m");
	if (c->options.recipe_fd)
		r = fb_recipe_new(*c->options.recipe_fd, &c->options,
				  &c->recipe, err);
	return r < 0 ? r
		     : fb_image_open(&c->image, out_fd, &c->options, &c->tree,
				     err);
}

int fb_rootfs_convert(const struct fb_rootfs_layer *layers, size_t count,
		      int out_fd, const struct fb_rootfs_options *options,
		      struct fb_rootfs_result *ret, struct fb_err *err)
{
	struct fb_conversion c = { .layers = layers, .count = count };
	int r = prepare(&c, out_fd, options, err);

	if (r == 0)
		r = convert_all(&c, err);
	if (r == 0)
		*ret = c.result;
	/* first the threads, last the buffers that they hold */
	fb_source_free(c.ahead);
	fb_image_release(&c.image);
	fb_chunks_free(c.chunks[0]);
	fb_chunks_free(c.chunks[1]);
	fb_xattr_sets_release(&c.xattrs);
	fb_recipe_free(c.recipe);
	fb_tree_release(&c.tree);
	return r;
}
