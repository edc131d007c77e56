/* SPDX-License-Identifier: Apache-2.0 */
/* Images to a registry. */
#ifndef FB_IMAGE_PUSH_H
#define FB_IMAGE_PUSH_H

#include "base/err.h"
#include "image/image.h"
#include "registry/client.h"
#include "registry/upload.h"

/**
 * struct fb_image_pushed_layer - What came of a layer
 * @diff_id: By which docker calls it
 * @end:     What
 * @from:    Repository that it was mounted from
 */
struct fb_image_pushed_layer {
	struct fb_digest diff_id;
	enum fb_upload_end end;
	char from[256];
};

/**
 * struct fb_image_pushed - What a push did
 * @name:       Canonical reference
 * @digest:     Of the manifest, the same here and there
 * @size_bytes: Of the manifest
 * @layers:     Base first
 * @layer_count: Of @layers
 */
struct fb_image_pushed {
	char *name;
	struct fb_digest digest;
	uint64_t size_bytes;
	struct fb_image_pushed_layer *layers;
	size_t layer_count;
};

void fb_image_pushed_release(struct fb_image_pushed *pushed);

#define FB_IMAGE_PUSHED __attribute__((cleanup(fb_image_pushed_release)))

/**
 * fb_image_push() - Give an image of the store to the registry of its name
 * @text:    Name with a tag, as the user typed it
 * @options: How to reach the registry (borrowed); NULL = defaults
 * @ret:     Written on success only
 *
 * What the registry has is not sent.  Byte for byte: the digest stays.  From then
 * on the image is also known by its digest there, as after a pull.
 *
 * Return: 0; -ENOENT no such image; -EINVAL a reference with a digest; as
 * fb_registry_push_blobs().
 */
int fb_image_push(const struct fb_image_context *ctx, const char *text,
		  const struct fb_registry_options *options,
		  struct fb_image_pushed *ret, struct fb_err *err);

/**
 * fb_image_push_tags() - The tags of a repository that are here
 * @text: Name without a tag
 * @ret:  Canonical references; added to
 *
 * Return: 0; -ENOENT none; -EINVAL a tag or a digest was given; a negative errno.
 */
int fb_image_push_tags(const struct fb_image_context *ctx, const char *text,
		       struct fb_strv *ret, struct fb_err *err);

#endif
