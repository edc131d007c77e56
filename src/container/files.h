/* SPDX-License-Identifier: Apache-2.0 */
/* Where the program's own files are: monitor, kernel, initramfs. */
#ifndef FB_CONTAINER_FILES_H
#define FB_CONTAINER_FILES_H

#include "base/err.h"

/**
 * fb_files_find() - One of our files
 * @name: "vmlinux", "initramfs.cpio", "flamebox-monitor", …
 * @ret:  malloc'ed path (returned)
 *
 * Looked for in FLAMEBOX_LIBEXEC alone where it is set; otherwise beside the
 * running program, in ../libexec/flamebox and in ../lib/flamebox.
 *
 * Return: 0; -ENOENT, with a hint; -ENOMEM.
 */
int fb_files_find(const char *name, char **ret, struct fb_err *err);

#endif
