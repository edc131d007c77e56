/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The catalogue: which images there are and what they are called.
 *
 * An image is a manifest of one platform whose blobs are all in the store.  A
 * name is a canonical reference with a tag ("docker.io/library/alpine:3") or
 * with a digest ("docker.io/library/alpine@sha256:…"); it points to one image.
 * An image without a tag is dangling; one without any name stays until it is
 * removed or pruned.  The image id is the digest of its config, as with docker;
 * two manifests may share one.
 */
#ifndef FB_STORE_CATALOGUE_H
#define FB_STORE_CATALOGUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "oci/digest.h"
#include "oci/platform.h"
#include "store/store.h"

/**
 * struct fb_image_record - One image of the catalogue
 * @manifest:     Digest of the platform's manifest
 * @media_type:   Of the manifest
 * @config:       Digest of the config: the image id
 * @platform:     From the config
 * @created_s:    From the config, UNIX seconds, or FB_TIME_UNKNOWN
 * @registered_s: When it entered this store
 * @size_bytes:   Manifest, config and layers as stored, each blob once
 * @names:        Canonical references, tags first, sorted; may be empty
 */
struct fb_image_record {
	struct fb_digest manifest;
	char media_type[64];
	struct fb_digest config;
	struct fb_platform platform;
	int64_t created_s;
	int64_t registered_s;
	uint64_t size_bytes;
	struct fb_strv names;
};

void fb_image_record_release(struct fb_image_record *record);

#define FB_IMAGE_RECORD __attribute__((cleanup(fb_image_record_release)))

struct fb_image_records {
	struct fb_image_record *v;
	size_t count;
};

void fb_image_records_release(struct fb_image_records *records);

#define FB_IMAGE_RECORDS __attribute__((cleanup(fb_image_records_release)))

/** struct fb_blob_ref - A blob that an image needs, with its size */
struct fb_blob_ref {
	struct fb_digest digest;
	uint64_t size_bytes;
};

/**
 * struct fb_image_entry - An image on its way into the catalogue
 * @record:     @registered_s is filled in by the store; @names are moved to this
 *              image from whichever had them
 * @blobs:      All that the image needs: manifest, config, layers, and the index
 *              it came from; a blob may be named twice (malloc'ed)
 * @blob_count: Of @blobs
 * @facts:      Added to what is known of it: fb_store_image_facts()
 */
struct fb_image_entry {
	struct fb_image_record record;
	struct fb_blob_ref *blobs;
	size_t blob_count;
	struct fb_strv facts;
};

void fb_image_entry_release(struct fb_image_entry *entry);

#define FB_IMAGE_ENTRY __attribute__((cleanup(fb_image_entry_release)))

/**
 * fb_store_images_put() - Enter images, or give them more names
 * @store:   Store (borrowed)
 * @entries: Images (borrowed); of equal names the last one counts
 * @count:   Of @entries
 * @err:     Error detail, or NULL
 *
 * All of them or none, durable when it returns.  The blobs must be in the
 * store, held by a lease of the caller.
 *
 * Return: 0; -ENOENT a blob is missing; -EINVAL a name or media type that cannot
 * stand in index.json; a negative errno.
 */
int fb_store_images_put(struct fb_store *store,
			const struct fb_image_entry *entries, size_t count,
			struct fb_err *err);

/**
 * fb_store_image_by_name() - Look a canonical reference up
 * @name: "docker.io/library/alpine:3" or "docker.io/library/alpine@sha256:…"
 *
 * Return: 0; -ENOENT; a negative errno.
 */
int fb_store_image_by_name(struct fb_store *store, const char *name,
			   struct fb_image_record *ret, struct fb_err *err);

/**
 * fb_store_image_by_id() - Look an image id, or the start of one, up
 * @prefix: The first lower-case hex digits of the config's or of the manifest's
 *          digest; perhaps behind "sha256:" or "sha512:", where it is one of those
 *
 * Of several manifests with the same config the newest is taken.
 *
 * Return: 0; -ENOENT; -ENOTUNIQ several images; -EINVAL not hex digits.
 */
int fb_store_image_by_id(struct fb_store *store, const char *prefix,
			 struct fb_image_record *ret, struct fb_err *err);

/** fb_store_image_by_manifest() - Return: 0; -ENOENT; a negative errno */
int fb_store_image_by_manifest(struct fb_store *store,
			       const struct fb_digest *manifest,
			       struct fb_image_record *ret, struct fb_err *err);

