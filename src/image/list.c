/* SPDX-License-Identifier: Apache-2.0 */
/* What `images` shows: a row a tag, not a row an image. */
#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "image/image.h"

#define TEXT_MAX (FB_REFERENCE_TEXT_MAX + 256)
#define NONE "<none>"

void fb_image_rows_release(struct fb_image_rows *rows)
{
	for (size_t i = 0; i < rows->count; i++) {
		free(rows->v[i].repository);
		free(rows->v[i].tag);
	}
	free(rows->v);
	*rows = (struct fb_image_rows){ 0 };
}

static int add_row(struct fb_image_rows *rows,
		   const struct fb_image_record *record, const char *repository,
		   const char *tag, const struct fb_digest *digest)
{
	struct fb_image_row row = {
		.id = record->config,
		.manifest = record->manifest,
		.created_s = record->created_s,
		.size_bytes = record->size_bytes,
		.platform = record->platform,
	};

	if (digest)
		row.digest = *digest;
	/* doubled whenever the count is a power of two */
	if ((rows->count & (rows->count - 1)) == 0) {
		void *v =
			reallocarray(rows->v, rows->count ? rows->count * 2 : 1,
				     sizeof(*rows->v));

		if (!v)
			return -ENOMEM;
		rows->v = v;
	}
	row.repository = strdup(repository);
	row.tag = strdup(tag);
	if (!row.repository || !row.tag) {
		free(row.repository);
		free(row.tag);
		return -ENOMEM;
	}
	rows->v[rows->count++] = row;
	return 0;
}

static bool matches(const char *filter, const struct fb_reference *ref)
{
	char familiar[TEXT_MAX], full[TEXT_MAX], with_tag[TEXT_MAX + 256];
	const char *slash, *tag;

	if (!filter)
		return true;
	slash = strrchr(filter, '/');
	tag = strchr(slash ? slash : filter, ':');
	(void)fb_reference_repository(ref, familiar);
	(void)snprintf(full, sizeof(full), "%s/%s", ref->domain, ref->path);
	if (!tag)
		return fnmatch(filter, familiar, FNM_PATHNAME) == 0 ||
		       fnmatch(filter, full, FNM_PATHNAME) == 0;
	(void)snprintf(with_tag, sizeof(with_tag), "%s:%s", familiar, ref->tag);
	if (fnmatch(filter, with_tag, FNM_PATHNAME) == 0)
		return true;
	(void)snprintf(with_tag, sizeof(with_tag), "%s:%s", full, ref->tag);
	return fnmatch(filter, with_tag, FNM_PATHNAME) == 0;
}

static bool same_repository(const struct fb_reference *a,
			    const struct fb_reference *b)
{
	return !strcmp(a->domain, b->domain) && !strcmp(a->path, b->path);
}

/* Tags stand before digests; a digest name shows in its repository's tags. */
static int add_image(struct fb_image_rows *rows,
		     const struct fb_image_record *record, const char *filter)
{
	size_t count = record->names.count;
	FB_FREE struct fb_reference *refs = calloc(count + 1, sizeof(*refs));
	char repository[TEXT_MAX];
	int r = 0;

	if (!refs)
		return -ENOMEM;
	if (count == 0 && !filter)
		return add_row(rows, record, NONE, NONE, NULL);
	for (size_t i = 0; i < count; i++)
		if (fb_reference_parse(record->names.v[i], &refs[i], NULL) < 0)
			return -EBADMSG;
	for (size_t i = 0; r == 0 && i < count; i++) {
		const struct fb_digest *digest = NULL;
		bool shown = false;

		for (size_t j = 0; j < count; j++) {
			if (!same_repository(&refs[i], &refs[j]))
				continue;
			if (refs[j].digest.set)
				digest = &refs[j].digest;
			/* a row of this repository stands there already */
			shown |= j < i && refs[i].digest.set;
		}
		if (shown || !matches(filter, &refs[i]))
			continue;
		r = add_row(rows, record,
			    fb_reference_repository(&refs[i], repository),
			    refs[i].digest.set ? NONE : refs[i].tag, digest);
	}
	return r;
}

int fb_image_list(const struct fb_image_context *ctx, const char *filter,
		  struct fb_image_rows *ret, struct fb_err *err)
{
	FB_IMAGE_RECORDS struct fb_image_records records = { 0 };
	FB_IMAGE_ROWS struct fb_image_rows rows = { 0 };
	int r = fb_store_image_list(ctx->store, &records, err);

	if (r < 0)
		return r;
	for (size_t i = 0; r == 0 && i < records.count; i++)
		r = add_image(&rows, &records.v[i], filter);
	if (r < 0)
		return fb_err_set(err, r, "list images: %s", strerror(-r));
	*ret = rows;
	rows = (struct fb_image_rows){ 0 };
	return 0;
}
