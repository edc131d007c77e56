/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Deleting what nothing needs: blobs that neither an image nor a live lease
 * names, beginnings that nobody continues, converted images without a user.
 *
 * A file that is open stays readable after it is deleted, so readers need no
 * protection; only what is being published does, and that is what the gate,
 * held exclusively here, keeps out.
 *
 * Removing something writes to the database before it frees anything, so on a
 * full disk it would fail.  A file of some blocks is therefore kept in reserve:
 * a removal that finds no room gives them up, and takes them back at its end.
 */
#include <errno.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "store/blob.h"
#include "store/internal.h"

#define RESERVE_NAME "reserve"
#define RESERVE_BYTES (256 << 10)

void fb_store_reserve_take(struct fb_store *store)
{
	int dir = store->fds[FB_STORE_DIR_ROOT];
	FB_FD int fd = -EBADF;
	struct statvfs fs;

	/* the last room that there is must not go into it */
	if (fstatvfs(dir, &fs) == 0 &&
	    (uint64_t)fs.f_bavail * fs.f_frsize < 2 * RESERVE_BYTES)
		return;
	fd = openat(dir, RESERVE_NAME, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
		    0600);
	/* a disk without so much room has no use for it */
	if (fd >= 0 && posix_fallocate(fd, 0, RESERVE_BYTES) != 0)
		(void)unlinkat(dir, RESERVE_NAME, 0);
}

bool fb_store_reserve_release(struct fb_store *store)
{
	return unlinkat(store->fds[FB_STORE_DIR_ROOT], RESERVE_NAME, 0) == 0;
}

static int delete_blob(struct fb_store *store, const struct fb_digest *digest,
		       struct fb_image_removal *ret)
{
	char text[FB_DIGEST_TEXT_MAX];
	uint64_t freed = 0;

	if (!fb_store_blob_unlink(store, digest, &freed) || !ret)
		return 0;
	ret->freed_bytes += freed;
	return fb_strv_add(&ret->deleted, fb_digest_format(digest, text));
}

int fb_store_delete_blobs(struct fb_store *store,
			  const struct fb_digest_set *candidates,
			  struct fb_image_removal *ret, struct fb_err *err)
{
	FB_DIGEST_SET struct fb_digest_set leased = { 0 };
	int r;

	if (candidates->count == 0)
		return 0;
	r = fb_store_leases_read(store, &leased, err);
	if (r < 0)
		return r;
	fb_digest_set_seal(&leased);
	for (size_t i = 0; r == 0 && i < candidates->count; i++) {
		if (!fb_digest_set_has(&leased, &candidates->v[i]))
			r = delete_blob(store, &candidates->v[i], ret);
	}
	return r;
}

static int delete_rootfs_file(struct fb_store *store, const char *name,
			      struct fb_image_removal *ret)
{
	uint64_t bytes = fb_store_rootfs_on_disk(store, name);
	int r = fb_store_rootfs_unlink(store, name);

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	if (ret)
		ret->freed_bytes += bytes;
	return 0;
}

int fb_store_delete_rootfs(struct fb_store *store, struct fb_image_removal *ret,
			   struct fb_err *err)
{
	FB_STMT sqlite3_stmt *stmt = NULL;
	int r = fb_store_dir_fd(store, FB_STORE_DIR_ROOTFS, err);

	if (r < 0)
		return r;
	r = fb_db_prepare(store, &stmt, err,
			  "SELECT key FROM rootfs r WHERE NOT EXISTS"
			  " (SELECT 1 FROM rootfs_use u WHERE u.key = r.key)",
			  "");
	while (r == 0 && (r = fb_db_step(store, stmt, err)) > 0) {
		struct fb_digest key = fb_db_digest(stmt, 0);
		char name[FB_ROOTFS_NAME_MAX];

		fb_store_rootfs_name(&key, name);
		r = delete_rootfs_file(store, name, ret);
		if (r < 0)
			return fb_err_set(err, r, "delete '%s/rootfs/%s': %s",
					  store->state, name, strerror(-r));
	}
	if (r < 0)
		return r;
	stmt = (sqlite3_finalize(stmt), NULL);
	r = fb_db_run(store, err,
		      "DELETE FROM rootfs WHERE NOT EXISTS"
		      " (SELECT 1 FROM rootfs_use u WHERE u.key = rootfs.key)",
		      "");
	return r < 0 ? r : 0;
}

/* Files in rootfs/ without a row: published, but their process died there. */
static int delete_stray_rootfs(struct fb_store *store,
			       struct fb_image_removal *ret, struct fb_err *err)
{
	FB_DIGEST_SET struct fb_digest_set known = { 0 };
	FB_STMT sqlite3_stmt *stmt = NULL;
	FB_DIR DIR *list = NULL;
	struct dirent *entry;
	char text[FB_DIGEST_TEXT_MAX];
	int r = fb_db_prepare(store, &stmt, err, "SELECT key FROM rootfs", "");

