/* SPDX-License-Identifier: Apache-2.0 */
/* Looking images up in the catalogue. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/internal.h"

#define COLUMNS                                                        \
	"i.manifest, i.media_type, i.config, i.os, i.arch, i.variant," \
	" i.created_s, i.registered_s, i.size_bytes, i.seq"

void fb_image_record_release(struct fb_image_record *record)
{
	fb_strv_release(&record->names);
	*record = (struct fb_image_record){ 0 };
}

void fb_image_records_release(struct fb_image_records *records)
{
	for (size_t i = 0; i < records->count; i++)
		fb_image_record_release(&records->v[i]);
	free(records->v);
	*records = (struct fb_image_records){ 0 };
}

void fb_image_entry_release(struct fb_image_entry *entry)
{
	fb_image_record_release(&entry->record);
	free(entry->blobs);
	fb_strv_release(&entry->facts);
	*entry = (struct fb_image_entry){ 0 };
}

static void copy_text(char *out, size_t size, sqlite3_stmt *row, int column)
{
	const char *text = fb_db_text(row, column);
	size_t len = (size_t)sqlite3_column_bytes(row, column);

	len = len < size ? len : size - 1;
	memcpy(out, text, len);
	out[len] = '\0';
}

static void read_row(sqlite3_stmt *row, struct fb_image_record *ret)
{
	*ret = (struct fb_image_record){ 0 };
	ret->manifest = fb_db_digest(row, 0);
	copy_text(ret->media_type, sizeof(ret->media_type), row, 1);
	ret->config = fb_db_digest(row, 2);
	copy_text(ret->platform.os, sizeof(ret->platform.os), row, 3);
	copy_text(ret->platform.arch, sizeof(ret->platform.arch), row, 4);
	copy_text(ret->platform.variant, sizeof(ret->platform.variant), row, 5);
	ret->created_s = sqlite3_column_int64(row, 6);
	ret->registered_s = sqlite3_column_int64(row, 7);
	ret->size_bytes = (uint64_t)sqlite3_column_int64(row, 8);
}

static int read_names(struct fb_store *store, int64_t seq, struct fb_strv *ret,
		      struct fb_err *err)
{
	return fb_db_list(store, ret, err,
			  "SELECT name FROM name WHERE image=?"
			  " ORDER BY is_digest, name",
			  "i", seq);
}

/* The first row of a query over COLUMNS. Return: 0; -ENOENT without text */
static int first_row(struct fb_store *store, sqlite3_stmt *stmt,
		     struct fb_image_record *ret, struct fb_err *err)
{
	FB_IMAGE_RECORD struct fb_image_record record = { 0 };
	int r = fb_db_step(store, stmt, err);

	if (r <= 0)
		return r < 0 ? r : -ENOENT;
	read_row(stmt, &record);
	r = read_names(store, sqlite3_column_int64(stmt, 9), &record.names,
		       err);
	if (r < 0)
		return r;
	*ret = record;
	record = (struct fb_image_record){ 0 };
	return 0;
}

int fb_store_image_by_name(struct fb_store *store, const char *name,
			   struct fb_image_record *ret, struct fb_err *err)
{
	FB_STMT sqlite3_stmt *stmt = NULL;
	int r = fb_db(store, err);

	if (r == 0)
		r = fb_db_prepare(store, &stmt, err,
				  "SELECT " COLUMNS
				  " FROM name n"
				  " JOIN image i ON i.seq = n.image"
				  " WHERE n.name=?",
				  "t", name);
	if (r == 0)
		r = first_row(store, stmt, ret, err);
	return r == -ENOENT ? fb_err_set(err, r, "no image '%s'", name) : r;
}

int fb_store_image_by_manifest(struct fb_store *store,
			       const struct fb_digest *manifest,
			       struct fb_image_record *ret, struct fb_err *err)
{
	FB_STMT sqlite3_stmt *stmt = NULL;
	char text[FB_DIGEST_TEXT_MAX];
	int r = fb_db(store, err);

	if (r == 0)
		r = fb_db_prepare(store, &stmt, err,
				  "SELECT " COLUMNS
				  " FROM image i"
				  " WHERE i.manifest=?",
				  "d", manifest);
	if (r == 0)
		r = first_row(store, stmt, ret, err);
	return r == -ENOENT ? fb_err_set(err, r, "no image '%s'",
					 fb_digest_format(manifest, text))
			    : r;
}

/* Digests that begin so, as the catalogue spells them; a kind may have none */
struct id_range {
	char low[2][150];
	char high[2][150];
};

#define ID_IN_RANGE(column)              \
	"((" column " >= ?1 AND " column \
	" < ?2) OR "                     \
	"(" column " >= ?3 AND " column " < ?4))"

static int make_range(const char *prefix, struct id_range *ret)
{
	static const char *const kinds[] = { "sha256:", "sha512:" };
	const char *digits = prefix;
	size_t len;
	int only = -1;

	for (int i = 0; i < 2; i++) {
		if (strncmp(prefix, kinds[i], 7) != 0)
			continue;
		only = i;
		digits = prefix + 7;
	}
	len = strlen(digits);
	if (len < 1 || len > 128 || strspn(digits, "0123456789abcdef") != len)
		return -EINVAL;
	*ret = (struct id_range){ 0 };
	for (int i = 0; i < 2; i++) {
		if (only >= 0 && only != i)
			continue;
		(void)snprintf(ret->low[i], sizeof(ret->low[i]), "%s%s",
			       kinds[i], digits);
		(void)snprintf(ret->high[i], sizeof(ret->high[i]), "%s%sg",
			       kinds[i], digits);
	}
	return 0;
}

