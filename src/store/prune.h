/* SPDX-License-Identifier: Apache-2.0 */
/* Removing many images, and caches, at once. */
#ifndef FB_STORE_PRUNE_H
#define FB_STORE_PRUNE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "store/catalogue.h"
#include "store/store.h"

/**
 * fb_store_prune_images() - Remove images that no container uses, then collect
 * @seqs:        Which, from fb_store_image_scan() (borrowed)
 * @count:       Of @seqs; 0 = only collect
 * @keep_tagged: Leave alone what has got a tag meanwhile
 * @ret:         Added to what is in there
 *
 * One transaction for all, then one walk over the blobs: the time grows with the
 * number of images, not with its square.  Images that a container uses, running
 * or not, stay.
 *
 * Return: 0; a negative errno.
 */
int fb_store_prune_images(struct fb_store *store, const int64_t *seqs,
			  size_t count, bool keep_tagged,
			  struct fb_image_removal *ret, struct fb_err *err);

/**
 * fb_store_prune_caches() - Remove what is made again when it is wanted
 * @ret_freed_bytes: Really on disk
 *
 * Templates of writable disks; who copies one at this moment has it open.
 *
 * Return: 0; a negative errno.
 */
int fb_store_prune_caches(struct fb_store *store, uint64_t *ret_freed_bytes,
			  struct fb_err *err);

#endif
