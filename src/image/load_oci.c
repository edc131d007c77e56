/* SPDX-License-Identifier: Apache-2.0 */
/* OCI layouts, as a folder or as an archive: index.json says what images there are. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/io.h"
#include "base/path.h"
#include "image/assemble.h"
#include "image/load_internal.h"
#include "oci/json.h"

#define COPY_BYTES 262144

int fb_oci_layout_check(const char *json, size_t len, struct fb_err *err)
{
	FB_JSON json_t *root = NULL;
	const char *version = NULL;
	int r = fb_json_load(json, len, "oci-layout", &root, err);

	if (r == 0)
		r = fb_json_string(root, "imageLayoutVersion", &version, err);
	if (r < 0)
		return r;
	if (!version)
		return fb_err_set(err, -EBADMSG,
				  "oci-layout says no imageLayoutVersion");
	if (strncmp(version, "1.", 2) != 0)
		return fb_err_set(err, -EOPNOTSUPP,
				  "OCI layout of version '%s', known is 1",
				  version);
	return 0;
}

void fb_layout_path(const struct fb_digest *digest,
		    char out[FB_LAYOUT_PATH_MAX])
{
	char hex[FB_DIGEST_TEXT_MAX];

	(void)snprintf(out, FB_LAYOUT_PATH_MAX, "blobs/%s/%s",
		       fb_digest_kind_name(digest->kind),
		       fb_digest_hex(digest, hex));
}

static int copy_file(struct fb_loader *loader, int from,
		     struct fb_blob_writer *writer,
		     const struct fb_descriptor *d, struct fb_err *err)
{
	FB_FREE char *buf = malloc(COPY_BYTES);
	char text[FB_DIGEST_TEXT_MAX];
	ssize_t n;
	int r;

	if (!buf)
		return fb_err_set(err, -ENOMEM, "copy a blob: %m");
	(void)fb_digest_format(&d->digest, text);
	while ((n = fb_read_full(from, buf, COPY_BYTES)) > 0) {
		r = fb_store_blob_write(writer, buf, (size_t)n, err);
		if (r == 0)
			r = fb_progress_tick(loader->ctx->progress);
		if (r < 0)
			return r;
		fb_progress(loader->ctx->progress, FB_PROGRESS_LOADING, text,
			    fb_store_blob_size(writer), d->size_bytes);
	}
	return n < 0 ? fb_err_set(err, (int)n, "read blob '%s': %s", text,
				  strerror((int)-n))
		     : 0;
}

static int open_blob_file(struct fb_loader *loader,
			  const struct fb_descriptor *d, struct fb_err *err)
{
	char path[FB_LAYOUT_PATH_MAX];
	struct stat st;
	FB_FD int fd = -EBADF;

	fb_layout_path(&d->digest, path);
	fd = fb_open_beneath(loader->dirfd, path, O_RDONLY | O_NONBLOCK, 0);
	if (fd < 0)
		return fb_err_set(err, fd == -ENOENT ? -EBADMSG : fd,
				  "open '%s': %s", path, strerror(-fd));
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) ||
	    (uint64_t)st.st_size != d->size_bytes)
		return fb_err_set(err, -EBADMSG,
				  "'%s' is no file of %llu bytes", path,
				  (unsigned long long)d->size_bytes);
	return FB_TAKE_FD(fd);
}

static int copy_blob(struct fb_loader *loader, const struct fb_descriptor *d,
		     struct fb_err *err)
{
	FB_BLOB_WRITER struct fb_blob_writer *writer = NULL;
	FB_FD int fd = -EBADF;
	struct fb_blob_options options = {
		.digest = &d->digest,
		.size_bytes = d->size_bytes,
		.lease = loader->lease,
	};
	int r;

	fd = open_blob_file(loader, d, err);
	if (fd < 0)
		return fd;
	r = fb_store_blob_create(loader->ctx->store, &options, &writer, err);
	if (r == 0)
		r = copy_file(loader, fd, writer, d, err);
	if (r == 0)
		r = fb_members_note(&loader->members, &d->digest);
	if (r == 0)
		r = fb_store_blob_commit(writer, NULL, err);
	if (r == 0)
		writer = NULL;
	return r;
}

int fb_loader_need_blob(struct fb_loader *loader, const struct fb_descriptor *d,
			struct fb_err *err)
{
	char name[FB_LAYOUT_PATH_MAX];
	const struct fb_member *member;
	bool has = false;
	int r;

	if (loader->dirfd >= 0) {
		r = fb_store_lease_add(loader->lease, &d->digest, d->size_bytes,
				       &has, err);
		return r < 0 || has ? r : copy_blob(loader, d, err);
	}
	fb_layout_path(&d->digest, name);
	member = fb_members_find(&loader->members, name);
	if (!member || !fb_digest_equal(&member->digest, &d->digest))
		return fb_err_set(err, -EBADMSG, "'%s' is not in the archive",
				  name);
	if (member->size_bytes != d->size_bytes)
		return fb_err_set(err, -EBADMSG,
				  "'%s' has %llu bytes instead of %llu", name,
				  (unsigned long long)member->size_bytes,
				  (unsigned long long)d->size_bytes);
	return 0;
}

static int load_parts(struct fb_loader *loader, const char *json, size_t len,
		      struct fb_err *err)
{
	FB_MANIFEST struct fb_manifest manifest = { 0 };
	int r = fb_manifest_parse(json, len, &manifest, err);

	if (r == 0)
		r = fb_image_check_manifest(&manifest, err);
	if (r == 0)
		r = fb_loader_need_blob(loader, &manifest.config, err);
	for (size_t i = 0; r == 0 && i < manifest.layer_count; i++) {
		r = fb_loader_need_blob(loader, &manifest.layers[i], err);
		if (r < 0)
			r = fb_err_wrap(err, r, "layer %zu", i + 1);
	}
	return r;
}

static int select_entry(struct fb_loader *loader, const struct fb_index *index,
			const struct fb_descriptor **ret, struct fb_err *err)
{
	struct fb_platform host;

	fb_platform_host(&host);
	return fb_index_select(
		index, loader->what->platform ? loader->what->platform : &host,
		ret, err);
}

/**
 * struct document - A manifest or index that was read
 * @json: Owned
 */