/* Several configs, or several manifests that are not of one config */
static int check_unique(struct fb_store *store, const struct id_range *range,
			const char *prefix, struct fb_err *err)
{
	FB_STMT sqlite3_stmt *stmt = NULL;
	int r = fb_db_prepare(
		store, &stmt, err,
		"SELECT count(DISTINCT config) FROM image"
		" WHERE " ID_IN_RANGE("config") " OR " ID_IN_RANGE("manifest"),
		"tttt", range->low[0], range->high[0], range->low[1],
		range->high[1]);

	if (r == 0)
		r = fb_db_step(store, stmt, err);
	if (r < 0)
		return r;
	if (sqlite3_column_int(stmt, 0) > 1)
		return fb_err_set(err, -ENOTUNIQ,
				  "several images have an id that begins with "
				  "'%s'",
				  prefix);
	return 0;
}

int fb_store_image_by_id(struct fb_store *store, const char *prefix,
			 struct fb_image_record *ret, struct fb_err *err)
{
	FB_STMT sqlite3_stmt *stmt = NULL;
	struct id_range range;
	int r = make_range(prefix, &range);

	if (r < 0)
		return fb_err_set(err, r, "'%s' is no image id", prefix);
	r = fb_db(store, err);
	if (r == 0)
		r = check_unique(store, &range, prefix, err);
	if (r == 0)
		r = fb_db_prepare(store, &stmt, err,
				  "SELECT " COLUMNS " FROM image i"
				  " WHERE " ID_IN_RANGE("config") " OR " ID_IN_RANGE(
					  "manifest") " ORDER BY"
						      " i.registered_s DESC,"
						      " i.seq DESC",
				  "tttt", range.low[0], range.high[0],
				  range.low[1], range.high[1]);
	if (r == 0)
		r = first_row(store, stmt, ret, err);
	return r == -ENOENT ? fb_err_set(err, r, "no image '%s'", prefix) : r;
}

static int list_images(struct fb_store *store, struct fb_image_records *list,
		       int64_t **ret_seqs, struct fb_err *err)
{
	FB_STMT sqlite3_stmt *stmt = NULL;
	FB_FREE int64_t *seqs = NULL;
	size_t cap = 0;
	int r = fb_db_prepare(store, &stmt, err,
			      "SELECT " COLUMNS
			      " FROM image i"
			      " ORDER BY i.seq",
			      "");

	while (r == 0 && (r = fb_db_step(store, stmt, err)) > 0) {
		if (list->count == cap) {
			size_t next = cap ? cap * 2 : 32;
			void *v = reallocarray(list->v, next, sizeof(*list->v));
			void *s = v ? reallocarray(seqs, next, sizeof(*seqs))
				    : NULL;

			list->v = v ? v : list->v;
			seqs = s ? s : seqs;
			if (!s)
				return fb_err_set(err, -ENOMEM,
						  "list images: %m");
			cap = next;
		}
		seqs[list->count] = sqlite3_column_int64(stmt, 9);
		read_row(stmt, &list->v[list->count++]);
		r = 0;
	}
	if (r == 0)
		*ret_seqs = FB_TAKE_PTR(seqs);
	return r;
}

/* Both queries are ordered by the image, so one walk joins them. */
static int list_names(struct fb_store *store, struct fb_image_records *list,
		      const int64_t *seqs, struct fb_err *err)
{
	FB_STMT sqlite3_stmt *stmt = NULL;
	size_t at = 0;
	int r = fb_db_prepare(store, &stmt, err,
			      "SELECT image, name FROM name"
			      " ORDER BY image, is_digest, name",
			      "");

	while (r == 0 && (r = fb_db_step(store, stmt, err)) > 0) {
		int64_t seq = sqlite3_column_int64(stmt, 0);

		while (at < list->count && seqs[at] < seq)
			at++;
		r = 0;
		if (at < list->count && seqs[at] == seq)
			r = fb_strv_add(&list->v[at].names,
					fb_db_text(stmt, 1));
	}
	return r;
}

static int newest_first(const void *a, const void *b)
{
	const struct fb_image_record *x = a, *y = b;

	if (x->created_s != y->created_s)
		return x->created_s > y->created_s ? -1 : 1;
	if (x->registered_s != y->registered_s)
		return x->registered_s > y->registered_s ? -1 : 1;
	/* any order will do, so long as it is always the same */
	return memcmp(x->manifest.hash, y->manifest.hash,
		      sizeof(x->manifest.hash));
}

int fb_store_image_facts(struct fb_store *store,
			 const struct fb_digest *manifest, struct fb_strv *ret,
			 struct fb_err *err)
{
	int r = fb_db(store, err);

	return r < 0 ? r
		     : fb_db_list(store, ret, err,
				  "SELECT fact FROM fact JOIN image"
				  " ON image.seq=fact.image"
				  " WHERE manifest=? ORDER BY fact",
				  "d", manifest);
}

int fb_store_image_list(struct fb_store *store, struct fb_image_records *ret,
			struct fb_err *err)
{
	FB_IMAGE_RECORDS struct fb_image_records list = { 0 };
	FB_FREE int64_t *seqs = NULL;
	FB_DB_TX struct fb_db_tx tx = { 0 };
	int r = fb_db_snapshot(store, &tx, err);

	if (r == 0)
		r = list_images(store, &list, &seqs, err);
	if (r == 0)
		r = list_names(store, &list, seqs, err);
	if (r < 0)
		return r;
	if (list.count)
		qsort(list.v, list.count, sizeof(*list.v), newest_first);
	*ret = list;
	list = (struct fb_image_records){ 0 };
	return 0;
}
