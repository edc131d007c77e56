/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is to be read is noted first, in one view of the catalogue; what turns out
 * to be wrong is then asked about again, since it may have been removed
 * meanwhile, which is nothing to report.
 */
#include "store/verify.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/io.h"
#include "store/internal.h"
#include "store/rootfs_file.h"

#define READ_BYTES 1048576u

struct work {
	struct fb_store *store;
	const struct fb_store_check *check;
	struct fb_store_verified done;
	uint8_t *buf;
};

static int step(struct work *w, const char *what, uint64_t done, uint64_t total)
{
	return w->check && w->check->step
		       ? w->check->step(w->check->ctx, what, done, total)
		       : 0;
}

/*
 * Hash an open file.  Return: 1 the digest is right; 0 not, or it cannot be read;
 * -ENOMEM; what the caller's step() says.
 */
static int hash_file(struct work *w, int fd, const struct fb_digest *want,
		     uint64_t size)
{
	FB_HASH struct fb_hash *hash = fb_hash_new(want->kind);
	uint8_t sum[FB_HASH_SIZE_MAX];
	char text[FB_DIGEST_TEXT_MAX];
	uint64_t done = 0;
	ssize_t n;
	int r;

	if (!hash)
		return -ENOMEM;
	(void)fb_digest_format(want, text);
	while ((n = fb_read_full(fd, w->buf, READ_BYTES)) > 0) {
		if (fb_hash_update(hash, w->buf, (size_t)n) < 0)
			return -ENOMEM;
		done += (uint64_t)n;
		w->done.bytes += (uint64_t)n;
		r = step(w, text, done, size);
		if (r < 0)
			return r;
	}
	/* what cannot be read (EIO) is as good as damaged */
	return n == 0 && done == size && fb_hash_final(hash, sum) == 0 &&
	       memcmp(sum, want->hash, fb_hash_size(want->kind)) == 0;
}

static int check_blob(struct work *w, const struct fb_digest *digest,
		      uint64_t size_bytes, bool *ret_there)
{
	uint64_t size = 0;
	FB_FD int fd =
		fb_store_blob_open(w->store, digest, size_bytes, &size, NULL);

	*ret_there = fd != -ENOENT;
	return fd < 0 ? 0 : hash_file(w, fd, digest, size);
}

static int report(struct work *w, enum fb_store_fault fault,
		  const struct fb_digest *digest)
{
	const struct fb_store_finding finding = {
		.fault = fault,
		.digest = digest ? *digest : (struct fb_digest){ 0 },
	};

	return w->check->found(w->check->ctx, &finding);
}

/** struct expected - A blob that was there, or that an image needs */
struct expected {
	struct fb_digest digest;
	uint64_t size_bytes; /* UINT64_MAX: no image says */
	bool needed;
};

struct expected_list {
	struct expected *v;
	size_t count;
};

static int add_expected(struct expected_list *list,
			const struct fb_digest *digest, uint64_t size_bytes,
			bool needed)
{
	/* doubled whenever the count is a power of two */
	if ((list->count & (list->count - 1)) == 0) {
		void *v =
			reallocarray(list->v, list->count ? list->count * 2 : 1,
				     sizeof(*list->v));

		if (!v)
			return -ENOMEM;
		list->v = v;
	}
	list->v[list->count++] =
		(struct expected){ *digest, size_bytes, needed };
	return 0;
}

static int list_needed(struct fb_store *store, struct expected_list *list,
		       struct fb_err *err)
{
	FB_STMT sqlite3_stmt *stmt = NULL;
	int r = fb_db_prepare(store, &stmt, err,
			      "SELECT DISTINCT digest, size_bytes"
			      " FROM image_blob",
			      "");

	while (r == 0 && (r = fb_db_step(store, stmt, err)) > 0) {
		struct fb_digest digest = fb_db_digest(stmt, 0);

		r = add_expected(list, &digest,
				 (uint64_t)sqlite3_column_int64(stmt, 1), true);
	}
	return r;
}

static int add_found(void *ctx, const struct fb_digest *digest,
		     const struct stat *st)
{
	(void)st;
	return add_expected(ctx, digest, UINT64_MAX, false);
}

