/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Theory of operation.  A conversion reads an image's layers from the top; each
 * layer's source follows the file that the download appends to, and waits where
 * it has read all there is.  So the layers are fetched from the top as well.
 *
 * The download verifies digests, the conversion diff_ids; nothing of either is
 * visible before both are done.  What was fetched by an earlier process, or is
 * fetched again, is in doubt: an error of the conversion counts only when the
 * download has found the bytes right.
 *
 * Whoever converts holds the lock of that image's conversion, as in rootfs.c; who
 * does not get it only fetches.
 */
#include "image/pull_convert.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "image/assemble.h"
#include "image/known_layers.h"
#include "rootfs/follow.h"
#include "rootfs/job.h"
#include "store/rootfs_file.h"

#define WAIT_MS 100
/* layers that may be open at once; an image of more is converted afterwards */
#define OPEN_MAX 256u

/**
 * struct fb_pull_conversion - One image
 * @follows: For every layer of @manifest
 * @doubt:   Bytes that were not fetched here, or were fetched twice
 */
struct fb_pull_conversion {
	struct pull *pull;
	const struct fb_manifest *manifest;
	struct fb_image_config config;
	struct fb_rootfs_options options;
	struct fb_digest key;
	struct fb_work_lock lock;
	struct fb_store_temp temp;
	struct fb_store_temp recipe;
	struct fb_known_layers known;
	struct fb_follow **follows;
	struct fb_rootfs_job *job;
	struct fb_rootfs_result result;
	uint64_t total_bytes;
	bool doubt;
	bool converted;
	char text[FB_DIGEST_TEXT_MAX];
};

static void free_follows(struct fb_pull_conversion *c)
{
	for (size_t i = 0; c->follows && i < c->manifest->layer_count; i++)
		if (c->follows[i])
			fb_source_free(fb_follow_source(c->follows[i]));
	free(c->follows);
	c->follows = NULL;
}

void fb_pull_convert_free(struct fb_pull_conversion *conversion)
{
	if (!conversion)
		return;
	(void)fb_rootfs_job_end(conversion->job, true, NULL, NULL);
	free_follows(conversion);
	fb_store_temp_discard(&conversion->temp);
	fb_store_temp_discard(&conversion->recipe);
	fb_known_layers_release(&conversion->known);
	fb_store_work_unlock(&conversion->lock);
	fb_image_config_release(&conversion->config);
	free(conversion);
}

/* Return: 1 it is to be converted here and now; 0 not; negative errno */
static int is_wanted(struct fb_pull_conversion *c, struct fb_err *err)
{
	struct fb_store *store = c->pull->ctx->store;
	const struct fb_image_config *config = &c->config;
	struct fb_rootfs_record record;
	char key[FB_DIGEST_TEXT_MAX];
	struct fb_platform host;
	int fd, r;

	fb_platform_host(&host);
	if (config->platform.os[0] &&
	    fb_platform_rank(&host, &config->platform) == 0)
		return 0;
	r = fb_rootfs_key(config->diff_ids, config->diff_id_count, &c->options,
			  &c->key, err);
	if (r < 0)
		return r;
	r = fb_store_work_lock(store, "convert", fb_digest_format(&c->key, key),
			       false, &c->lock, err);
	if (r < 0)
		return r == -EWOULDBLOCK ? 0 : r;
	fd = fb_store_rootfs_open(store, &c->key, &c->pull->manifest.digest,
				  &record, NULL);
	(void)fb_close(fd);
	return fd < 0;
}

static int start_job(struct fb_pull_conversion *c, struct fb_err *err)
{
	const struct fb_manifest *m = c->manifest;
	FB_FREE struct fb_rootfs_layer *layers =
		calloc(m->layer_count + 1, sizeof(*layers));
	int r = 0;

	free_follows(c);
	c->follows = calloc(m->layer_count + 1, sizeof(struct fb_follow *));
	if (!layers || !c->follows)
		return fb_err_set(err, -ENOMEM, "convert: %m");
	for (size_t i = 0; r == 0 && i < m->layer_count; i++) {
		r = fb_follow_new(&c->follows[i], err);
		if (r < 0)
			break;
		layers[i] = (struct fb_rootfs_layer){
			.source = fb_follow_source(c->follows[i]),
			.fd = -EBADF,
			.size_bytes = m->layers[i].size_bytes,
			.diff_id = c->config.diff_ids[i],
			.compression =
				fb_layer_compression(m->layers[i].media_type),
			.known = fb_known_layers_of(&c->known, i),
		};
	}
	return r < 0 ? r
		     : fb_rootfs_job_start(layers, m->layer_count, c->temp.fd,
					   &c->options, &c->job, err);
}

