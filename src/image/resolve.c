/* SPDX-License-Identifier: Apache-2.0 */
/* What users type → an image; and what is done to it by that name. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "image/image.h"

#define CANONICAL_MAX (FB_REFERENCE_TEXT_MAX + 256)

static int no_such_image(const char *text, struct fb_err *err)
{
	return fb_err_hint(err,
			   fb_err_set(err, -ENOENT, "No such image: %s", text),
			   "flamebox images lists those that are here");
}

/* The catalogue's spelling: a name with a digest has no tag. */
static void canonical(const struct fb_reference *ref, char out[CANONICAL_MAX])
{
	struct fb_reference plain = *ref;

	if (plain.digest.set)
		plain.tag[0] = '\0';
	(void)fb_reference_canonical(&plain, out);
}

#define ID_MAX 136

/* "sha256:0123…" or "0123…", in any case. Return: false where it is no id */
static bool id_digits(const char *text, char out[ID_MAX])
{
	bool kind = strncmp(text, "sha256:", 7) == 0 ||
		    strncmp(text, "sha512:", 7) == 0;
	const char *digits = kind ? text + 7 : text;
	size_t len = strlen(text);

	if (!*digits || len >= ID_MAX ||
	    digits[strspn(digits, "0123456789abcdefABCDEF")])
		return false;
	for (size_t i = 0; i <= len; i++)
		out[i] = (char)tolower((unsigned char)text[i]);
	return true;
}

int fb_image_resolve(const struct fb_image_context *ctx, const char *text,
		     struct fb_image_record *ret, char **ret_name,
		     struct fb_err *err)
{
	char name[CANONICAL_MAX] = "";
	char digits[ID_MAX];
	struct fb_reference ref;
	struct fb_err bad = { 0 };
	FB_FREE char *found = NULL;
	bool is_name = fb_reference_parse(text, &ref, &bad) == 0;
	int r = -ENOENT;

	if (is_name) {
		canonical(&ref, name);
		r = fb_store_image_by_name(ctx->store, name, ret, NULL);
	}
	if (r == -ENOENT && id_digits(text, digits)) {
		name[0] = '\0';
		r = fb_store_image_by_id(ctx->store, digits, ret, err);
	} else if (r == -ENOENT && !is_name) {
		if (err)
			*err = bad;
		return bad.code;
	}
	if (r == -ENOENT)
		return no_such_image(text, err);
	/* once more for the text of what went wrong */
	if (r < 0 && r != -ENOTUNIQ && name[0])
		return fb_store_image_by_name(ctx->store, name, ret, err);
	if (r < 0 || !ret_name)
		return r;
	found = strdup(name);
	if (!found) {
		fb_image_record_release(ret);
		return fb_err_set(err, -ENOMEM, "find image '%s'", text);
	}
	*ret_name = FB_TAKE_PTR(found);
	return 0;
}

int fb_image_tag(const struct fb_image_context *ctx, const char *source,
		 const char *target, struct fb_err *err)
{
	FB_IMAGE_RECORD struct fb_image_record record = { 0 };
	char name[CANONICAL_MAX];
	struct fb_reference ref;
	int r = fb_reference_parse(target, &ref, err);

	if (r < 0)
		return fb_err_wrap(
			err, r, "\"%s\" is not a valid repository/tag", target);
	if (ref.digest.set)
		return fb_err_set(err, -EINVAL,
				  "refusing to create a tag with a digest "
				  "reference");
	r = fb_image_resolve(ctx, source, &record, NULL, err);
	if (r < 0)
		return r;
	canonical(&ref, name);
	return fb_store_image_tag(ctx->store, &record.manifest, name, err);
}

/* Canonical names as users write them */
int fb_image_familiar_names(struct fb_strv *names, size_t from)
{
	char text[CANONICAL_MAX];
	struct fb_reference ref;

	for (size_t i = from; i < names->count; i++) {
		char *copy;

		if (fb_reference_parse(names->v[i], &ref, NULL) < 0)
			continue;
		if (ref.digest.set)
			ref.tag[0] = '\0';
		copy = strdup(fb_reference_familiar(&ref, text));
		if (!copy)
			return -ENOMEM;
		free(names->v[i]);
		names->v[i] = copy;
	}
	return 0;
}

/* docker says first which image it is that went */
static void put_first(struct fb_strv *deleted, size_t from,
		      const struct fb_digest *id)
{
	char text[FB_DIGEST_TEXT_MAX];

	(void)fb_digest_format(id, text);
	for (size_t i = from; i < deleted->count; i++) {
		char *found = deleted->v[i];

		if (strcmp(found, text) != 0)
			continue;
		memmove(deleted->v + from + 1, deleted->v + from,
			(i - from) * sizeof(*deleted->v));
		deleted->v[from] = found;
		return;
	}
}

int fb_image_remove(const struct fb_image_context *ctx, const char *text,
		    bool force, struct fb_image_removal *ret,
		    struct fb_err *err)
{
	FB_IMAGE_RECORD struct fb_image_record record = { 0 };
	FB_FREE char *name = NULL;
	size_t before = ret->untagged.count, deleted = ret->deleted.count;
	int r = fb_image_resolve(ctx, text, &record, &name, err);

	if (r == 0)
		r = fb_store_image_remove(ctx->store, name[0] ? name : NULL,
					  &record.config, force, ret, err);
	if (r < 0)
		return r;
	put_first(&ret->deleted, deleted, &record.config);
	return fb_image_familiar_names(&ret->untagged, before);
}