struct document {
	struct fb_descriptor descriptor;
	char *json;
	size_t len;
	enum fb_document kind;
};

static void document_release(struct document *doc)
{
	free(doc->json);
	doc->json = NULL;
}

static int read_document(struct fb_loader *loader,
			 const struct fb_descriptor *d, struct document *ret,
			 struct fb_err *err)
{
	int r;

	if (d->size_bytes > FB_MANIFEST_SIZE_MAX)
		return fb_err_set(err, -E2BIG,
				  "a manifest of %llu bytes, the limit is %u",
				  (unsigned long long)d->size_bytes,
				  FB_MANIFEST_SIZE_MAX);
	r = fb_loader_need_blob(loader, d, err);
	if (r == 0)
		r = fb_store_blob_load(loader->ctx->store, &d->digest,
				       FB_MANIFEST_SIZE_MAX, &ret->json,
				       &ret->len, err);
	if (r < 0)
		return r;
	ret->descriptor = *d;
	ret->kind = fb_document_kind(ret->json, ret->len, d->media_type);
	return 0;
}

static int read_chosen(struct fb_loader *loader, const struct document *top,
		       struct document *ret, struct fb_err *err)
{
	const struct fb_descriptor *entry;
	struct fb_index index = { 0 };
	int r = fb_index_parse(top->json, top->len, &index, err);

	if (r < 0)
		return r;
	r = select_entry(loader, &index, &entry, err);
	if (r == 0)
		r = read_document(loader, entry, ret, err);
	fb_index_release(&index);
	return r;
}

