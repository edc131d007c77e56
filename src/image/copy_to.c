/* SPDX-License-Identifier: Apache-2.0 */
/* Where a copy goes: all of it is in the store. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "image/assemble.h"
#include "image/copy_internal.h"
#include "image/save_internal.h"
#include "store/blob.h"

#define LAYOUT "{\"imageLayoutVersion\":\"1.0.0\"}\n"

static int put_doc(struct fb_copy *c, struct fb_registry *registry,
		   const struct fb_copy_doc *doc, struct fb_err *err)
{
	FB_REGISTRY_MANIFEST struct fb_registry_manifest m = {
		.digest = doc->digest
	};
	struct fb_reference ref = c->to.ref;
	int r = fb_store_blob_load(c->ctx->store, &doc->digest,
				   FB_MANIFEST_SIZE_MAX, &m.bytes, &m.len, err);

	if (r < 0)
		return r;
	memcpy(m.media_type, doc->media_type, sizeof(m.media_type));
	if (doc != fb_copy_top(c))
		ref.digest = doc->digest;
	return fb_registry_put_manifest(registry, &ref, &m, err);
}

static int to_registry(struct fb_copy *c, struct fb_err *err)
{
	FB_REGISTRY struct fb_registry *registry = NULL;
	const struct fb_reference *from = &c->from.ref, *to = &c->to.ref;
	bool mount = c->from.kind == FB_COPY_REGISTRY &&
		     strcmp(from->domain, to->domain) == 0 &&
		     strcmp(from->path, to->path) != 0;
	int r = 0;

	if (to->digest.set &&
	    !fb_digest_equal(&to->digest, &fb_copy_top(c)->digest))
		return fb_err_set(err, -EINVAL,
				  "the image has another digest than that");
	for (size_t i = 0; mount && i < c->blob_count; i++)
		memcpy(c->blobs[i].from, from->path, sizeof(from->path));
	r = fb_image_registry_open(c->ctx, to->domain, c->what->to_registry,
				   &registry, err);
	if (r == 0)
		r = fb_outgoing_push(c->ctx, registry, to->path, c->blobs,
				     c->blob_count, err);
	for (size_t i = 0; i < c->doc_count && r == 0; i++)
		r = put_doc(c, registry, &c->docs[i], err);
	return r;
}

static int put_text(struct fb_save_sink *sink, const char *name,
		    const char *text, struct fb_err *err)
{
	FB_STR struct fb_str str = FB_STR_INIT(FB_SAVE_DOCUMENT_MAX);

	(void)fb_str_puts(&str, text);
	return fb_save_sink_text(sink, name, &str, err);
}

static int put_blobs(struct fb_copy *c, struct fb_save_sink *sink,
		     struct fb_err *err)
{
	int r = fb_save_sink_dir(sink, "blobs", err);

	if (r == 0)
		r = fb_save_sink_dir(sink, "blobs/sha256", err);
	for (size_t i = 0; i < c->blob_count && r == 0; i++)
		if (c->blobs[i].digest.kind == FB_HASH_SHA512) {
			r = fb_save_sink_dir(sink, "blobs/sha512", err);
			break;
		}
	for (size_t i = 0; i < c->blob_count && r == 0; i++)
		r = fb_save_sink_blob(sink, c->ctx, &c->blobs[i].digest,
				      c->blobs[i].size_bytes, err);
	for (size_t i = 0; i < c->doc_count && r == 0; i++)
		r = fb_save_sink_blob(sink, c->ctx, &c->docs[i].digest,
				      c->docs[i].size_bytes, err);
	return r;
}

static int to_oci_archive(struct fb_copy *c, struct fb_err *err)
{
	FB_SAVE_SINK struct fb_save_sink sink = FB_SAVE_SINK_INIT;
	struct fb_image_save save = { .format = FB_SAVE_OCI_ARCHIVE,
				      .path = c->to.path };
	FB_FREE char *index = NULL;
	int r = fb_save_sink_open(c->ctx, &save, &sink, err);

	if (r == 0)
		r = put_blobs(c, &sink, err);
	if (r == 0)
		r = fb_copy_index_json(NULL, 0, fb_copy_top(c), c->to.name,
				       &index, err);
	if (r == 0)
		r = put_text(&sink, "index.json", index, err);
	if (r == 0)
		r = put_text(&sink, "oci-layout", LAYOUT, err);
	return r < 0 ? r : fb_save_sink_commit(&sink, err);
}

/* docker-archives are what save writes of an image of the catalogue */
static int describe(struct fb_copy *c, struct fb_saved *image,
		    struct fb_err *err)
{
	FB_IMAGE_CONFIG struct fb_image_config config = { 0 };
	char name[FB_REFERENCE_TEXT_MAX + 256];
	const struct fb_copy_doc *top = fb_copy_top(c);
	struct fb_reference ref;
	int r = fb_image_load_manifest(c->ctx->store, &top->digest,
				       &image->manifest, err);

	if (r == 0)
		r = fb_image_load_config(c->ctx->store,
					 &image->manifest.config.digest,
					 &config, NULL, NULL, err);
	if (r < 0)
		return r;
	image->record.manifest = top->digest;
	image->record.config = image->manifest.config.digest;
	image->record.platform = config.platform;
	image->manifest_bytes = top->size_bytes;
	(void)snprintf(image->record.media_type,
		       sizeof(image->record.media_type), "%.63s",
		       top->media_type);
	if (!c->to.name[0])
		return 0;
	r = fb_reference_parse(c->to.name, &ref, err);
	if (r == 0 && ref.digest.set)
		r = fb_err_set(err, -EINVAL, "a name to give has no digest");
	if (r == 0)
		r = fb_strv_add(&image->tags,
				fb_reference_canonical(&ref, name));
	return r;
}

static int to_docker_archive(struct fb_copy *c, struct fb_err *err)
{
	FB_SAVE_SINK struct fb_save_sink sink = FB_SAVE_SINK_INIT;
	FB_STR struct fb_str index = FB_STR_INIT(FB_SAVE_DOCUMENT_MAX);
	FB_STR struct fb_str docker = FB_STR_INIT(FB_SAVE_DOCUMENT_MAX);
	struct fb_saved image = { 0 };
	struct fb_saved_list list = { .v = &image, .count = 1, .entries = 1 };
	struct fb_image_save save = { .format = FB_SAVE_DOCKER_ARCHIVE,
				      .path = c->to.path };
	int r = describe(c, &image, err);

	if (r == 0)
		r = fb_save_sink_open(c->ctx, &save, &sink, err);
	if (r == 0)
		r = put_blobs(c, &sink, err);
	if (r == 0) {
		fb_save_index(&list, true, &index);
		fb_save_manifest_json(&list, &docker);
		r = fb_save_sink_text(&sink, "index.json", &index, err);
	}
	if (r == 0)
		r = fb_save_sink_text(&sink, "manifest.json", &docker, err);
	if (r == 0)
		r = put_text(&sink, "oci-layout", LAYOUT, err);
	if (r == 0)
		r = fb_save_sink_commit(&sink, err);
	fb_manifest_release(&image.manifest);
	fb_strv_release(&image.tags);
	return r;
}

int fb_copy_deliver(struct fb_copy *c, struct fb_err *err)
{
	switch (c->to.kind) {
	case FB_COPY_REGISTRY:
		return to_registry(c, err);
	case FB_COPY_OCI_DIR:
		return fb_copy_to_folder(c, err);
	case FB_COPY_OCI_ARCHIVE:
		return to_oci_archive(c, err);
	case FB_COPY_DOCKER_ARCHIVE:
	default:
		return to_docker_archive(c, err);
	}
}
