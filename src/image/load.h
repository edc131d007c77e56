/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Images from files: OCI layout folder, oci-archive, docker-archive.
 *
 * An archive is read once, front to back, so a pipe will do; it may be
 * compressed (gzip, zstd, xz).  What it holds is told by its members.
 */
#ifndef FB_IMAGE_LOAD_H
#define FB_IMAGE_LOAD_H

#include "base/err.h"
#include "base/str.h"
#include "image/image.h"
#include "image/trust.h"
#include "oci/platform.h"

/**
 * struct fb_image_load - What to load, and how to call it
 * @path:     Folder or file; "-" = @fd
 * @fd:       Where @path is "-" (borrowed)
 * @name:     --name: the reference it gets; NULL = what the archive says
 * @platform: Which image of an index; NULL = this machine's
 * @trust:    Asked about where it comes from, before anything is visible; NULL =
 *            nothing
 *
 * Without @name: docker-archives say RepoTags; a layout's entry says
 * io.containerd.image.name, else org.opencontainers.image.ref.name.  The latter is
 * taken as it stands when it is a full reference; a bare tag ("latest") is put
 * behind the file's or folder's own name ("busybox" for "/tmp/busybox.tar").
 * An image that says nothing is loaded without a name.
 */
struct fb_image_load {
	const char *path;
	int fd;
	const char *name;
	const struct fb_platform *platform;
	const struct fb_trust *trust;
};

/**
 * fb_image_load() - Load one or more images
 * @load:       What (borrowed)
 * @ret_loaded: One familiar reference a name given, or "sha256:<id>" for an
 *              image without one; added to what is there
 * @err:        Error detail, or NULL
 *
 * All images of the archive or none become visible.
 *
 * Return: 0; -ENOENT no such file, or nothing for this platform; -EBADMSG
 * damaged or not an image archive; -EINVAL @name with several images; -E2BIG;
 * -ENOSPC; as fb_trust_check_file(); a negative errno.
 */
int fb_image_load(const struct fb_image_context *ctx,
		  const struct fb_image_load *load, struct fb_strv *ret_loaded,
		  struct fb_err *err);

#endif
