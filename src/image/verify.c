/* SPDX-License-Identifier: Apache-2.0 */
#include "image/verify.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "image/pull.h"
#include "store/blob.h"

#define LINE_MAX_BYTES 4096
#define NAME_MAX_BYTES (FB_REFERENCE_TEXT_MAX + 256)

/**
 * struct verifying - A verification at work
 * @v: What was found
 */
struct verifying {
	const struct fb_image_context *ctx;
	const struct fb_image_verify *how;
	struct fb_store_finding *v;
	size_t count;
	size_t repaired;
};

static int note(void *ctx, const struct fb_store_finding *finding)
{
	struct verifying *w = ctx;

	/* doubled whenever the count is a power of two */
	if ((w->count & (w->count - 1)) == 0) {
		void *v = reallocarray(w->v, w->count ? w->count * 2 : 1,
				       sizeof(*w->v));

		if (!v)
			return -ENOMEM;
		w->v = v;
	}
	w->v[w->count++] = *finding;
	return 0;
}

static int show_step(void *ctx, const char *what, uint64_t done, uint64_t total)
{
	struct verifying *w = ctx;

	fb_progress(w->ctx->progress, FB_PROGRESS_VERIFYING, what, done, total);
	return fb_progress_tick(w->ctx->progress);
}

__attribute__((format(printf, 2, 3))) static void say(const struct verifying *w,
						      const char *fmt, ...)
{
	char line[LINE_MAX_BYTES];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	w->how->say(w->how->ctx, line);
}

/* "app:1", or "sha256:…" of one without a name. Return: @out */
static const char *call_image(const struct fb_image_record *record,
			      char out[NAME_MAX_BYTES])
{
	struct fb_reference ref;

	if (record->names.count == 0 ||
	    fb_reference_parse(record->names.v[0], &ref, NULL) < 0)
		return fb_digest_format(&record->config, out);
	if (ref.digest.set)
		ref.tag[0] = '\0';
	return fb_reference_familiar(&ref, out);
}

/* The images that need a blob, as "app:1, other:2" */
static void list_users(const struct verifying *w,
		       const struct fb_digest *digest, struct fb_str *out)
{
	FB_FREE struct fb_digest *manifests = NULL;
	size_t count = 0;
	char name[NAME_MAX_BYTES];

	(void)fb_store_blob_images(w->ctx->store, digest, &manifests, &count,
				   NULL);
	for (size_t i = 0; i < count; i++) {
		FB_IMAGE_RECORD struct fb_image_record record = { 0 };

		if (fb_store_image_by_manifest(w->ctx->store, &manifests[i],
					       &record, NULL) < 0)
			continue;
		fb_str_printf(out, "%s'%s'", i ? ", " : "",
			      call_image(&record, name));
	}
}

static void describe(const struct verifying *w,
		     const struct fb_store_finding *f)
{
	FB_STR struct fb_str users = FB_STR_INIT(LINE_MAX_BYTES / 2);
	char text[FB_DIGEST_TEXT_MAX];

	(void)fb_digest_format(&f->digest, text);
	switch (f->fault) {
	case FB_STORE_FAULT_MISSING:
	case FB_STORE_FAULT_DAMAGED:
		list_users(w, &f->digest, &users);
		say(w, "blob '%s' of %s is %s", text, fb_str_cstr(&users),
		    f->fault == FB_STORE_FAULT_MISSING ? "missing" : "damaged");
		break;
	case FB_STORE_FAULT_STRAY:
		say(w, "blob '%s', which no image needs, is damaged", text);
		break;
	case FB_STORE_FAULT_ROOTFS:
		say(w, "converted image '%s' is damaged", text);
		break;
	case FB_STORE_FAULT_INDEX:
		say(w, "index.json is not what the catalogue says");
		break;
	}
}

static bool has_name(const struct fb_image_record *record, const char *name)
{
	for (size_t i = 0; i < record->names.count; i++)
		if (!strcmp(record->names.v[i], name))
			return true;
	return false;
}

/* Pull one image by digest from where @name says it came from. */
static int pull_from(const struct verifying *w,
		     const struct fb_image_record *record, const char *name,
		     struct fb_err *err)
{
	FB_IMAGE_PULLED struct fb_image_pulled pulled = { 0 };
	struct fb_image_removal gone = { 0 };
	char text[NAME_MAX_BYTES];
	struct fb_reference ref;
	struct fb_image_pull pull = { .reference = text,
				      .platform = &record->platform,
				      .registry = w->how->registry,
				      .fetch_only = true };
	int r = fb_reference_parse(name, &ref, err);

