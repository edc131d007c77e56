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
 * The image enters the catalogue in one transaction at the end.
 */
#include "image/pull.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "image/assemble.h"
#include "store/blob.h"

#define WAIT_MS 100
#define CANONICAL_MAX (FB_REFERENCE_TEXT_MAX + 256)

void fb_image_pulled_release(struct fb_image_pulled *pulled)
{
	free(pulled->name);
	*pulled = (struct fb_image_pulled){ 0 };
}

/**
 * struct pull - One pull at work
 * @index: The index that the name leads to; digest not set where it leads to
 *         the manifest
 */
struct pull {
	const struct fb_image_context *ctx;
	struct fb_reference ref;
	const struct fb_platform *platform; /* as asked for, or NULL */
	struct fb_registry *registry;
	struct fb_lease *lease;
	struct fb_blob_ref index;
	struct fb_descriptor manifest;
	char text[CANONICAL_MAX];
};

/* --- documents --- */

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

/* --- blobs --- */

/**
 * struct part - One blob of the image
 * @done:   In the store
 * @writer: While we fetch it
 */
struct part {
	struct pull *pull;
	struct fb_digest digest;
	uint64_t size_bytes;
	bool done;
	struct fb_blob_writer *writer;
	char text[FB_DIGEST_TEXT_MAX];
};

static int part_write(void *ctx, const void *data, size_t len,
		      struct fb_err *err)
{
	struct part *part = ctx;
	int r = fb_store_blob_write(part->writer, data, len, err);

	if (r == 0)
		fb_progress(part->pull->ctx->progress, FB_PROGRESS_DOWNLOADING,
			    part->text, fb_store_blob_size(part->writer),
			    part->size_bytes);
	return r;
}

static int part_reset(void *ctx, struct fb_err *err)
{
	struct part *part = ctx;

	return fb_store_blob_restart(part->writer, err);
}

static int part_done(void *ctx, struct fb_err *err)
{
	struct part *part = ctx;
	int r = fb_store_blob_commit(part->writer, NULL, err);

	if (r < 0)
		return r;
	part->writer = NULL;
	part->done = true;
	fb_progress(part->pull->ctx->progress, FB_PROGRESS_COMPLETE, part->text,
		    part->size_bytes, part->size_bytes);
	return 0;
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
		part->done = true;
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
		part->done = true;
		return 0;
	}
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
		if (!parts[i].writer)
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
			if (parts[i].writer)
				r = fb_store_blob_restart(parts[i].writer, err);
		return r < 0 ? r
			     : fetch_claimed(p, parts, count, &resumed, err);
	}
	if (r < 0 && err)
		*err = first;
	return r;
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

/* Before gigabytes are fetched for the wrong machine; an index has said it already */
static int check_wanted(struct pull *p, const struct fb_manifest *manifest,
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

static int fetch_blobs(struct pull *p, const struct fb_manifest *manifest,
		       struct fb_err *err)
{
	FB_FREE struct part *parts =
		calloc(manifest->layer_count + 1, sizeof(*parts));
	size_t count = 0;

	if (!parts)
		return fb_err_set(err, -ENOMEM, "fetch layers: %m");
	add_part(p, parts, &count, &manifest->config);
	for (size_t i = 0; i < manifest->layer_count; i++)
		add_part(p, parts, &count, &manifest->layers[i]);
	return fetch_all(p, parts, count, err);
}

/* --- the whole --- */

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
	newer = !was_there(p, &entry);
	name = strdup(entry.record.names.v[0]);
	if (!name)
		return fb_err_set(err, -ENOMEM, "name the image: %m");
	r = fb_store_images_put(p->ctx->store, &entry, 1, err);
	if (r < 0)
		return r;
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

static int pull_all(struct pull *p, struct fb_image_pulled *ret,
		    struct fb_err *err)
{
	FB_MANIFEST struct fb_manifest manifest = { 0 };
	int r = fb_store_lease_open(p->ctx->store, &p->lease, err);

	if (r == 0)
		r = resolve(p, &manifest, err);
	if (r == 0)
		r = check_wanted(p, &manifest, err);
	if (r == 0)
		r = fetch_blobs(p, &manifest, err);
	return r < 0 ? r : enter(p, ret, err);
}

int fb_image_pull(const struct fb_image_context *ctx,
		  const struct fb_image_pull *pull, struct fb_image_pulled *ret,
		  struct fb_err *err)
{
	struct pull p = { .ctx = ctx, .platform = pull->platform };
	int r = fb_reference_parse(pull->reference, &p.ref, err);

	if (r < 0)
		return fb_err_wrap(err, r, "pull '%s'", pull->reference);
	(void)fb_reference_familiar(&p.ref, p.text);
	r = open_registry(&p, pull, ctx->progress, err);
	if (r == 0)
		r = pull_all(&p, ret, err);
	fb_store_lease_close(p.lease);
	fb_registry_close(p.registry);
	return r < 0 ? fb_err_wrap(err, r, "pull '%s'", p.text) : 0;
}
