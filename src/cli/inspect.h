/* SPDX-License-Identifier: Apache-2.0 */
/* What `inspect` shows, as data in docker's form. */
#ifndef FB_CLI_INSPECT_H
#define FB_CLI_INSPECT_H

#include <jansson.h>

#include "base/err.h"
#include "image/image.h"

/**
 * fb_inspect_image() - One image
 * @text: As fb_image_resolve() takes it
 * @ret:  Object (returned); on success only
 *
 * Return: 0; as fb_image_inspect().
 */
int fb_inspect_image(const struct fb_image_context *ctx, const char *text,
		     json_t **ret, struct fb_err *err);

/**
 * fb_inspect_container() - One container
 * @text: As fb_store_container_find() takes it
 * @ret:  Object (returned); on success only
 *
 * Return: 0; -ENOENT with docker's text; -ENOTUNIQ; a negative errno.
 */
int fb_inspect_container(struct fb_store *store, const char *text, json_t **ret,
			 struct fb_err *err);

#endif
