/* SPDX-License-Identifier: Apache-2.0 */
/* What the state takes up, really: in blocks of the disk, holes not counted. */
#ifndef FB_STORE_USAGE_H
#define FB_STORE_USAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "oci/digest.h"
#include "store/store.h"

/**
 * struct fb_image_usage - What one image takes up
 * @seq:          As in fb_store_image_scan()
 * @shared_bytes: Of blobs that other images need as well
 * @unique_bytes: Of blobs that only this one needs
 * @rootfs_bytes: Of what it was converted to, also where others use that too
 * @containers:   That are made of this image or of one with the same id
 */
struct fb_image_usage {
	int64_t seq;
	uint64_t shared_bytes;
	uint64_t unique_bytes;
	uint64_t rootfs_bytes;
	unsigned int containers;
};

/**
 * struct fb_rootfs_usage - What one converted image takes up
 * @key:    Its name
 * @bytes:  On disk, with what is remembered of its layers
 * @used_s: When it was last opened, to the hour
 * @images: That it serves
 * @in_use: One of them has a container
 */
struct fb_rootfs_usage {
	struct fb_digest key;
	uint64_t bytes;
	int64_t used_s;
	unsigned int images;
	bool in_use;
};

/**
 * struct fb_store_usage - What everything takes up, but for the containers
 * @images:      Sorted by @seq
 * @blob_bytes:  Of all blobs that images need, each once
 * @blob_unused_bytes: Of those that only images without a container need
 * @stray_count, @stray_bytes: Blobs that no image needs, beginnings of
 *               downloads, files being written
 * @template_count, @template_bytes: Templates of writable disks
 */
struct fb_store_usage {
	struct fb_image_usage *images;
	size_t image_count;
	struct fb_rootfs_usage *rootfs;
	size_t rootfs_count;
	uint64_t blob_bytes;
	uint64_t blob_unused_bytes;
	size_t stray_count;
	uint64_t stray_bytes;
	size_t template_count;
	uint64_t template_bytes;
};

void fb_store_usage_release(struct fb_store_usage *usage);

#define FB_STORE_USAGE __attribute__((cleanup(fb_store_usage_release)))

/**
 * fb_store_usage() - Measure
 * @ret: Written on success only
 *
 * Takes no lock: what changes meanwhile is seen as it was, or as it is.
 *
 * Return: 0; a negative errno.
 */
int fb_store_usage(struct fb_store *store, struct fb_store_usage *ret,
		   struct fb_err *err);

/** fb_store_usage_find() - Of one image. Return: borrowed; NULL */
const struct fb_image_usage *
fb_store_usage_find(const struct fb_store_usage *usage, int64_t seq);

/** fb_store_container_usage() - What a container's folder takes up; 0 where there is none */
uint64_t fb_store_container_usage(struct fb_store *store, const char *id);

#endif
