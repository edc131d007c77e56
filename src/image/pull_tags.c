/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "image/outgoing.h"
#include "image/pull.h"
#include "registry/tags.h"

static int list(const struct fb_image_context *ctx,
		const struct fb_reference *ref,
		const struct fb_registry_options *options, struct fb_strv *ret,
		struct fb_err *err)
{
	FB_REGISTRY struct fb_registry *registry = NULL;
	char text[FB_REFERENCE_TEXT_MAX];
	FB_STRV struct fb_strv tags = { 0 };
	struct fb_reference one = *ref;
	int r = fb_image_registry_open(ctx, ref->domain, options, &registry,
				       err);

	if (r == 0)
		r = fb_registry_list_tags(registry, ref, &tags, err);
	for (size_t i = 0; i < tags.count && r == 0; i++) {
		(void)snprintf(one.tag, sizeof(one.tag), "%s", tags.v[i]);
		if (fb_strv_add(ret, fb_reference_canonical(&one, text)) < 0)
			r = fb_err_set(err, ret->err, "list of tags: %s",
				       strerror(-ret->err));
	}
	if (r == 0 && tags.count == 0)
		r = fb_err_set(err, -ENOENT, "it has no tags");
	return r;
}

int fb_image_pull_tags(const struct fb_image_context *ctx, const char *text,
		       const struct fb_registry_options *options,
		       struct fb_strv *ret, struct fb_err *err)
{
	const char *slash = strrchr(text, '/');
	struct fb_reference ref;
	int r = fb_reference_parse(text, &ref, err);

	if (r == 0 && (ref.digest.set || strchr(slash ? slash : text, ':')))
		return fb_err_set(err, -EINVAL,
				  "tag can't be used with --all-tags/-a");
	if (r == 0)
		r = list(ctx, &ref, options, ret, err);
	return r < 0 ? fb_err_wrap(err, r, "pull '%s'", text) : 0;
}
