/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Blobs: files named by their digest, in ROOT/oci/blobs/<algorithm>/.
 *
 * A blob is visible only when it is whole, verified and synced.  A command
 * that gathers blobs for an image takes a lease first: what a live lease names
 * is not collected, although no image refers to it yet.
 */
#ifndef FB_STORE_BLOB_H
#define FB_STORE_BLOB_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "oci/digest.h"
#include "store/store.h"

struct fb_lease; /* opaque */

/**
 * fb_store_lease_open() - Start protecting blobs from garbage collection
 * @ret: Lease (returned)
 *
 * Return: 0; a negative errno.
 */
int fb_store_lease_open(struct fb_store *store, struct fb_lease **ret,
			struct fb_err *err);

/**
 * fb_store_lease_add() - Protect a blob, there or not yet
 * @lease:      Lease (borrowed)
 * @digest:     Of the blob
 * @size_bytes: What its descriptor says; UINT64_MAX = not known
 * @ret_has:    Whether the store has it, with that size; may be NULL
 *
 * Return: 0; a negative errno.
 */
int fb_store_lease_add(struct fb_lease *lease, const struct fb_digest *digest,
		       uint64_t size_bytes, bool *ret_has, struct fb_err *err);

/** fb_store_lease_close() - End it; NULL is fine.  The blobs stay until the next collection */
void fb_store_lease_close(struct fb_lease *lease);

static inline void fb_cleanup_lease(struct fb_lease **lease)
{
	fb_store_lease_close(*lease);
}

#define FB_LEASE __attribute__((cleanup(fb_cleanup_lease)))

/**
 * struct fb_blob_options - What is going to be written
 * @digest:     Expected digest; NULL = whatever comes out, SHA-256
 * @size_bytes: Expected size; UINT64_MAX = not known
 * @lease:      Protects the blob from the moment it is visible (borrowed, must
 *              outlive the writer); NULL = nothing does
 * @resume:     With @digest: take up the beginning that an earlier process left
 *              in partial/, and leave ours there when we die or call
 *              fb_store_blob_suspend()
 * @verified:   With @digest: the caller verifies size and digest before it
 *              commits, so that the bytes are hashed once, not twice
 */
struct fb_blob_options {
	const struct fb_digest *digest;
	uint64_t size_bytes;
	struct fb_lease *lease;
	bool resume;
	bool verified;
};

struct fb_blob_writer; /* opaque */

/**
 * fb_store_blob_create() - Start writing a blob
 * @options: What (borrowed during the call)
 * @ret:     Writer (returned); ends by commit, suspend or discard
 *
 * With @resume, fb_store_blob_size() tells how much is there already.
 *
 * Return: 0; -EBUSY with @resume: another process is writing this very blob;
 * a negative errno.
 */
int fb_store_blob_create(struct fb_store *store,
			 const struct fb_blob_options *options,
			 struct fb_blob_writer **ret, struct fb_err *err);

/** fb_store_blob_size() - Bytes in the writer so far */
uint64_t fb_store_blob_size(const struct fb_blob_writer *writer);

/**
 * fb_store_blob_write() - Append bytes
 *
 * Return: 0; -EFBIG more than the expected size; -ENOSPC, -EIO, -EDQUOT, …
 */
int fb_store_blob_write(struct fb_blob_writer *writer, const void *data,
			size_t len, struct fb_err *err);

/** fb_store_blob_write_out() - Start writing to the disk what it does not have yet; waits for nothing */
void fb_store_blob_write_out(struct fb_blob_writer *writer);

/**
 * fb_store_blob_read() - Read back bytes that were written
 *
 * Return: bytes, less than @len only at the end; negative errno.
 */
ssize_t fb_store_blob_read(struct fb_blob_writer *writer, uint64_t offset,
			   void *buf, size_t len);

/**
 * fb_store_blob_follow() - Read a blob while it is being written
 *
 * Return: descriptor of its file (returned), which outlives the writer; negative
 * errno.
 */
int fb_store_blob_follow(const struct fb_blob_writer *writer);

/** fb_store_blob_restart() - Forget all bytes so far. Return: 0; negative errno */
int fb_store_blob_restart(struct fb_blob_writer *writer, struct fb_err *err);

/**
 * fb_store_blob_commit() - Verify, sync and publish
 * @writer: Freed on success; on failure only discard (or suspend) is left
 * @ret_digest: What it is now called, or NULL
 *
 * A blob that is there already stays (one with another size is replaced).  Its bytes
 * are on the disk then; its name is when an image that has it is entered.
 *
 * Return: 0; -EBADMSG wrong digest or size; a negative errno.
 */
int fb_store_blob_commit(struct fb_blob_writer *writer,
			 struct fb_digest *ret_digest, struct fb_err *err);

/** fb_store_blob_suspend() - Leave the beginning for a later process (@resume), or discard; frees */
void fb_store_blob_suspend(struct fb_blob_writer *writer);

/** fb_store_blob_discard() - Remove what was written, free; NULL is fine */
void fb_store_blob_discard(struct fb_blob_writer *writer);

static inline void fb_cleanup_blob_writer(struct fb_blob_writer **writer)
{
	fb_store_blob_discard(*writer);
}

#define FB_BLOB_WRITER __attribute__((cleanup(fb_cleanup_blob_writer)))

/** fb_store_blob_put() - Write a small blob from memory. Return: 0; negative errno */
int fb_store_blob_put(struct fb_store *store, struct fb_lease *lease,
		      const void *data, size_t len,
		      struct fb_digest *ret_digest, struct fb_err *err);

/**
 * fb_store_blob_open() - Open a blob for reading
 * @digest:     Which
 * @size_bytes: What its descriptor says; UINT64_MAX = not known
 * @ret_size_bytes: Its size, or NULL
 *
 * Return: descriptor (returned); -ENOENT not there; -EBADMSG another size.
 */
int fb_store_blob_open(struct fb_store *store, const struct fb_digest *digest,
		       uint64_t size_bytes, uint64_t *ret_size_bytes,
		       struct fb_err *err);

/**
 * fb_store_blob_load() - Read a small blob whole and verify it
 * @max:      Most bytes that are accepted
 * @ret_data: malloc'ed, NUL-terminated (returned)
 * @ret_len:  Bytes
 *
 * Return: 0; -ENOENT; -EFBIG over @max; -EBADMSG not what its name says.
 */
int fb_store_blob_load(struct fb_store *store, const struct fb_digest *digest,
		       size_t max, char **ret_data, size_t *ret_len,
		       struct fb_err *err);

/** fb_store_blob_has() - It is there with this size (UINT64_MAX = any) */
bool fb_store_blob_has(struct fb_store *store, const struct fb_digest *digest,
		       uint64_t size_bytes);

/**
 * fb_store_blob_list() - Visit every blob
 * @visit: Digest and size; a negative errno ends the walk with it
 *
 * Return: 0; a negative errno.
 */
int fb_store_blob_list(struct fb_store *store,
		       int (*visit)(void *ctx, const struct fb_digest *digest,
				    uint64_t size_bytes),
		       void *ctx, struct fb_err *err);

#endif
