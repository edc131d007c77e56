/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Theory of operation: name → document → manifest → blobs → catalogue.
 *
 * Everything that will be needed is leased before it is fetched.  What the store
 * has is not fetched again; what another process is fetching right now (it
 * holds the lock of that blob's beginning) is waited for, after our own part is
 * done, so that two pulls share the work and never wait for each other in a
 * circle.  What is left of a fetch that failed is continued by the next one,
 * unless the disk was full: then the space is given back.
 *
 * The image is converted while its layers come (pull_convert.c).  It enters the
 * catalogue in one transaction at the end.
 */
#include "image/pull.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "image/assemble.h"
#include "image/pull_convert.h"

void fb_image_pulled_release(struct fb_image_pulled *pulled)
{
	free(pulled->name);
	*pulled = (struct fb_image_pulled){ 0 };
}

static int keep_document(struct pull *p, const struct fb_registry_manifest *doc,
			 struct fb_err *err)
{
	FB_BLOB_WRITER struct fb_blob_writer *writer = NULL;
	struct fb_blob_options options = {
		.digest = &doc->digest,
		.size_bytes = doc->len,
		.lease = p->lease,
	};
	int r = fb_store_blob_create(p->ctx->store, &options, &writer, err);

	if (r == 0)
		r = fb_store_blob_write(writer, doc->bytes, doc->len, err);
	if (r == 0)
		r = fb_store_blob_commit(writer, NULL, err);
	if (r == 0)
		writer = NULL;
	return r;
}

/* From the store where it is there already: a digest never means anything else */
static int get_by_digest(struct pull *p, const struct fb_descriptor *d,
			 struct fb_registry_manifest *ret, struct fb_err *err)
{
	struct fb_reference ref = p->ref;
	bool has = false;
	int r = fb_store_lease_add(p->lease, &d->digest, d->size_bytes, &has,
				   err);

	if (r < 0)
		return r;
	if (has &&
	    fb_store_blob_load(p->ctx->store, &d->digest, FB_MANIFEST_SIZE_MAX,
			       &ret->bytes, &ret->len, NULL) == 0) {
		ret->digest = d->digest;
		(void)snprintf(ret->media_type, sizeof(ret->media_type), "%s",
			       d->media_type);
		return 0;
	}
	ref.digest = d->digest;
	r = fb_registry_get_manifest(p->registry, &ref, ret, err);
	if (r == 0 && ret->len != d->size_bytes)
		return fb_err_set(err, -EBADMSG,
				  "manifest has %zu bytes, the index says %llu",
				  ret->len, (unsigned long long)d->size_bytes);
	return r;
}

static int select_manifest(struct pull *p,
			   const struct fb_registry_manifest *doc,
			   struct fb_descriptor *ret, struct fb_err *err)
{
	struct fb_platform host;
	const struct fb_descriptor *entry;
	struct fb_index index = { 0 };
	int r = fb_index_parse(doc->bytes, doc->len, &index, err);

	if (r < 0)
		return r;
	fb_platform_host(&host);
	r = fb_index_select(&index, p->platform ? p->platform : &host, &entry,
			    err);
	if (r == 0)
		*ret = *entry;
	fb_index_release(&index);
	return r;
}

static int unusable(enum fb_document kind, const char *media_type,
		    struct fb_err *err)
{
	switch (kind) {
	case FB_DOC_SCHEMA1:
		return fb_err_set(err, -EOPNOTSUPP,
				  "the registry has it as docker's old schema "
				  "1, which cannot be verified");
	case FB_DOC_ARTIFACT:
		return fb_err_set(err, -EOPNOTSUPP,
				  "it is an artifact, not an image");
	case FB_DOC_INDEX:
		return fb_err_set(err, -EOPNOTSUPP, "an index in an index");
	case FB_DOC_MANIFEST:
	case FB_DOC_UNKNOWN:
		break;
	}
	return fb_err_set(err, -EBADMSG,
			  "what the registry sent ('%s') is neither a manifest "
			  "nor an index",
			  media_type);
}

static void describe(const struct fb_registry_manifest *doc,
		     struct fb_descriptor *ret)
{
	*ret = (struct fb_descriptor){ .digest = doc->digest,
				       .size_bytes = doc->len };
	(void)snprintf(ret->media_type, sizeof(ret->media_type), "%s",
		       doc->media_type);
}

static int take_manifest(struct pull *p, const struct fb_registry_manifest *doc,
			 struct fb_manifest *ret, struct fb_err *err)
{
	enum fb_document kind =
		fb_document_kind(doc->bytes, doc->len, doc->media_type);
	int r;

	if (kind != FB_DOC_MANIFEST)
		return unusable(kind, doc->media_type, err);
	r = fb_manifest_parse(doc->bytes, doc->len, ret, err);
	if (r == 0)
		r = fb_image_check_manifest(ret, err);
	if (r == 0)
		r = keep_document(p, doc, err);
	if (r == 0)
		describe(doc, &p->manifest);
	return r;
}

static int resolve(struct pull *p, struct fb_manifest *ret, struct fb_err *err)
{
	FB_REGISTRY_MANIFEST struct fb_registry_manifest top = { 0 };
	FB_REGISTRY_MANIFEST struct fb_registry_manifest inner = { 0 };
	struct fb_descriptor chosen;
	int r;

	fb_progress(p->ctx->progress, FB_PROGRESS_RESOLVING, p->text, 0, 0);
	r = fb_registry_get_manifest(p->registry, &p->ref, &top, err);
	if (r < 0)
		return r;
	if (fb_document_kind(top.bytes, top.len, top.media_type) !=
	    FB_DOC_INDEX)
		return take_manifest(p, &top, ret, err);
	r = select_manifest(p, &top, &chosen, err);
	if (r == 0)
		r = keep_document(p, &top, err);
	if (r == 0)
		r = get_by_digest(p, &chosen, &inner, err);
	if (r < 0)
		return r;
	p->index = (struct fb_blob_ref){ .digest = top.digest,
					 .size_bytes = top.len };
	return take_manifest(p, &inner, ret, err);
}

/* The tag that was asked for, and what the registry calls it by digest */
static int add_names(struct pull *p, struct fb_image_entry *entry)
{
	struct fb_reference by_digest = p->ref;
	char text[CANONICAL_MAX];
	int r = 0;

	by_digest.tag[0] = '\0';
	by_digest.digest =
		p->index.digest.set ? p->index.digest : p->manifest.digest;
	if (!p->ref.digest.set)
		r = fb_strv_add(&entry->record.names,
				fb_reference_canonical(&p->ref, text));
	if (r == 0)
		r = fb_strv_add(&entry->record.names,
				fb_reference_canonical(&by_digest, text));
	return r;
}

static bool was_there(struct pull *p, const struct fb_image_entry *entry)
{
	FB_IMAGE_RECORD struct fb_image_record old = { 0 };

	return fb_store_image_by_name(p->ctx->store, entry->record.names.v[0],
				      &old, NULL) == 0 &&
	       fb_digest_equal(&old.manifest, &entry->record.manifest);
}

static int enter(struct pull *p, struct fb_image_pulled *ret,
		 struct fb_err *err)
{
	FB_IMAGE_ENTRY struct fb_image_entry entry = { 0 };
	FB_FREE char *name = NULL;
	bool newer;
	int r = fb_image_assemble(p->ctx, &p->manifest,
				  p->index.digest.set ? &p->index : NULL,
				  p->platform, &entry, err);

	if (r < 0)
		return r;
	r = add_names(p, &entry);
	if (r < 0)
		return fb_err_set(err, r, "name the image: %s", strerror(-r));
	entry.facts = p->facts;
	p->facts = (struct fb_strv){ 0 };
	newer = !was_there(p, &entry);
	name = strdup(entry.record.names.v[0]);
	if (!name)
		return fb_err_set(err, -ENOMEM, "name the image: %m");
	r = fb_store_images_put(p->ctx->store, &entry, 1, err);
	if (r < 0)
		return r;
	fb_pull_convert_publish(p->conversion);
	*ret = (struct fb_image_pulled){
		.name = FB_TAKE_PTR(name),
		.digest = p->index.digest.set ? p->index.digest
					      : p->manifest.digest,
		.manifest = p->manifest.digest,
		.newer = newer,
	};
	fb_progress(p->ctx->progress, FB_PROGRESS_DONE, p->text, 0, 0);
	return 0;
}

static int pull_tick(void *ctx)
{
	return fb_progress_tick(ctx);
}

static int open_registry(struct pull *p, const struct fb_image_pull *what,
			 const struct fb_progress *progress, struct fb_err *err)
{
	struct fb_registry_options options = { 0 };

	if (what->registry)
		options = *what->registry;
	if (!options.log)
		options.log = p->ctx->log;
	if (!options.tick && progress) {
		union {
			const struct fb_progress *in;
			void *out;
		} cast = { .in = progress };

		options.tick = pull_tick;
		options.tick_ctx = cast.out;
	}
	return fb_registry_open(p->ref.domain, &options, &p->registry, err);
}

/* What was fetched of an image that is no good, or too large for this disk, unless
 * another image has use for it */
static void give_up(struct pull *p, const struct fb_manifest *manifest)
{
	FB_FREE struct fb_digest *gone =
		calloc(manifest->layer_count + 3, sizeof(*gone));
	size_t count = 0;

	if (!gone)
		return;
	gone[count++] = p->manifest.digest;
	gone[count++] = manifest->config.digest;
	if (p->index.digest.set)
		gone[count++] = p->index.digest;
	for (size_t i = 0; i < manifest->layer_count; i++)
		gone[count++] = manifest->layers[i].digest;
	fb_store_lease_close(FB_TAKE_PTR(p->lease));
	if (fb_store_collect_blobs(p->ctx->store, gone, count, NULL) < 0)
		fb_log(p->ctx->log, FB_LOG_INFO,
		       "blobs that are not needed are left for the next prune");
}

static int check_trust(struct pull *p, struct fb_err *err)
{
	const struct fb_digest digests[] = { p->manifest.digest,
					     p->index.digest };
	const struct fb_trust_subject subject = {
		.registry = p->registry,
		.ref = &p->ref,
		.digests = digests,
		.count = p->index.digest.set ? 2 : 1,
	};

	return fb_trust_check(p->ctx, p->trust, &subject, &p->facts, err);
}

static int pull_all(struct pull *p, struct fb_image_pulled *ret,
		    struct fb_err *err)
{
	FB_MANIFEST struct fb_manifest manifest = { 0 };
	int r = fb_store_lease_open(p->ctx->store, &p->lease, err);

	if (r == 0)
		r = resolve(p, &manifest, err);
	if (r == 0)
		r = check_trust(p, err);
	if (r == 0)
		r = fb_pull_check_platform(p, &manifest, err);
	if (r == 0)
		r = fb_pull_blobs(p, &manifest, err);
	if (r == 0)
		r = enter(p, ret, err);
	/* it borrows the manifest */
	fb_pull_convert_free(p->conversion);
	p->conversion = NULL;
	if (p->useless || r == -ENOSPC || r == -EDQUOT)
		give_up(p, &manifest);
	return r;
}

int fb_image_pull(const struct fb_image_context *ctx,
		  const struct fb_image_pull *pull, struct fb_image_pulled *ret,
		  struct fb_err *err)
{
	struct pull p = { .ctx = ctx,
			  .platform = pull->platform,
			  .fetch_only = pull->fetch_only,
			  .trust = pull->trust };
	int r = fb_reference_parse(pull->reference, &p.ref, err);

	if (r < 0)
		return fb_err_wrap(err, r, "pull '%s'", pull->reference);
	(void)fb_reference_familiar(&p.ref, p.text);
	r = open_registry(&p, pull, ctx->progress, err);
	if (r == 0)
		r = pull_all(&p, ret, err);
	fb_store_lease_close(p.lease);
	fb_registry_close(p.registry);
	fb_strv_release(&p.facts);
	return r < 0 ? fb_err_wrap(err, r, "pull '%s'", p.text) : 0;
}
