/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Theory of operation.  Layers are read from the top down: what an upper layer
 * hides is known before a lower layer comes, so a hidden file is skipped instead
 * of compressed.  For each layer: lay it out alone, bodies going straight to the
 * image; look up what upper layers' hard links mean; merge it below what is
 * there.  A body that was skipped although something visible turned out to link
 * to it is fetched by reading that layer once more.
 *
 * Threads: one reads, inflates and hashes the layer; this one parses, merges
 * and writes; libsquashfs' workers compress.
 */
#include "rootfs/convert.h"

#include <errno.h>
#include <stdlib.h>

#include "archive/tar.h"
#include "base/cleanup.h"
#include "rootfs/image.h"
#include "rootfs/layer.h"
#include "rootfs/reader.h"

#define PIECE_SIZE (128u << 10)
#define PROGRESS_BYTES (4u << 20)

struct conversion {
	struct fb_rootfs_options options;
	const struct fb_rootfs_layer *layers;
	struct fb_tree tree;
	struct fb_tree_node *merged;
	struct fb_layer_link *links;
	struct fb_image *image;
	struct fb_rootfs_result result;
	uint64_t entries;
	uint64_t total_bytes;
	uint64_t told_bytes;
	uint8_t *piece;
};

static int tell_progress(struct conversion *c, uint64_t done, bool always,
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

static int copy_body(struct conversion *c, struct fb_tar *tar,
		     struct fb_source *source, uint64_t done_before,
		     struct fb_tree_inode *inode, struct fb_err *err)
{
	ssize_t n;
	int r = fb_image_begin_file(c->image, inode, err);

	while (r == 0) {
		n = fb_tar_read(tar, c->piece, PIECE_SIZE, err);
		if (n < 0)
			return (int)n;
		if (n == 0)
			break;
		r = fb_image_append(c->image, c->piece, (uint64_t)n, err);
		if (r == 0)
			r = tell_progress(c,
					  done_before +
						  fb_reader_packed_bytes(source),
					  false, err);
	}
	return r < 0 ? r : fb_image_end_file(c->image, err);
}

static int check_entry(struct conversion *c, const struct fb_tar_entry *e,
		       struct fb_err *err)
{
	if (++c->entries > c->options.max_entries)
		return fb_err_set(err, -EFBIG, "over %llu entries",
				  (unsigned long long)c->options.max_entries);
	if (e->size_bytes > c->options.max_unpacked_bytes -
				    c->result.unpacked_bytes)
		return fb_err_set(err, -EFBIG, "over %llu bytes unpacked",
				  (unsigned long long)
					  c->options.max_unpacked_bytes);
	c->result.unpacked_bytes += e->size_bytes;
	return 0;
}

static int take_entry(struct conversion *c, struct fb_layer *layer,
		      struct fb_tar *tar, struct fb_source *source,
		      const struct fb_tar_entry *e, struct fb_err *err)
{
	struct fb_tree_node *node;
	int r = check_entry(c, e, err);

	if (r == 0)
		r = fb_layer_apply(layer, e, &node, err);
	if (r < 0 || !node)
		return r;
	if (fb_layer_is_hidden(&c->tree, c->merged, node)) {
		node->inode->skipped = true;
		c->result.hidden_files++;
		return 0;
	}
	return copy_body(c, tar, source, c->result.layer_bytes, node->inode,
			 err);
}

static int read_entries(struct conversion *c, struct fb_layer *layer,
			struct fb_source *source, struct fb_err *err)
{
	FB_TAR struct fb_tar *tar = NULL;
	struct fb_tar_entry e;
	int r = fb_tar_open(source, &tar, err);

	while (r == 0) {
		r = fb_tar_next(tar, &e, err);
		if (r <= 0)
			break;
		r = take_entry(c, layer, tar, source, &e, err);
		if (r < 0)
			return fb_err_wrap(err, r, "entry '%.200s'", e.name);
		layer->entries++;
	}
	return r < 0 ? r : fb_tar_drain(tar, err);
}

/* by the node, since the ordinal says where the body is */
static int by_ordinal(const void *a, const void *b)
{
	const struct fb_tree_inode *x = *(struct fb_tree_inode *const *)a;
	const struct fb_tree_inode *y = *(struct fb_tree_inode *const *)b;

	return x->ordinal < y->ordinal ? -1 : x->ordinal > y->ordinal;
}

struct wanted {
	struct fb_tree_inode **v;
	size_t count;
	size_t cap;
};

static int add_wanted(struct wanted *w, struct fb_tree_inode *inode)
{
	size_t cap = w->cap ? w->cap * 2 : 64;
	struct fb_tree_inode **grown;

	if (w->count == w->cap) {
		grown = reallocarray(w->v, cap, sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		w->v = grown;
		w->cap = cap;
	}
	inode->skipped = false; /* once is enough */
	w->v[w->count++] = inode;
	return 0;
}

static int read_wanted(struct conversion *c, const struct wanted *w,
		       struct fb_source *source, struct fb_err *err)
{
	FB_TAR struct fb_tar *tar = NULL;
	struct fb_tar_entry e;
	uint64_t ordinal = 0;
	size_t next = 0;
	int r = fb_tar_open(source, &tar, err);

	while (r == 0 && next < w->count) {
		r = fb_tar_next(tar, &e, err);
		if (r == 0)
			return fb_err_set(err, -EIO,
					  "changed while it was read");
		if (r < 0)
			break;
		r = 0;
		if (w->v[next]->ordinal == ordinal++)
			r = copy_body(c, tar, source, 0, w->v[next++], err);
	}
	return r;
}

static int rescan(struct conversion *c, size_t i, struct wanted *w,
		  struct fb_err *err)
{
	const struct fb_rootfs_layer *layer = &c->layers[i];
	FB_SOURCE struct fb_source *source = NULL;
	int r = layer->source ? fb_source_rewind(layer->source, err) : 0;

	qsort(w->v, w->count, sizeof(struct fb_tree_inode *), by_ordinal);
	if (r == 0)
		r = fb_reader_open(layer, &c->options, false, &source, err);
	if (r == 0)
		r = read_wanted(c, w, source, err);
	c->result.rescanned_layers++;
	return r;
}

/* the layer's skipped files whose inode something visible names */
static int collect_wanted(const struct wanted *skipped, struct wanted *ret)
{
	int r = 0;

	for (size_t i = 0; i < skipped->count && r == 0; i++)
		if (skipped->v[i]->wanted)
			r = add_wanted(ret, skipped->v[i]);
	return r;
}

static int collect_skipped(const struct fb_tree_node *root, struct wanted *ret)
{
	const struct fb_tree_node *n = root, *next;
	int r;

	/* dead nodes too: another link may have kept their inode */
	for (;;) {
		if (n->inode && n->inode->skipped) {
			r = add_wanted(ret, n->inode);
			if (r < 0)
				return r;
		}
		next = n->child;
		while (!next && n != root) {
			next = n->sibling;
			n = n->parent;
		}
		if (!next)
			break;
		n = next;
	}
	for (size_t i = 0; i < ret->count; i++)
		ret->v[i]->skipped = true;
	return 0;
}

static int finish_layer(struct conversion *c, size_t i, struct fb_layer *layer,
			struct fb_err *err)
{
	struct wanted skipped = { 0 }, wanted = { 0 };
	int r = collect_skipped(layer->root, &skipped);

	if (r < 0)
		fb_err_set(err, r, "merge: %m");
	if (r == 0)
		r = fb_layer_resolve_links(layer, err);
	if (r == 0) {
		r = fb_layer_merge(&c->tree, c->merged, layer->root);
		if (r == 0)
			r = collect_wanted(&skipped, &wanted);
		if (r < 0)
			fb_err_set(err, r, "merge: %m");
	}
	if (r == 0 && wanted.count)
		r = rescan(c, i, &wanted, err);
	free(skipped.v);
	free(wanted.v);
	return r;
}

static int convert_layer(struct conversion *c, size_t i, struct fb_err *err)
{
	FB_SOURCE struct fb_source *source = NULL;
	struct fb_reader_totals totals;
	struct fb_layer layer = {
		.tree = &c->tree,
		.root = fb_tree_root(&c->tree),
		.links = &c->links,
		.number = i + 1,
		.result = &c->result,
		.log = c->options.log,
	};
	int r;

	if (!layer.root)
		return fb_err_set(err, -ENOMEM, "read: %m");
	r = fb_reader_open(&c->layers[i], &c->options, true, &source, err);
	if (r == 0)
		r = read_entries(c, &layer, source, err);
	if (r == 0)
		r = fb_reader_finish(source, &totals, err);
	if (r < 0)
		return r;
	c->result.layer_bytes += totals.packed_bytes;
	return finish_layer(c, i, &layer, err);
}

static void tell_notes(const struct conversion *c)
{
	const struct fb_rootfs_result *n = &c->result;

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
		       "convert: %llu extended attributes of other kinds than "
		       "user, trusted, security: left out",
		       (unsigned long long)n->dropped_xattrs);
}

static int convert_all(struct conversion *c, size_t count, struct fb_err *err)
{
	int r = 0;

	for (size_t i = count; i-- > 0 && r == 0;) {
		r = convert_layer(c, i, err);
		if (r < 0)
			return fb_err_wrap(err, r, "layer %zu of %zu", i + 1,
					   count);
	}
	if (c->links)
		return fb_err_set(err, -EBADMSG,
				  "layer %zu of %zu: entry '%.200s': hard link "
				  "to nothing: '%.200s'",
				  c->links->layer, count, c->links->name,
				  c->links->path);
	r = fb_image_finish(c->image, &c->tree, c->merged, &c->result, err);
	if (r == 0)
		r = tell_progress(c, c->result.layer_bytes, true, err);
	if (r == 0)
		tell_notes(c);
	return r;
}

static int prepare(struct conversion *c, size_t count, int out_fd,
		   const struct fb_rootfs_options *options, struct fb_err *err)
{
	int r = fb_rootfs_options_resolve(options, &c->options, err);

	if (r < 0)
		return r;
	if (count > FB_ROOTFS_LAYERS_MAX)
		return fb_err_set(err, -E2BIG, "%zu layers: %d is the most",
				  count, FB_ROOTFS_LAYERS_MAX);
	for (size_t i = 0; i < count; i++)
		if (c->layers[i].size_bytes < UINT64_MAX - c->total_bytes)
			c->total_bytes += c->layers[i].size_bytes;
	c->piece = malloc(PIECE_SIZE);
	if (!c->piece || fb_tree_init(&c->tree) < 0 ||
	    !(c->merged = fb_tree_root(&c->tree)))
		return fb_err_set(err, -ENOMEM, "convert: %m");
	return fb_image_open(out_fd, &c->options, &c->image, err);
}

int fb_rootfs_convert(const struct fb_rootfs_layer *layers, size_t count,
		      int out_fd, const struct fb_rootfs_options *options,
		      struct fb_rootfs_result *ret, struct fb_err *err)
{
	struct conversion c = { .layers = layers };
	int r = prepare(&c, count, out_fd, options, err);

	if (r == 0)
		r = convert_all(&c, count, err);
	if (r == 0)
		*ret = c.result;
	fb_image_free(c.image);
	fb_tree_release(&c.tree);
	free(c.piece);
	return r;
}
