/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An image's SquashFS: converted once, kept under a key of its layers.
 */
#ifndef FB_IMAGE_ROOTFS_H
#define FB_IMAGE_ROOTFS_H

#include "base/err.h"
#include "image/image.h"
#include "rootfs/convert.h"

/**
 * struct fb_image_rootfs - A root file system that can be booted
 * @fd:         Read-only (owned); it stays valid when the image is removed
 * @path:       Where it is (owned), for engines that need a name
 * @digest:     SHA-256 of the file
 * @size_bytes: Of the file
 * @converted:  It was made by this call
 */
struct fb_image_rootfs {
	int fd;
	char *path;
	struct fb_digest digest;
	uint64_t size_bytes;
	bool converted;
};

void fb_image_rootfs_release(struct fb_image_rootfs *rootfs);

#define FB_IMAGE_ROOTFS __attribute__((cleanup(fb_image_rootfs_release)))

/**
 * fb_image_ensure_rootfs() - Have the SquashFS of an image, converting if need be
 * @image:   Which (borrowed)
 * @options: How; NULL = defaults.  Log and progress are set from the context
 * @ret:     Written on success only
 *
 * Two processes that need the same one convert it once.
 *
 * Return: 0; as fb_rootfs_convert(); -EBADMSG the store is damaged.
 */
int fb_image_ensure_rootfs(const struct fb_image_context *ctx,
			   const struct fb_image_record *image,
			   const struct fb_rootfs_options *options,
			   struct fb_image_rootfs *ret, struct fb_err *err);

/**
 * struct fb_image_target - Where `convert -o` writes
 * @path: Replaced as a whole at the end, or untouched.  Something that is there
 *        and is no regular file (a pipe, a device) is written to
 * @fd:   Written to where @path is "-" (borrowed)
 */
struct fb_image_target {
	const char *path;
	int fd;
};

/**
 * fb_image_convert() - `convert IMAGE -o PATH`
 * @target: Where to (borrowed)
 * @ret:    Digest and size, and more where it was not there already; written on
 *          success only
 *
 * Two processes that want the same one at once convert it once: the one that
 * waits copies it from the store, where the other one puts it for that.
 *
 * Return: 0; as fb_image_ensure_rootfs(); a negative errno.
 */
int fb_image_convert(const struct fb_image_context *ctx,
		     const struct fb_image_record *image,
		     const struct fb_rootfs_options *options,
		     const struct fb_image_target *target,
		     struct fb_rootfs_result *ret, struct fb_err *err);

#endif
