/* SPDX-License-Identifier: Apache-2.0 */
#include "image/outgoing.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "image/assemble.h"
#include "store/blob.h"

/* looking further for a mount costs more than it may save */
#define MANIFESTS_MAX 200u

void fb_outgoing_add(struct fb_outgoing *v, size_t *count,
		     const struct fb_descriptor *d)
{
	for (size_t i = 0; i < *count; i++)
		if (fb_digest_equal(&v[i].digest, &d->digest))
			return;
	v[*count] = (struct fb_outgoing){ .digest = d->digest,
					  .size_bytes = d->size_bytes,
					  .fd = -EBADF };
	(void)fb_digest_format(&d->digest, v[*count].text);
	(*count)++;
}

/* Another repository of the registry that has this image for sure */
static bool other_repository(const struct fb_image_record *record,
			     const struct fb_reference *ref, char out[256])
{
	struct fb_reference name;

	for (size_t i = 0; i < record->names.count; i++) {
		if (fb_reference_parse(record->names.v[i], &name, NULL) < 0 ||
		    !name.digest.set || strcmp(name.domain, ref->domain) != 0 ||
		    strcmp(name.path, ref->path) == 0)
			continue;
		memcpy(out, name.path, sizeof(name.path));
		return true;
	}
	return false;
}

static void note_layers(const struct fb_manifest *manifest, const char *from,
			struct fb_outgoing *v, size_t count)
{
	for (size_t i = 0; i < manifest->layer_count; i++)
		for (size_t k = 0; k < count; k++)
			if (!v[k].from[0] &&
			    fb_digest_equal(&v[k].digest,
					    &manifest->layers[i].digest))
				(void)snprintf(v[k].from, sizeof(v[k].from),
					       "%s", from);
}

int fb_outgoing_mounts(const struct fb_image_context *ctx,
		       const struct fb_reference *ref, struct fb_outgoing *v,
		       size_t count, struct fb_err *err)
{
	FB_IMAGE_RECORDS struct fb_image_records all = { 0 };
	unsigned int looked_at = 0;
	char from[256];
	int r = fb_store_image_list(ctx->store, &all, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < all.count && looked_at < MANIFESTS_MAX; i++) {
		FB_MANIFEST struct fb_manifest manifest = { 0 };

		if (!other_repository(&all.v[i], ref, from))
			continue;
		looked_at++;
		/* a damaged image is no reason not to push another */
		if (fb_image_load_manifest(ctx->store, &all.v[i].manifest,
					   &manifest, NULL) == 0)
			note_layers(&manifest, from, v, count);
	}
	return 0;
}

static ssize_t outgoing_read(void *ctx, uint64_t offset, void *buf, size_t len)
{
	struct fb_outgoing *o = ctx;
	ssize_t n;

	if (o->fd < 0)
		o->fd = fb_store_blob_open(o->ctx->store, &o->digest,
					   o->size_bytes, NULL, NULL);
	if (o->fd < 0)
		return o->fd;
	n = fb_pread_full(o->fd, buf, len, offset);
	/* of 1000 layers only those that are being sent are open */
	if (n > 0 && offset + (uint64_t)n == o->size_bytes)
		o->fd = fb_close(o->fd);
	return n;
}

static void outgoing_progress(void *ctx, uint64_t done_bytes)
{
	struct fb_outgoing *o = ctx;

	fb_progress(o->ctx->progress, FB_PROGRESS_UPLOADING, o->text,
		    done_bytes, o->size_bytes);
}

int fb_outgoing_push(const struct fb_image_context *ctx,
		     struct fb_registry *registry, const char *repository,
		     struct fb_outgoing *v, size_t count, struct fb_err *err)
{
	FB_FREE struct fb_registry_upload *uploads =
		calloc(count ? count : 1, sizeof(*uploads));
	int r;

	if (!uploads)
		return fb_err_set(err, -ENOMEM, "push: %m");
	for (size_t i = 0; i < count; i++) {
		v[i].ctx = ctx;
		uploads[i] = (struct fb_registry_upload){
			.digest = v[i].digest,
			.size_bytes = v[i].size_bytes,
			.mount_from = v[i].from[0] ? v[i].from : NULL,
			.read = outgoing_read,
			.progress = outgoing_progress,
			.ctx = &v[i],
		};
	}
	r = fb_registry_push_blobs(registry, repository, uploads, count, err);
	for (size_t i = 0; i < count; i++) {
		v[i].fd = fb_close(v[i].fd);
		v[i].end = uploads[i].end;
	}
	return r;
}

static int outgoing_tick(void *ctx)
{
	return fb_progress_tick(ctx);
}

int fb_image_registry_open(const struct fb_image_context *ctx,
			   const char *domain,
			   const struct fb_registry_options *options,
			   struct fb_registry **ret, struct fb_err *err)
{
	struct fb_registry_options own = { 0 };

	if (options)
		own = *options;
	if (!own.log)
		own.log = ctx->log;
	if (!own.tick && ctx->progress) {
		union {
			const struct fb_progress *in;
			void *out;
		} cast = { .in = ctx->progress };

		own.tick = outgoing_tick;
		own.tick_ctx = cast.out;
	}
	return fb_registry_open(domain, &own, ret, err);
}
