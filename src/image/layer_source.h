/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A layer in a file of its own, as a stream that is opened when it is first read:
 * an image has up to 1000, a process often may open 1024 files.
 */
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

/**
 * fb_layer_source_at() - The same for a blob of an OCI layout
 * @dirfd: The layout's folder (borrowed, must outlive the source)
 *
 * Return: 0; -ENOMEM.
 */
int fb_layer_source_at(int dirfd, const struct fb_digest *digest,
		       struct fb_source **ret, struct fb_err *err);

#endif
