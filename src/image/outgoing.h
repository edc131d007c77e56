/* SPDX-License-Identifier: Apache-2.0 */
/* Blobs of the store on their way to a registry; nobody outside src/image/ needs it. */
#ifndef FB_IMAGE_OUTGOING_H
#define FB_IMAGE_OUTGOING_H

#include "base/err.h"
#include "image/image.h"
#include "oci/manifest.h"
#include "registry/upload.h"

/**
 * struct fb_outgoing - One blob
 * @digest:     Which
 * @size_bytes: Of it
 * @from:       Repository of the same registry that has it, perhaps; "" = none
 * @end:        What came of it
 */
struct fb_outgoing {
	struct fb_digest digest;
	uint64_t size_bytes;
	char from[256];
	enum fb_upload_end end;
	/* private */
	const struct fb_image_context *ctx;
	int fd;
	char text[FB_DIGEST_TEXT_MAX];
};

/**
 * fb_outgoing_add() - Append a descriptor's blob, unless it is there already
 * @v:     Room for it
 * @count: Of @v; grows by one or not
 */
void fb_outgoing_add(struct fb_outgoing *v, size_t *count,
		     const struct fb_descriptor *d);

/**
 * fb_outgoing_mounts() - Find out which repositories of a registry have them
 * @ref: Where they go; another repository of its domain counts where an image of
 *       the store was pulled from or pushed to it
 *
 * Return: 0; a negative errno.
 */
int fb_outgoing_mounts(const struct fb_image_context *ctx,
		       const struct fb_reference *ref, struct fb_outgoing *v,
		       size_t count, struct fb_err *err);

/**
 * fb_outgoing_push() - Send them
 *
 * Return: 0; as fb_registry_push_blobs(); -ENOENT the store lacks one.
 */
int fb_outgoing_push(const struct fb_image_context *ctx,
		     struct fb_registry *registry, const char *repository,
		     struct fb_outgoing *v, size_t count, struct fb_err *err);

/**
 * fb_image_registry_open() - A client with this context's log and progress
 * @options: How to reach it (borrowed); NULL = defaults
 * @ret:     Client (returned)
 *
 * Return: as fb_registry_open().
 */
int fb_image_registry_open(const struct fb_image_context *ctx,
			   const char *domain,
			   const struct fb_registry_options *options,
			   struct fb_registry **ret, struct fb_err *err);

#endif
