/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An image's SquashFS: found by its key, or made by whoever gets the lock first.
 *
 * Layers are opened when the conversion first reads them, not before: an image
 * has up to 1000, a process often may open 1024 files.
 */
#include "image/rootfs.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/io.h"
#include "image/assemble.h"
#include "image/known_layers.h"
#include "image/layer_source.h"
#include "image/output.h"
#include "store/blob.h"
#include "store/rootfs_file.h"

#define WAIT_MS 100

void fb_image_rootfs_release(struct fb_image_rootfs *rootfs)
{
	rootfs->fd = fb_close(rootfs->fd);
	free(rootfs->path);
	rootfs->path = NULL;
}

/**
 * struct conversion - What is converted, and how
 * @layers:  With a source each
 * @options: Complete
 * @key:     Under which the result is kept
 */
struct conversion {
	const struct fb_image_context *ctx;
	const struct fb_image_record *image;
	struct fb_lease *lease;
	struct fb_manifest manifest;
	struct fb_image_config config;
	struct fb_rootfs_layer *layers;
	struct fb_known_layers known;
	struct fb_rootfs_options options;
	struct fb_digest key;
	char text[FB_DIGEST_TEXT_MAX];
};

static void conversion_end(struct conversion *c)
{
	for (size_t i = 0; c->layers && i < c->manifest.layer_count; i++)
		fb_source_free(c->layers[i].source);
	free(c->layers);
	fb_known_layers_release(&c->known);
	fb_manifest_release(&c->manifest);
	fb_image_config_release(&c->config);
	fb_store_lease_close(c->lease);
}

static int show_progress(void *ctx, uint64_t done_bytes, uint64_t total_bytes)
{
	struct conversion *c = ctx;

	fb_progress(c->ctx->progress, FB_PROGRESS_CONVERTING, c->text,
		    done_bytes, total_bytes);
	return fb_progress_tick(c->ctx->progress);
}

static int prepare(struct conversion *c,
		   const struct fb_rootfs_options *options, struct fb_err *err)
{
	int r = fb_rootfs_options_resolve(options, &c->options, err);

	if (r == 0)
		r = fb_image_load_manifest(c->ctx->store, &c->image->manifest,
					   &c->manifest, err);
	if (r == 0)
		r = fb_image_load_config(c->ctx->store, &c->image->config,
					 &c->config, NULL, NULL, err);
	if (r == 0 && c->config.diff_id_count != c->manifest.layer_count)
		r = fb_err_set(err, -EBADMSG,
			       "the manifest has %zu layers, the config %zu "
			       "diff_ids",
			       c->manifest.layer_count,
			       c->config.diff_id_count);
	if (r == 0)
		r = fb_rootfs_key(c->config.diff_ids, c->config.diff_id_count,
				  &c->options, &c->key, err);
	if (r < 0)
		return r;
	(void)fb_digest_format(&c->image->manifest, c->text);
	if (!c->options.log)
		c->options.log = c->ctx->log;
	if (!c->options.progress) {
		c->options.progress = show_progress;
		c->options.progress_ctx = c;
	}
	return 0;
}

