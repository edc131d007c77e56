/* SPDX-License-Identifier: Apache-2.0 */
/* Is everything in the store what it was, and if not, get it again. */
#ifndef FB_IMAGE_VERIFY_H
#define FB_IMAGE_VERIFY_H

#include <stdbool.h>

#include "base/err.h"
#include "image/image.h"
#include "registry/client.h"
#include "store/verify.h"

/**
 * struct fb_image_verify - How to verify
 * @repair:   Take out what is damaged, and pull what images need
 * @registry: How to reach registries (borrowed)
 * @say:      One line about each fault, and what became of it
 * @ctx:      Passed to it
 */
struct fb_image_verify {
	bool repair;
	const struct fb_registry_options *registry;
	void (*say)(void *ctx, const char *line);
	void *ctx;
};

/**
 * struct fb_image_verified - What came of it
 * @read:     How much was read
 * @faults:   That were found
 * @repaired: Of these
 */
struct fb_image_verified {
	struct fb_store_verified read;
	size_t faults;
	size_t repaired;
};

/**
 * fb_image_verify() - Hash the whole store; with @repair mend it
 * @ret: Written on success only
 *
 * An image is pulled again by its digest, from where its names say, so that it is
 * the very same one; its names stay as they are.  Damaged blobs are deleted
 * before that.
 *
 * Return: 0, also where there are faults; a negative errno.
 */
int fb_image_verify(const struct fb_image_context *ctx,
		    const struct fb_image_verify *verify,
		    struct fb_image_verified *ret, struct fb_err *err);

#endif
