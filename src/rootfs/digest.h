/* SPDX-License-Identifier: Apache-2.0 */
/* The SHA-256 of a file that was just written.  Private to src/rootfs/. */
#ifndef FB_ROOTFS_DIGEST_H
#define FB_ROOTFS_DIGEST_H

#include "base/err.h"
#include "oci/digest.h"

/**
 * fb_digest_file() - Hash a file while another thread reads it
 * @fd:  File (borrowed), from its start to its end; not changed meanwhile
 * @ret: SHA-256; written on success only
 *
 * Return: 0; -ENOMEM; -EAGAIN no thread; -EIO.
 */
int fb_digest_file(int fd, struct fb_digest *ret, struct fb_err *err);

#endif
