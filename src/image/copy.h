/* SPDX-License-Identifier: Apache-2.0 */
/* Images from one place to another, byte for byte. */
#ifndef FB_IMAGE_COPY_H
#define FB_IMAGE_COPY_H

#include <stdbool.h>

#include "base/err.h"
#include "image/image.h"
#include "image/trust.h"
#include "oci/platform.h"
#include "registry/client.h"

/**
 * struct fb_image_copy - What to copy
 * @from:     "[docker://]REFERENCE", "oci:DIR[:TAG]", "oci-archive:FILE[:TAG]",
 *            "docker-archive:FILE[:REFERENCE]"
 * @to:       Likewise
 * @platform: Which image of an index; NULL = this machine's
 * @all:      The index with all that it names, whatever that is; from and to
 *            anything but a docker-archive
 * @trust:    Asked about @from, before a layer is fetched; NULL = nothing
 * @from_registry: How to reach @from's registry (borrowed); NULL = defaults
 * @to_registry: Likewise of @to
 */
struct fb_image_copy {
	const char *from;
	const char *to;
	const struct fb_platform *platform;
	bool all;
	const struct fb_trust *trust;
	const struct fb_registry_options *from_registry;
	const struct fb_registry_options *to_registry;
};

/**
 * fb_image_copy() - Copy an image
 * @copy:       What (borrowed)
 * @ret_digest: Of what is at @to now: manifest, or index with @all
 *
 * Everything passes through the store, verified, and is let go of at the end; what
 * the store has is not fetched.  A layout folder that is there gets the image
 * added; a file is replaced as a whole.
 *
 * Return: 0; -EINVAL a place that is none; as fb_image_pull(), fb_image_load(),
 * fb_image_push(), fb_image_save(), fb_trust_check().
 */
int fb_image_copy(const struct fb_image_context *ctx,
		  const struct fb_image_copy *copy,
		  struct fb_digest *ret_digest, struct fb_err *err);

#endif
