/* SPDX-License-Identifier: Apache-2.0 */
/* `convert -i`: an image that stays where it is, turned into a SquashFS. */
#ifndef FB_IMAGE_INPUT_H
#define FB_IMAGE_INPUT_H

#include "image/rootfs.h"
#include "image/trust.h"
#include "oci/platform.h"

/**
 * struct fb_image_input - What to convert
 * @path:     OCI layout (a folder), oci-archive, docker-archive, or the tar of a
 *            root file system; archives may be packed by gzip or zstd; "-" = @fd
 * @fd:       Where @path is "-" (borrowed)
 * @name:     Which image of several: a tag or name as it is written there; NULL =
 *            there is only one
 * @platform: Which image of an index; NULL = this machine's
 * @trust:    Asked about where it comes from, before it is converted; NULL = nothing
 *
 * Layers are read where they are: a folder's files, and an archive's members where
 * it is a file and not packed.  What comes through a pipe, or is packed, is first
 * kept in the store's tmp/.
 */
struct fb_image_input {
	const char *path;
	int fd;
	const char *name;
	const struct fb_platform *platform;
	const struct fb_trust *trust;
};

/**
 * fb_image_convert_input() - `convert -i PATH -o FILE`
 * @ctx:     Store for what has to be kept meanwhile; sinks
 * @options: How; NULL = defaults
 * @target:  Where to (borrowed)
 * @ret:     Written on success only
 *
 * Nothing enters the catalogue.  Digests, where the input says them, and diff_ids
 * are verified.
 *
 * Return: 0; -ENOENT no such file, name or platform; -EBADMSG damaged, or neither an
 * image nor a tar; -EINVAL several images and no @name; as fb_rootfs_convert(); as
 * fb_trust_check_file().
 */
int fb_image_convert_input(const struct fb_image_context *ctx,
			   const struct fb_image_input *input,
			   const struct fb_rootfs_options *options,
			   const struct fb_image_target *target,
			   struct fb_rootfs_result *ret, struct fb_err *err);

#endif
