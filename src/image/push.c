/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Theory of operation: everything that the image needs is leased, so that an
 * `rmi` beside it takes nothing away; then its blobs go, then its manifest, which
 * makes them visible there as a whole; then the digest becomes a name of it here.
 */
#include "image/push.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "image/assemble.h"
#include "image/outgoing.h"
#include "store/blob.h"

#define CANONICAL_MAX (FB_REFERENCE_TEXT_MAX + 256)

/**
 * struct push - One image on its way
 * @doc:      Its manifest, as it is
 * @blobs:    Config and layers, each once
 */
struct push {
	const struct fb_image_context *ctx;
	struct fb_reference ref;
	struct fb_registry *registry;
	struct fb_lease *lease;
	struct fb_image_record record;
	struct fb_registry_manifest doc;
	struct fb_manifest manifest;
	struct fb_outgoing *blobs;
	size_t blob_count;
};

static void push_release(struct push *p)
{
	fb_store_lease_close(p->lease);
	fb_registry_close(p->registry);
	fb_image_record_release(&p->record);
	fb_registry_manifest_release(&p->doc);
	fb_manifest_release(&p->manifest);
	free(p->blobs);
}

void fb_image_pushed_release(struct fb_image_pushed *pushed)
{
	free(pushed->name);
	free(pushed->layers);
	*pushed = (struct fb_image_pushed){ 0 };
}

/* docker's words */
static int find(struct push *p, const char *text, struct fb_err *err)
{
	char name[CANONICAL_MAX], shown[CANONICAL_MAX];
	int r = fb_reference_parse(text, &p->ref, err);

	if (r < 0)
		return r;
	if (p->ref.digest.set)
		return fb_err_set(err, -EINVAL,
				  "cannot push a digest reference");
	r = fb_store_image_by_name(p->ctx->store,
				   fb_reference_canonical(&p->ref, name),
				   &p->record, err);
	if (r == -ENOENT)
		return fb_err_hint(
			err,
			fb_err_set(err, r,
				   "An image does not exist locally with the "
				   "tag: %s",
				   fb_reference_repository(&p->ref, shown)),
			"flamebox images lists those that are here; flamebox "
			"tag gives one this name");
	return r;
}

static int load(struct push *p, struct fb_err *err)
{
	const struct fb_digest *digest = &p->record.manifest;
	int r = fb_store_lease_add(p->lease, digest, UINT64_MAX, NULL, err);

	if (r == 0)
		r = fb_store_blob_load(p->ctx->store, digest,
				       FB_MANIFEST_SIZE_MAX, &p->doc.bytes,
				       &p->doc.len, err);
	if (r == 0)
		r = fb_manifest_parse(p->doc.bytes, p->doc.len, &p->manifest,
				      err);
	if (r < 0)
		return r;
	p->doc.digest = *digest;
	(void)snprintf(p->doc.media_type, sizeof(p->doc.media_type), "%s",
		       p->manifest.media_type[0] ? p->manifest.media_type
						 : p->record.media_type);
	return 0;
}

static int gather(struct push *p, struct fb_err *err)
{
	size_t count = p->manifest.layer_count;
	bool has;
	int r = 0;

	p->blobs = calloc(count + 1, sizeof(*p->blobs));
	if (!p->blobs)
		return fb_err_set(err, -ENOMEM, "push: %m");
	fb_outgoing_add(p->blobs, &p->blob_count, &p->manifest.config);
	for (size_t i = 0; i < count; i++)
		fb_outgoing_add(p->blobs, &p->blob_count,
				&p->manifest.layers[i]);
	for (size_t i = 0; i < p->blob_count && r == 0; i++) {
		r = fb_store_lease_add(p->lease, &p->blobs[i].digest,
				       p->blobs[i].size_bytes, &has, err);
		if (r == 0 && !has)
			r = fb_err_set(err, -ENOENT,
				       "the store lacks blob '%s' of it",
				       p->blobs[i].text);
	}
	return r;
}

static const struct fb_outgoing *blob_of(const struct push *p,
					 const struct fb_digest *digest)
{
	for (size_t i = 0; i < p->blob_count; i++)
		if (fb_digest_equal(&p->blobs[i].digest, digest))
			return &p->blobs[i];
	return NULL;
}

static int describe(const struct push *p, struct fb_image_pushed *ret,
		    struct fb_err *err)
{
	FB_IMAGE_PUSHED struct fb_image_pushed out = { 0 };
	FB_IMAGE_CONFIG struct fb_image_config config = { 0 };
	char name[CANONICAL_MAX];
	int r = fb_image_load_config(p->ctx->store, &p->manifest.config.digest,
				     &config, NULL, NULL, err);