/* Needed ones before the same blob as it was found on disk */
static int by_digest(const void *a, const void *b)
{
	const struct expected *x = a, *y = b;
	int r;

	if (x->digest.kind != y->digest.kind)
		return x->digest.kind < y->digest.kind ? -1 : 1;
	r = memcmp(x->digest.hash, y->digest.hash, sizeof(x->digest.hash));
	return r ? r : (int)y->needed - (int)x->needed;
}

static int judge_blob(struct work *w, const struct expected *e,
		      struct fb_err *err)
{
	bool there = false;
	int r = check_blob(w, &e->digest, e->size_bytes, &there);

	w->done.blobs++;
	if (r != 0)
		return r < 0 ? r : 0;
	if (!e->needed)
		return there ? report(w, FB_STORE_FAULT_STRAY, &e->digest) : 0;
	/* removed meanwhile, with its image? */
	r = fb_store_blob_is_needed(w->store, &e->digest, err);
	if (r <= 0)
		return r;
	return report(w,
		      there ? FB_STORE_FAULT_DAMAGED : FB_STORE_FAULT_MISSING,
		      &e->digest);
}

static int verify_blobs(struct work *w, struct fb_err *err)
{
	struct expected_list list = { 0 };
	int r = list_needed(w->store, &list, err);

	if (r == 0)
		r = fb_store_blob_walk(w->store, add_found, &list, err);
	if (r == 0 && list.count)
		qsort(list.v, list.count, sizeof(*list.v), by_digest);
	for (size_t i = 0; r == 0 && i < list.count; i++)
		if (i == 0 ||
		    !fb_digest_equal(&list.v[i].digest, &list.v[i - 1].digest))
			r = judge_blob(w, &list.v[i], err);
	free(list.v);
	return r;
}

