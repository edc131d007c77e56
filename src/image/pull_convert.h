/* SPDX-License-Identifier: Apache-2.0 */
/* An image that is converted while it is pulled; nobody but the pull includes this. */
#ifndef FB_IMAGE_PULL_CONVERT_H
#define FB_IMAGE_PULL_CONVERT_H

#include "image/pull_internal.h"

/**
 * fb_pull_convert_start() - Begin to convert an image whose layers are to come
 * @p:        Its manifest is known, its config in the store
 * @manifest: Parsed (borrowed until the end)
 * @ret:      Conversion (returned); NULL where there is nothing to do here: it
 *            is converted already, another process is at it, or this machine
 *            cannot run it
 *
 * Return: 0; -EBADMSG the config is malformed or is of another number of layers.
 */
int fb_pull_convert_start(struct pull *p, const struct fb_manifest *manifest,
			  struct fb_pull_conversion **ret, struct fb_err *err);

/**
 * fb_pull_convert_opened() - A layer is being written, or is there
 * @conversion: Or NULL, here and below: nothing happens
 * @fd:         Its file (taken); a negative errno makes the conversion wait for
 *              fb_pull_convert_finish()
 * @bytes:      There so far
 * @verified:   These are right; otherwise an earlier process left them
 */
void fb_pull_convert_opened(struct fb_pull_conversion *conversion,
			    const struct fb_digest *layer, int fd,
			    uint64_t bytes, bool verified);

/**
 * fb_pull_convert_grown() - So many bytes of a layer are there now
 *
 * Return: 0; why the image cannot be converted, where that is certain.
 */
int fb_pull_convert_grown(struct fb_pull_conversion *conversion,
			  const struct fb_digest *layer, uint64_t bytes,
			  struct fb_err *err);

/** fb_pull_convert_reset() - A layer is being fetched again from its start */
void fb_pull_convert_reset(struct fb_pull_conversion *conversion,
			   const struct fb_digest *layer);

/** fb_pull_convert_ended() - A layer is complete and verified */
void fb_pull_convert_ended(struct fb_pull_conversion *conversion,
			   const struct fb_digest *layer);

/**
 * fb_pull_convert_finish() - Every layer is there: wait for the image
 *
 * Where it stumbled over bytes that were fetched again later, it is done again.
 *
 * Return: 0; as fb_rootfs_convert(); what the tick returned.
 */
int fb_pull_convert_finish(struct fb_pull_conversion *conversion,
			   struct fb_err *err);

/** fb_pull_convert_publish() - The image is in the catalogue: keep what was made of it */
void fb_pull_convert_publish(struct fb_pull_conversion *conversion);

/** fb_pull_convert_free() - Break off what is at work, and free; NULL is fine */
void fb_pull_convert_free(struct fb_pull_conversion *conversion);

#endif
