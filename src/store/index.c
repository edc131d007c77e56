/* SPDX-License-Identifier: Apache-2.0 */
/*
 * oci/index.json, derived from the catalogue.
 *
 * Other tools read the folder as an OCI layout, so its index has to say what
 * the catalogue says.  Two files cannot change in one step; instead every change
 * of a name raises a generation in the same transaction, and the index is
 * rewritten as a whole until its generation has caught up.  Whoever opens the
 * catalogue after a crash in between does that.
 */
#include <errno.h>
#include <string.h>

#include "base/io.h"
#include "store/internal.h"

#define INDEX_BYTES_MAX (256u << 20)
#define LAYOUT "{\"imageLayoutVersion\":\"1.0.0\"}\n"

static int generations(struct fb_store *store, int64_t *ret_now,
		       int64_t *ret_indexed, struct fb_err *err)
{
	FB_STMT sqlite3_stmt *stmt = NULL;
	int r = fb_db_prepare(
		store, &stmt, err,
		"SELECT (SELECT value FROM meta WHERE key='generation'),"
		" (SELECT value FROM meta WHERE key='indexed')",
		"");

	if (r == 0)
		r = fb_db_step(store, stmt, err);
	if (r < 0)
		return r;
	*ret_now = sqlite3_column_int64(stmt, 0);
	*ret_indexed = sqlite3_column_int64(stmt, 1);
	return 0;
}

/* As it stands: names, media types and platforms were checked when they came in */
static void put_member(struct fb_str *out, const char *before,
		       const char *value)
{
	fb_str_puts(out, before);
	fb_str_puts(out, value);
}

/* Of ten thousand names printf() would be a third of the work */
static void put_descriptor(struct fb_str *out, sqlite3_stmt *row, bool first)
{
	const char *variant = fb_db_text(row, 5);
	const char *name = fb_db_text(row, 6);

	put_member(out, first ? "{\"mediaType\":\"" : ",{\"mediaType\":\"",
		   fb_db_text(row, 1));
	put_member(out, "\",\"digest\":\"", fb_db_text(row, 0));
	put_member(out, "\",\"size\":", fb_db_text(row, 2));
	put_member(out, ",\"platform\":{\"architecture\":\"",
		   fb_db_text(row, 4));
	put_member(out, "\",\"os\":\"", fb_db_text(row, 3));
	if (variant[0])
		put_member(out, "\",\"variant\":\"", variant);
	fb_str_puts(out, "\"}");
	if (name[0]) {
		put_member(out,
			   ",\"annotations\":{"
			   "\"org.opencontainers.image.ref.name\":\"",
			   name);
		fb_str_puts(out, "\"}");
	}
	fb_str_putc(out, '}');
}

static int render(struct fb_store *store, struct fb_str *out,
		  struct fb_err *err)
{
	FB_STMT sqlite3_stmt *stmt = NULL;
	bool first = true;
	int r = fb_db_prepare(
		store, &stmt, err,
		"SELECT i.manifest, i.media_type, b.size_bytes, i.os, i.arch,"
		" i.variant, n.name FROM image i"
		" JOIN image_blob b ON b.image = i.seq"
		"  AND b.digest = i.manifest"
		" LEFT JOIN name n ON n.image = i.seq"
		" ORDER BY i.seq, n.is_digest, n.name",
		"");

	if (r < 0)
		return r;
	fb_str_puts(
		out,
		"{\"schemaVersion\":2,\"mediaType\":"
		"\"application/vnd.oci.image.index.v1+json\",\"manifests\":[");
	while ((r = fb_db_step(store, stmt, err)) > 0) {
		put_descriptor(out, stmt, first);
		first = false;
	}
	fb_str_puts(out, "]}\n");
	if (r == 0 && out->err)
		r = fb_err_set(err, out->err, "write index.json: %s",
			       strerror(-out->err));
	return r;
}

