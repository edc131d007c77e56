/* SPDX-License-Identifier: Apache-2.0 */
#include "image/save.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "image/save_internal.h"
#include "store/blob.h"

#define LAYOUT "{\"imageLayoutVersion\":\"1.0.0\"}\n"

static const char *const format_names[] = {
	[FB_SAVE_DOCKER_ARCHIVE] = "docker-archive",
	[FB_SAVE_OCI_ARCHIVE] = "oci-archive",
	[FB_SAVE_OCI_DIR] = "oci-dir",
};

const char *fb_save_format_name(enum fb_save_format format)
{
	return format_names[format];
}

int fb_save_format_parse(const char *text, enum fb_save_format *ret,
			 struct fb_err *err)
{
	for (size_t i = 0; i < FB_ARRAY_SIZE(format_names); i++) {
		if (strcmp(text, format_names[i]) != 0)
			continue;
		*ret = (enum fb_save_format)i;
		return 0;
	}
	return fb_err_set(err, -EINVAL,
			  "\"%s\" is not a valid value for --format: "
			  "docker-archive, oci-archive or oci-dir",
			  text);
}

/** struct blobs - All that the images need, each once, sorted by digest */
struct blobs {
	struct fb_blob_ref *v;
	size_t count;
};

static int by_digest(const void *a, const void *b)
{
	const struct fb_blob_ref *x = a, *y = b;

	if (x->digest.kind != y->digest.kind)
		return x->digest.kind < y->digest.kind ? -1 : 1;
	return memcmp(x->digest.hash, y->digest.hash, sizeof(x->digest.hash));
}

static void add_blob(struct blobs *blobs, const struct fb_digest *digest,
		     uint64_t size_bytes)
{
	blobs->v[blobs->count++] = (struct fb_blob_ref){ *digest, size_bytes };
}

static int gather(const struct fb_saved_list *list, struct blobs *ret,
		  struct fb_err *err)
{
	size_t count = 0, kept = 0;

	for (size_t i = 0; i < list->count; i++)
		count += 2 + list->v[i].manifest.layer_count;
	ret->v = calloc(count, sizeof(*ret->v));
	if (!ret->v)
		return fb_err_set(err, -ENOMEM, "save images: %m");
	for (size_t i = 0; i < list->count; i++) {
		const struct fb_saved *image = &list->v[i];
		const struct fb_manifest *m = &image->manifest;

		add_blob(ret, &image->record.manifest, image->manifest_bytes);
		add_blob(ret, &m->config.digest, m->config.size_bytes);
		for (size_t k = 0; k < m->layer_count; k++)
			add_blob(ret, &m->layers[k].digest,
				 m->layers[k].size_bytes);
	}
	qsort(ret->v, ret->count, sizeof(*ret->v), by_digest);
	for (size_t i = 0; i < ret->count; i++)
		if (i == 0 || by_digest(&ret->v[i], &ret->v[kept - 1]) != 0)
			ret->v[kept++] = ret->v[i];
	ret->count = kept;
	return 0;
}

/* From here on nobody removes them, whoever removes the image. */
static int protect(struct fb_lease *lease, const struct blobs *blobs,
		   struct fb_err *err)
{
	char text[FB_DIGEST_TEXT_MAX];
	bool has = false;

	for (size_t i = 0; i < blobs->count; i++) {
		int r = fb_store_lease_add(lease, &blobs->v[i].digest,
					   blobs->v[i].size_bytes, &has, err);

		if (r < 0)
			return r;
		if (!has)
			return fb_err_hint(
				err,
				fb_err_set(err, -EBADMSG,
					   "blob '%s' is not in the store, or "
					   "damaged",
					   fb_digest_format(&blobs->v[i].digest,
							    text)),
				"mend it with flamebox verify --repair");
	}
	return 0;
}

static int put_blobs(const struct fb_image_context *ctx,
		     struct fb_save_sink *sink, const struct blobs *blobs,
		     struct fb_err *err)
{
	bool made[2] = { false, false };
	int r = fb_save_sink_dir(sink, "blobs", err);

	for (size_t i = 0; r == 0 && i < blobs->count; i++) {
		enum fb_hash_kind kind = blobs->v[i].digest.kind;

		if (!made[kind])
			r = fb_save_sink_dir(sink,
					     kind == FB_HASH_SHA256
						     ? "blobs/sha256"
						     : "blobs/sha512",
					     err);
		made[kind] = true;
		if (r == 0)
			r = fb_save_sink_blob(sink, ctx, &blobs->v[i].digest,
					      blobs->v[i].size_bytes, err);
	}
	return r;
}

/* In docker's order: blobs, then by name */
static int put_documents(struct fb_save_sink *sink,
			 const struct fb_saved_list *list,
			 enum fb_save_format format, struct fb_err *err)
{
	FB_STR struct fb_str index = FB_STR_INIT(FB_SAVE_DOCUMENT_MAX);
	FB_STR struct fb_str docker = FB_STR_INIT(FB_SAVE_DOCUMENT_MAX);
	FB_STR struct fb_str layout = FB_STR_INIT(sizeof(LAYOUT));
	bool is_docker = format == FB_SAVE_DOCKER_ARCHIVE;
	int r;

	fb_save_index(list, is_docker, &index);
	fb_str_puts(&layout, LAYOUT);
	r = fb_save_sink_text(sink, "index.json", &index, err);
	if (r == 0 && is_docker) {
		fb_save_manifest_json(list, &docker);
		r = fb_save_sink_text(sink, "manifest.json", &docker, err);
	}
	return r < 0 ? r : fb_save_sink_text(sink, "oci-layout", &layout, err);
}

static int save_all(const struct fb_image_context *ctx,
		    const struct fb_image_save *save,
		    const struct fb_saved_list *list, const struct blobs *blobs,
		    struct fb_err *err)
{
	FB_SAVE_SINK struct fb_save_sink sink = FB_SAVE_SINK_INIT;
	int r = fb_save_sink_open(ctx, save, &sink, err);

	if (r == 0)
		r = put_blobs(ctx, &sink, blobs, err);
	if (r == 0)
		r = put_documents(&sink, list, save->format, err);
	return r < 0 ? r : fb_save_sink_commit(&sink, err);
}

int fb_image_save(const struct fb_image_context *ctx,
		  const struct fb_image_save *save, struct fb_err *err)
{
	FB_SAVED_LIST struct fb_saved_list list = { 0 };
	FB_LEASE struct fb_lease *lease = NULL;
	struct blobs blobs = { 0 };
	int r = fb_saved_select(ctx, save, &list, err);

	if (r == 0)
		r = gather(&list, &blobs, err);
	if (r == 0)
		r = fb_store_lease_open(ctx->store, &lease, err);
	if (r == 0)
		r = protect(lease, &blobs, err);
	if (r == 0)
		r = save_all(ctx, save, &list, &blobs, err);
	free(blobs.v);
	if (r == 0)
		fb_progress(ctx->progress, FB_PROGRESS_DONE, save->path, 0, 0);
	return r;
}
