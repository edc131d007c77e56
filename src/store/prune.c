/* SPDX-License-Identifier: Apache-2.0 */
#include "store/prune.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "store/internal.h"

/* A template has its final name; what is being made has another, for seconds. */
#define TEMPLATE_SUFFIX ".img"

/**
 * struct pruning - Statements that are prepared once for all images
 * @may_go: Whether an image may go: ?1 image, ?2 keep those with a tag
 * @names:  Its names
 * @remove: Its row, and by that all others
 */
struct pruning {
	struct fb_store *store;
	sqlite3_stmt *may_go;
	sqlite3_stmt *names;
	sqlite3_stmt *remove;
	bool keep_tagged;
	struct fb_image_removal *ret;
};

static void pruning_release(struct pruning *p)
{
	(void)sqlite3_finalize(p->may_go);
	(void)sqlite3_finalize(p->names);
	(void)sqlite3_finalize(p->remove);
}

static int prepare(struct pruning *p, struct fb_err *err)
{
	int r = fb_db_prepare(p->store, &p->may_go, err,
			      "SELECT 1 FROM image i WHERE i.seq=?1"
			      " AND (NOT ?2 OR NOT EXISTS (SELECT 1 FROM name n"
			      "  WHERE n.image = i.seq AND n.is_digest = 0))"
			      " AND NOT EXISTS (SELECT 1 FROM container c"
			      "  JOIN image j ON j.manifest = c.manifest"
			      "  WHERE j.config = i.config)",
			      "");

	if (r == 0)
		r = fb_db_prepare(p->store, &p->names, err,
				  "SELECT name FROM name WHERE image=?1"
				  " ORDER BY is_digest, name",
				  "");
	if (r == 0)
		r = fb_db_prepare(p->store, &p->remove, err,
				  "DELETE FROM image WHERE seq=?1", "");
	return r;
}

static void again(sqlite3_stmt *stmt, int64_t seq)
{
	(void)sqlite3_reset(stmt);
	(void)sqlite3_bind_int64(stmt, 1, seq);
}

static int prune_one(struct pruning *p, int64_t seq, struct fb_err *err)
{
	int r;

	again(p->may_go, seq);
	(void)sqlite3_bind_int(p->may_go, 2, p->keep_tagged);
	r = fb_db_step(p->store, p->may_go, err);
	if (r <= 0)
		return r;
	again(p->names, seq);
	while ((r = fb_db_step(p->store, p->names, err)) > 0) {
		r = fb_strv_add(&p->ret->untagged, fb_db_text(p->names, 0));
		if (r < 0)
			return fb_err_set(err, r, "remove images: %s",
					  strerror(-r));
	}
	if (r < 0)
		return r;
	again(p->remove, seq);
	return fb_db_step(p->store, p->remove, err);
}

static int remove_rows(struct pruning *p, const int64_t *seqs, size_t count,
		       struct fb_err *err)
{
	FB_DB_TX struct fb_db_tx tx = { 0 };
	int r = fb_db_begin(p->store, true, &tx, err);

	if (r == 0)
		r = prepare(p, err);
	for (size_t i = 0; r == 0 && i < count; i++)
		r = prune_one(p, seqs[i], err);
	if (r == 0)
		r = fb_store_index_bump(p->store, err);
	pruning_release(p);
	*p = (struct pruning){ .store = p->store,
			       .keep_tagged = p->keep_tagged,
			       .ret = p->ret };
	return r < 0 ? r : fb_db_commit(&tx, err);
}

/* What was noted of them is taken back where it comes to nothing. */
static int try_remove_rows(struct pruning *p, const int64_t *seqs, size_t count,
			   struct fb_err *err)
{
	struct fb_strv *untagged = &p->ret->untagged;
	size_t before = untagged->count;
	int r = remove_rows(p, seqs, count, err);

	while (r < 0 && untagged->count > before) {
		untagged->count--;
		free(untagged->v[untagged->count]);
		untagged->v[untagged->count] = NULL;
	}
	return r;
}

int fb_store_prune_images(struct fb_store *store, const int64_t *seqs,
			  size_t count, bool keep_tagged,
			  struct fb_image_removal *ret, struct fb_err *err)
{
	struct pruning p = { .store = store,
			     .keep_tagged = keep_tagged,
			     .ret = ret };
	struct fb_err first = { 0 };
	FB_FD int gate = fb_store_gate_collect(store, err);
	int r = 0;

	if (gate < 0)
		return gate;
	if (count)
		r = try_remove_rows(&p, seqs, count, &first);
	if (r == -ENOSPC && fb_store_reserve_release(store)) {
		first = (struct fb_err){ 0 };
		r = try_remove_rows(&p, seqs, count, &first);
	}
	if (r < 0) {
		if (err)
			*err = first;
		return r;
	}
	r = fb_store_collect_held(store, ret, err);
	gate = fb_close(gate);
	if (count)
		fb_store_index_catch_up(store);
	return r;
}

static bool ends_with(const char *text, const char *end)
{
	size_t len = strlen(text), cut = strlen(end);

	return len > cut && !strcmp(text + len - cut, end);
}

int fb_store_prune_caches(struct fb_store *store, uint64_t *ret_freed_bytes,
			  struct fb_err *err)
{
	FB_DIR DIR *list = fb_store_listdir(store, FB_STORE_DIR_DISKS, err);
	struct dirent *entry;
	struct stat st;
	uint64_t freed = 0;

	if (!list)
		return -errno;
	while ((entry = readdir(list))) {
		if (fstatat(dirfd(list), entry->d_name, &st,
			    AT_SYMLINK_NOFOLLOW) == 0 &&
		    S_ISREG(st.st_mode) &&
		    ends_with(entry->d_name, TEMPLATE_SUFFIX) &&
		    unlinkat(dirfd(list), entry->d_name, 0) == 0)
			freed += (uint64_t)st.st_blocks * 512;
	}
	*ret_freed_bytes = freed;
	return 0;
}