	if (r < 0)
		return r;
	out.digest = p->doc.digest;
	out.size_bytes = p->doc.len;
	out.name = strdup(fb_reference_canonical(&p->ref, name));
	out.layers = calloc(p->manifest.layer_count + 1, sizeof(*out.layers));
	if (!out.name || !out.layers)
		return fb_err_set(err, -ENOMEM, "push: %m");
	for (size_t i = 0; i < p->manifest.layer_count; i++) {
		struct fb_image_pushed_layer *l = &out.layers[i];
		const struct fb_outgoing *o =
			blob_of(p, &p->manifest.layers[i].digest);

		l->diff_id = i < config.diff_id_count
				     ? config.diff_ids[i]
				     : p->manifest.layers[i].digest;
		l->end = o ? o->end : FB_UPLOAD_PENDING;
		if (o)
			memcpy(l->from, o->from, sizeof(l->from));
	}
	out.layer_count = p->manifest.layer_count;
	*ret = out;
	out = (struct fb_image_pushed){ 0 };
	return 0;
}

static int name_by_digest(struct push *p, struct fb_err *err)
{
	struct fb_reference by_digest = p->ref;
	char name[CANONICAL_MAX];

	by_digest.tag[0] = '\0';
	by_digest.digest = p->doc.digest;
	return fb_store_image_tag(p->ctx->store, &p->record.manifest,
				  fb_reference_canonical(&by_digest, name),
				  err);
}

static int push_all(struct push *p, const struct fb_registry_options *options,
		    struct fb_image_pushed *ret, struct fb_err *err)
{
	int r = fb_store_lease_open(p->ctx->store, &p->lease, err);

	if (r == 0)
		r = load(p, err);
	if (r == 0)
		r = gather(p, err);
	if (r == 0)
		r = fb_outgoing_mounts(p->ctx, &p->ref, p->blobs, p->blob_count,
				       err);
	if (r == 0)
		r = fb_image_registry_open(p->ctx, p->ref.domain, options,
					   &p->registry, err);
	if (r == 0)
		r = fb_outgoing_push(p->ctx, p->registry, p->ref.path, p->blobs,
				     p->blob_count, err);
	if (r == 0)
		r = fb_registry_put_manifest(p->registry, &p->ref, &p->doc,
					     err);
	if (r == 0)
		r = name_by_digest(p, err);
	return r < 0 ? r : describe(p, ret, err);
}

int fb_image_push(const struct fb_image_context *ctx, const char *text,
		  const struct fb_registry_options *options,
		  struct fb_image_pushed *ret, struct fb_err *err)
{
	__attribute__((cleanup(push_release))) struct push p = { .ctx = ctx };
	int r = find(&p, text, err);

	if (r == 0)
		r = push_all(&p, options, ret, err);
	return r < 0 ? fb_err_wrap(err, r, "push '%s'", text) : 0;
}

static int add_tags(const struct fb_image_record *record,
		    const struct fb_reference *of, struct fb_strv *ret)
{
	struct fb_reference ref;

	for (size_t i = 0; i < record->names.count; i++) {
		if (fb_reference_parse(record->names.v[i], &ref, NULL) < 0 ||
		    ref.digest.set || strcmp(ref.domain, of->domain) != 0 ||
		    strcmp(ref.path, of->path) != 0)
			continue;
		if (fb_strv_add(ret, record->names.v[i]) < 0)
			return ret->err;
	}
	return 0;
}

int fb_image_push_tags(const struct fb_image_context *ctx, const char *text,
		       struct fb_strv *ret, struct fb_err *err)
{
	FB_IMAGE_RECORDS struct fb_image_records all = { 0 };
	char shown[CANONICAL_MAX];
	struct fb_reference ref;
	size_t before = ret->count;
	const char *slash;
	int r = fb_reference_parse(text, &ref, err);

	if (r < 0)
		return fb_err_wrap(err, r, "push '%s'", text);
	(void)fb_reference_repository(&ref, shown);
	slash = strrchr(text, '/');
	if (ref.digest.set || strchr(slash ? slash : text, ':'))
		return fb_err_set(err, -EINVAL,
				  "tag can't be used with --all-tags/-a");
	r = fb_store_image_list(ctx->store, &all, err);
	for (size_t i = 0; i < all.count && r == 0; i++)
		r = add_tags(&all.v[i], &ref, ret);
	if (r == 0 && ret->count == before)
		r = fb_err_set(err, -ENOENT,
			       "An image does not exist locally with the tag: "
			       "%s",
			       shown);
	return r;
}
