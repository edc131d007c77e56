/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Images to files: docker-archive, oci-archive, OCI layout folder.
 *
 * All three are an OCI layout; the docker-archive has a manifest.json as well,
 * as newer docker writes it, so that every tool finds what it knows.  Manifests,
 * configs and layers are the store's own bytes, so digests stay; what is put
 * around them depends on nothing but the images, so that the same images give
 * the same archive.
 */
#ifndef FB_IMAGE_SAVE_H
#define FB_IMAGE_SAVE_H

#include "base/err.h"
#include "image/image.h"

/* what our own load, and others', take of one archive */
#define FB_SAVE_ENTRIES_MAX 4096

enum fb_save_format {
	FB_SAVE_DOCKER_ARCHIVE,
	FB_SAVE_OCI_ARCHIVE,
	FB_SAVE_OCI_DIR,
};

/** fb_save_format_name() - "docker-archive", "oci-archive", "oci-dir" */
const char *fb_save_format_name(enum fb_save_format format);

/** fb_save_format_parse() - The other way. Return: 0; -EINVAL, the text lists them */
int fb_save_format_parse(const char *text, enum fb_save_format *ret,
			 struct fb_err *err);

/**
 * struct fb_image_save - What to save, and where to
 * @format:   Of the output
 * @path:     File or, for a folder, its name; "-" = @fd
 * @fd:       Where @path is "-" (borrowed); written front to back
 * @refs:     Names or ids, as fb_image_resolve() takes them; a repository
 *            without a tag means all its tags, an id saves without a name
 * @count:    Of @refs, at least 1
 * @platform: Each image must be for this one; NULL = any
 *
 * A regular file or a folder appears under its name whole, or not at all.  A
 * folder must not be there, or be empty.
 */
struct fb_image_save {
	enum fb_save_format format;
	const char *path;
	int fd;
	char *const *refs;
	size_t count;
	const struct fb_platform *platform;
};

/**
 * fb_image_save() - Write one or more images
 * @save: What (borrowed)
 *
 * Every blob is verified as it is read.
 *
 * Return: 0; as fb_image_resolve(); -EBADMSG the store is damaged; -E2BIG over
 * FB_SAVE_ENTRIES_MAX names; -EEXIST the folder is not empty; a negative errno.
 */
int fb_image_save(const struct fb_image_context *ctx,
		  const struct fb_image_save *save, struct fb_err *err);

#endif
