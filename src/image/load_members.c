/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Theory of operation: an archive is a stream, and what it means stands anywhere
 * in it (docker writes manifest.json last).
 *
 * So every file is hashed into a blob as it passes, under its digest and the
 * lease; the few that say what the others are stay in memory.  Afterwards the
 * archive is a table from names to digests, and blobs that turn out not to be
 * needed are collected again.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "archive/inflate.h"
#include "archive/tar.h"
#include "image/docker_archive.h"
#include "image/load_internal.h"

#define COPY_BYTES 262144
#define LINKS_MAX 16
#define PROGRESS_BYTES (256u << 10)

/* docker's: nobody reads them any more */
static bool is_ignored(const char *name)
{
	const char *base = strrchr(name, '/');

	return !name[0] || !strcmp(name, "repositories") ||
	       (base && (!strcmp(base, "/VERSION") || !strcmp(base, "/json")));
}

/* "blobs/sha256/<hex>": the name says what must be in it */
static bool digest_of_name(const char *name, struct fb_digest *ret)
{
	FB_FREE char *text = NULL;
	char *slash;

	if (strncmp(name, "blobs/", 6) != 0)
		return false;
	text = strdup(name + 6);
	slash = text ? strchr(text, '/') : NULL;
	if (!slash)
		return false;
	*slash = ':';
	return fb_digest_parse(text, ret, NULL) == 0;
}

int fb_members_note(struct fb_members *m, const struct fb_digest *digest)
{
	if (m->made_count == m->made_cap) {
		size_t cap = m->made_cap ? m->made_cap * 2 : 32;
		void *v = reallocarray(m->made, cap, sizeof(*m->made));

		if (!v)
			return -ENOMEM;
		m->made = v;
		m->made_cap = cap;
	}
	m->made[m->made_count++] = *digest;
	return 0;
}

/* @member's names are taken, also on failure */
static int add_member(struct fb_members *m, struct fb_member *member,
		      struct fb_err *err)
{
	int r = 0;

	if (m->count == FB_LOAD_MEMBERS_MAX)
		r = fb_err_set(err, -E2BIG, "archive has over %d members",
			       FB_LOAD_MEMBERS_MAX);
	if (r == 0 && m->count == m->cap) {
		size_t cap = m->cap ? m->cap * 2 : 32;
		void *v = reallocarray(m->v, cap, sizeof(*m->v));

		if (!v)
			r = fb_err_set(err, -ENOMEM, "read an archive: %m");
		else
			m->v = v, m->cap = cap;
	}
	if (r < 0) {
		free(member->name);
		free(member->target);
		return r;
	}
	member->order = m->count;
	m->v[m->count++] = *member;
	return 0;
}

static int read_text(struct fb_tar *tar, const struct fb_tar_entry *entry,
		     char **ret, size_t *ret_len, struct fb_err *err)
{
	FB_FREE char *text = NULL;
	ssize_t n;

	if (entry->size_bytes > FB_LOAD_INDEX_MAX)
		return fb_err_set(err, -E2BIG, "over %u bytes",
				  FB_LOAD_INDEX_MAX);
	text = malloc((size_t)entry->size_bytes + 1);
	if (!text)
		return fb_err_set(err, -ENOMEM, "%m");
	n = fb_tar_read(tar, text, (size_t)entry->size_bytes, err);
	if (n < 0)
		return (int)n;
	if ((uint64_t)n != entry->size_bytes)
		return fb_err_set(err, -EBADMSG, "cut short");
	text[n] = '\0';
	free(*ret);
	*ret = FB_TAKE_PTR(text);
	if (ret_len)
		*ret_len = (size_t)n;
	return 0;
}

static enum fb_layer_compression compression_of(const uint8_t *data, size_t len)
{
	switch (fb_compression_detect(data, len)) {
	case FB_COMPRESSION_GZIP:
		return FB_LAYER_GZIP;
	case FB_COMPRESSION_ZSTD:
		return FB_LAYER_ZSTD;
	/* no layer has a type for them: it is told that it is not its diff_id */
	case FB_COMPRESSION_XZ:
	case FB_COMPRESSION_BZIP2:
	case FB_COMPRESSION_PLAIN:
		break;
	}
	return FB_LAYER_PLAIN;
}

/**
 * struct reader - An archive at work
 * @m: What was found so far
 */
struct reader {
	const struct fb_image_context *ctx;
	struct fb_lease *lease;
	struct fb_tar *tar;
	struct fb_members *m;
};

static int copy_body(struct reader *rd, const struct fb_tar_entry *entry,
		     struct fb_blob_writer *writer, struct fb_member *member,
		     struct fb_err *err)
{
	FB_FREE uint8_t *buf = malloc(COPY_BYTES);
	const struct fb_progress *progress = rd->ctx->progress;
	uint64_t reported = 0;
	ssize_t n;
	int r = 0;

