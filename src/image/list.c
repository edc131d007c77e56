/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What `images` shows: a row a tag, not a row an image.
 *
 * A store may hold ten thousand images, and the list is often asked for by
 * scripts.  So names are split, not parsed (they are canonical in the
 * catalogue), and text goes into a few large chunks.
 */
#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "image/assemble.h"
#include "image/image.h"

#define TEXT_MAX (FB_REFERENCE_TEXT_MAX + 256)
#define CHUNK_BYTES (64u << 10)
#define NONE "<none>"

void fb_image_rows_release(struct fb_image_rows *rows)
{
	for (size_t i = 0; i < rows->chunk_count; i++)
		free(rows->chunks[i]);
	free(rows->chunks);
	free(rows->v);
	*rows = (struct fb_image_rows){ 0 };
}

/* A copy that lives as long as the rows; no text here is longer than a name */
static const char *keep(struct fb_image_rows *rows, const char *text,
			size_t len)
{
	char *to;

	if (len >= CHUNK_BYTES)
		return NULL;
	if (rows->chunk_count == 0 ||
	    rows->chunk_used + len + 1 > CHUNK_BYTES) {
		char *chunk = malloc(CHUNK_BYTES);
		void *v = chunk ? reallocarray(rows->chunks,
					       rows->chunk_count + 1,
					       sizeof(*rows->chunks))
				: NULL;

		if (!v) {
			free(chunk);
			return NULL;
		}
		rows->chunks = v;
		rows->chunks[rows->chunk_count++] = chunk;
		rows->chunk_used = 0;
	}
	to = rows->chunks[rows->chunk_count - 1] + rows->chunk_used;
	memcpy(to, text, len);
	to[len] = '\0';
	rows->chunk_used += len + 1;
	return to;
}

/**
 * struct split - A canonical name in pieces, none of them terminated
 * @repository: "docker.io/library/alpine"
 * @tag:        Behind it, or empty
 * @digest:     Behind it, or empty
 */
struct split {
	const char *repository;
	size_t repository_len;
	const char *tag;
	size_t tag_len;
	const char *digest;
};

static struct split split_name(const char *name)
{
	size_t len = strlen(name);
	const char *at = memchr(name, '@', len);
	struct split s = { .repository = name, .digest = at ? at + 1 : "" };

	s.repository_len = at ? (size_t)(at - name) : len;
	/* a colon behind the last slash; one before it belongs to a port */
	for (size_t i = s.repository_len; i > 0 && name[i - 1] != '/'; i--) {
		if (name[i - 1] != ':')
			continue;
		s.tag = name + i;
		s.tag_len = s.repository_len - i;
		s.repository_len = i - 1;
		break;
	}
	return s;
}

static bool same_repository(const struct split *a, const struct split *b)
{
	return a->repository_len == b->repository_len &&
	       !memcmp(a->repository, b->repository, a->repository_len);
}

/* "docker.io/team/app" → "team/app"; what is less plain is left to reference.c */
static const char *familiar(struct fb_image_rows *rows, const struct split *s)
{
	static const char hub[] = "docker.io/", library[] = "library/";
	const char *path = s->repository + sizeof(hub) - 1;
	size_t len = s->repository_len, first;
	char whole[TEXT_MAX], text[TEXT_MAX];
	struct fb_reference ref;

	if (len < sizeof(hub) || memcmp(s->repository, hub, sizeof(hub) - 1))
		return keep(rows, s->repository, len);
	len -= sizeof(hub) - 1;
	if (len > sizeof(library) - 1 &&
	    !memcmp(path, library, sizeof(library) - 1) &&
	    !memchr(path + sizeof(library) - 1, '/',
		    len - (sizeof(library) - 1)))
		return keep(rows, path + sizeof(library) - 1,
			    len - (sizeof(library) - 1));
	first = strcspn(path, "/.:");
	if (first < len && path[first] == '/' &&
	    !(first == 9 && !memcmp(path, "localhost", 9)))
		return keep(rows, path, len);
	(void)snprintf(whole, sizeof(whole), "%.*s", (int)s->repository_len,
		       s->repository);
	if (fb_reference_parse(whole, &ref, NULL) < 0)
		return keep(rows, s->repository, s->repository_len);
	(void)fb_reference_repository(&ref, text);
	return keep(rows, text, strlen(text));
}

/**
 * struct listing - A list in the making
 * @filter:   Or NULL
 * @before_s: INT64_MAX = any
 * @since_s:  INT64_MIN = any
 * @splits:   Names of the image at work
 */