static int check_rootfs(struct work *w, const struct fb_rootfs_record *record)
{
	char name[FB_ROOTFS_NAME_MAX];
	FB_FD int fd = -EBADF;

	fb_store_rootfs_name(&record->key, name);
	fd = openat(w->store->fds[FB_STORE_DIR_ROOTFS], name,
		    O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	return fd < 0 ? 0
		      : hash_file(w, fd, &record->sha256, record->size_bytes);
}

static bool rootfs_has_row(struct fb_store *store, const struct fb_digest *key)
{
	FB_STMT sqlite3_stmt *stmt = NULL;

	return fb_db_prepare(store, &stmt, NULL,
			     "SELECT 1 FROM rootfs WHERE key=?", "d",
			     key) == 0 &&
	       fb_db_step(store, stmt, NULL) == 1;
}

static int list_rootfs(struct fb_store *store, struct fb_rootfs_record **ret,
		       size_t *ret_count, struct fb_err *err)
{
	FB_STMT sqlite3_stmt *stmt = NULL;
	FB_FREE struct fb_rootfs_record *v = NULL;
	size_t count = 0;
	int r = fb_db_prepare(store, &stmt, err,
			      "SELECT key, sha256, size_bytes FROM rootfs", "");

	while (r == 0 && (r = fb_db_step(store, stmt, err)) > 0) {
		void *grown = reallocarray(v, count + 1, sizeof(*v));

		if (!grown)
			return -ENOMEM;
		v = grown;
		v[count++] = (struct fb_rootfs_record){
			.key = fb_db_digest(stmt, 0),
			.sha256 = fb_db_digest(stmt, 1),
			.size_bytes = (uint64_t)sqlite3_column_int64(stmt, 2),
		};
		r = 0;
	}
	*ret = FB_TAKE_PTR(v);
	*ret_count = count;
	return r;
}

static int verify_rootfs(struct work *w, struct fb_err *err)
{
	FB_FREE struct fb_rootfs_record *v = NULL;
	size_t count = 0;
	int r = fb_store_dir_fd(w->store, FB_STORE_DIR_ROOTFS, err);

	if (r >= 0)
		r = list_rootfs(w->store, &v, &count, err);
	for (size_t i = 0; r == 0 && i < count; i++) {
		r = check_rootfs(w, &v[i]);
		w->done.rootfs++;
		if (r == 0 && rootfs_has_row(w->store, &v[i].key))
			r = report(w, FB_STORE_FAULT_ROOTFS, &v[i].key);
		else if (r > 0)
			r = 0;
	}
	return r;
}

int fb_store_verify(struct fb_store *store, const struct fb_store_check *check,
		    struct fb_store_verified *ret, struct fb_err *err)
{
	FB_FREE uint8_t *buf = malloc(READ_BYTES);
	struct work w = { .store = store, .check = check, .buf = buf };
	int r = fb_db(store, err);

	if (r == 0 && !buf)
		r = -ENOMEM;
	if (r == 0)
		r = verify_blobs(&w, err);
	if (r == 0)
		r = verify_rootfs(&w, err);
	if (r == 0) {
		r = fb_store_index_is_current(store, err);
		r = r == 0  ? report(&w, FB_STORE_FAULT_INDEX, NULL)
		    : r > 0 ? 0
			    : r;
	}
	if (r == -ENOMEM)
		return fb_err_set(err, r, "verify the store: %m");
	if (r == 0)
		*ret = w.done;
	return r;
}

int fb_store_blob_is_sound(struct fb_store *store,
			   const struct fb_digest *digest)
{
	FB_FREE uint8_t *buf = malloc(READ_BYTES);
	struct work w = { .store = store, .buf = buf };
	bool there;

	return buf ? check_blob(&w, digest, UINT64_MAX, &there) : -ENOMEM;
}

static int evict_blob(struct fb_store *store, const struct fb_digest *digest,
		      struct fb_err *err)
{
	FB_FD int gate = fb_store_gate(store, true, err);
	uint64_t freed;
	int r;

	if (gate < 0)
		return gate;
	/* another process may have written it again */
	r = fb_store_blob_is_sound(store, digest);
	if (r == 0)
		(void)fb_store_blob_unlink(store, digest, &freed);
	return r < 0 ? fb_err_set(err, r, "verify a blob: %s", strerror(-r))
		     : 0;
}

static int rebuild_index(struct fb_store *store, struct fb_err *err)
{
	FB_DB_TX struct fb_db_tx tx = { 0 };
	int r = fb_db_begin(store, true, &tx, err);

	if (r == 0)
		r = fb_store_index_bump(store, err);
	if (r == 0)
		r = fb_db_commit(&tx, err);
	return r < 0 ? r : fb_store_index_sync(store, err);
}

int fb_store_evict(struct fb_store *store,
		   const struct fb_store_finding *finding, struct fb_err *err)
{
	int r = fb_db(store, err);

	if (r < 0)
		return r;
	switch (finding->fault) {
	case FB_STORE_FAULT_MISSING:
		return 0;
	case FB_STORE_FAULT_DAMAGED:
	case FB_STORE_FAULT_STRAY:
		return evict_blob(store, &finding->digest, err);
	case FB_STORE_FAULT_ROOTFS:
		fb_store_rootfs_forget(store, &finding->digest);
		return 0;
	case FB_STORE_FAULT_INDEX:
		break;
	}
	return rebuild_index(store, err);
}

int fb_store_blob_images(struct fb_store *store, const struct fb_digest *digest,
			 struct fb_digest **ret, size_t *ret_count,
			 struct fb_err *err)
{
	FB_STMT sqlite3_stmt *stmt = NULL;
	FB_DIGEST_SET struct fb_digest_set set = { 0 };
	int r = fb_db(store, err);

	if (r == 0)
		r = fb_db_prepare(store, &stmt, err,
				  "SELECT i.manifest FROM image_blob b"
				  " JOIN image i ON i.seq = b.image"
				  " WHERE b.digest=? ORDER BY i.seq",
				  "d", digest);
	while (r == 0 && (r = fb_db_step(store, stmt, err)) > 0) {
		struct fb_digest manifest = fb_db_digest(stmt, 0);

		r = fb_digest_set_add(&set, &manifest);
	}
	if (r < 0)
		return r;
	*ret = FB_TAKE_PTR(set.v);
	*ret_count = set.count;
	return 0;
}
