/* SPDX-License-Identifier: Apache-2.0 */
/* Where a copy comes from: everything of it ends up in the store, under a lease. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "image/assemble.h"
#include "image/copy_internal.h"
#include "image/pull_internal.h"
#include "oci/json.h"
#include "store/blob.h"

static int add_doc(struct fb_copy *c, const struct fb_registry_manifest *doc,
		   struct fb_err *err)
{
	struct fb_copy_doc *d;
	struct fb_digest digest;
	int r = fb_store_blob_put(c->ctx->store, c->lease, doc->bytes, doc->len,
				  &digest, err);

	if (r < 0)
		return r;
	if (!fb_digest_equal(&digest, &doc->digest))
		return fb_err_set(err, -EOPNOTSUPP,
				  "a manifest that is known by another hash "
				  "than SHA-256");
	/* an index may name one manifest for several platforms */
	for (size_t i = 0; i < c->doc_count; i++)
		if (fb_digest_equal(&c->docs[i].digest, &digest))
			return 0;
	if (c->doc_count == FB_COPY_DOCS_MAX)
		return fb_err_set(err, -E2BIG, "more than %d manifests",
				  FB_INDEX_ENTRIES_MAX);
	if (!c->docs)
		c->docs = calloc(FB_COPY_DOCS_MAX, sizeof(*c->docs));
	if (!c->docs)
		return fb_err_set(err, -ENOMEM, "copy: %m");
	d = &c->docs[c->doc_count++];
	d->digest = doc->digest;
	d->size_bytes = doc->len;
	memcpy(d->media_type, doc->media_type, sizeof(d->media_type));
	return 0;
}

static int take_descriptor(const json_t *json, struct fb_descriptor *ret,
			   struct fb_err *err)
{
	const char *type =
		json_string_value(json_object_get(json, "mediaType"));
	const char *digest = json_string_value(json_object_get(json, "digest"));
	const json_t *size = json_object_get(json, "size");

	if (!digest || !json_is_integer(size) || json_integer_value(size) < 0 ||
	    fb_digest_parse(digest, &ret->digest, NULL) < 0)
		return fb_err_set(err, -EBADMSG,
				  "the manifest has a malformed descriptor");
	if (type && fb_layer_is_foreign(type))
		return fb_err_set(err, -EOPNOTSUPP,
				  "layer '%s' is foreign: its bytes are not "
				  "where the image is",
				  digest);
	ret->size_bytes = (uint64_t)json_integer_value(size);
	return 0;
}

/*
 * What a manifest names, whatever it is for: a copy need not understand it, and
 * an index may hold attestations and signatures beside images.
 */
static int read_blobs(const struct fb_registry_manifest *doc,
		      struct fb_manifest *ret, struct fb_err *err)
{
	FB_JSON json_t *root = NULL;
	const json_t *layers;
	size_t count;
	int r = fb_json_load(doc->bytes, doc->len, "manifest", &root, err);

	if (r < 0)
		return r;
	layers = json_object_get(root, "layers");
	count = json_array_size(layers);
	if (count > FB_LAYERS_MAX)
		return fb_err_set(err, -E2BIG, "more than %d layers",
				  FB_LAYERS_MAX);
	ret->layers = calloc(count ? count : 1, sizeof(*ret->layers));
	if (!ret->layers)
		return fb_err_set(err, -ENOMEM, "copy: %m");
	r = take_descriptor(json_object_get(root, "config"), &ret->config, err);
	for (size_t i = 0; i < count && r == 0; i++)
		r = take_descriptor(json_array_get(layers, i), &ret->layers[i],
				    err);
	ret->layer_count = count;
	return r;
}

static int note_blobs(struct fb_copy *c, const struct fb_manifest *m,
		      struct fb_err *err)
{
	size_t want = c->blob_count + m->layer_count + 1;
	void *grown = reallocarray(c->blobs, want, sizeof(*c->blobs));

	if (!grown)
		return fb_err_set(err, -ENOMEM, "copy: %m");
	c->blobs = grown;
	fb_outgoing_add(c->blobs, &c->blob_count, &m->config);
	for (size_t i = 0; i < m->layer_count; i++)
		fb_outgoing_add(c->blobs, &c->blob_count, &m->layers[i]);
	return 0;
}

/* From the registry, or with no @p from the layout that is being read */
static int have_blobs(struct fb_copy *c, struct pull *p,
		      const struct fb_manifest *m, struct fb_err *err)
{
	int r;

	if (p)
		return fb_pull_blobs(p, m, err);
	r = fb_loader_need_blob(&c->loader, &m->config, err);
	for (size_t i = 0; i < m->layer_count && r == 0; i++)
		r = fb_loader_need_blob(&c->loader, &m->layers[i], err);
	return r;
}

static int fetch_manifest(struct fb_copy *c, struct pull *p,
			  const struct fb_registry_manifest *doc,
			  struct fb_err *err)
{
	FB_MANIFEST struct fb_manifest m = { 0 };
	enum fb_document kind =
		fb_document_kind(doc->bytes, doc->len, doc->media_type);
	int r;