struct listing {
	const struct fb_image_context *ctx;
	const struct fb_image_filter *filter;
	int64_t before_s;
	int64_t since_s;
	struct fb_image_rows rows;
	struct split *splits;
	size_t split_cap;
};

static bool is_platform(const char *text, const struct fb_image_scan *image)
{
	size_t os = strlen(image->os), arch = strlen(image->arch);

	return !image->variant[0] && !strncmp(text, image->os, os) &&
	       text[os] == '/' && !strcmp(text + os + 1, image->arch) && arch;
}

static const char *keep_platform(struct fb_image_rows *rows,
				 const struct fb_image_scan *image)
{
	const char *last = rows->count ? rows->v[rows->count - 1].platform : "";
	char text[100];

	/* nearly always the same */
	if (is_platform(last, image))
		return last;
	(void)snprintf(text, sizeof(text), "%.31s/%.31s%s%.31s", image->os,
		       image->arch, image->variant[0] ? "/" : "",
		       image->variant);
	return keep(rows, text, strlen(text));
}

/* @name is NULL for an image without any */
static int add_row(struct fb_image_rows *rows,
		   const struct fb_image_scan *image, const struct split *name,
		   const char *digest)
{
	struct fb_image_row row = {
		.repository = name ? familiar(rows, name) : NONE,
		.tag = name && name->tag_len
			       ? keep(rows, name->tag, name->tag_len)
			       : NONE,
		.digest = "",
		.id = keep(rows, image->config, strlen(image->config)),
		.platform = keep_platform(rows, image),
		.created_s = image->created_s,
		.seq = image->seq,
		.size_bytes = image->size_bytes,
	};

	if (digest[0])
		row.digest = keep(rows, digest, strlen(digest));
	if (!row.repository || !row.tag || !row.digest || !row.id ||
	    !row.platform)
		return -ENOMEM;
	/* doubled whenever the count is a power of two */
	if ((rows->count & (rows->count - 1)) == 0) {
		void *v =
			reallocarray(rows->v, rows->count ? rows->count * 2 : 1,
				     sizeof(*rows->v));

		if (!v)
			return -ENOMEM;
		rows->v = v;
	}
	rows->v[rows->count++] = row;
	return 0;
}

static bool matches_one(const char *pattern, const struct fb_reference *ref)
{
	char short_name[TEXT_MAX], full[TEXT_MAX], with_tag[TEXT_MAX + 256];
	const char *slash = strrchr(pattern, '/');
	const char *tag = strchr(slash ? slash : pattern, ':');

	(void)fb_reference_repository(ref, short_name);
	(void)snprintf(full, sizeof(full), "%s/%s", ref->domain, ref->path);
	if (!tag)
		return fnmatch(pattern, short_name, FNM_PATHNAME) == 0 ||
		       fnmatch(pattern, full, FNM_PATHNAME) == 0;
	(void)snprintf(with_tag, sizeof(with_tag), "%s:%s", short_name,
		       ref->tag);
	if (fnmatch(pattern, with_tag, FNM_PATHNAME) == 0)
		return true;
	(void)snprintf(with_tag, sizeof(with_tag), "%s:%s", full, ref->tag);
	return fnmatch(pattern, with_tag, FNM_PATHNAME) == 0;
}

static bool matches(const struct fb_strv *patterns, const char *name)
{
	struct fb_reference ref;

	if (patterns->count == 0)
		return true;
	if (fb_reference_parse(name, &ref, NULL) < 0)
		return false;
	if (ref.digest.set)
		ref.tag[0] = '\0';
	for (size_t i = 0; i < patterns->count; i++)
		if (matches_one(patterns->v[i], &ref))
			return true;
	return false;
}

static bool has_label(char *const *labels, const char *want)
{
	size_t len = strlen(want);
	bool whole = strchr(want, '=') != NULL;

	for (; labels && *labels; labels++)
		if (!strncmp(*labels, want, len) &&
		    ((*labels)[len] == '\0' ||
		     (!whole && (*labels)[len] == '=')))
			return true;
	return false;
}

/* A damaged config is one without labels, and is not wanted where any are asked for. */
static bool has_labels(const struct listing *l,
		       const struct fb_image_scan *image)
{
	const struct fb_strv *labels = &l->filter->labels;
	const struct fb_strv *none = &l->filter->no_labels;
	FB_IMAGE_CONFIG struct fb_image_config config = { 0 };
	struct fb_digest digest;

	if (labels->count + none->count == 0)
		return true;
	if (fb_digest_parse(image->config, &digest, NULL) < 0 ||
	    fb_image_load_config(l->ctx->store, &digest, &config, NULL, NULL,
				 NULL) < 0)
		return false;
	for (size_t i = 0; i < labels->count; i++)
		if (!has_label(config.labels, labels->v[i]))
			return false;
	for (size_t i = 0; i < none->count; i++)
		if (has_label(config.labels, none->v[i]))
			return false;
	return true;
}

