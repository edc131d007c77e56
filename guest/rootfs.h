/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_GUEST_ROOTFS_H
#define FB_GUEST_ROOTFS_H

#include <stdbool.h>

#include "base/err.h"
#include "wire/spec.h"

/* Where the container's root is mounted, in init's own mount namespace */
#define FB_ROOTFS_PATH "/newroot"

/**
 * fb_rootfs_mount() - Mount the container's root at FB_ROOTFS_PATH
 * @spec: The whole spec (borrowed): what it wants mounted decides whether a
 *        read-only root can do without an overlay
 *
 * The image under an overlay, whose upper layer is the given disk or a tmpfs.
 * A read-only root is the image itself, where it has every folder and file that
 * something is mounted on; otherwise an overlay too, which the caller makes
 * read-only when the mount points are there.
 *
 * Return: 0; negative errno with step and object.
 */
int fb_rootfs_mount(const struct fb_guest_spec *spec, struct fb_err *err);

/** fb_rootfs_full() - Has the writable layer no room left? */
bool fb_rootfs_full(const struct fb_spec_root *root);

/** fb_rootfs_unmount() - Bring the writable layer to rest; nobody uses the root now */
void fb_rootfs_unmount(const struct fb_spec_root *root);

#endif