static int write_file(struct fb_store *store, const char *name,
		      const char *text, size_t len, struct fb_err *err)
{
	FB_STORE_TEMP struct fb_store_temp temp = FB_STORE_TEMP_INIT;
	int r = fb_store_temp_create(store, &temp, err);

	if (r < 0)
		return r;
	r = fb_write_full(temp.fd, text, len);
	if (r < 0)
		return fb_err_set(err, r, "write '%s/oci/%s': %s", store->state,
				  name, strerror(-r));
	return fb_store_temp_publish(&temp, FB_STORE_DIR_OCI, name, 0644, err);
}

static int ensure_layout(struct fb_store *store, struct fb_err *err)
{
	int oci = fb_store_dir_fd(store, FB_STORE_DIR_OCI, err);
	FB_FD int blobs = -EBADF;

	if (oci < 0)
		return oci;
	blobs = fb_store_blob_dir(store, FB_HASH_SHA256, true, err);
	if (blobs < 0)
		return blobs;
	if (faccessat(oci, "oci-layout", F_OK, 0) == 0)
		return 0;
	return write_file(store, "oci-layout", LAYOUT, strlen(LAYOUT), err);
}

int fb_store_index_sync(struct fb_store *store, struct fb_err *err)
{
	FB_WORK_LOCK struct fb_work_lock lock = FB_WORK_LOCK_INIT;
	FB_STR struct fb_str text = FB_STR_INIT(INDEX_BYTES_MAX);
	FB_DB_TX struct fb_db_tx tx = { 0 };
	int64_t now, indexed;
	int r = generations(store, &now, &indexed, err);

	if (r < 0 || now == indexed)
		return r;
	r = fb_store_work_lock(store, "index", "", true, &lock, err);
	if (r == 0)
		r = ensure_layout(store, err);
	/* one snapshot for the generation and for what belongs to it */
	if (r == 0)
		r = fb_db_snapshot(store, &tx, err);
	if (r < 0)
		return r;
	r = generations(store, &now, &indexed, err);
	if (r == 0 && now != indexed)
		r = render(store, &text, err);
	fb_db_rollback(&tx);
	if (r < 0 || now == indexed)
		return r;
	r = write_file(store, "index.json", text.buf, text.len, err);
	if (r < 0)
		return r;
	/* a lost update only means that it is written once more */
	r = fb_db_run(store, err, "UPDATE meta SET value=? WHERE key='indexed'",
		      "i", now);
	return r < 0 ? r : 0;
}

/* What index.json should say, and of which generation */
static int expected(struct fb_store *store, struct fb_str *text,
		    int64_t *ret_now, int64_t *ret_indexed, struct fb_err *err)
{
	FB_DB_TX struct fb_db_tx tx = { 0 };
	int r = fb_db_snapshot(store, &tx, err);

	if (r < 0)
		return r;
	r = generations(store, ret_now, ret_indexed, err);
	return r < 0 ? r : render(store, text, err);
}

int fb_store_index_is_current(struct fb_store *store, struct fb_err *err)
{
	FB_STR struct fb_str text = FB_STR_INIT(INDEX_BYTES_MAX);
	FB_FREE char *file = NULL;
	int64_t now = 0, indexed = 0, later = 0;
	size_t len = 0;
	int oci = fb_store_dir_fd(store, FB_STORE_DIR_OCI, err);
	int r = oci < 0 ? oci : expected(store, &text, &now, &indexed, err);

	if (r < 0)
		return r;
	r = fb_read_file_at(oci, "index.json", INDEX_BYTES_MAX, &file, &len);
	if (r == 0 && len == text.len && !memcmp(file, text.buf, len))
		return 1;
	/* a change that is under way, or one that came between */
	r = generations(store, &later, &indexed, err);
	return r < 0 ? r : later != now || indexed != now;
}

void fb_store_index_catch_up(struct fb_store *store)
{
	struct fb_err err = { 0 };

	if (fb_store_index_sync(store, &err) < 0)
		fb_log(store->log, FB_LOG_WARN,
		       "oci/index.json is behind and will be brought up to "
		       "date later: %s",
		       err.msg);
}

int fb_store_index_bump(struct fb_store *store, struct fb_err *err)
{
	int r = fb_db_run(
		store, err,
		"UPDATE meta SET value=value+1 WHERE key='generation'", "");

	return r < 0 ? r : 0;
}
