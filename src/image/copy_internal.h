/* SPDX-License-Identifier: Apache-2.0 */
/* What the files that copy images share; nobody else includes this. */
#ifndef FB_IMAGE_COPY_INTERNAL_H
#define FB_IMAGE_COPY_INTERNAL_H

#include "image/copy.h"
#include "image/load_internal.h"
#include "image/outgoing.h"

/* as many as an index has entries, and itself */
#define FB_COPY_DOCS_MAX (FB_INDEX_ENTRIES_MAX + 1)

enum fb_copy_kind {
	FB_COPY_REGISTRY,
	FB_COPY_OCI_DIR,
	FB_COPY_OCI_ARCHIVE,
	FB_COPY_DOCKER_ARCHIVE,
};

/**
 * struct fb_copy_place - Where from or where to
 * @ref:  Of a registry
 * @path: Of a folder or file (owned)
 * @name: Tag or reference in it, "" where none was given (owned)
 */
struct fb_copy_place {
	enum fb_copy_kind kind;
	struct fb_reference ref;
	char *path;
	char *name;
};

/** fb_copy_place_parse() - Return: 0; -EINVAL; -ENOMEM */
int fb_copy_place_parse(const char *text, struct fb_copy_place *ret,
			struct fb_err *err);
void fb_copy_place_release(struct fb_copy_place *place);

/** struct fb_copy_doc - A manifest or an index, in the store */
struct fb_copy_doc {
	struct fb_digest digest;
	uint64_t size_bytes;
	char media_type[256];
};

/**
 * struct fb_copy - A copy at work
 * @loader: Of an archive or a folder; has a lease of its own
 * @record: Of the image that was loaded (borrowed), or NULL
 * @chosen: Of a layout's index, with @what->all
 * @lease:  Of everything else
 * @docs:   What each of them names comes before it; the last is the image
 * @blobs:  Configs and layers, each once
 */
struct fb_copy {
	const struct fb_image_context *ctx;
	const struct fb_image_copy *what;
	struct fb_copy_place from;
	struct fb_copy_place to;
	struct fb_image_load load;
	struct fb_loader loader;
	const struct fb_image_record *record;
	struct fb_descriptor chosen;
	struct fb_lease *lease;
	struct fb_copy_doc *docs;
	size_t doc_count;
	struct fb_outgoing *blobs;
	size_t blob_count;
};

/** fb_copy_top() - The image itself */
static inline const struct fb_copy_doc *fb_copy_top(const struct fb_copy *c)
{
	return &c->docs[c->doc_count - 1];
}

/** fb_copy_gather() - Have all of @from in the store. Return: 0; negative errno */
int fb_copy_gather(struct fb_copy *c, struct fb_err *err);

/** fb_copy_deliver() - Put all of it to @to. Return: 0; negative errno */
int fb_copy_deliver(struct fb_copy *c, struct fb_err *err);

/**
 * fb_copy_to_folder() - Add it to the layout of a folder, which is made where missing
 *
 * Blobs first, under their names only when they are whole; then index.json, as a
 * whole.  Two copies into one folder wait for each other.
 *
 * Return: 0; -EBADMSG what is there is no layout; a negative errno.
 */
int fb_copy_to_folder(struct fb_copy *c, struct fb_err *err);

/**
 * fb_copy_index_json() - index.json with one more entry
 * @old:  What is there, @len bytes, or NULL
 * @name: Tag; whatever had it loses its entry.  "" = none
 * @ret:  JSON (returned)
 *
 * Return: 0; -EBADMSG @old is no index; -ENOMEM.
 */
int fb_copy_index_json(const char *old, size_t len,
		       const struct fb_copy_doc *doc, const char *name,
		       char **ret, struct fb_err *err);

#endif
