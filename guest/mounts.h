/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_GUEST_MOUNTS_H
#define FB_GUEST_MOUNTS_H

#include "base/err.h"
#include "wire/spec.h"

/** fb_mounts_ready() - What init itself needs: /dev and /sys. Return: 0; negative errno */
int fb_mounts_ready(struct fb_err *err);

/**
 * fb_mounts_own_proc() - init's own /proc
 *
 * Mounted when the container has its own namespace of mounts.  What needs it
 * fails by itself where it could not be mounted.
 */
void fb_mounts_own_proc(void);

/**
 * fb_mounts_open_terminals() - A file system of terminals, not yet mounted
 *
 * Return: its descriptor (returned), in which "ptmx" can be opened; negative errno.
 */
int fb_mounts_open_terminals(struct fb_err *err);

/** fb_mounts_enter_root() - Make FB_ROOTFS_PATH the root of the calling process */
int fb_mounts_enter_root(struct fb_err *err);

/**
 * fb_mounts_container() - Everything below the container's root
 * @spec:      For its tmpfs mounts (borrowed)
 * @terminals: From fb_mounts_open_terminals() (borrowed)
 *
 * Called in the container's own namespaces, with its root as root, so that no
 * symbolic link of the image leads anywhere else.
 *
 * Return: 0; negative errno with step and object.
 */
int fb_mounts_container(const struct fb_guest_spec *spec, int terminals,
			struct fb_err *err);

/** fb_mounts_read_only() - Take the right to write to / away; last of all mounts */
int fb_mounts_read_only(struct fb_err *err);

/**
 * fb_mounts_attach() - Mount what open_tree() or fsmount() gave
 * @tree: Descriptor (borrowed)
 * @path: Mount point; a symbolic link is followed
 *
 * Return: 0; negative errno.
 */
int fb_mounts_attach(int tree, const char *path);

#endif
