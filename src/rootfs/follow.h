/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A source that reads a file while somebody else appends to it: what is on its way
 * from a registry is converted as it arrives.
 *
 * One thread reads (a conversion's), another says what there is; a lock is between
 * them.  Whoever says how much there is owns the object, and frees it when the
 * conversion has ended.
 */
#ifndef FB_ROOTFS_FOLLOW_H
#define FB_ROOTFS_FOLLOW_H

#include <stdint.h>

#include "archive/source.h"

struct fb_follow; /* opaque */

/**
 * fb_follow_new() - A source of a file that is not known yet: reads wait
 * @ret: Follower (returned); free it with fb_source_free(fb_follow_source())
 *
 * Return: 0; -ENOMEM.
 */
int fb_follow_new(struct fb_follow **ret, struct fb_err *err);

/** fb_follow_source() - The side that is read; the same object */
struct fb_source *fb_follow_source(struct fb_follow *follow);

/**
 * fb_follow_open() - This is the file
 * @fd: Readable, seekable (taken; the former one, if any, is closed)
 * @available_bytes: In it so far
 */
void fb_follow_open(struct fb_follow *follow, int fd, uint64_t available_bytes);

/**
 * fb_follow_grow() - So many bytes are in it now
 * @available_bytes: Fewer than before: they are being written again.  What was
 *                   read already is not read again: whoever reads has to check
 *                   what it comes to, which a diff_id does
 */
void fb_follow_grow(struct fb_follow *follow, uint64_t available_bytes);

/** fb_follow_end() - It is complete */
void fb_follow_end(struct fb_follow *follow);

#endif
