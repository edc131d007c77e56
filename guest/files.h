/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_GUEST_FILES_H
#define FB_GUEST_FILES_H

#include "base/err.h"
#include "wire/spec.h"

/* /etc/hostname, /etc/hosts, /etc/resolv.conf */
#define FB_FILES_COUNT 3

/**
 * struct fb_files - The files of /etc that are ours, ready to be mounted
 * @tree: Detached mount of each, or -EBADF
 */
struct fb_files {
	int tree[FB_FILES_COUNT];
};

/** fb_files_make() - Write them, outside of the container. Return: 0; negative errno */
int fb_files_make(const struct fb_guest_spec *spec, struct fb_files *ret,
		  struct fb_err *err);

/**
 * fb_files_mount() - Mount them over the container's own
 *
 * Called with the container's root as root.  A missing file is made, also where
 * a symbolic link of the image leads to nothing.
 *
 * Return: 0; negative errno.
 */
int fb_files_mount(const struct fb_files *files, struct fb_err *err);

void fb_files_release(struct fb_files *files);

#endif
