/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A walk over all images.
 *
 * Two queries in the order of the image, one for the images and one that an
 * index covers for their names, are merged as they come.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store/internal.h"

#define NAMES_BYTES_MAX (64u << 20)

/**
 * struct name_walk - Where the walk over the names stands
 * @stmt:  The row that is next, if @more
 * @seq:   Its image
 * @text:  Names of the image at work, each with its NUL
 * @at:    Where each of them starts
 * @names: The same as pointers
 */
struct name_walk {
	sqlite3_stmt *stmt;
	bool more;
	int64_t seq;
	struct fb_str text;
	size_t *at;
	const char **names;
	size_t count;
	size_t cap;
};

static void name_walk_release(struct name_walk *w)
{
	(void)sqlite3_finalize(w->stmt);
	fb_str_release(&w->text);
	free(w->at);
	free(w->names);
}

static int grow(struct name_walk *w)
{
	size_t cap = w->cap ? w->cap * 2 : 16;
	void *at = reallocarray(w->at, cap, sizeof(*w->at));
	void *names;

	if (!at)
		return -ENOMEM;
	w->at = at;
	names = reallocarray(w->names, cap, sizeof(*w->names));
	if (!names)
		return -ENOMEM;
	w->names = names;
	w->cap = cap;
	return 0;
}

static int next_name(struct fb_store *store, struct name_walk *w,
		     struct fb_err *err)
{
	int r = fb_db_step(store, w->stmt, err);

	w->more = r > 0;
	if (w->more)
		w->seq = sqlite3_column_int64(w->stmt, 0);
	return r < 0 ? r : 0;
}

/* The names of one image; SQLite's own text is gone at the next step. */
static int gather(struct fb_store *store, struct name_walk *w, int64_t seq,
		  struct fb_err *err)
{
	int r = 0;

	w->count = 0;
	fb_str_truncate(&w->text, 0);
	while (r == 0 && w->more && w->seq < seq)
		r = next_name(store, w, err);
	while (r == 0 && w->more && w->seq == seq) {
		/* as bytes: for text SQLite would make a copy with a NUL */
		const void *name = sqlite3_column_blob(w->stmt, 1);

		if (w->count == w->cap && grow(w) < 0)
			return fb_err_set(err, -ENOMEM, "list images: %m");
		w->at[w->count++] = w->text.len;
		fb_str_append(&w->text, name,
			      (size_t)sqlite3_column_bytes(w->stmt, 1));
		fb_str_putc(&w->text, '\0');
		r = next_name(store, w, err);
	}
	if (r == 0 && w->text.err)
		r = fb_err_set(err, w->text.err, "list images: %s",
			       strerror(-w->text.err));
	for (size_t i = 0; i < w->count; i++)
		w->names[i] = w->text.buf + w->at[i];
	return r;
}

static void read_row(sqlite3_stmt *row, struct fb_image_scan *ret)
{
	*ret = (struct fb_image_scan){
		.seq = sqlite3_column_int64(row, 0),
		.config = fb_db_text(row, 1),
		.os = fb_db_text(row, 2),
		.arch = fb_db_text(row, 3),
		.variant = fb_db_text(row, 4),
		.created_s = sqlite3_column_int64(row, 5),
		.registered_s = sqlite3_column_int64(row, 6),
		.size_bytes = (uint64_t)sqlite3_column_int64(row, 7),
	};
}

static int walk(struct fb_store *store, struct name_walk *w,
		int (*visit)(void *ctx, const struct fb_image_scan *image,
			     struct fb_err *err),
		void *ctx, struct fb_err *err)
{
	FB_STMT sqlite3_stmt *images = NULL;
	struct fb_image_scan image;
	int r = fb_db_prepare(store, &w->stmt, err,
			      "SELECT image, name FROM name"
			      " ORDER BY image, is_digest, name",
			      "");

	if (r == 0)
		r = next_name(store, w, err);
	if (r == 0)
		r = fb_db_prepare(store, &images, err,
				  "SELECT seq, config, os, arch,"
				  " variant, created_s, registered_s,"
				  " size_bytes FROM image ORDER BY seq",
				  "");
	while (r == 0 && (r = fb_db_step(store, images, err)) > 0) {
		read_row(images, &image);
		r = gather(store, w, image.seq, err);
		if (r < 0)
			return r;
		image.names = w->names;
		image.name_count = w->count;
		r = visit(ctx, &image, err);
	}
	return r;
}

int fb_store_image_scan(struct fb_store *store,
			int (*visit)(void *ctx,
				     const struct fb_image_scan *image,
				     struct fb_err *err),
			void *ctx, struct fb_err *err)
{
	struct name_walk w = { .text = FB_STR_INIT(NAMES_BYTES_MAX) };
	FB_DB_TX struct fb_db_tx tx = { 0 };
	int r = fb_db(store, err);

	/* every page is needed once: no use in keeping two megabytes of them */
	if (r == 0)
		r = fb_db_exec(store, "PRAGMA cache_size=32; BEGIN", err);
	if (r < 0)
		return r;
	tx.store = store;
	r = walk(store, &w, visit, ctx, err);
	name_walk_release(&w);
	fb_db_rollback(&tx);
	(void)fb_db_exec(store, "PRAGMA cache_size=-2000", NULL);
	return r;
}
