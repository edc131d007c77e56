/* SPDX-License-Identifier: Apache-2.0 */
/* Which images `save` means by its words, and under which names. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "image/assemble.h"
#include "image/save_internal.h"
#include "store/blob.h"

void fb_saved_list_release(struct fb_saved_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		fb_image_record_release(&list->v[i].record);
		fb_manifest_release(&list->v[i].manifest);
		fb_strv_release(&list->v[i].tags);
	}
	free(list->v);
	*list = (struct fb_saved_list){ 0 };
}

static int add_tag(struct fb_saved *image, const char *tag, struct fb_err *err)
{
	int r;

	for (size_t i = 0; i < image->tags.count; i++)
		if (!strcmp(image->tags.v[i], tag))
			return 0;
	r = fb_strv_add(&image->tags, tag);
	return r < 0 ? fb_err_set(err, r, "save '%s': %s", tag, strerror(-r))
		     : 0;
}

static struct fb_saved *find_saved(struct fb_saved_list *list,
				   const struct fb_digest *manifest)
{
	for (size_t i = 0; i < list->count; i++)
		if (fb_digest_equal(&list->v[i].record.manifest, manifest))
			return &list->v[i];
	return NULL;
}

/* @record is taken on success */
static int add_image(struct fb_saved_list *list, struct fb_image_record *record,
		     struct fb_saved **ret, struct fb_err *err)
{
	struct fb_saved *v = find_saved(list, &record->manifest);

	if (v) {
		fb_image_record_release(record);
		*ret = v;
		return 0;
	}
	if (list->count == FB_SAVE_ENTRIES_MAX)
		return fb_err_set(err, -E2BIG, "over %d images in one archive",
				  FB_SAVE_ENTRIES_MAX);
	/* doubled whenever the count is a power of two */
	if ((list->count & (list->count - 1)) == 0) {
		v = reallocarray(list->v, list->count ? list->count * 2 : 1,
				 sizeof(*list->v));
		if (!v)
			return fb_err_set(err, -ENOMEM, "save images: %m");
		list->v = v;
	}
	list->v[list->count] = (struct fb_saved){ .record = *record };
	*record = (struct fb_image_record){ 0 };
	*ret = &list->v[list->count++];
	return 0;
}

/* "alpine", but neither "alpine:3" nor "alpine@sha256:…" */
static bool is_name_only(const char *text, const struct fb_reference *ref)
{
	const char *slash = strrchr(text, '/');

	return !ref->digest.set && !strchr(slash ? slash : text, ':');
}

static bool is_tag_of(const char *name, const struct fb_reference *repository)
{
	struct fb_reference ref;

	return fb_reference_parse(name, &ref, NULL) == 0 && !ref.digest.set &&
	       !strcmp(ref.domain, repository->domain) &&
	       !strcmp(ref.path, repository->path);
}

/* All tags of a repository. Return: how many; negative errno */
static int add_repository(const struct fb_image_context *ctx,
			  const struct fb_reference *repository,
			  struct fb_saved_list *list, struct fb_err *err)
{
	FB_IMAGE_RECORDS struct fb_image_records all = { 0 };
	int r = fb_store_image_list(ctx->store, &all, err), count = 0;

	for (size_t i = 0; r == 0 && i < all.count; i++) {
		FB_STRV struct fb_strv names = all.v[i].names;
		struct fb_saved *image = NULL;

		all.v[i].names = (struct fb_strv){ 0 };
		for (size_t n = 0; r == 0 && n < names.count; n++) {
			if (!is_tag_of(names.v[n], repository))
				continue;
			if (!image)
				r = add_image(list, &all.v[i], &image, err);
			if (r == 0)
				r = add_tag(image, names.v[n], err);
			count++;
		}
	}
	return r < 0 ? r : count;
}

static int add_text(const struct fb_image_context *ctx, const char *text,
		    struct fb_saved_list *list, struct fb_err *err)
{
	FB_IMAGE_RECORD struct fb_image_record record = { 0 };
	FB_FREE char *name = NULL;
	struct fb_saved *image = NULL;
	struct fb_reference ref;
	int r;

	if (fb_reference_parse(text, &ref, NULL) == 0 &&
	    is_name_only(text, &ref)) {
		r = add_repository(ctx, &ref, list, err);
		if (r != 0)
			return r < 0 ? r : 0;
	}
	r = fb_image_resolve(ctx, text, &record, &name, err);
	if (r == 0)
		r = add_image(list, &record, &image, err);
	if (r == 0 && name[0] && !strchr(name, '@'))
		r = add_tag(image, name, err);
	return r;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int complete(const struct fb_image_context *ctx,
		    const struct fb_image_save *save, struct fb_saved *image,
		    struct fb_err *err)
{
	FB_FD int fd = -EBADF;
	int r = fb_image_check_platform(ctx, &image->record.platform,
					save->platform, err);

	if (r == 0)
		r = fb_image_load_manifest(ctx->store, &image->record.manifest,
					   &image->manifest, err);
	if (r < 0)
		return r;
	fd = fb_store_blob_open(ctx->store, &image->record.manifest, UINT64_MAX,
				&image->manifest_bytes, err);
	if (fd < 0)
		return fd;
	if (image->tags.count)
		qsort(image->tags.v, image->tags.count, sizeof(char *),
		      by_text);
	return 0;
}

int fb_saved_select(const struct fb_image_context *ctx,
		    const struct fb_image_save *save, struct fb_saved_list *ret,
		    struct fb_err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < save->count; i++)
		r = add_text(ctx, save->refs[i], ret, err);
	for (size_t i = 0; r == 0 && i < ret->count; i++) {
		char text[FB_DIGEST_TEXT_MAX];

		r = complete(ctx, save, &ret->v[i], err);
		if (r < 0)
			return fb_err_wrap(
				err, r, "image '%s'",
				ret->v[i].tags.count
					? ret->v[i].tags.v[0]
					: fb_digest_format(
						  &ret->v[i].record.config,
						  text));
		ret->entries += ret->v[i].tags.count ? ret->v[i].tags.count : 1;
	}
	if (r == 0 && ret->entries > FB_SAVE_ENTRIES_MAX)
		r = fb_err_set(err, -E2BIG, "over %d names in one archive",
			       FB_SAVE_ENTRIES_MAX);
	return r;
}