	if (!buf)
		return fb_err_set(err, -ENOMEM, "%m");
	while ((n = fb_tar_read(rd->tar, buf, COPY_BYTES, err)) > 0) {
		if (member->size_bytes == 0)
			member->compression = compression_of(buf, (size_t)n);
		r = fb_store_blob_write(writer, buf, (size_t)n, err);
		if (r == 0)
			r = fb_progress_tick(progress);
		if (r < 0)
			return r;
		member->size_bytes += (uint64_t)n;
		if (member->size_bytes - reported >= PROGRESS_BYTES) {
			reported = member->size_bytes;
			fb_progress(progress, FB_PROGRESS_LOADING, member->name,
				    reported, entry->size_bytes);
		}
	}
	if (n == 0 && member->size_bytes != entry->size_bytes)
		return fb_err_set(err, -EBADMSG, "cut short");
	return n < 0 ? (int)n : 0;
}

static int keep_file(struct reader *rd, const struct fb_tar_entry *entry,
		     struct fb_member *member, struct fb_err *err)
{
	FB_BLOB_WRITER struct fb_blob_writer *writer = NULL;
	struct fb_digest expected;
	struct fb_blob_options options = {
		.size_bytes = entry->size_bytes,
		.lease = rd->lease,
	};
	int r;

	/* a few bytes of archive must not become a disk full of zeroes */
	if (entry->sparse)
		return fb_err_set(err, -EBADMSG, "a sparse file");
	if (digest_of_name(member->name, &expected))
		options.digest = &expected;
	r = fb_store_blob_create(rd->ctx->store, &options, &writer, err);
	if (r == 0)
		r = copy_body(rd, entry, writer, member, err);
	if (r == 0)
		r = fb_store_blob_commit(writer, &member->digest, err);
	if (r == 0)
		writer = NULL;
	return r;
}

/* @name is taken, also on failure */
static int take_file(struct reader *rd, const struct fb_tar_entry *entry,
		     char *name, struct fb_err *err)
{
	struct fb_member member = { .name = name };
	struct fb_members *m = rd->m;
	int r;

	if (!strcmp(name, "oci-layout")) {
		r = read_text(rd->tar, entry, &m->layout, NULL, err);
	} else if (!strcmp(name, "index.json")) {
		r = read_text(rd->tar, entry, &m->index, &m->index_len, err);
	} else if (!strcmp(name, "manifest.json")) {
		r = read_text(rd->tar, entry, &m->manifest, &m->manifest_len,
			      err);
	} else if (is_ignored(name)) {
		r = 0;
	} else {
		r = keep_file(rd, entry, &member, err);
		if (r == 0)
			r = fb_members_note(m, &member.digest);
		if (r == 0)
			return add_member(m, &member, err);
	}
	free(name);
	return r;
}

/* Hard links name their target from the archive's top, symbolic ones from here */
static int take_link(struct reader *rd, const struct fb_tar_entry *entry,
		     char *name, struct fb_err *err)
{
	struct fb_member member = { .name = name };

	member.target = entry->type == FB_TAR_LINK
				? fb_member_clean(entry->link)
				: fb_member_target(name, entry->link);
	if (!member.target) {
		free(name);
		return fb_err_set(err, -EBADMSG,
				  "a link to '%s', which is not in the archive",
				  entry->link);
	}
	return add_member(rd->m, &member, err);
}

static int take_entry(struct reader *rd, const struct fb_tar_entry *entry,
		      struct fb_err *err)
{
	char *name;

	if (entry->name_len > FB_LOAD_NAME_MAX)
		return fb_err_set(err, -E2BIG, "a name of %zu bytes",
				  entry->name_len);
	switch (entry->type) {
	case FB_TAR_FILE:
	case FB_TAR_LINK:
	case FB_TAR_SYMLINK:
		break;
	case FB_TAR_DIR:
	case FB_TAR_SKIPPED:
		return 0;
	case FB_TAR_CHAR:
	case FB_TAR_BLOCK:
	case FB_TAR_FIFO:
		return fb_err_set(err, -EBADMSG,
				  "a device or pipe, in an image archive");
	}
	name = fb_member_clean(entry->name);
	if (!name)
		return fb_err_set(err, -EBADMSG, "leads out of the archive");
	return entry->type == FB_TAR_FILE ? take_file(rd, entry, name, err)
					  : take_link(rd, entry, name, err);
}

static int by_name_and_order(const void *a, const void *b)
{
	const struct fb_member *x = a, *y = b;
	int r = strcmp(x->name, y->name);

	return r ? r : (x->order > y->order) - (x->order < y->order);
}

