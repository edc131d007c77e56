/* SPDX-License-Identifier: Apache-2.0 */
/* What the files that load images, or convert them from files, share. */
#ifndef FB_IMAGE_LOAD_INTERNAL_H
#define FB_IMAGE_LOAD_INTERNAL_H

#include "archive/source.h"
#include "image/load.h"
#include "oci/manifest.h"
#include "store/blob.h"

#define FB_LOAD_MEMBERS_MAX 65536
#define FB_LOAD_NAME_MAX 4096
/* as it stands in an archive or folder, so that a whole one fits in memory */
#define FB_LOAD_INDEX_MAX (8u << 20)

/**
 * struct fb_member - A member of an archive that was kept
 * @name:        Clean
 * @target:      Clean name that a link leads to, NULL for a file
 * @order:       Place in the archive: of equal names the last one counts
 * @digest:      SHA-256 of a file (or as its name in blobs/ says)
 * @size_bytes:  Of a file
 * @offset:      In the archive, where it stays there
 * @compression: By its first bytes
 */
struct fb_member {
	char *name;
	char *target;
	size_t order;
	struct fb_digest digest;
	uint64_t size_bytes;
	uint64_t offset;
	enum fb_layer_compression compression;
};

/**
 * struct fb_members - What an archive held
 * @v:        Sorted by name and order once it was read to its end
 * @made:     Digests of all blobs that were written
 * @layout:   Text of oci-layout, or NULL
 * @index:    Text of index.json, or NULL
 * @manifest: Text of docker's manifest.json, or NULL
 */
struct fb_members {
	struct fb_member *v;
	size_t count;
	size_t cap;
	struct fb_digest *made;
	size_t made_count;
	size_t made_cap;
	char *layout;
	char *index;
	size_t index_len;
	char *manifest;
	size_t manifest_len;
};

/**
 * fb_members_read() - Read an archive once, front to back
 * @ctx:   Where its files go
 * @lease: Keeps them
 * @from:  Its bytes, compressed or not (borrowed), read to their end
 * @ret:   Added to also on failure: @made must be collected then
 *
 * Return: 0; -EBADMSG damaged or no tar; -E2BIG; a negative errno.
 */
int fb_members_read(const struct fb_image_context *ctx, struct fb_lease *lease,
		    struct fb_source *from, struct fb_members *ret,
		    struct fb_err *err);

/**
 * fb_members_scan() - Note where the members of an archive are
 * @from: Its bytes, not compressed (borrowed)
 * @ret:  Added to also on failure; digests and compressions are not known.  Of
 *        more than FB_LOAD_MEMBERS_MAX members the rest is left out: an archive
 *        of so many is a root file system
 *
 * Return: 0; -EBADMSG damaged or no tar; a negative errno.
 */
int fb_members_scan(struct fb_source *from, struct fb_members *ret,
		    struct fb_err *err);

/** fb_members_note() - Remember a blob for collection. Return: 0; -ENOMEM */
int fb_members_note(struct fb_members *members, const struct fb_digest *digest);

/**
 * fb_members_find() - A file by its clean name, through links of the archive
 *
 * Return: borrowed; NULL where there is none.
 */
const struct fb_member *fb_members_find(const struct fb_members *members,
					const char *name);

void fb_members_release(struct fb_members *members);

/**
 * struct fb_loader - An image archive or folder being loaded
 * @ctx:      Store and sinks
 * @what:     The user's words
 * @lease:    Keeps all blobs until the images are entered
 * @members:  Of an archive
 * @dirfd:    Of a layout folder; -EBADF for an archive
 * @base:     Name for an image that only has a tag, "" where there is none
 * @fact:     Where they come from, to be kept with the images
 * @whole:    Handed an OCI layout's index in the place of loading its images; NULL =
 *            they are loaded.  @whole_ctx is passed to it
 * @only:     Of an OCI layout only what is called so, a tag or a whole reference; NULL =
 *            all
 * @passed:   Artifacts that were passed over
 * @entries:  Images found
 * @count:    Of @entries
 */
struct fb_loader {
	const struct fb_image_context *ctx;
	const struct fb_image_load *what;
	struct fb_lease *lease;
	struct fb_members members;
	int dirfd;
	char *base;
	char *fact;
	int (*whole)(void *ctx, const struct fb_index *index,
		     struct fb_err *err);
	void *whole_ctx;
	const char *only;
	size_t passed;
	struct fb_image_entry *entries;
	size_t count;
	size_t cap;
};

/**
 * fb_loader_run() - Have all that an archive or folder holds in the store
 * @loader: @ctx, @what and @dirfd (-EBADF) are set; @lease, @entries are filled.
 *          Release with fb_loader_release(), also after a failure
 *
 * Return: 0; as fb_image_load().
 */
int fb_loader_run(struct fb_loader *loader, struct fb_err *err);

/** fb_loader_release() - Free; blobs that are in no image are collected */
void fb_loader_release(struct fb_loader *loader);

/**
 * fb_loader_add() - Take an image into the list
 * @entry: Emptied on success
 *
 * Return: 0; -ENOMEM; -E2BIG.
 */
int fb_loader_add(struct fb_loader *loader, struct fb_image_entry *entry,
		  struct fb_err *err);

/**
 * fb_loader_name() - Give an entry a name
 * @text: A reference as a user writes it
 *
 * Return: 0; -EINVAL; -ENOMEM.
 */
int fb_loader_name(struct fb_image_entry *entry, const char *text,
		   struct fb_err *err);

/**
 * fb_load_oci() - Find the images of an OCI layout
 * @index: index.json
 *
 * Return: 0; a negative errno.
 */
int fb_load_oci(struct fb_loader *loader, const char *index, size_t index_len,
		struct fb_err *err);

/**
 * fb_loader_need_blob() - Have a blob of an OCI layout in the store
 *
 * Return: 0; -EBADMSG the layout lacks it, or has another size; a negative errno.
 */
int fb_loader_need_blob(struct fb_loader *loader, const struct fb_descriptor *d,
			struct fb_err *err);

/** fb_load_docker() - Find the images of a docker-archive. Return: 0; negative errno */
int fb_load_docker(struct fb_loader *loader, struct fb_err *err);

/**
 * fb_load_base_name() - "busybox" for "/tmp/Busybox.tar.gz"
 *
 * Return: malloc'ed (returned), "" where nothing of it can be a repository name;
 * NULL out of memory.
 */
char *fb_load_base_name(const char *path);

/* "blobs/sha512/" and the digits */
#define FB_LAYOUT_PATH_MAX (FB_DIGEST_TEXT_MAX + 16)

/** fb_layout_path() - Where an OCI layout has a blob: "blobs/sha256/…" */
void fb_layout_path(const struct fb_digest *digest,
		    char out[FB_LAYOUT_PATH_MAX]);

/**
 * fb_oci_layout_check() - Is this an oci-layout file of a version that we know
 *
 * Return: 0; -EBADMSG; -EOPNOTSUPP.
 */
int fb_oci_layout_check(const char *json, size_t len, struct fb_err *err);

#endif