	while (r == 0 && (r = fb_db_step(store, stmt, err)) > 0) {
		struct fb_digest key = fb_db_digest(stmt, 0);

		r = fb_digest_set_add(&known, &key);
	}
	if (r < 0)
		return r;
	fb_digest_set_seal(&known);
	list = fb_store_listdir(store, FB_STORE_DIR_ROOTFS, err);
	if (!list)
		return -errno;
	while (r == 0 && (entry = readdir(list))) {
		struct fb_digest key = { 0 };

		if (strlen(entry->d_name) <= 64 ||
		    (strcmp(entry->d_name + 64, ".squashfs") != 0 &&
		     strcmp(entry->d_name + 64, ".layers") != 0))
			continue;
		(void)snprintf(text, sizeof(text), "sha256:%.64s",
			       entry->d_name);
		if (fb_digest_parse(text, &key, NULL) == 0 &&
		    !fb_digest_set_has(&known, &key))
			r = delete_rootfs_file(store, entry->d_name, ret);
	}
	return r;
}

/* Beginnings of blobs; the one that is being written now is locked. */
static int delete_partial(struct fb_store *store, struct fb_image_removal *ret,
			  struct fb_err *err)
{
	FB_DIR DIR *list = fb_store_listdir(store, FB_STORE_DIR_PARTIAL, err);
	struct dirent *entry;
	struct stat st;

	if (!list)
		return -errno;
	while ((entry = readdir(list))) {
		FB_FD int fd = -EBADF;

		if (entry->d_name[0] == '.')
			continue;
		fd = openat(dirfd(list), entry->d_name,
			    O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
		if (fd < 0 || fb_store_flock(fd, LOCK_EX | LOCK_NB) < 0 ||
		    !fb_store_same_file(dirfd(list), entry->d_name, fd) ||
		    fstat(fd, &st) < 0 ||
		    unlinkat(dirfd(list), entry->d_name, 0) < 0)
			continue;
		if (ret)
			ret->freed_bytes += (uint64_t)st.st_blocks * 512;
	}
	return 0;
}

int fb_store_blob_is_needed(struct fb_store *store,
			    const struct fb_digest *digest, struct fb_err *err)
{
	FB_STMT sqlite3_stmt *stmt = NULL;
	int r = fb_db_prepare(store, &stmt, err,
			      "SELECT 1 FROM image_blob WHERE digest=? LIMIT 1",
			      "d", digest);

	return r < 0 ? r : fb_db_step(store, stmt, err);
}

int fb_store_collect_blobs(struct fb_store *store,
			   const struct fb_digest *digests, size_t count,
			   struct fb_err *err)
{
	FB_DIGEST_SET struct fb_digest_set set = { 0 };
	FB_FD int gate = fb_store_gate_collect(store, err);
	int r = 0;

	if (gate < 0)
		return gate;
	for (size_t i = 0; i < count; i++) {
		r = fb_store_blob_is_needed(store, &digests[i], err);
		if (r == 0)
			r = fb_digest_set_add(&set, &digests[i]);
		if (r < 0)
			return r;
	}
	return fb_store_delete_blobs(store, &set, NULL, err);
}

struct unneeded {
	struct fb_digest_set referenced;
	struct fb_digest_set found;
};

static int visit_blob(void *ctx, const struct fb_digest *digest,
		      const struct stat *st)
{
	struct unneeded *u = ctx;

	(void)st;
	return fb_digest_set_has(&u->referenced, digest)
		       ? 0
		       : fb_digest_set_add(&u->found, digest);
}

static int referenced_blobs(struct fb_store *store, struct fb_digest_set *set,
			    struct fb_err *err)
{
	FB_STMT sqlite3_stmt *stmt = NULL;
	int r = fb_db_prepare(store, &stmt, err,
			      "SELECT DISTINCT digest FROM image_blob", "");

	while (r == 0 && (r = fb_db_step(store, stmt, err)) > 0) {
		struct fb_digest digest = fb_db_digest(stmt, 0);

		r = digest.set ? fb_digest_set_add(set, &digest) : 0;
	}
	fb_digest_set_seal(set);
	return r;
}

static int delete_stray_blobs(struct fb_store *store,
			      struct fb_image_removal *ret, struct fb_err *err)
{
	struct unneeded u = { 0 };
	int r = referenced_blobs(store, &u.referenced, err);

	if (r == 0)
		r = fb_store_blob_walk(store, visit_blob, &u, err);
	if (r == 0)
		r = fb_store_delete_blobs(store, &u.found, ret, err);
	fb_digest_set_release(&u.referenced);
	fb_digest_set_release(&u.found);
	return r;
}

int fb_store_collect_held(struct fb_store *store, struct fb_image_removal *ret,
			  struct fb_err *err)
{
	int r;

	/* what needs no row written comes first: the disk may be full */
	r = fb_store_reap_dir(store, FB_STORE_DIR_LOCKS, err);
	if (r >= 0)
		r = delete_partial(store, ret, err);
	if (r == 0)
		r = delete_stray_blobs(store, ret, err);
	if (r == 0)
		r = delete_stray_rootfs(store, ret, err);
	if (r < 0)
		return r;
	r = fb_store_delete_rootfs(store, ret, NULL);
	if (r == -ENOSPC)
		(void)fb_store_reserve_release(store);
	/* once more with that room, or for the error's text */
	if (r < 0)
		r = fb_store_delete_rootfs(store, ret, err);
	fb_store_reserve_take(store);
	return r;
}

int fb_store_collect(struct fb_store *store, struct fb_image_removal *ret,
		     struct fb_err *err)
{
	FB_FD int gate = fb_store_gate_collect(store, err);

	return gate < 0 ? gate : fb_store_collect_held(store, ret, err);
}