static bool is_wanted(const struct listing *l,
		      const struct fb_image_scan *image)
{
	const struct fb_image_filter *f = l->filter;
	bool dangling =
		image->name_count == 0 || strchr(image->names[0], '@') != NULL;

	if (!f)
		return true;
	/* docker's two halves overlap: an image that has but a digest */
	if ((f->dangling == FB_IMAGE_DANGLING_ONLY && !dangling) ||
	    (f->dangling == FB_IMAGE_DANGLING_NONE && image->name_count == 0))
		return false;
	if (image->created_s >= l->before_s || image->created_s <= l->since_s ||
	    (f->until_s && image->created_s >= f->until_s))
		return false;
	return has_labels(l, image);
}

/* Tags stand before digests; a digest name shows in its repository's tags. */
static int add_name(struct listing *l, const struct fb_image_scan *image,
		    size_t i)
{
	const struct split *name = &l->splits[i];
	const char *digest = "";

	for (size_t j = 0; j < image->name_count; j++) {
		if (!same_repository(name, &l->splits[j]))
			continue;
		if (l->splits[j].digest[0] && l->filter && l->filter->digests)
			digest = l->splits[j].digest;
		/* a row of this repository stands there already */
		if (j < i && name->digest[0])
			return 0;
	}
	if (l->filter && !matches(&l->filter->references, image->names[i]))
		return 0;
	return add_row(&l->rows, image, name, digest);
}

static int split_names(struct listing *l, const struct fb_image_scan *image)
{
	if (image->name_count > l->split_cap) {
		void *v = reallocarray(l->splits, image->name_count,
				       sizeof(*l->splits));

		if (!v)
			return -ENOMEM;
		l->splits = v;
		l->split_cap = image->name_count;
	}
	for (size_t i = 0; i < image->name_count; i++)
		l->splits[i] = split_name(image->names[i]);
	return 0;
}

static int visit(void *ctx, const struct fb_image_scan *image,
		 struct fb_err *err)
{
	struct listing *l = ctx;
	int r = 0;

	if (!is_wanted(l, image))
		return 0;
	if (image->name_count == 0 &&
	    (!l->filter || l->filter->references.count == 0))
		r = add_row(&l->rows, image, NULL, "");
	if (r == 0)
		r = split_names(l, image);
	for (size_t i = 0; r == 0 && i < image->name_count; i++)
		r = add_name(l, image, i);
	return r < 0 ? fb_err_set(err, r, "list images: %s", strerror(-r)) : 0;
}

static int newest_first(const void *a, const void *b)
{
	const struct fb_image_row *x = a, *y = b;
	int r;

	if (x->created_s != y->created_s)
		return x->created_s > y->created_s ? -1 : 1;
	/* any order will do, so long as it is always the same */
	if (x->seq != y->seq)
		return x->seq > y->seq ? -1 : 1;
	r = strcmp(x->repository, y->repository);
	return r ? r : strcmp(x->tag, y->tag);
}

static int time_of(const struct fb_image_context *ctx, const char *text,
		   int64_t *ret, struct fb_err *err)
{
	FB_IMAGE_RECORD struct fb_image_record record = { 0 };
	int r;

	if (!text)
		return 0;
	r = fb_image_resolve(ctx, text, &record, NULL, err);
	if (r == 0)
		*ret = record.created_s;
	return r;
}

int fb_image_list(const struct fb_image_context *ctx,
		  const struct fb_image_filter *filter,
		  struct fb_image_rows *ret, struct fb_err *err)
{
	struct listing l = { .ctx = ctx,
			     .filter = filter,
			     .before_s = INT64_MAX,
			     .since_s = INT64_MIN };
	int r = 0;

	if (filter)
		r = time_of(ctx, filter->before, &l.before_s, err);
	if (r == 0 && filter)
		r = time_of(ctx, filter->since, &l.since_s, err);
	if (r == 0)
		r = fb_store_image_scan(ctx->store, visit, &l, err);
	free(l.splits);
	if (r < 0) {
		fb_image_rows_release(&l.rows);
		return r;
	}
	if (l.rows.count)
		qsort(l.rows.v, l.rows.count, sizeof(*l.rows.v), newest_first);
	*ret = l.rows;
	return 0;
}
