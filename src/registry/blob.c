/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "registry/fetch.h"

#define READ_BACK_BYTES (256u << 10)

struct blob_fetch {
	const struct fb_registry_blob *blob;
	struct fb_hash *hash;
};

static int blob_write(void *ctx, const void *data, size_t len,
		      struct fb_err *err)
{
	struct blob_fetch *b = ctx;

	if (fb_hash_update(b->hash, data, len) < 0)
		return fb_err_set(err, -EIO, "hash a blob: %m");
	return b->blob->sink.write(b->blob->sink.ctx, data, len, err);
}

static int blob_reset(void *ctx, struct fb_err *err)
{
	struct blob_fetch *b = ctx;
	uint8_t unused[FB_HASH_SIZE_MAX];

	if (fb_hash_final(b->hash, unused) < 0)
		return fb_err_set(err, -EIO, "hash a blob: %m");
	return b->blob->sink.reset(b->blob->sink.ctx, err);
}

static int verify(struct blob_fetch *b, struct fb_err *err)
{
	char want[FB_DIGEST_TEXT_MAX], got[FB_DIGEST_TEXT_MAX];
	struct fb_digest d = { .set = true, .kind = b->blob->digest.kind };

	if (fb_hash_final(b->hash, d.hash) < 0)
		return fb_err_set(err, -EIO, "hash a blob: %m");
	if (fb_digest_equal(&d, &b->blob->digest))
		return 0;
	return fb_err_set(err, -EBADMSG,
			  "its digest is '%s' where '%s' was expected",
			  fb_digest_format(&d, got),
			  fb_digest_format(&b->blob->digest, want));
}

static int blob_finish(void *ctx, const struct fb_http_reply *reply,
		       struct fb_err *err)
{
	struct blob_fetch *b = ctx;
	int r = verify(b, err);

	(void)reply;
	return r < 0 ? r : b->blob->sink.done(b->blob->sink.ctx, err);
}

static const struct fb_fetch_ops blob_ops = {
	.write = blob_write,
	.reset = blob_reset,
	.finish = blob_finish,
};

static int hash_present(struct blob_fetch *b, struct fb_err *err)
{
	const struct fb_registry_sink *sink = &b->blob->sink;
	FB_FREE char *buf = malloc(READ_BACK_BYTES);
	uint64_t at = 0, left;
	ssize_t n;

	if (!buf)
		return fb_err_set(err, -ENOMEM, "read back a blob: %m");
	while (at < b->blob->have_bytes) {
		left = b->blob->have_bytes - at;
		n = sink->read(sink->ctx, at, buf,
			       left < READ_BACK_BYTES ? (size_t)left
						      : READ_BACK_BYTES);
		if (n <= 0)
			return fb_err_set(err, n < 0 ? (int)n : -EIO,
					  "read back a blob: %m");
		if (fb_hash_update(b->hash, buf, (size_t)n) < 0)
			return fb_err_set(err, -EIO, "hash a blob: %m");
		at += (uint64_t)n;
	}
	return 0;
}

/* What a killed process left may be whole already, or be nothing of the kind */
static int take_up(struct fb_fetch *f, struct blob_fetch *b, struct fb_err *err)
{
	int r = hash_present(b, err);

	if (r < 0)
		return r;
	f->offset = b->blob->have_bytes;
	if (f->offset < b->blob->size_bytes)
		return 0;
	if (verify(b, NULL) == 0) {
		r = b->blob->sink.done(b->blob->sink.ctx, err);
		f->state = r == 0 ? FB_FETCH_DONE : FB_FETCH_READY;
		return r;
	}
	f->offset = 0;
	return b->blob->sink.reset(b->blob->sink.ctx, err);
}

static int prepare(struct fb_fetch *f, struct blob_fetch *b,
		   const char *repository, const struct fb_registry_blob *blob,
		   struct fb_err *err)
{
	char digest[FB_DIGEST_TEXT_MAX];

	b->blob = blob;
	f->repository = repository;
	f->size_bytes = f->limit_bytes = blob->size_bytes;
	f->ops = &blob_ops;
	f->ctx = b;
	(void)fb_digest_format(&blob->digest, digest);
	(void)snprintf(f->what, sizeof(f->what), "blob '%s'", digest);
	b->hash = fb_hash_new(blob->digest.kind);
	if (!b->hash ||
	    asprintf(&f->path, "/v2/%s/blobs/%s", repository, digest) < 0) {
		f->path = NULL;
		return fb_err_set(err, -ENOMEM, "fetch blobs: %m");
	}
	if (blob->have_bytes > blob->size_bytes)
		return blob->sink.reset(blob->sink.ctx, err);
	/* of nothing there is nothing to ask for */
	return blob->have_bytes || blob->size_bytes == 0 ? take_up(f, b, err)
							 : 0;
}

int fb_registry_fetch_blobs(struct fb_registry *reg, const char *repository,
			    const struct fb_registry_blob *blobs, size_t count,
			    struct fb_err *err)
{
	FB_FETCH_BATCH struct fb_fetch_batch batch = { 0 };
	struct blob_fetch *states;
	int r;

	if (count == 0)
		return 0;
	r = fb_fetch_batch_init(&batch, count, sizeof(*states), err);
	states = batch.states;
	for (size_t i = 0; i < count && r == 0; i++)
		r = prepare(&batch.fetches[i], &states[i], repository,
			    &blobs[i], err);
	if (r == 0)
		r = fb_fetch_run(reg, batch.fetches, count, err);
	for (size_t i = 0; i < batch.count; i++)
		fb_hash_free(states[i].hash);
	return r;
}
