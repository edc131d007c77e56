/* SPDX-License-Identifier: Apache-2.0 */
/* What the files that pull images share; nobody else includes this. */
#ifndef FB_IMAGE_PULL_INTERNAL_H
#define FB_IMAGE_PULL_INTERNAL_H

#include "image/pull.h"
#include "store/blob.h"

#define CANONICAL_MAX (FB_REFERENCE_TEXT_MAX + 256)

struct fb_pull_conversion; /* see image/pull_convert.h */

/**
 * struct pull - One pull at work
 * @index: The index that the name leads to; digest not set where it leads to
 *         the manifest
 * @conversion: Made while the layers come, or NULL
 * @facts: What asking for trust found out, to be kept with the image
 * @useless: The layers cannot be converted: nothing of them is to stay
 */
struct pull {
	const struct fb_image_context *ctx;
	struct fb_reference ref;
	const struct fb_platform *platform; /* as asked for, or NULL */
	struct fb_registry *registry;
	struct fb_lease *lease;
	struct fb_blob_ref index;
	struct fb_descriptor manifest;
	char text[CANONICAL_MAX];
	bool fetch_only;
	const struct fb_trust *trust;
	struct fb_strv facts;
	bool useless;
	struct fb_pull_conversion *conversion;
};

/**
 * fb_pull_check_platform() - Before gigabytes are fetched for the wrong machine
 *
 * An index has said it already; a plain manifest only says it in its config, which
 * is fetched first where a platform was asked for.
 *
 * Return: 0; -ENOENT another platform; as fb_pull_blobs().
 */
int fb_pull_check_platform(struct pull *p, const struct fb_manifest *manifest,
			   struct fb_err *err);

/**
 * fb_pull_blobs() - Have config and layers in the store
 *
 * Meanwhile the image is converted, where that is wanted: @p->conversion is left,
 * finished.
 *
 * Return: 0; as fb_registry_fetch_blobs(); as fb_rootfs_convert(); -ENOSPC, …
 */
int fb_pull_blobs(struct pull *p, const struct fb_manifest *manifest,
		  struct fb_err *err);

#endif