static int prepare(struct fb_pull_conversion *c, struct fb_err *err)
{
	const struct fb_manifest *m = c->manifest;
	int r = fb_image_load_config(c->pull->ctx->store, &m->config.digest,
				     &c->config, NULL, NULL, err);

	if (r == 0 && c->config.diff_id_count != m->layer_count)
		r = fb_err_set(err, -EBADMSG,
			       "the manifest has %zu layers, the config %zu "
			       "diff_ids",
			       m->layer_count, c->config.diff_id_count);
	if (r == 0)
		r = is_wanted(c, err);
	return r;
}

static int create_files(struct fb_pull_conversion *c, struct fb_err *err)
{
	struct fb_store *store = c->pull->ctx->store;
	int r = fb_store_temp_create(store, &c->temp, err);

	if (r == 0)
		r = fb_store_temp_create(store, &c->recipe, err);
	return r < 0 ? r
		     : fb_known_layers_find(store, c->config.diff_ids,
					    c->config.diff_id_count,
					    &c->options, &c->known, err);
}

int fb_pull_convert_start(struct pull *p, const struct fb_manifest *manifest,
			  struct fb_pull_conversion **ret, struct fb_err *err)
{
	struct fb_pull_conversion *c;
	int r;

	*ret = NULL;
	if (p->fetch_only || manifest->layer_count > OPEN_MAX)
		return 0;
	c = calloc(1, sizeof(*c));
	if (!c)
		return fb_err_set(err, -ENOMEM, "convert: %m");
	c->pull = p;
	c->manifest = manifest;
	c->lock = FB_WORK_LOCK_INIT;
	c->temp = FB_STORE_TEMP_INIT;
	c->recipe = FB_STORE_TEMP_INIT;
	c->options.recipe_fd = &c->recipe.fd;
	c->options.log = p->ctx->log;
	for (size_t i = 0; i < manifest->layer_count; i++)
		c->total_bytes += manifest->layers[i].size_bytes;
	(void)fb_digest_format(&p->manifest.digest, c->text);
	r = prepare(c, err);
	if (r == 1)
		r = create_files(c, err);
	else if (r == 0)
		r = 1;
	if (r == 0)
		r = start_job(c, err);
	if (r == 0)
		*ret = c;
	else
		fb_pull_convert_free(c);
	return r < 0 ? r : 0;
}

static void show(struct fb_pull_conversion *c)
{
	fb_progress(c->pull->ctx->progress, FB_PROGRESS_CONVERTING, c->text,
		    fb_rootfs_job_done_bytes(c->job), c->total_bytes);
}

/* The next layer from @from with this digest: an image may have one twice */
static struct fb_follow *find(struct fb_pull_conversion *c, size_t *from,
			      const struct fb_digest *layer)
{
	const struct fb_manifest *m = c->manifest;

	while (*from < m->layer_count) {
		size_t i = (*from)++;

		if (fb_digest_equal(&m->layers[i].digest, layer))
			return c->follows[i];
	}
	return NULL;
}

void fb_pull_convert_opened(struct fb_pull_conversion *conversion,
			    const struct fb_digest *layer, int fd,
			    uint64_t bytes, bool verified)
{
	struct fb_follow *first, *next;
	size_t at = 0;
	int copy;

	if (!conversion || fd < 0) {
		(void)fb_close(fd);
		return;
	}
	conversion->doubt = conversion->doubt || (bytes > 0 && !verified);
	first = find(conversion, &at, layer);
	while (first && (next = find(conversion, &at, layer))) {
		copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
		if (copy >= 0)
			fb_follow_open(next, copy, bytes);
	}
	if (first)
		fb_follow_open(first, fd, bytes);
	else
		(void)fb_close(fd);
}

