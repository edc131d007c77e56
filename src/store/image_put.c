/* SPDX-License-Identifier: Apache-2.0 */
/* Entering images into the catalogue, and giving them names. */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "oci/manifest.h"
#include "store/blob.h"
#include "store/internal.h"

/* What may stand in index.json unquoted; references have nothing else. */
static bool is_plain(const char *text)
{
	for (; *text; text++) {
		if (*text <= ' ' || *text > '~' || *text == '"' ||
		    *text == '\\')
			return false;
	}
	return true;
}

static int check_name(const char *name, struct fb_err *err)
{
	if (!name[0] || !is_plain(name))
		return fb_err_set(err, -EINVAL, "'%s' is no image name", name);
	return 0;
}

static int check_image(const struct fb_image_record *image, struct fb_err *err)
{
	int r = 0;

	if (strcmp(image->media_type, FB_MT_OCI_MANIFEST) != 0 &&
	    strcmp(image->media_type, FB_MT_DOCKER_MANIFEST) != 0)
		return fb_err_set(err, -EINVAL,
				  "'%s' is no type of an image manifest",
				  image->media_type);
	if (!is_plain(image->platform.os) || !is_plain(image->platform.arch) ||
	    !is_plain(image->platform.variant))
		return fb_err_set(err, -EINVAL,
				  "the image's platform is "
				  "malformed");
	for (size_t i = 0; r == 0 && i < image->names.count; i++)
		r = check_name(image->names.v[i], err);
	return r;
}

static int check_blobs(struct fb_store *store, const struct fb_blob_ref *blobs,
		       size_t count, struct fb_err *err)
{
	char text[FB_DIGEST_TEXT_MAX];

	for (size_t i = 0; i < count; i++) {
		if (!fb_store_blob_has(store, &blobs[i].digest,
				       blobs[i].size_bytes))
			return fb_err_set(
				err, -ENOENT, "blob '%s' is not in the store",
				fb_digest_format(&blobs[i].digest, text));
	}
	return 0;
}

static int put_name(struct fb_store *store, const char *name, int64_t image,
		    struct fb_err *err)
{
	int r = fb_db_run(
		store, err,
		"INSERT INTO name(name, image, is_digest)"
		" VALUES(?, ?, ?)"
		" ON CONFLICT(name) DO UPDATE SET image=excluded.image",
		"tii", name, image, (int64_t)(strchr(name, '@') != NULL));

	return r < 0 ? r : 0;
}

static int find_seq(struct fb_store *store, const struct fb_digest *manifest,
		    int64_t *ret, struct fb_err *err)
{
	FB_STMT sqlite3_stmt *stmt = NULL;
	char text[FB_DIGEST_TEXT_MAX];
	int r = fb_db_prepare(store, &stmt, err,
			      "SELECT seq FROM image WHERE manifest=?", "d",
			      manifest);

	if (r == 0)
		r = fb_db_step(store, stmt, err);
	if (r == 0)
		r = fb_err_set(err, -ENOENT, "no image '%s'",
			       fb_digest_format(manifest, text));
	if (r < 0)
		return r;
	*ret = sqlite3_column_int64(stmt, 0);
	return 0;
}

static int put_row(struct fb_store *store, const struct fb_image_record *image,
		   struct fb_err *err)
{
	int r = fb_db_run(store, err,
			  "INSERT INTO image(manifest, media_type, config, os,"
			  " arch, variant, created_s, registered_s, size_bytes)"
			  " VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)"
			  " ON CONFLICT(manifest) DO UPDATE SET"
			  " registered_s=excluded.registered_s",
			  "dtdtttiii", &image->manifest, image->media_type,
			  &image->config, image->platform.os,
			  image->platform.arch, image->platform.variant,
			  image->created_s, (int64_t)time(NULL),
			  (int64_t)image->size_bytes);

	return r < 0 ? r : 0;
}