	if (kind == FB_DOC_SCHEMA1)
		return fb_err_set(err, -EOPNOTSUPP,
				  "it is there as docker's old schema 1, which "
				  "cannot be verified");
	if (kind != FB_DOC_MANIFEST && kind != FB_DOC_ARTIFACT)
		return fb_err_set(err, -EOPNOTSUPP, "%s",
				  kind == FB_DOC_INDEX ? "an index in an index"
						       : "it is no manifest");
	r = read_blobs(doc, &m, err);
	if (r == 0)
		r = note_blobs(c, &m, err);
	if (r == 0)
		r = have_blobs(c, p, &m, err);
	return r < 0 ? r : add_doc(c, doc, err);
}

/* A signature of the index vouches for all that it names; of a file the policy was
 * asked when it was opened */
static int check_trust(struct fb_copy *c, const struct pull *p,
		       const struct fb_registry_manifest *top,
		       const struct fb_digest *chosen, struct fb_err *err)
{
	const struct fb_digest digests[] = { top->digest,
					     chosen ? *chosen : top->digest };
	const struct fb_trust_subject subject = {
		.registry = p ? p->registry : NULL,
		.ref = p ? &p->ref : NULL,
		.digests = digests,
		.count = chosen ? 2 : 1,
	};

	if (!p)
		return 0;
	return fb_trust_check(c->ctx, c->what->trust, &subject, NULL, err);
}

static int read_entry(struct fb_copy *c, const struct fb_descriptor *entry,
		      struct fb_registry_manifest *ret, struct fb_err *err)
{
	int r = entry->size_bytes > FB_MANIFEST_SIZE_MAX
			? fb_err_set(err, -E2BIG, "a manifest over %u bytes",
				     FB_MANIFEST_SIZE_MAX)
			: fb_loader_need_blob(&c->loader, entry, err);

	if (r == 0)
		r = fb_store_blob_load(c->ctx->store, &entry->digest,
				       FB_MANIFEST_SIZE_MAX, &ret->bytes,
				       &ret->len, err);
	ret->digest = entry->digest;
	(void)snprintf(ret->media_type, sizeof(ret->media_type), "%s",
		       entry->media_type);
	return r;
}

static int fetch_entry(struct fb_copy *c, struct pull *p,
		       const struct fb_descriptor *entry, struct fb_err *err)
{
	FB_REGISTRY_MANIFEST struct fb_registry_manifest doc = { 0 };
	struct fb_reference ref;
	int r;

	if (p) {
		ref = p->ref;
		ref.digest = entry->digest;
		r = fb_registry_get_manifest(p->registry, &ref, &doc, err);
	} else {
		r = read_entry(c, entry, &doc, err);
	}
	if (r < 0)
		return r;
	if (doc.len != entry->size_bytes)
		return fb_err_set(err, -EBADMSG,
				  "manifest has %zu bytes, the index says %llu",
				  doc.len,
				  (unsigned long long)entry->size_bytes);
	return fetch_manifest(c, p, &doc, err);
}

static int fetch_index(struct fb_copy *c, struct pull *p,
		       const struct fb_registry_manifest *top,
		       struct fb_err *err)
{
	const struct fb_descriptor *chosen;
	struct fb_index index = { 0 };
	struct fb_platform host;
	int r = fb_index_parse(top->bytes, top->len, &index, err);

	if (r < 0)
		return r;
	fb_platform_host(&host);
	if (!c->what->all) {
		r = fb_index_select(
			&index, c->what->platform ? c->what->platform : &host,
			&chosen, err);
		if (r == 0)
			r = check_trust(c, p, top, &chosen->digest, err);
		if (r == 0)
			r = fetch_entry(c, p, chosen, err);
	} else {
		r = check_trust(c, p, top, NULL, err);
		for (size_t i = 0; i < index.manifest_count && r == 0; i++)
			r = fetch_entry(c, p, &index.manifests[i], err);
		if (r == 0)
			r = add_doc(c, top, err);
	}
	fb_index_release(&index);
	return r;
}

static int gather_registry(struct fb_copy *c, struct fb_err *err)
{
	FB_REGISTRY struct fb_registry *registry = NULL;
	FB_REGISTRY_MANIFEST struct fb_registry_manifest top = { 0 };
	struct pull p = { .ctx = c->ctx,
			  .ref = c->from.ref,
			  .lease = c->lease,
			  .fetch_only = true };
	int r = fb_image_registry_open(c->ctx, p.ref.domain,
				       c->what->from_registry, &registry, err);

	if (r < 0)
		return r;
	p.registry = registry;
	(void)fb_reference_familiar(&p.ref, p.text);
	fb_progress(c->ctx->progress, FB_PROGRESS_RESOLVING, p.text, 0, 0);
	r = fb_registry_get_manifest(registry, &p.ref, &top, err);
	if (r < 0)
		return r;
	if (fb_document_kind(top.bytes, top.len, top.media_type) ==
	    FB_DOC_INDEX)
		return fetch_index(c, &p, &top, err);
	r = check_trust(c, &p, &top, NULL, err);
	return r < 0 ? r : fetch_manifest(c, &p, &top, err);
}

