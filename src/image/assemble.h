/* SPDX-License-Identifier: Apache-2.0 */
/* A manifest whose blobs are in the store → an entry for the catalogue. */
#ifndef FB_IMAGE_ASSEMBLE_H
#define FB_IMAGE_ASSEMBLE_H

#include "base/err.h"
#include "image/image.h"
#include "oci/manifest.h"
#include "store/catalogue.h"

/**
 * fb_image_check_manifest() - What must hold before any layer is fetched
 * @manifest: Parsed
 *
 * Return: 0; -E2BIG a config over FB_CONFIG_SIZE_MAX, or sizes that add up to more
 * than 2^63−1.
 */
int fb_image_check_manifest(const struct fb_manifest *manifest,
			    struct fb_err *err);

/**
 * fb_image_check_platform() - Is an image for the platform that was asked for
 * @have:   From its config; an old one may say nothing, which is accepted
 * @wanted: NULL = any, with a warning where this machine cannot run it
 *
 * Return: 0; -ENOENT another one.
 */
int fb_image_check_platform(const struct fb_image_context *ctx,
			    const struct fb_platform *have,
			    const struct fb_platform *wanted,
			    struct fb_err *err);

/**
 * fb_image_assemble() - Check that an image fits together, and describe it
 * @ctx:        Store with manifest, config and layers in it, under a lease
 * @descriptor: Of the manifest; its media type may be empty
 * @index:      The index it came from, or NULL
 * @wanted:     Platform that was asked for explicitly, or NULL: any, with a
 *              warning where this machine cannot run it
 * @ret:        No names in it; release with fb_image_entry_release()
 *
 * Return: 0; -EBADMSG malformed, or layers and diff_ids differ in number; -ENOENT
 * a blob is missing, or the image is for another platform than @wanted; as
 * fb_manifest_parse() and fb_image_config_parse().
 */
int fb_image_assemble(const struct fb_image_context *ctx,
		      const struct fb_descriptor *descriptor,
		      const struct fb_blob_ref *index,
		      const struct fb_platform *wanted,
		      struct fb_image_entry *ret, struct fb_err *err);

/**
 * fb_image_load_manifest() - Read and parse a manifest of the store
 *
 * Return: 0; -ENOENT; -EBADMSG; as fb_manifest_parse().
 */
int fb_image_load_manifest(struct fb_store *store,
			   const struct fb_digest *digest,
			   struct fb_manifest *ret, struct fb_err *err);

/**
 * fb_image_load_config() - Read and parse an image config of the store
 * @ret_json: Its bytes, malloc'ed (returned); may be NULL
 * @ret_len:  Their count; may be NULL
 *
 * Return: 0; -ENOENT; -EBADMSG; as fb_image_config_parse().
 */
int fb_image_load_config(struct fb_store *store, const struct fb_digest *digest,
			 struct fb_image_config *ret, char **ret_json,
			 size_t *ret_len, struct fb_err *err);

static inline void fb_cleanup_manifest(struct fb_manifest *m)
{
	fb_manifest_release(m);
}

#define FB_MANIFEST __attribute__((cleanup(fb_cleanup_manifest)))

static inline void fb_cleanup_image_config(struct fb_image_config *c)
{
	fb_image_config_release(c);
}

#define FB_IMAGE_CONFIG __attribute__((cleanup(fb_cleanup_image_config)))

#endif
