/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Paths that a stranger may have named, and whole trees.
 */
#ifndef FB_BASE_PATH_H
#define FB_BASE_PATH_H

#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

/**
 * fb_open_beneath() - Open a name that must stay below a directory
 * @dirfd: The directory (borrowed)
 * @path:  Relative name from an untrusted source
 * @flags: open(2) flags; O_CLOEXEC is added
 * @mode:  For O_CREAT
 *
 * openat2() with RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS: neither "..", nor an
 * absolute name, nor a symbolic link leads out.
 *
 * Return: descriptor (returned); -EXDEV where @path leads out; negative errno.
 */
int fb_open_beneath(int dirfd, const char *path, int flags, mode_t mode);

/**
 * fb_mkdirs() - Make a directory and its missing parents
 * @path: Absolute or relative name
 * @mode: Of the last one; missing parents get 0755
 *
 * Return: 0, also where it was there already; a negative errno.
 */
int fb_mkdirs(const char *path, mode_t mode, struct fb_err *err);

/**
 * fb_rmtree_at() - Remove a file or a tree
 * @dirfd: Directory that holds it (borrowed)
 * @name:  Name in it; a symbolic link is removed, never followed
 *
 * Stays on one file system and goes at most 4096 directories deep.
 *
 * Return: 0, also where nothing was there; the first negative errno, after
 * trying the rest.
 */
int fb_rmtree_at(int dirfd, const char *name);

/**
 * fb_rmdir_patiently() - Remove an empty folder that may be in use a moment longer
 * @path: Absolute path; a folder that is not there is fine
 *
 * For control groups, which are busy until their last process is buried: it waits
 * up to a second.
 *
 * Return: 0; a negative errno.
 */
int fb_rmdir_patiently(const char *path);

/**
 * fb_path_join() - "@a/@b" without a doubled slash
 *
 * Return: malloc'ed path (returned), or NULL out of memory.
 */
char *fb_path_join(const char *a, const char *b);

#endif
