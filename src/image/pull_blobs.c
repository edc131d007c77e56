/* SPDX-License-Identifier: Apache-2.0 */
/* The blobs of a pull: what is there, what is ours to fetch, what another does. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "image/assemble.h"
#include "image/pull_convert.h"

#define WAIT_MS 100
/* layers that are fetched side by side also for a conversion */
#define SMALL_BYTES (8u << 20)

/**
 * struct part - One blob of the image
 * @whole:  Fetched and verified, and with us still
 * @done:   In the store
 * @writer: Until it is in the store, if we fetch it
 */
struct part {
	struct pull *pull;
	struct fb_digest digest;
	uint64_t size_bytes;
	bool whole;
	bool done;
	struct fb_blob_writer *writer;
	char text[FB_DIGEST_TEXT_MAX];
};

static int part_write(void *ctx, const void *data, size_t len,
		      struct fb_err *err)
{
	struct part *part = ctx;
	int r = fb_store_blob_write(part->writer, data, len, err);

	if (r < 0)
		return r;
	fb_progress(part->pull->ctx->progress, FB_PROGRESS_DOWNLOADING,
		    part->text, fb_store_blob_size(part->writer),
		    part->size_bytes);
	r = fb_pull_convert_grown(part->pull->conversion, &part->digest,
				  fb_store_blob_size(part->writer), err);
	if (r < 0)
		part->pull->useless = true;
	return r;
}

static int part_reset(void *ctx, struct fb_err *err)
{
	struct part *part = ctx;

	fb_pull_convert_reset(part->pull->conversion, &part->digest);
	return fb_store_blob_restart(part->writer, err);
}

static int part_done(void *ctx, struct fb_err *err)
{
	struct part *part = ctx;

	(void)err;
	part->whole = true;
	fb_store_blob_write_out(part->writer);
	fb_pull_convert_ended(part->pull->conversion, &part->digest);
	fb_progress(part->pull->ctx->progress, FB_PROGRESS_COMPLETE, part->text,
		    part->size_bytes, part->size_bytes);
	return 0;
}

/*
 * All that came together is published together: the disk's journal is then waited for
 * once, not once a layer.
 */
static int publish(struct part *parts, size_t count, struct fb_err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < count; i++) {
		if (!parts[i].whole || parts[i].done)
			continue;
		r = fb_store_blob_commit(parts[i].writer, NULL, err);
		if (r < 0)
			break;
		parts[i].writer = NULL;
		parts[i].done = true;
	}
	return r;
}

static ssize_t part_read(void *ctx, uint64_t offset, void *buf, size_t len)
{
	struct part *part = ctx;

	return fb_store_blob_read(part->writer, offset, buf, len);
}

static void add_part(struct pull *p, struct part *parts, size_t *count,
		     const struct fb_descriptor *d)
{
	for (size_t i = 0; i < *count; i++)
		if (fb_digest_equal(&parts[i].digest, &d->digest))
			return;
	parts[*count] = (struct part){ .pull = p,
				       .digest = d->digest,
				       .size_bytes = d->size_bytes };
	(void)fb_digest_format(&d->digest, parts[*count].text);
	(*count)++;
}

static void found(struct part *part)
{
	struct pull *p = part->pull;

	part->done = true;
	if (!p->conversion)
		return;
	fb_pull_convert_opened(p->conversion, &part->digest,
			       fb_store_blob_open(p->ctx->store, &part->digest,
						  part->size_bytes, NULL, NULL),
			       part->size_bytes, true);
	fb_pull_convert_ended(p->conversion, &part->digest);
}