static int read_entries(struct reader *rd, struct fb_err *err)
{
	struct fb_tar_entry entry;
	int r;

	while ((r = fb_tar_next(rd->tar, &entry, err)) > 0) {
		r = take_entry(rd, &entry, err);
		if (r < 0)
			return fb_err_wrap(err, r, "member '%s'", entry.name);
	}
	/* to the end, so that check sums are seen and a pipe's writer is not hit */
	return r < 0 ? r : fb_tar_drain(rd->tar, err);
}

int fb_members_read(const struct fb_image_context *ctx, struct fb_lease *lease,
		    struct fb_source *from, struct fb_members *ret,
		    struct fb_err *err)
{
	const struct fb_inflate_options limits = {
		.ratio_max = 2000,
		.ratio_free_bytes = 1u << 30,
	};
	FB_SOURCE struct fb_source *plain = NULL;
	FB_TAR struct fb_tar *tar = NULL;
	struct reader rd = { .ctx = ctx, .lease = lease, .m = ret };
	int r = fb_inflate_new(from, &limits, &plain, err);

	if (r == 0)
		r = fb_tar_open(plain, &tar, err);
	if (r == 0) {
		rd.tar = tar;
		r = read_entries(&rd, err);
	}
	if (r == 0 && ret->count)
		qsort(ret->v, ret->count, sizeof(*ret->v), by_name_and_order);
	return r;
}

static bool is_text(const char *name)
{
	return !strcmp(name, "oci-layout") || !strcmp(name, "index.json") ||
	       !strcmp(name, "manifest.json");
}

static int scan_file(struct reader *rd, const struct fb_tar_entry *entry,
		     char *name, struct fb_err *err)
{
	struct fb_member member = {
		.name = name,
		.size_bytes = entry->size_bytes,
		.offset = entry->body_offset,
	};

	if (is_text(name) && !entry->sparse)
		return take_file(rd, entry, name, err);
	/* its bytes do not stand there as they are */
	if (entry->sparse) {
		free(name);
		return 0;
	}
	return add_member(rd->m, &member, err);
}

/* what an image archive would not have is nothing to look for later */
static int scan_entry(struct reader *rd, const struct fb_tar_entry *entry,
		      struct fb_err *err)
{
	struct fb_member member = { 0 };

	if (rd->m->count == FB_LOAD_MEMBERS_MAX ||
	    entry->name_len > FB_LOAD_NAME_MAX ||
	    (entry->type != FB_TAR_FILE && entry->type != FB_TAR_LINK &&
	     entry->type != FB_TAR_SYMLINK))
		return 0;
	member.name = fb_member_clean(entry->name);
	if (!member.name)
		return 0;
	if (entry->type == FB_TAR_FILE)
		return scan_file(rd, entry, member.name, err);
	member.target = entry->type == FB_TAR_LINK
				? fb_member_clean(entry->link)
				: fb_member_target(member.name, entry->link);
	if (member.target)
		return add_member(rd->m, &member, err);
	free(member.name);
	return 0;
}

int fb_members_scan(struct fb_source *from, struct fb_members *ret,
		    struct fb_err *err)
{
	struct reader rd = { .m = ret };
	FB_TAR struct fb_tar *tar = NULL;
	struct fb_tar_entry entry;
	int r = fb_tar_open(from, &tar, err);

	rd.tar = tar;
	while (r == 0 && (r = fb_tar_next(tar, &entry, err)) > 0) {
		r = scan_entry(&rd, &entry, err);
		if (r < 0)
			r = fb_err_wrap(err, r, "member '%s'", entry.name);
	}
	if (r == 0 && ret->count)
		qsort(ret->v, ret->count, sizeof(*ret->v), by_name_and_order);
	return r;
}

/* The last of those with this name; bsearch() would find any */
static const struct fb_member *find_one(const struct fb_members *m,
					const char *name)
{
	size_t low = 0, high = m->count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (strcmp(m->v[mid].name, name) <= 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low && !strcmp(m->v[low - 1].name, name) ? &m->v[low - 1] : NULL;
}

const struct fb_member *fb_members_find(const struct fb_members *members,
					const char *name)
{
	for (int i = 0; i < LINKS_MAX; i++) {
		const struct fb_member *member = find_one(members, name);

		if (!member || !member->target)
			return member;
		name = member->target;
	}
	return NULL;
}

void fb_members_release(struct fb_members *members)
{
	for (size_t i = 0; i < members->count; i++) {
		free(members->v[i].name);
		free(members->v[i].target);
	}
	free(members->v);
	free(members->made);
	free(members->layout);
	free(members->index);
	free(members->manifest);
	*members = (struct fb_members){ 0 };
}
