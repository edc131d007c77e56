/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Giving things to a registry: blobs and manifests.
 * Source: OCI distribution-spec 1.1 "Push".
 */
#ifndef FB_REGISTRY_UPLOAD_H
#define FB_REGISTRY_UPLOAD_H

#include "registry/client.h"

/** enum fb_upload_end - What came of a blob */
enum fb_upload_end {
	FB_UPLOAD_PENDING,
	FB_UPLOAD_PUSHED,
	FB_UPLOAD_EXISTS,  /* the repository had it */
	FB_UPLOAD_MOUNTED, /* the registry had it in another repository */
};

/**
 * struct fb_registry_upload - One blob to give
 * @digest:     Set; the registry verifies it
 * @size_bytes: Of it
 * @mount_from: Another repository of this registry that has it perhaps, or NULL
 * @read:       Its bytes (pread-like: count or negative errno)
 * @progress:   So many bytes were sent; goes back where they have to be sent again.
 *              May be NULL
 * @ctx:        Passed to both
 * @end:        Written as soon as it is known
 */
struct fb_registry_upload {
	struct fb_digest digest;
	uint64_t size_bytes;
	const char *mount_from;
	ssize_t (*read)(void *ctx, uint64_t offset, void *buf, size_t len);
	void (*progress)(void *ctx, uint64_t done_bytes);
	void *ctx;
	enum fb_upload_end end;
};

/**
 * fb_registry_push_blobs() - Give blobs to a repository, in parallel
 * @reg:        Client (borrowed)
 * @repository: As in struct fb_reference's path
 * @uploads:    Each digest at most once (borrowed; @end is written)
 * @count:      0 … FB_REGISTRY_BLOBS_MAX
 *
 * Asks for each first, then tries to mount it, then sends it: in one request
 * where it is small, in pieces otherwise.  A broken upload goes on where the
 * registry says that it stopped.  Mirrors are left alone.
 *
 * Return: 0 the repository has them all; as fb_registry_fetch_blobs(); what @read
 * returned.
 */
int fb_registry_push_blobs(struct fb_registry *reg, const char *repository,
			   struct fb_registry_upload *uploads, size_t count,
			   struct fb_err *err);

/**
 * fb_registry_put_manifest() - Give a manifest or an index, byte for byte
 * @ref:        Where: by @ref->digest where set, otherwise by @ref->tag
 * @manifest:   @bytes, @len, @media_type, @digest (borrowed)
 *
 * The blobs that it names must be there already.
 *
 * Return: 0; -EBADMSG the registry calls it by another digest; as
 * fb_registry_get_manifest().
 */
int fb_registry_put_manifest(struct fb_registry *reg,
			     const struct fb_reference *ref,
			     const struct fb_registry_manifest *manifest,
			     struct fb_err *err);

#endif
