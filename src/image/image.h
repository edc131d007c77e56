/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Images by the names that users type: find, tag, remove, list, inspect.
 */
#ifndef FB_IMAGE_IMAGE_H
#define FB_IMAGE_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/log.h"
#include "image/progress.h"
#include "oci/manifest.h"
#include "oci/reference.h"
#include "store/catalogue.h"
#include "store/store.h"

/**
 * struct fb_image_context - What image work needs
 * @store:    Store (borrowed)
 * @log:      Sink, or NULL
 * @progress: Who wants to know, or NULL
 */
struct fb_image_context {
	struct fb_store *store;
	const struct fb_log *log;
	const struct fb_progress *progress;
};

/**
 * fb_image_resolve() - The user's text to an image of this store
 * @text: Reference (docker's short names), image id or its start with or
 *        without "sha256:", or a manifest's digest
 * @ret:  Release with fb_image_record_release(); written on success only
 * @ret_name: Canonical name where @text was one the catalogue has, "" where it
 *        was an id; malloc'ed (returned); may be NULL
 *
 * A name goes before an id, as with docker.
 *
 * Return: 0; -ENOENT "No such image: …"; -ENOTUNIQ; -EINVAL malformed.
 */
int fb_image_resolve(const struct fb_image_context *ctx, const char *text,
		     struct fb_image_record *ret, char **ret_name,
		     struct fb_err *err);

/**
 * fb_image_tag() - `tag SOURCE TARGET`
 * @target: A reference without a digest
 *
 * Return: 0; -ENOENT; -EINVAL.
 */
int fb_image_tag(const struct fb_image_context *ctx, const char *source,
		 const char *target, struct fb_err *err);

/**
 * fb_image_remove() - `rmi TEXT`
 * @ret: What went is added; names in it are familiar ones ("alpine:3")
 *
 * Return: 0; -ENOENT; -EBUSY in use, docker's text; a negative errno.
 */
int fb_image_remove(const struct fb_image_context *ctx, const char *text,
		    bool force, struct fb_image_removal *ret,
		    struct fb_err *err);

/** fb_image_familiar_names() - Canonical names from @from on as users write them. Return: 0; -ENOMEM */
int fb_image_familiar_names(struct fb_strv *names, size_t from);

/**
 * struct fb_image_row - A line of `images`; text lives as long as the rows
 * @repository: Familiar ("alpine"), or "<none>"
 * @tag:        Or "<none>"
 * @digest:     Of the manifest or index it was pulled by; "" where it was never
 *              pulled or pushed, or digests were not asked for
 * @id:         Config digest
 * @platform:   From the config
 * @created_s:  From the config, UNIX seconds, or FB_TIME_UNKNOWN
 * @seq:        Grows from image to image as they enter the store
 * @size_bytes: As stored
 */
struct fb_image_row {
	const char *repository;
	const char *tag;
	const char *digest;
	const char *id;
	const char *platform;
	int64_t created_s;
	int64_t seq;
	uint64_t size_bytes;
};

/**
 * struct fb_image_rows - Rows, and the text in them
 * @chunks:      Memory that the text stands in
 * @chunk_used:  Of the last one
 */
struct fb_image_rows {
	struct fb_image_row *v;
	size_t count;
	char **chunks;
	size_t chunk_count;
	size_t chunk_used;
};

void fb_image_rows_release(struct fb_image_rows *rows);

#define FB_IMAGE_ROWS __attribute__((cleanup(fb_image_rows_release)))

/** enum fb_image_dangling - Whether images without a tag are wanted */
enum fb_image_dangling {
	FB_IMAGE_DANGLING_BOTH,
	FB_IMAGE_DANGLING_ONLY,
	FB_IMAGE_DANGLING_NONE,
};

/**
 * struct fb_image_filter - Which images; all that is given must hold
 * @references: Patterns as the user typed them ("alpine", "alpine:3", with * and
 *              ?), of which one must match
 * @labels:     "key" or "key=value", all of which the config must have
 * @no_labels:  Likewise, of which the config must have none
 * @before:     Images made before this one; NULL = any
 * @since:      After this one; NULL = any
 * @until_s:    Made before this time, UNIX seconds; 0 = any
 * @dangling:   Without a tag
 * @digests:    Say by which digest each was pulled
 */
struct fb_image_filter {
	struct fb_strv references;
	struct fb_strv labels;
	struct fb_strv no_labels;
	const char *before;
	const char *since;
	int64_t until_s;
	enum fb_image_dangling dangling;
	bool digests;
};

/**
 * fb_image_list() - What `images` shows, newest first
 * @filter: Which (borrowed), or NULL: all
 *
 * One row a tag; a repository known only by digest has one with tag "<none>".
 *
 * Return: 0; -ENOENT no image @before or @since; a negative errno.
 */
int fb_image_list(const struct fb_image_context *ctx,
		  const struct fb_image_filter *filter,
		  struct fb_image_rows *ret, struct fb_err *err);

/**
 * fb_image_prune() - Remove images that nobody uses, and what nothing needs
 * @filter: @until_s and @labels limit what goes (borrowed), or NULL
 * @all:    Also images with a tag, where no container uses them
 * @ret:    What went is added; names in it are familiar ones
 *
 * Unneeded blobs, beginnings of downloads and converted images without an image
 * go as well.
 *
 * Return: 0; a negative errno.
 */
int fb_image_prune(const struct fb_image_context *ctx,
		   const struct fb_image_filter *filter, bool all,
		   struct fb_image_removal *ret, struct fb_err *err);

/**
 * struct fb_image_details - What `inspect` shows
 * @record:   Names are canonical
 * @config:   Parsed
 * @manifest: Parsed
 * @config_json: The config's bytes as they are (NUL-terminated)
 * @config_len: Of these
 */
struct fb_image_details {
	struct fb_image_record record;
	struct fb_image_config config;
	struct fb_manifest manifest;
	char *config_json;
	size_t config_len;
};

void fb_image_details_release(struct fb_image_details *details);

#define FB_IMAGE_DETAILS __attribute__((cleanup(fb_image_details_release)))

/**
 * fb_image_inspect() - Everything about one image
 * @text: As fb_image_resolve() takes it
 * @ret:  Written on success only
 *
 * Return: 0; as fb_image_resolve(); -EBADMSG the store is damaged.
 */
int fb_image_inspect(const struct fb_image_context *ctx, const char *text,
		     struct fb_image_details *ret, struct fb_err *err);

#endif