int fb_pull_convert_grown(struct fb_pull_conversion *conversion,
			  const struct fb_digest *layer, uint64_t bytes,
			  struct fb_err *err)
{
	struct fb_follow *f;
	size_t at = 0;

	if (!conversion || !conversion->job)
		return 0;
	while ((f = find(conversion, &at, layer)))
		fb_follow_grow(f, bytes);
	show(conversion);
	/* before everything is there it can only have failed */
	if (conversion->doubt || !fb_rootfs_job_wait(conversion->job, 0))
		return 0;
	return fb_rootfs_job_end(FB_TAKE_PTR(conversion->job), false,
				 &conversion->result, err);
}

void fb_pull_convert_reset(struct fb_pull_conversion *conversion,
			   const struct fb_digest *layer)
{
	struct fb_follow *f;
	size_t at = 0;

	if (!conversion)
		return;
	conversion->doubt = true;
	while ((f = find(conversion, &at, layer)))
		fb_follow_grow(f, 0);
}

void fb_pull_convert_ended(struct fb_pull_conversion *conversion,
			   const struct fb_digest *layer)
{
	struct fb_follow *f;
	size_t at = 0;

	if (!conversion)
		return;
	while ((f = find(conversion, &at, layer)))
		fb_follow_end(f);
}

static int wait_for_job(struct fb_pull_conversion *c, struct fb_err *err)
{
	int r;

	while (!fb_rootfs_job_wait(c->job, WAIT_MS)) {
		show(c);
		r = fb_progress_tick(c->pull->ctx->progress);
		if (r < 0)
			return fb_err_set(err, r, "convert: %s", strerror(-r));
	}
	show(c);
	return fb_rootfs_job_end(FB_TAKE_PTR(c->job), false, &c->result, err);
}

/* From the store, where everything is verified */
static int convert_again(struct fb_pull_conversion *c, struct fb_err *err)
{
	const struct fb_manifest *m = c->manifest;
	int r, fd;

	if (ftruncate(c->temp.fd, 0) < 0 || ftruncate(c->recipe.fd, 0) < 0)
		return fb_err_set(err, -errno, "convert: %m");
	r = start_job(c, err);
	for (size_t i = 0; r == 0 && i < m->layer_count; i++) {
		fd = fb_store_blob_open(c->pull->ctx->store,
					&m->layers[i].digest,
					m->layers[i].size_bytes, NULL, err);
		if (fd < 0)
			return fd;
		fb_follow_open(c->follows[i], fd, m->layers[i].size_bytes);
		fb_follow_end(c->follows[i]);
	}
	return r < 0 ? r : wait_for_job(c, err);
}

int fb_pull_convert_finish(struct fb_pull_conversion *conversion,
			   struct fb_err *err)
{
	struct fb_pull_conversion *c = conversion;
	struct fb_err first = { 0 };
	int r;

	if (!c)
		return 0;
	r = wait_for_job(c, &first);
	if (r < 0 && c->doubt && !c->job) {
		fb_log(c->pull->ctx->log, FB_LOG_INFO, "convert again: %s",
		       first.msg);
		r = convert_again(c, &first);
	}
	c->converted = r == 0;
	if (r < 0 && err)
		*err = first;
	return r;
}

void fb_pull_convert_publish(struct fb_pull_conversion *conversion)
{
	struct fb_pull_conversion *c = conversion;
	struct fb_rootfs_record record = { 0 };
	struct fb_rootfs_options options;
	struct fb_err err = { 0 };

	if (!c || !c->converted)
		return;
	record.key = c->key;
	record.sha256 = c->result.digest;
	record.size_bytes = c->result.image_bytes;
	if (fb_rootfs_options_resolve(&c->options, &options, NULL) == 0)
		(void)snprintf(record.compression, sizeof(record.compression),
			       "%s",
			       fb_rootfs_compression_name(options.compression));
	if (fb_store_rootfs_publish(c->pull->ctx->store, &c->temp, &record,
				    &c->pull->manifest.digest, &err) < 0)
		fb_log(c->pull->ctx->log, FB_LOG_WARN,
		       "the image will be converted when it is run: %s",
		       err.msg);
	else if (c->result.recipe)
		fb_known_layers_keep(&c->key, &c->recipe);
}
