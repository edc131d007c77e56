/* SPDX-License-Identifier: Apache-2.0 */
/* A layer of the store as a stream that is opened when it is first read. */
#ifndef FB_IMAGE_LAYER_SOURCE_H
#define FB_IMAGE_LAYER_SOURCE_H

#include "archive/source.h"
#include "oci/digest.h"
#include "store/store.h"

/**
 * fb_layer_source_new() - A stream of one blob
 * @store:      Store (borrowed, must outlive the source); other threads may use
 *              sources of the same store at the same time
 * @digest:     Which
 * @size_bytes: Its size
 * @ret:        Source (returned); closed at its end, opened again by a rewind
 *
 * Return: 0; -ENOMEM.
 */
int fb_layer_source_new(struct fb_store *store, const struct fb_digest *digest,
			uint64_t size_bytes, struct fb_source **ret,
			struct fb_err *err);

#endif
