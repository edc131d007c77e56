/* SPDX-License-Identifier: Apache-2.0 */
/* Reading everything again, to see whether it is still what its name says. */
#ifndef FB_STORE_VERIFY_H
#define FB_STORE_VERIFY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "oci/digest.h"
#include "store/store.h"

/** enum fb_store_fault - What can be wrong */
enum fb_store_fault {
	FB_STORE_FAULT_MISSING, /* a blob that an image needs is not there */
	FB_STORE_FAULT_DAMAGED, /* or is not what its name says, or unreadable */
	FB_STORE_FAULT_STRAY,	/* a damaged blob that no image needs */
	FB_STORE_FAULT_ROOTFS,	/* a converted image is not what its row says */
	FB_STORE_FAULT_INDEX,	/* index.json is not what the catalogue says */
};

/**
 * struct fb_store_finding - One thing that is wrong
 * @digest: Of the blob, or the converted image's key; not set for the index
 */
struct fb_store_finding {
	enum fb_store_fault fault;
	struct fb_digest digest;
};

/**
 * struct fb_store_check - Who wants to know
 * @found: Called for each fault
 * @step:  Called often: what is read, and how much of it so far; a negative errno
 *         ends the work with it.  May be NULL
 */
struct fb_store_check {
	int (*found)(void *ctx, const struct fb_store_finding *finding);
	int (*step)(void *ctx, const char *what, uint64_t done_bytes,
		    uint64_t total_bytes);
	void *ctx;
};

/** struct fb_store_verified - How much was read */
struct fb_store_verified {
	size_t blobs;
	size_t rootfs;
	uint64_t bytes;
};

/**
 * fb_store_verify() - Hash all blobs and converted images, compare the index
 * @ret: Written on success only
 *
 * Takes no lock for long: what is removed meanwhile is not missed.
 *
 * Return: 0, also where faults were found; what @check returns; a negative errno.
 */
int fb_store_verify(struct fb_store *store, const struct fb_store_check *check,
		    struct fb_store_verified *ret, struct fb_err *err);

/**
 * fb_store_blob_is_sound() - Hash one blob
 *
 * Return: 1 it is what its name says; 0 not, or not there; -ENOMEM.
 */
int fb_store_blob_is_sound(struct fb_store *store,
			   const struct fb_digest *digest);

/**
 * fb_store_evict() - Take what is damaged out of the way
 * @finding: What (borrowed); what is sound by now stays
 *
 * Blobs and converted images are deleted, so that nothing trusts them for their
 * size; the index is written again.
 *
 * Return: 0; a negative errno.
 */
int fb_store_evict(struct fb_store *store,
		   const struct fb_store_finding *finding, struct fb_err *err);

/**
 * fb_store_blob_images() - Which images need a blob
 * @ret:       Digests of their manifests, malloc'ed (returned)
 * @ret_count: Of @ret
 *
 * Return: 0; a negative errno.
 */
int fb_store_blob_images(struct fb_store *store, const struct fb_digest *digest,
			 struct fb_digest **ret, size_t *ret_count,
			 struct fb_err *err);

#endif