/* Return: 1 it is ours to fetch; 0 it is there, or another fetches it */
static int claim(struct part *part, struct fb_err *err)
{
	struct pull *p = part->pull;
	struct fb_blob_options options = {
		.digest = &part->digest,
		.size_bytes = part->size_bytes,
		.lease = p->lease,
		.resume = true,
		.verified = true,
	};
	bool has = false;
	int r = fb_store_lease_add(p->lease, &part->digest, part->size_bytes,
				   &has, err);

	if (r < 0)
		return r;
	if (has) {
		found(part);
		fb_progress(p->ctx->progress, FB_PROGRESS_EXISTS, part->text,
			    part->size_bytes, part->size_bytes);
		return 0;
	}
	r = fb_store_blob_create(p->ctx->store, &options, &part->writer, NULL);
	if (r == -EBUSY)
		return 0;
	/* for the error's text */
	if (r < 0)
		r = fb_store_blob_create(p->ctx->store, &options, &part->writer,
					 err);
	if (r < 0)
		return r;
	/* it may have become whole between the look and the lock */
	if (fb_store_blob_has(p->ctx->store, &part->digest, part->size_bytes)) {
		fb_store_blob_discard(part->writer);
		part->writer = NULL;
		found(part);
		return 0;
	}
	if (p->conversion)
		fb_pull_convert_opened(p->conversion, &part->digest,
				       fb_store_blob_follow(part->writer),
				       fb_store_blob_size(part->writer), false);
	return 1;
}

/* @ret_resumed: whether anything is built upon an earlier process's bytes */
static int fetch_claimed(struct pull *p, struct part *parts, size_t count,
			 bool *ret_resumed, struct fb_err *err)
{
	FB_FREE struct fb_registry_blob *blobs = calloc(count, sizeof(*blobs));
	size_t n = 0;

	*ret_resumed = false;
	if (!blobs)
		return fb_err_set(err, -ENOMEM, "fetch layers: %m");
	for (size_t i = 0; i < count; i++) {
		if (!parts[i].writer || parts[i].whole)
			continue;
		blobs[n++] = (struct fb_registry_blob){
			.digest = parts[i].digest,
			.size_bytes = parts[i].size_bytes,
			.have_bytes = fb_store_blob_size(parts[i].writer),
			.sink = { .ctx = &parts[i],
				  .write = part_write,
				  .reset = part_reset,
				  .done = part_done,
				  .read = part_read },
		};
		*ret_resumed |= blobs[n - 1].have_bytes > 0;
	}
	return fb_registry_fetch_blobs(p->registry, p->ref.path, blobs, n, err);
}

/* A beginning that an earlier process, or a power cut, spoilt is given one more try */
static int fetch_ours(struct pull *p, struct part *parts, size_t count,
		      struct fb_err *err)
{
	struct fb_err first = { 0 };
	bool resumed;
	int r = fetch_claimed(p, parts, count, &resumed, &first);

	if (r == -EBADMSG && resumed) {
		fb_log(p->ctx->log, FB_LOG_INFO,
		       "fetch again from the start: %s", first.msg);
		r = 0;
		for (size_t i = 0; r == 0 && i < count; i++)
			if (parts[i].writer && !parts[i].whole)
				r = part_reset(&parts[i], err);
		if (r == 0)
			r = fetch_claimed(p, parts, count, &resumed, &first);
	}
	if (r < 0 && err)
		*err = first;
	/* also what came before another layer failed */
	if (r < 0)
		(void)publish(parts, count, NULL);
	return r < 0 ? r : publish(parts, count, err);
}

/* One round. Return: parts that another process fetches; negative errno */
static int fetch_round(struct pull *p, struct part *parts, size_t count,
		       struct fb_err *err)
{
	int ours = 0, missing = 0, r;

	for (size_t i = 0; i < count; i++) {
		if (parts[i].done)
			continue;
		r = claim(&parts[i], err);
		if (r < 0)
			return r;
		ours += r;
	}
	if (ours) {
		r = fetch_ours(p, parts, count, err);
		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < count; i++)
		missing += !parts[i].done;
	return missing;
}

static int fetch_all(struct pull *p, struct part *parts, size_t count,
		     struct fb_err *err)
{
	bool said = false;
	int r;

	while ((r = fetch_round(p, parts, count, err)) > 0) {
		if (!said)
			fb_progress(p->ctx->progress, FB_PROGRESS_WAITING,
				    p->text, 0, 0);
		said = true;
		(void)poll(NULL, 0, WAIT_MS);
		r = fb_progress_tick(p->ctx->progress);
		if (r < 0)
			return fb_err_set(err, r, "wait for another pull: %s",
					  strerror(-r));
	}
	/* what is spoilt helps nobody, and neither does a full disk */
	for (size_t i = 0; i < count; i++) {
		if (r == -ENOSPC || r == -EDQUOT || r == -EBADMSG)
			fb_store_blob_discard(parts[i].writer);
		else
			fb_store_blob_suspend(parts[i].writer);
		parts[i].writer = NULL;
	}
	return r;
}

