/* SPDX-License-Identifier: Apache-2.0 */
/* What the files that save images share; nobody else includes this. */
#ifndef FB_IMAGE_SAVE_INTERNAL_H
#define FB_IMAGE_SAVE_INTERNAL_H

#include <stdbool.h>

#include "base/str.h"
#include "image/output.h"
#include "image/save.h"
#include "oci/manifest.h"

#define FB_SAVE_DOCUMENT_MAX (32u << 20)
#define FB_SAVE_NAME_MAX (FB_DIGEST_TEXT_MAX + 16)

/**
 * struct fb_saved - An image that is going to be saved
 * @record:   From the catalogue
 * @manifest: Parsed
 * @manifest_bytes: Its size
 * @tags:     Canonical names that it gets, sorted; may be empty
 */
struct fb_saved {
	struct fb_image_record record;
	struct fb_manifest manifest;
	uint64_t manifest_bytes;
	struct fb_strv tags;
};

/** struct fb_saved_list - In the order in which they were asked for */
struct fb_saved_list {
	struct fb_saved *v;
	size_t count;
	size_t entries; /* lines that they make in an index */
};

/* --- save_select.c --- */

/**
 * fb_saved_select() - Find out what is meant
 * @ret: Release with fb_saved_list_release(), also after a failure
 *
 * Return: as fb_image_save().
 */
int fb_saved_select(const struct fb_image_context *ctx,
		    const struct fb_image_save *save, struct fb_saved_list *ret,
		    struct fb_err *err);
void fb_saved_list_release(struct fb_saved_list *list);

#define FB_SAVED_LIST __attribute__((cleanup(fb_saved_list_release)))

/* --- save_documents.c, pure --- */

/** fb_save_blob_name() - "blobs/sha256/<hex>". Return: @out */
const char *fb_save_blob_name(const struct fb_digest *digest,
			      char out[FB_SAVE_NAME_MAX]);

/**
 * fb_save_index() - index.json
 * @bare_tags: ref.name holds the tag alone, as docker writes it, not the whole
 *             name; the whole one stands in io.containerd.image.name
 */
void fb_save_index(const struct fb_saved_list *list, bool bare_tags,
		   struct fb_str *out);

/** fb_save_manifest_json() - docker's manifest.json */
void fb_save_manifest_json(const struct fb_saved_list *list,
			   struct fb_str *out);

/* --- save_sink.c --- */

/**
 * struct fb_save_sink - Where files go: into a tar, or into a folder
 * @fd:     The archive's descriptor, or the folder's
 * @folder: Which of the two
 * @owned:  @fd is closed in the end
 * @output: A regular file on its way to its name
 * @parent: Of a folder on its way to its name; -EBADF otherwise
 * @temp:   Name of that folder for now
 * @name:   And in the end
 */
struct fb_save_sink {
	int fd;
	bool folder;
	bool owned;
	struct fb_output output;
	int parent;
	char *temp;
	char *name;
};

#define FB_SAVE_SINK_INIT       \
	((struct fb_save_sink){ \
		.fd = -EBADF, .output = FB_OUTPUT_INIT, .parent = -EBADF })

/** fb_save_sink_open() - Start. @ret: end it with fb_save_sink_release() */
int fb_save_sink_open(const struct fb_image_context *ctx,
		      const struct fb_image_save *save,
		      struct fb_save_sink *ret, struct fb_err *err);

/** fb_save_sink_dir() - Add a folder. Return: 0; negative errno */
int fb_save_sink_dir(struct fb_save_sink *sink, const char *name,
		     struct fb_err *err);

/** fb_save_sink_text() - Add a file from memory. Return: 0; negative errno */
int fb_save_sink_text(struct fb_save_sink *sink, const char *name,
		      const struct fb_str *text, struct fb_err *err);

/**
 * fb_save_sink_blob() - Add a blob of the store, verified as it passes
 *
 * Return: 0; -EBADMSG it is damaged; a negative errno.
 */
int fb_save_sink_blob(struct fb_save_sink *sink,
		      const struct fb_image_context *ctx,
		      const struct fb_digest *digest, uint64_t size_bytes,
		      struct fb_err *err);

/** fb_save_sink_commit() - End it, and give it its name. Return: 0; negative errno */
int fb_save_sink_commit(struct fb_save_sink *sink, struct fb_err *err);

/** fb_save_sink_release() - What was not committed is gone, where it can be */
void fb_save_sink_release(struct fb_save_sink *sink);

#define FB_SAVE_SINK __attribute__((cleanup(fb_save_sink_release)))

#endif
