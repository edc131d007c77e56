/* SPDX-License-Identifier: Apache-2.0 */
/* Reads an image back with libsquashfs and compares it with a model. */
#ifndef FB_TESTS_ROOTFS_IMAGE_CHECK_H
#define FB_TESTS_ROOTFS_IMAGE_CHECK_H

#include "model.h"

/**
 * image_check() - Is the image exactly the model's tree?
 * @fd:    Image
 * @model: Finished one
 * @why:   The first difference
 *
 * Names, types, modes, owners, times, link counts and identities, sizes,
 * contents, targets, device numbers, xattrs; inode numbers and counts.
 *
 * Return: 0; -1 not.
 */
int image_check(int fd, const struct model *model, struct fb_str *why);

/**
 * image_list() - An image as text, a line a name in the order of the image
 * @fd:  Image
 * @out: "TYPE PATH MODE UID:GID @TIME", then " xLINKS" where there are several
 *       names, " =CONTENT", " ->TARGET", " MAJOR:MINOR", " [XATTR=VALUE]"
 *
 * Return: 0; -1 it cannot be read.
 */
int image_list(int fd, struct fb_str *out);

#endif
