/* SPDX-License-Identifier: Apache-2.0 */
/* What is Firecracker's alone. */
#ifndef FB_MACHINE_FIRECRACKER_H
#define FB_MACHINE_FIRECRACKER_H

#include "base/err.h"
#include "machine/engine.h"

/* in the machine's folder */
#define FB_FIRECRACKER_API "api"
#define FB_FIRECRACKER_PATH_MAX 32

#define FB_FIRECRACKER_OLDEST FB_ENGINE_VERSION(1u, 10u)
/* from here on memory that the guest frees can go back to the host */
#define FB_FIRECRACKER_REPORTING FB_ENGINE_VERSION(1u, 14u)

/**
 * fb_firecracker_parse_version() - What `firecracker --version` prints first
 * @text: "Firecracker v1.16.1\n…" (borrowed), any bytes
 *
 * Return: FB_ENGINE_VERSION(); 0 where it says something else.
 */
unsigned int fb_firecracker_parse_version(const char *text);

/**
 * fb_firecracker_version() - Ask the program, or remember
 * @program:      Its path
 * @cache_dir_fd: Folder of the file "firecracker", which remembers the answer
 *                for that very file (borrowed), or a negative number: ask
 * @ret:          Written on success only
 *
 * Return: 0; -EOPNOTSUPP older than FB_FIRECRACKER_OLDEST; -EBADMSG it says no
 * version; a negative errno.
 */
int fb_firecracker_version(const char *program, int cache_dir_fd,
			   unsigned int *ret, struct fb_err *err);

#endif