/**
 * fb_store_image_list() - All images, newest first (created, then registered)
 *
 * Return: 0; a negative errno.
 */
int fb_store_image_list(struct fb_store *store, struct fb_image_records *ret,
			struct fb_err *err);

/**
 * struct fb_image_scan - An image as a listing sees it, all text borrowed
 * @seq:      Grows from image to image as they enter the store
 * @config:   "sha256:…"
 * @os, @arch, @variant: From the config
 * @created_s, @registered_s, @size_bytes: As in struct fb_image_record
 * @names:    Canonical references, tags first, sorted
 * @name_count: Of @names
 */
struct fb_image_scan {
	int64_t seq;
	const char *config;
	const char *os;
	const char *arch;
	const char *variant;
	int64_t created_s;
	int64_t registered_s;
	uint64_t size_bytes;
	const char *const *names;
	size_t name_count;
};

/**
 * fb_store_image_scan() - Visit all images, in no order that matters
 * @visit: What it is handed lives until it returns; it may ask the store, but not
 *         change it; a negative errno ends the walk with it
 *
 * One view of the catalogue, and nothing allocated for each image: ten thousand
 * take some milliseconds.
 *
 * Return: 0; a negative errno.
 */
int fb_store_image_scan(struct fb_store *store,
			int (*visit)(void *ctx,
				     const struct fb_image_scan *image,
				     struct fb_err *err),
			void *ctx, struct fb_err *err);

/**
 * fb_store_image_tag() - Give an image one more name, taken from whoever has it
 * @manifest: Which
 * @name:     Canonical
 *
 * Return: 0; -ENOENT no such image; a negative errno.
 */
int fb_store_image_tag(struct fb_store *store, const struct fb_digest *manifest,
		       const char *name, struct fb_err *err);

/**
 * fb_store_image_facts() - What was remembered of an image
 * @ret: Added to
 *
 * Lines of text that the store does not look into; they go with the image.
 *
 * Return: 0, also where there is no such image; a negative errno.
 */
int fb_store_image_facts(struct fb_store *store,
			 const struct fb_digest *manifest, struct fb_strv *ret,
			 struct fb_err *err);

/**
 * fb_store_image_add_facts() - Remember something of an image
 *
 * Return: 0; -ENOENT no such image; a negative errno.
 */
int fb_store_image_add_facts(struct fb_store *store,
			     const struct fb_digest *manifest,
			     const struct fb_strv *facts, struct fb_err *err);

/**
 * struct fb_image_removal - What went
 * @untagged: Canonical names
 * @deleted:  Digests of manifests, configs and layers whose blobs are gone
 * @freed_bytes: Blocks of blobs, beginnings of blobs and converted images
 */
struct fb_image_removal {
	struct fb_strv untagged;
	struct fb_strv deleted;
	uint64_t freed_bytes;
};

void fb_image_removal_release(struct fb_image_removal *removal);

/**
 * fb_store_image_remove() - Remove a name, or an image with all its names
 * @name:  Canonical name to remove; the image goes with its last tag.  NULL =
 *         the image @id with all names
 * @id:    Config digest; used where @name is NULL
 * @force: Also while a stopped container uses it or it has several names; one
 *         used by a running container only loses its names
 * @ret:   Added to what is in there; release with fb_image_removal_release()
 *
 * Refusals carry docker's own text.
 *
 * Return: 0; -ENOENT; -EBUSY a container uses it, or several names; negative errno.
 */
int fb_store_image_remove(struct fb_store *store, const char *name,
			  const struct fb_digest *id, bool force,
			  struct fb_image_removal *ret, struct fb_err *err);

/**
 * fb_store_collect() - Delete blobs and converted images that nothing needs
 * @ret: Added to what is in there, or NULL
 *
 * fb_store_image_remove() does it itself; this is for `prune` and for what
 * interrupted commands left.  Waits for publishers (milliseconds), never for a
 * download.
 *
 * Return: 0; a negative errno.
 */
int fb_store_collect(struct fb_store *store, struct fb_image_removal *ret,
		     struct fb_err *err);

/**
 * fb_store_collect_blobs() - The same for a few blobs
 * @digests: Which (borrowed); what an image or a live lease needs stays
 * @count:   Of @digests
 *
 * For a command that wrote more than it turned out to need.
 *
 * Return: 0; a negative errno.
 */
int fb_store_collect_blobs(struct fb_store *store,
			   const struct fb_digest *digests, size_t count,
			   struct fb_err *err);

#endif