static int put_facts(struct fb_store *store, int64_t seq,
		     const struct fb_strv *facts, struct fb_err *err)
{
	int r = 0;

	for (size_t i = 0; r >= 0 && i < facts->count; i++)
		r = fb_db_run(store, err,
			      "INSERT OR IGNORE INTO fact VALUES(?, ?)", "it",
			      seq, facts->v[i]);
	return r < 0 ? r : 0;
}

static int put_all(struct fb_store *store, const struct fb_image_entry *entry,
		   struct fb_err *err)
{
	int64_t seq = 0;
	int r = put_row(store, &entry->record, err);

	if (r == 0)
		r = find_seq(store, &entry->record.manifest, &seq, err);
	for (size_t i = 0; r >= 0 && i < entry->blob_count; i++)
		r = fb_db_run(store, err,
			      "INSERT OR IGNORE INTO image_blob"
			      " VALUES(?, ?, ?)",
			      "idi", seq, &entry->blobs[i].digest,
			      (int64_t)entry->blobs[i].size_bytes);
	for (size_t i = 0; r >= 0 && i < entry->record.names.count; i++)
		r = put_name(store, entry->record.names.v[i], seq, err);
	return r < 0 ? r : put_facts(store, seq, &entry->facts, err);
}

static int check_entries(const struct fb_image_entry *entries, size_t count,
			 struct fb_err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < count; i++)
		r = check_image(&entries[i].record, err);
	return r;
}

int fb_store_images_put(struct fb_store *store,
			const struct fb_image_entry *entries, size_t count,
			struct fb_err *err)
{
	FB_FD int gate = -EBADF;
	FB_DB_TX struct fb_db_tx tx = { 0 };
	int r = check_entries(entries, count, err);

	if (r == 0)
		r = fb_db(store, err);
	if (r < 0)
		return r;
	gate = fb_store_gate(store, false, err);
	if (gate < 0)
		return gate;
	for (size_t i = 0; r == 0 && i < count; i++)
		r = check_blobs(store, entries[i].blobs, entries[i].blob_count,
				err);
	if (r == 0)
		r = fb_store_blobs_sync(store, err);
	if (r == 0)
		r = fb_db_begin(store, true, &tx, err);
	for (size_t i = 0; r == 0 && i < count; i++)
		r = put_all(store, &entries[i], err);
	if (r == 0)
		r = fb_store_index_bump(store, err);
	if (r == 0)
		r = fb_db_commit(&tx, err);
	if (r < 0)
		return r;
	gate = fb_close(gate);
	fb_store_index_catch_up(store);
	return 0;
}

int fb_store_image_tag(struct fb_store *store, const struct fb_digest *manifest,
		       const char *name, struct fb_err *err)
{
	FB_DB_TX struct fb_db_tx tx = { 0 };
	int64_t seq = 0;
	int r = check_name(name, err);

	if (r == 0)
		r = fb_db(store, err);
	if (r == 0)
		r = fb_db_begin(store, true, &tx, err);
	if (r == 0)
		r = find_seq(store, manifest, &seq, err);
	if (r == 0)
		r = put_name(store, name, seq, err);
	if (r == 0)
		r = fb_store_index_bump(store, err);
	if (r == 0)
		r = fb_db_commit(&tx, err);
	if (r < 0)
		return r;
	fb_store_index_catch_up(store);
	return 0;
}

int fb_store_image_add_facts(struct fb_store *store,
			     const struct fb_digest *manifest,
			     const struct fb_strv *facts, struct fb_err *err)
{
	FB_DB_TX struct fb_db_tx tx = { 0 };
	int64_t seq = 0;
	int r = fb_db(store, err);

	if (r == 0)
		r = fb_db_begin(store, false, &tx, err);
	if (r == 0)
		r = find_seq(store, manifest, &seq, err);
	if (r == 0)
		r = put_facts(store, seq, facts, err);
	return r < 0 ? r : fb_db_commit(&tx, err);
}