int fb_pull_check_platform(struct pull *p, const struct fb_manifest *manifest,
			   struct fb_err *err)
{
	FB_IMAGE_CONFIG struct fb_image_config config = { 0 };
	struct part part;
	size_t count = 0;
	int r;

	if (!p->platform || p->index.digest.set)
		return 0;
	add_part(p, &part, &count, &manifest->config);
	r = fetch_all(p, &part, count, err);
	if (r == 0)
		r = fb_image_load_config(p->ctx->store,
					 &manifest->config.digest, &config,
					 NULL, NULL, err);
	return r < 0 ? r
		     : fb_image_check_platform(p->ctx, &config.platform,
					       p->platform, err);
}

/* Bytes a second that fetching some parts came to; 0 nothing was fetched */
static int fetch_measured(struct pull *p, struct part *parts, size_t count,
			  uint64_t *ret_rate, struct fb_err *err)
{
	uint64_t start_ms = fb_now_ms(), bytes = 0, took_ms;
	int r;

	for (size_t i = 0; i < count; i++)
		bytes += parts[i].size_bytes;
	r = fetch_all(p, parts, count, err);
	took_ms = fb_now_ms() - start_ms;
	*ret_rate = took_ms ? bytes / took_ms * 1000 : 0;
	return r;
}

/*
 * A conversion takes the layers one after the other, so large ones come one after
 * the other, too: side by side, each would come at a part of the speed, and what
 * converts would wait for the first and be behind with the others.  Where two at a
 * time are much faster than one (a server that slows down every connection) all
 * the rest is fetched at once.
 */
static int fetch_in_turn(struct pull *p, struct part *parts, size_t count,
			 struct fb_err *err)
{
	uint64_t alone = 0, both = 0;
	size_t done = 0, width;
	int r = 0;

	for (; r == 0 && done < count; done += width) {
		width = done == 1 ? 2 : 1;
		if (alone && both > alone + alone / 2)
			width = count - done;
		if (width > count - done)
			width = count - done;
		r = fetch_measured(p, parts + done, width,
				   done == 1 ? &both : &alone, err);
	}
	return r;
}

/* small ones first: they hold nothing up, and one at a time they would */
static size_t small_first(struct part *parts, size_t count)
{
	size_t small = 0;

	for (size_t i = 0; i < count; i++) {
		struct part part = parts[i];

		if (part.size_bytes > SMALL_BYTES)
			continue;
		memmove(parts + small + 1, parts + small,
			(i - small) * sizeof(*parts));
		parts[small++] = part;
	}
	return small;
}

/* @parts: the config, then the layers from the top */
static int fetch_converting(struct pull *p, const struct fb_manifest *manifest,
			    struct part *parts, size_t count,
			    struct fb_err *err)
{
	size_t small;
	int r = fetch_all(p, parts, 1, err);

	if (r == 0)
		r = fb_pull_convert_start(p, manifest, &p->conversion, err);
	if (r < 0)
		return r;
	if (!p->conversion)
		return fetch_all(p, parts + 1, count - 1, err);
	small = small_first(parts + 1, count - 1) + 1;
	r = fetch_all(p, parts + 1, small - 1, err);
	if (r == 0)
		r = fetch_in_turn(p, parts + small, count - small, err);
	if (r == 0) {
		r = fb_pull_convert_finish(p->conversion, err);
		p->useless = r < 0;
	}
	return r;
}

int fb_pull_blobs(struct pull *p, const struct fb_manifest *manifest,
		  struct fb_err *err)
{
	FB_FREE struct part *parts =
		calloc(manifest->layer_count + 1, sizeof(*parts));
	size_t count = 0;

	if (!parts)
		return fb_err_set(err, -ENOMEM, "fetch layers: %m");
	add_part(p, parts, &count, &manifest->config);
	for (size_t i = manifest->layer_count; i-- > 0;)
		add_part(p, parts, &count, &manifest->layers[i]);
	return p->fetch_only ? fetch_all(p, parts, count, err)
			     : fetch_converting(p, manifest, parts, count, err);
}