	if (r < 0)
		return r;
	if (!ref.digest.set)
		ref.digest = record->manifest;
	ref.tag[0] = '\0';
	(void)fb_reference_canonical(&ref, text);
	r = fb_image_pull(w->ctx, &pull, &pulled, err);
	/* a name that it did not have is not what was asked for */
	if (r == 0 && !has_name(record, text))
		(void)fb_store_image_remove(w->ctx->store, text, NULL, false,
					    &gone, NULL);
	fb_image_removal_release(&gone);
	return r;
}

/* Names with a digest stand last, and lead to an index where there was one. */
static int pull_again(const struct verifying *w,
		      const struct fb_digest *manifest,
		      const struct fb_digest *blob, struct fb_err *err)
{
	FB_IMAGE_RECORD struct fb_image_record record = { 0 };
	char text[NAME_MAX_BYTES];
	int r = fb_store_image_by_manifest(w->ctx->store, manifest, &record,
					   err);

	if (r < 0)
		return r;
	r = fb_err_set(err, -ENOENT,
		       "image '%s' has no name to pull it by: load it again",
		       call_image(&record, text));
	for (size_t i = record.names.count; i > 0; i--) {
		struct fb_err one = { 0 };

		r = pull_from(w, &record, record.names.v[i - 1], &one);
		if (r == 0 && fb_store_blob_is_sound(w->ctx->store, blob) == 1)
			return 0;
		if (err && r < 0)
			*err = one;
	}
	return r < 0 ? r
		     : fb_err_set(err, -ENOENT,
				  "image '%s' came without it: load it again",
				  call_image(&record, text));
}

static int fetch_blob(const struct verifying *w, const struct fb_digest *digest,
		      struct fb_err *err)
{
	FB_FREE struct fb_digest *manifests = NULL;
	size_t count = 0;
	int r;

	/* it may have come along with another one */
	if (fb_store_blob_is_sound(w->ctx->store, digest) == 1)
		return 0;
	r = fb_store_blob_images(w->ctx->store, digest, &manifests, &count,
				 err);
	for (size_t i = 0; r == 0 && i < count; i++) {
		struct fb_err one = { 0 };

		if (pull_again(w, &manifests[i], digest, &one) == 0)
			return 0;
		if (i + 1 == count) {
			if (err)
				*err = one;
			return one.code;
		}
	}
	return r;
}

static void repair(struct verifying *w)
{
	for (size_t i = 0; i < w->count; i++) {
		struct fb_store_finding *f = &w->v[i];
		char text[FB_DIGEST_TEXT_MAX];
		struct fb_err err = { 0 };
		int r = 0;

		(void)fb_digest_format(&f->digest, text);
		if (f->fault == FB_STORE_FAULT_MISSING ||
		    f->fault == FB_STORE_FAULT_DAMAGED)
			r = fetch_blob(w, &f->digest, &err);
		else
			r = fb_store_evict(w->ctx->store, f, &err);
		if (r == 0)
			w->repaired++;
		else
			say(w, "not repaired: %s: %s",
			    f->digest.set ? text : "index.json", err.msg);
	}
}

/* All of them before the first pull: nothing may be trusted for its size. */
static int evict_damaged(struct verifying *w, struct fb_err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < w->count; i++)
		if (w->v[i].fault == FB_STORE_FAULT_DAMAGED)
			r = fb_store_evict(w->ctx->store, &w->v[i], err);
	return r;
}

int fb_image_verify(const struct fb_image_context *ctx,
		    const struct fb_image_verify *verify,
		    struct fb_image_verified *ret, struct fb_err *err)
{
	struct verifying w = { .ctx = ctx, .how = verify };
	const struct fb_store_check check = { .found = note,
					      .step = show_step,
					      .ctx = &w };
	struct fb_image_verified done = { 0 };
	int r = fb_store_verify(ctx->store, &check, &done.read, err);

	for (size_t i = 0; r == 0 && i < w.count; i++)
		describe(&w, &w.v[i]);
	if (r == 0 && verify->repair) {
		r = evict_damaged(&w, err);
		if (r == 0)
			repair(&w);
	}
	done.faults = w.count;
	done.repaired = w.repaired;
	free(w.v);
	if (r == 0)
		*ret = done;
	return r;
}
