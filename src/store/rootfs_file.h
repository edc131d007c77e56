/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Converted images: ROOT/rootfs/<key>.squashfs, each with a row that says what
 * its bytes are.  The key is fb_rootfs_key(); the store only compares it.
 */
#ifndef FB_STORE_ROOTFS_FILE_H
#define FB_STORE_ROOTFS_FILE_H

#include <stdint.h>

#include "base/err.h"
#include "oci/digest.h"
#include "store/store.h"

/**
 * struct fb_rootfs_record - A converted image
 * @key:          Of layers and options
 * @sha256:       Of the file
 * @size_bytes:   Of the file
 * @compression:  "zstd", …
 * @used_s:       When it was last opened, to the hour
 */
struct fb_rootfs_record {
	struct fb_digest key;
	struct fb_digest sha256;
	uint64_t size_bytes;
	char compression[16];
	int64_t used_s;
};

/**
 * fb_store_rootfs_open() - Open a converted image
 * @key:      Which
 * @manifest: The image that needs it; remembered, so that the file stays while
 *            that image does
 * @ret:      Row; written on success only
 *
 * Return: read-only descriptor (returned); -ENOENT not converted yet (also where
 * the file is not what its row says: both are removed); a negative errno.
 */
int fb_store_rootfs_open(struct fb_store *store, const struct fb_digest *key,
			 const struct fb_digest *manifest,
			 struct fb_rootfs_record *ret, struct fb_err *err);

/** fb_store_rootfs_path() - Its absolute path. Return: malloc'ed (returned), or NULL */
char *fb_store_rootfs_path(const struct fb_store *store,
			   const struct fb_digest *key);

/**
 * fb_store_rootfs_publish() - Make a converted image visible
 * @temp:     The file (taken on success)
 * @record:   Row; @used_s is filled in
 * @manifest: The image that needs it
 *
 * Return: 0; a negative errno.
 */
int fb_store_rootfs_publish(struct fb_store *store, struct fb_store_temp *temp,
			    const struct fb_rootfs_record *record,
			    const struct fb_digest *manifest,
			    struct fb_err *err);

#endif