/* @from is the index that led to it, or NULL. Return: 1 it is an artifact */
static int load_manifest(struct fb_loader *loader, const struct document *doc,
			 const struct fb_blob_ref *from,
			 struct fb_image_entry *ret, struct fb_err *err)
{
	int r;

	switch (doc->kind) {
	case FB_DOC_MANIFEST:
		r = load_parts(loader, doc->json, doc->len, err);
		return r < 0 ? r
			     : fb_image_assemble(loader->ctx, &doc->descriptor,
						 from, loader->what->platform,
						 ret, err);
	case FB_DOC_SCHEMA1:
		return fb_err_set(err, -EOPNOTSUPP, "docker's old schema 1");
	case FB_DOC_ARTIFACT:
		return 1;
	case FB_DOC_INDEX:
		return fb_err_set(err, -EBADMSG, "an index within an index");
	case FB_DOC_UNKNOWN:
		break;
	}
	return fb_err_set(err, -EBADMSG, "neither a manifest nor an index");
}

static int load_image(struct fb_loader *loader, const struct fb_descriptor *d,
		      struct fb_image_entry *ret, struct fb_err *err)
{
	const struct fb_blob_ref from = { .digest = d->digest,
					  .size_bytes = d->size_bytes };
	struct document top = { 0 }, chosen = { 0 };
	int r = read_document(loader, d, &top, err);

	if (r == 0 && top.kind == FB_DOC_INDEX) {
		r = read_chosen(loader, &top, &chosen, err);
		if (r == 0)
			r = load_manifest(loader, &chosen, &from, ret, err);
	} else if (r == 0) {
		r = load_manifest(loader, &top, NULL, ret, err);
	}
	document_release(&top);
	document_release(&chosen);
	return r;
}

/* A layout's annotations may say what no reference can */
static int take_annotation(struct fb_loader *loader,
			   struct fb_image_entry *entry, const char *text,
			   struct fb_err *err)
{
	struct fb_err why = { 0 };
	int r = fb_loader_name(entry, text, &why);

	if (r == -EINVAL) {
		fb_log(loader->ctx->log, FB_LOG_WARN,
		       "%s: the image is loaded without that name, give one "
		       "with --name",
		       why.msg);
		return 0;
	}
	if (r < 0 && err)
		*err = why;
	return r;
}

/* A full reference stands as it is; a bare tag needs a name before it. */
static int name_by_annotation(struct fb_loader *loader,
			      const struct fb_descriptor *d,
			      struct fb_image_entry *entry, struct fb_err *err)
{
	const char *text = d->image_name[0] ? d->image_name : d->ref_name;
	FB_FREE char *joined = NULL;

	if (!text[0])
		return 0;
	if (strpbrk(text, "/:@"))
		return take_annotation(loader, entry, text, err);
	if (!loader->base[0]) {
		fb_log(loader->ctx->log, FB_LOG_WARN,
		       "the image only has the tag '%s': it is loaded without "
		       "a name, give one with --name",
		       text);
		return 0;
	}
	if (asprintf(&joined, "%s:%s", loader->base, text) < 0) {
		joined = NULL;
		return -ENOMEM;
	}
	return take_annotation(loader, entry, joined, err);
}

/* What else a layout may hold: signatures, lists of contents */
static int pass_over(struct fb_loader *loader, const struct fb_descriptor *d)
{
	char text[FB_DIGEST_TEXT_MAX];

	loader->passed++;
	fb_log(loader->ctx->log, FB_LOG_INFO,
	       "'%s' is an artifact, not an image: passed over",
	       fb_digest_format(&d->digest, text));
	return 0;
}

static int load_top(struct fb_loader *loader, const struct fb_descriptor *d,
		    struct fb_err *err)
{
	FB_IMAGE_ENTRY struct fb_image_entry entry = { 0 };
	char text[FB_DIGEST_TEXT_MAX];
	int r = load_image(loader, d, &entry, err);

