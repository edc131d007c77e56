/* SPDX-License-Identifier: Apache-2.0 */
/* How an image was made, step by step, as its config says. */
#ifndef FB_IMAGE_HISTORY_H
#define FB_IMAGE_HISTORY_H

#include "base/err.h"
#include "image/image.h"

#define FB_HISTORY_MAX 10000

/**
 * struct fb_history_step - One step
 * @created_s:  UNIX seconds, or FB_TIME_UNKNOWN
 * @created_by: Command, or ""
 * @comment:    Or ""
 * @size_bytes: Of the layer that it made, as stored; 0 where it made none
 */
struct fb_history_step {
	int64_t created_s;
	char *created_by;
	char *comment;
	uint64_t size_bytes;
};

struct fb_history {
	struct fb_history_step *v;
	size_t count;
};

void fb_history_release(struct fb_history *history);

#define FB_HISTORY __attribute__((cleanup(fb_history_release)))

/**
 * fb_image_history() - The steps of an image, base first
 * @image: From fb_image_inspect() (borrowed)
 * @ret:   Written on success only
 *
 * Layers that the history does not account for are steps without a command, on
 * top.
 *
 * Return: 0; -EBADMSG malformed; -E2BIG over FB_HISTORY_MAX; -ENOMEM.
 * Source: OCI image-spec 1.1 config.md "history".
 */
int fb_image_history(const struct fb_image_details *image,
		     struct fb_history *ret, struct fb_err *err);

#endif