/* A tag of a layout, or a reference of a docker-archive */
static bool is_called(const struct fb_image_record *record,
		      const struct fb_copy_place *place)
{
	struct fb_reference want, has;
	bool full = fb_reference_parse(place->name, &want, NULL) == 0;

	for (size_t i = 0; i < record->names.count; i++) {
		if (fb_reference_parse(record->names.v[i], &has, NULL) < 0)
			continue;
		if (place->kind != FB_COPY_DOCKER_ARCHIVE &&
		    strcmp(has.tag, place->name) == 0)
			return true;
		if (full && strcmp(has.domain, want.domain) == 0 &&
		    strcmp(has.path, want.path) == 0 &&
		    strcmp(has.tag, want.tag) == 0)
			return true;
	}
	return false;
}

static int choose(struct fb_copy *c, struct fb_err *err)
{
	const char *name = c->from.name;

	for (size_t i = 0; i < c->loader.count; i++)
		if (!name[0] ||
		    is_called(&c->loader.entries[i].record, &c->from)) {
			if (!name[0] && c->loader.count > 1)
				break;
			c->record = &c->loader.entries[i].record;
			return 0;
		}
	if (name[0])
		return fb_err_set(err, -ENOENT, "there is no '%s' in it", name);
	return fb_err_set(err, -EINVAL,
			  "there are %zu images in it: say which, as in "
			  "'%s:NAME'",
			  c->loader.count, c->what->from);
}

static int gather_loaded(struct fb_copy *c, struct fb_err *err)
{
	FB_REGISTRY_MANIFEST struct fb_registry_manifest doc = { 0 };
	FB_MANIFEST struct fb_manifest m = { 0 };
	int r;

	c->load = (struct fb_image_load){ .path = c->from.path,
					  .fd = -EBADF,
					  .platform = c->what->platform,
					  .trust = c->what->trust };
	c->loader.ctx = c->ctx;
	c->loader.what = &c->load;
	if (c->from.name[0] && c->from.kind != FB_COPY_DOCKER_ARCHIVE)
		c->loader.only = c->from.name;
	r = fb_loader_run(&c->loader, err);
	if (r == 0)
		r = choose(c, err);
	if (r == 0)
		r = fb_store_blob_load(c->ctx->store, &c->record->manifest,
				       FB_MANIFEST_SIZE_MAX, &doc.bytes,
				       &doc.len, err);
	if (r < 0)
		return r;
	doc.digest = c->record->manifest;
	(void)snprintf(doc.media_type, sizeof(doc.media_type), "%s",
		       c->record->media_type);
	r = read_blobs(&doc, &m, err);
	if (r == 0)
		r = note_blobs(c, &m, err);
	return r < 0 ? r : add_doc(c, &doc, err);
}

/* The entry that is called so, as it stands in the layout */
static int choose_entry(void *ctx, const struct fb_index *index,
			struct fb_err *err)
{
	struct fb_copy *c = ctx;
	const char *name = c->from.name;
	size_t found = 0;

	for (size_t i = 0; i < index->manifest_count; i++) {
		const struct fb_descriptor *d = &index->manifests[i];

		if (name[0] && strcmp(d->ref_name, name) != 0 &&
		    strcmp(d->image_name, name) != 0)
			continue;
		c->chosen = *d;
		found++;
	}
	if (found == 1)
		return 0;
	if (found == 0)
		return fb_err_set(err, -ENOENT, "there is no '%s' in it", name);
	return fb_err_set(err, -EINVAL,
			  "there are %zu images in it: say which, as in "
			  "'%s:NAME'",
			  found, c->what->from);
}

static int gather_whole(struct fb_copy *c, struct fb_err *err)
{
	FB_REGISTRY_MANIFEST struct fb_registry_manifest top = { 0 };
	int r;

	c->load = (struct fb_image_load){ .path = c->from.path,
					  .fd = -EBADF,
					  .trust = c->what->trust };
	c->loader.ctx = c->ctx;
	c->loader.what = &c->load;
	c->loader.whole = choose_entry;
	c->loader.whole_ctx = c;
	r = fb_loader_run(&c->loader, err);
	if (r == 0)
		r = read_entry(c, &c->chosen, &top, err);
	if (r < 0)
		return r;
	return fb_document_kind(top.bytes, top.len, top.media_type) ==
			       FB_DOC_INDEX
		       ? fetch_index(c, NULL, &top, err)
		       : fetch_manifest(c, NULL, &top, err);
}

int fb_copy_gather(struct fb_copy *c, struct fb_err *err)
{
	if (c->from.kind == FB_COPY_REGISTRY)
		return gather_registry(c, err);
	return c->what->all ? gather_whole(c, err) : gather_loaded(c, err);
}