static int open_layers(struct conversion *c, struct fb_err *err)
{
	const struct fb_manifest *m = &c->manifest;
	int r = fb_store_lease_open(c->ctx->store, &c->lease, err);

	if (r < 0)
		return r;
	c->layers = calloc(m->layer_count + 1, sizeof(*c->layers));
	if (!c->layers)
		return fb_err_set(err, -ENOMEM, "convert: %m");
	r = fb_known_layers_find(c->ctx->store, c->config.diff_ids,
				 m->layer_count, &c->options, &c->known, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < m->layer_count; i++) {
		const struct fb_descriptor *d = &m->layers[i];
		struct fb_rootfs_layer *layer = &c->layers[i];
		bool has = false;

		*layer = (struct fb_rootfs_layer){
			.fd = -EBADF,
			.size_bytes = d->size_bytes,
			/* its digest was verified when it came; what decides
			 * now is what it inflates to */
			.diff_id = c->config.diff_ids[i],
			.compression = fb_layer_compression(d->media_type),
			.known = fb_known_layers_of(&c->known, i),
		};
		r = fb_store_lease_add(c->lease, &d->digest, d->size_bytes,
				       &has, err);
		if (r == 0 && !has)
			r = fb_err_hint(
				err,
				fb_err_set(err, -EBADMSG,
					   "layer %zu is missing in the store",
					   i + 1),
				"flamebox verify --repair");
		if (r == 0)
			r = fb_layer_source_new(c->ctx->store, &d->digest,
						d->size_bytes, &layer->source,
						err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int convert_into(struct conversion *c, int fd,
			struct fb_rootfs_result *ret, struct fb_err *err)
{
	int r = open_layers(c, err);

	return r < 0 ? r
		     : fb_rootfs_convert(c->layers, c->manifest.layer_count, fd,
					 &c->options, ret, err);
}

static int open_converted(struct conversion *c, struct fb_image_rootfs *ret,
			  struct fb_err *err)
{
	struct fb_rootfs_record record;
	FB_FD int fd = fb_store_rootfs_open(c->ctx->store, &c->key,
					    &c->image->manifest, &record, err);
	FB_FREE char *path = NULL;

	if (fd < 0)
		return fd;
	path = fb_store_rootfs_path(c->ctx->store, &c->key);
	if (!path)
		return fb_err_set(err, -ENOMEM, "open the converted image: %m");
	ret->digest = record.sha256;
	ret->size_bytes = record.size_bytes;
	ret->path = FB_TAKE_PTR(path);
	ret->fd = FB_TAKE_FD(fd);
	return 0;
}

static int publish(struct conversion *c, struct fb_store_temp *temp,
		   const struct fb_rootfs_result *result, struct fb_err *err)
{
	struct fb_rootfs_record record = { .key = c->key,
					   .sha256 = result->digest,
					   .size_bytes = result->image_bytes };

	(void)snprintf(record.compression, sizeof(record.compression), "%s",
		       fb_rootfs_compression_name(c->options.compression));
	return fb_store_rootfs_publish(c->ctx->store, temp, &record,
				       &c->image->manifest, err);
}

static int convert_and_publish(struct conversion *c, struct fb_err *err)
{
	FB_STORE_TEMP struct fb_store_temp temp = FB_STORE_TEMP_INIT;
	FB_STORE_TEMP struct fb_store_temp recipe = FB_STORE_TEMP_INIT;
	struct fb_rootfs_result result;
	int r = fb_store_temp_create(c->ctx->store, &temp, err);

	if (r == 0)
		r = fb_store_temp_create(c->ctx->store, &recipe, err);
	c->options.recipe_fd = &recipe.fd;
	if (r == 0)
		r = convert_into(c, temp.fd, &result, err);
	if (r < 0)
		return r;
	r = publish(c, &temp, &result, err);
	if (r == 0 && result.recipe)
		fb_known_layers_keep(&c->key, &recipe);
	return r;
}

/* Asked for again and again, not slept upon: the wait can be cancelled. */
static int work_lock(struct conversion *c, struct fb_work_lock *ret,
		     struct fb_err *err)
{
	FB_WORK_LOCK struct fb_work_lock wanted = FB_WORK_LOCK_INIT;
	char key[FB_DIGEST_TEXT_MAX];
	bool said = false;
	int r;

	(void)fb_digest_format(&c->key, key);
	while ((r = fb_store_work_lock(c->ctx->store, "convert", key, false,
				       ret, NULL)) == -EWOULDBLOCK) {
		if (!said)
			fb_progress(c->ctx->progress, FB_PROGRESS_WAITING,
				    c->text, 0, 0);
		said = true;
		/* whoever has the lock sees by this one that somebody waits */
		if (wanted.fd < 0)
			(void)fb_store_work_lock(c->ctx->store, "wanted", key,
						 false, &wanted, NULL);
		(void)poll(NULL, 0, WAIT_MS);
		r = fb_progress_tick(c->ctx->progress);
		if (r < 0)
			return fb_err_set(err, r,
					  "wait for another conversion: %s",
					  strerror(-r));
	}
	/* once more for the error's text */
	return r < 0 ? fb_store_work_lock(c->ctx->store, "convert", key, false,
					  ret, err)
		     : 0;
}

static int ensure(struct conversion *c, struct fb_image_rootfs *ret,
		  struct fb_err *err)
{
	FB_WORK_LOCK struct fb_work_lock lock = FB_WORK_LOCK_INIT;
	int r = open_converted(c, ret, NULL);

	if (r != -ENOENT)
		return r < 0 ? open_converted(c, ret, err) : 0;
	r = work_lock(c, &lock, err);
	if (r < 0)
		return r;
	/* whoever had the lock before us may have done it */
	r = open_converted(c, ret, NULL);
	if (r != -ENOENT)
		return r < 0 ? open_converted(c, ret, err) : 0;
	r = convert_and_publish(c, err);
	if (r == 0)
		r = open_converted(c, ret, err);
	ret->converted = r == 0;
	return r;
}

int fb_image_ensure_rootfs(const struct fb_image_context *ctx,
			   const struct fb_image_record *image,
			   const struct fb_rootfs_options *options,
			   struct fb_image_rootfs *ret, struct fb_err *err)
{
	struct conversion c = { .ctx = ctx, .image = image };
	FB_IMAGE_ROOTFS struct fb_image_rootfs rootfs = { .fd = -EBADF };
	char text[FB_DIGEST_TEXT_MAX];
	int r = prepare(&c, options, err);

	if (r == 0)
		r = ensure(&c, &rootfs, err);
	conversion_end(&c);
	if (r < 0)
		return fb_err_wrap(err, r, "convert image '%s'",
				   fb_digest_format(&image->manifest, text));
	*ret = rootfs;
	rootfs = (struct fb_image_rootfs){ .fd = -EBADF };
	return 0;
}

/* A container of this image ran before: its file has the same bytes. */
static int copy_converted(struct conversion *c, int fd,
			  struct fb_rootfs_result *ret, struct fb_err *err)
{
	FB_IMAGE_ROOTFS struct fb_image_rootfs have = { .fd = -EBADF };
	int r = open_converted(c, &have, NULL);

	if (r < 0)
		return r;
	if (have.size_bytes > c->options.max_image_bytes)
		return -EFBIG; /* so says the conversion that follows */
	*ret = (struct fb_rootfs_result){
		.digest = have.digest,
		.image_bytes = have.size_bytes,
	};
	return fb_copy_verified(have.fd, fd, &have.digest, have.size_bytes,
				err);
}

/* What the user gets is no file of ours; a process that waits is given a copy. */
static void share_if_wanted(struct conversion *c, int fd,
			    const struct fb_rootfs_result *result)
{
	FB_STORE_TEMP struct fb_store_temp temp = FB_STORE_TEMP_INIT;
	FB_WORK_LOCK struct fb_work_lock wanted = FB_WORK_LOCK_INIT;
	char key[FB_DIGEST_TEXT_MAX];
	int r = fb_store_work_lock(c->ctx->store, "wanted",
				   fb_digest_format(&c->key, key), false,
				   &wanted, NULL);

	if (r != -EWOULDBLOCK)
		return;
	r = fb_store_temp_create(c->ctx->store, &temp, NULL);
	if (r == 0)
		r = fb_copy_verified(fd, temp.fd, &result->digest,
				     result->image_bytes, NULL);
	if (r == 0)
		r = publish(c, &temp, result, NULL);
	if (r < 0)
		fb_log(c->ctx->log, FB_LOG_INFO,
		       "convert: another process waits and has to do it again: "
		       "%s",
		       strerror(-r));
}

/* Return: 0 it was there; -ENOENT it has to be converted; another errno */
static int copy_to(struct conversion *c, struct fb_output *out,
		   struct fb_rootfs_result *ret, struct fb_err *err)
{
	int r = copy_converted(c, out->fd, ret, NULL);

	if (r == 0)
		return 0;
	r = fb_output_clear(out, err);
	return r < 0 ? r : -ENOENT;
}

static int convert_to(struct conversion *c, struct fb_output *out,
		      struct fb_rootfs_result *ret, struct fb_err *err)
{
	FB_WORK_LOCK struct fb_work_lock lock = FB_WORK_LOCK_INIT;
	int r = copy_to(c, out, ret, err);

	if (r != -ENOENT)
		return r;
	r = work_lock(c, &lock, err);
	if (r == 0)
		r = copy_to(c, out, ret, err);
	if (r != -ENOENT)
		return r;
	r = convert_into(c, out->fd, ret, err);
	if (r == 0)
		share_if_wanted(c, out->fd, ret);
	return r;
}

int fb_image_convert(const struct fb_image_context *ctx,
		     const struct fb_image_record *image,
		     const struct fb_rootfs_options *options,
		     const struct fb_image_target *target,
		     struct fb_rootfs_result *ret, struct fb_err *err)
{
	struct conversion c = { .ctx = ctx, .image = image };
	FB_OUTPUT struct fb_output out = FB_OUTPUT_INIT;
	struct fb_rootfs_result result;
	int r = prepare(&c, options, err);

	if (r == 0)
		r = fb_output_open(ctx->store, target->path, target->fd, &out,
				   err);
	if (r == 0)
		r = convert_to(&c, &out, &result, err);
	if (r == 0)
		r = fb_output_commit(&out, err);
	conversion_end(&c);
	if (r == 0)
		*ret = result;
	return r;
}