	if (r == 1)
		return pass_over(loader, d);
	if (r == 0 && !loader->what->name)
		r = name_by_annotation(loader, d, &entry, err);
	if (r == 0)
		r = fb_loader_add(loader, &entry, err);
	return r < 0 ? fb_err_wrap(err, r, "image '%s'",
				   fb_digest_format(&d->digest, text))
		     : 0;
}

static const char *name_of(const struct fb_descriptor *d)
{
	return d->image_name[0] ? d->image_name : d->ref_name;
}

static bool same_platform(const struct fb_descriptor *a,
			  const struct fb_descriptor *b)
{
	return !strcmp(a->platform.os, b->platform.os) &&
	       !strcmp(a->platform.arch, b->platform.arch) &&
	       !strcmp(a->platform.variant, b->platform.variant);
}

static bool is_attestation(const struct fb_descriptor *d)
{
	return !strcmp(d->platform.os, "unknown");
}

/* Entries that differ in nothing but the platform are one image of several. */
static bool is_multi_platform(const struct fb_index *group)
{
	for (size_t i = 0; i < group->manifest_count; i++) {
		if (!group->manifests[i].platform.os[0])
			return false;
		for (size_t j = 0; j < i; j++)
			if (same_platform(&group->manifests[i],
					  &group->manifests[j]))
				return false;
	}
	return group->manifest_count > 1;
}

static int load_group(struct fb_loader *loader, const struct fb_index *group,
		      struct fb_err *err)
{
	const struct fb_descriptor *best;
	int r = 0;

	if (is_multi_platform(group)) {
		r = select_entry(loader, group, &best, err);
		return r < 0 ? r : load_top(loader, best, err);
	}
	for (size_t i = 0; r == 0 && i < group->manifest_count; i++)
		r = load_top(loader, &group->manifests[i], err);
	return r;
}

/* Called so by its whole name, or by its tag */
static bool is_wanted(const struct fb_loader *loader,
		      const struct fb_descriptor *d)
{
	const char *name = name_of(d), *only = loader->only;
	struct fb_reference has, want;

	if (!only || !strcmp(name, only) || !strcmp(d->ref_name, only))
		return true;
	if (fb_reference_parse(name, &has, NULL) < 0)
		return false;
	if (!strcmp(has.tag, only))
		return true;
	return fb_reference_parse(only, &want, NULL) == 0 &&
	       !strcmp(has.domain, want.domain) &&
	       !strcmp(has.path, want.path) && !strcmp(has.tag, want.tag);
}

static int load_groups(struct fb_loader *loader, const struct fb_index *index,
		       struct fb_err *err)
{
	size_t total = index->manifest_count;
	FB_FREE bool *taken = calloc(total + 1, sizeof(*taken));
	FB_FREE struct fb_descriptor *members =
		calloc(total + 1, sizeof(*members));
	int r = 0;

	if (!taken || !members)
		return fb_err_set(err, -ENOMEM, "read index.json: %m");
	for (size_t i = 0; r == 0 && i < total; i++) {
		struct fb_index group = { .manifests = members };

		for (size_t j = i; j < total; j++) {
			const struct fb_descriptor *d = &index->manifests[j];

			if (taken[j] || is_attestation(d) ||
			    !is_wanted(loader, d) ||
			    strcmp(name_of(d), name_of(&index->manifests[i])) !=
				    0)
				continue;
			taken[j] = true;
			members[group.manifest_count++] = *d;
		}
		r = load_group(loader, &group, err);
	}
	return r;
}

int fb_load_oci(struct fb_loader *loader, const char *index_json,
		size_t index_len, struct fb_err *err)
{
	struct fb_index index = { 0 };
	int r = fb_index_parse(index_json, index_len, &index, err);

	if (r == 0)
		r = loader->whole
			    ? loader->whole(loader->whole_ctx, &index, err)
			    : load_groups(loader, &index, err);
	fb_index_release(&index);
	return r < 0 ? fb_err_wrap(err, r, "index.json") : 0;
}
