/* SPDX-License-Identifier: Apache-2.0 */
/* Layers that were converted before, as a part of another image. */
#ifndef FB_IMAGE_KNOWN_LAYERS_H
#define FB_IMAGE_KNOWN_LAYERS_H

#include "base/err.h"
#include "rootfs/convert.h"
#include "store/store.h"

/**
 * struct fb_known_layers - Where they are
 * @v:   One for each layer; @recipe_fd is -EBADF where it is not known
 * @fds: Open files (owned)
 */
struct fb_known_layers {
	struct fb_rootfs_known *v;
	int *fds;
	size_t fd_count;
};

/**
 * fb_known_layers_find() - Look for an image's layers in what is remembered
 * @diff_ids: Base first, @count of them
 * @options:  Of the conversion that is to be
 * @ret:      Release with fb_known_layers_release(), also on failure
 *
 * Return: 0; -ENOMEM; a negative errno.
 */
int fb_known_layers_find(struct fb_store *store,
			 const struct fb_digest *diff_ids, size_t count,
			 const struct fb_rootfs_options *options,
			 struct fb_known_layers *ret, struct fb_err *err);
void fb_known_layers_release(struct fb_known_layers *known);

/** fb_known_layers_of() - The layer's, or NULL */
const struct fb_rootfs_known *
fb_known_layers_of(const struct fb_known_layers *known, size_t layer);

/**
 * fb_known_layers_keep() - Remember the layers of a converted image
 * @key:  Its, already published: what is remembered goes when it goes
 * @temp: What the conversion wrote (taken on success)
 */
void fb_known_layers_keep(const struct fb_digest *key,
			  struct fb_store_temp *temp);

#endif
