/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The writable disk of a container: a sparse ext4 file.
 *
 * An empty file system is made once a size, by mkfs.ext4, and kept as a
 * template; a container gets a copy of the few blocks that are not holes.
 */
#ifndef FB_VOLUME_UPPER_H
#define FB_VOLUME_UPPER_H

#include <stdint.h>

#include "base/err.h"

#define FB_UPPER_SIZE_DEFAULT (8ull << 30)
#define FB_UPPER_SIZE_MIN (32ull << 20)
#define FB_UPPER_SIZE_MAX (16ull << 40)

/**
 * fb_upper_create() - Make a container's empty writable disk
 * @templates_fd: Folder of the templates (borrowed)
 * @dir_fd:       Folder that gets the disk (borrowed)
 * @name:         Its name there; must not exist
 * @size_bytes:   FB_UPPER_SIZE_MIN … _MAX; rounded up to whole MiB
 * @ret_fd:       Read-write descriptor (returned)
 *
 * The first call for a size starts mkfs.ext4; concurrent ones do no harm.
 *
 * Return: 0; -ERANGE size; -ENOENT no mkfs.ext4; -ENOSPC; a negative errno.
 * Nothing is left on failure.
 */
int fb_upper_create(int templates_fd, int dir_fd, const char *name,
		    uint64_t size_bytes, int *ret_fd, struct fb_err *err);

/** fb_upper_find_mkfs() - mkfs.ext4's path (returned), or NULL */
char *fb_upper_find_mkfs(void);

#endif
