/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of src/store/ share; nobody else includes this. */
#ifndef FB_STORE_INTERNAL_H
#define FB_STORE_INTERNAL_H

#include <dirent.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/log.h"
#include "base/str.h"
#include "oci/digest.h"
#include "store/blob.h"
#include "store/catalogue.h"
#include "store/store.h"

#define FB_STORE_DIR_COUNT (FB_STORE_DIR_RUN_CONTAINERS + 1)

/**
 * struct fb_store - An open store
 * @state: Absolute root of the state
 * @run:   Absolute root of sockets
 * @log:   Sink, or NULL
 * @fds:   Folders opened so far; -EBADF for the others
 * @db:    Catalogue; NULL until it is needed
 */
struct fb_store {
	char *state;
	char *run;
	const struct fb_log *log;
	int fds[FB_STORE_DIR_COUNT];
	sqlite3 *db;
};

/* --- store.c --- */

/** fb_store_listdir() - A fresh DIR of one of our folders; NULL and errno */
DIR *fb_store_listdir(struct fb_store *store, enum fb_store_dir dir,
		      struct fb_err *err);

/* --- lock.c --- */

/**
 * fb_store_gate() - Take ROOT/lock
 * @exclusive: To collect garbage; otherwise to publish
 *
 * Held for milliseconds, never over a network or a conversion.  Order: work
 * lock, gate, database transaction.
 *
 * Return: descriptor whose closing releases it; a negative errno.
 */
int fb_store_gate(struct fb_store *store, bool exclusive, struct fb_err *err);

/**
 * fb_store_gate_collect() - The gate, to collect garbage by the catalogue
 *
 * Opens the database first, which may have to be upgraded.
 *
 * Return: as fb_store_gate().
 */
int fb_store_gate_collect(struct fb_store *store, struct fb_err *err);

/** fb_store_flock() - flock() that is not ended by a signal. Return: 0; negative errno */
int fb_store_flock(int fd, int operation);

/**
 * fb_store_same_file() - A name still leads to the open file
 *
 * Between opening a lock file and locking it, its owner may have removed it.
 */
bool fb_store_same_file(int dirfd, const char *name, int fd);

/** fb_store_random_name() - "<pid>-<16 digits>" for a file of ours. Return: 0; negative errno */
int fb_store_random_name(char *out, size_t size);

/**
 * fb_store_reap_dir() - Remove the files of a folder that nobody holds locked
 *
 * Return: how many; a negative errno.
 */
int fb_store_reap_dir(struct fb_store *store, enum fb_store_dir dir,
		      struct fb_err *err);

/* --- set.c: digests to look up by the thousand --- */

/** struct fb_digest_set - Sorted after fb_digest_set_seal() */
struct fb_digest_set {
	struct fb_digest *v;
	size_t count;
	size_t cap;
};

int fb_digest_set_add(struct fb_digest_set *set, const struct fb_digest *d);
void fb_digest_set_seal(struct fb_digest_set *set);
bool fb_digest_set_has(const struct fb_digest_set *set,
		       const struct fb_digest *d);
void fb_digest_set_release(struct fb_digest_set *set);

#define FB_DIGEST_SET FB_CLEANUP(fb_digest_set_release)

/* --- lease.c --- */

/** fb_store_leases_read() - Add what live leases name; the gate is held exclusively */
int fb_store_leases_read(struct fb_store *store, struct fb_digest_set *set,
			 struct fb_err *err);

/** fb_lease_note() - Write a digest into a lease; the gate is held */
int fb_lease_note(struct fb_lease *lease, const struct fb_digest *digest,
		  struct fb_err *err);

/* --- blob_file.c --- */

/** fb_store_blobs_sync() - Have the names of all published blobs on the disk. Return: 0; negative errno */
int fb_store_blobs_sync(struct fb_store *store, struct fb_err *err);

/** fb_store_blob_dir() - Folder of an algorithm's blobs (borrowed); negative errno */
int fb_store_blob_dir(struct fb_store *store, enum fb_hash_kind kind,
		      bool create, struct fb_err *err);

/** fb_store_blob_unlink() - Delete a blob, tell its blocks. Return: false where it was not there */
bool fb_store_blob_unlink(struct fb_store *store,
			  const struct fb_digest *digest,
			  uint64_t *ret_freed_bytes);

struct stat;

/**
 * fb_store_blob_walk() - Visit every blob
 * @visit: Digest and file; a negative errno ends the walk with it
 *
 * Return: 0; a negative errno.
 */
int fb_store_blob_walk(struct fb_store *store,
		       int (*visit)(void *ctx, const struct fb_digest *digest,
				    const struct stat *st),
		       void *ctx, struct fb_err *err);

/* --- db.c --- */

/** fb_db() - The catalogue, opened at the first call. Return: 0; negative errno */
int fb_db(struct fb_store *store, struct fb_err *err);

/** fb_db_error() - SQLite's last error as ours. Return: negative errno */
int fb_db_error(struct fb_store *store, int rc, struct fb_err *err);

/** fb_db_exec() - Run SQL without results. Return: 0; negative errno */
int fb_db_exec(struct fb_store *store, const char *sql, struct fb_err *err);

/**
 * fb_db_prepare() - Compile one statement and bind its arguments
 * @types: One letter an argument: t (const char *), i (int64_t), d (const
 *         struct fb_digest *, NULL and unset ones as NULL)
 *
 * Return: 0; negative errno.
 */
int fb_db_prepare(struct fb_store *store, sqlite3_stmt **ret,
		  struct fb_err *err, const char *sql, const char *types, ...);

/**
 * fb_db_list() - The texts of a statement's first column
 * @ret: Added to
 *
 * @sql and @types are fb_db_prepare()'s.  Return: 0; negative errno.
 */
int fb_db_list(struct fb_store *store, struct fb_strv *ret, struct fb_err *err,
	       const char *sql, const char *types, ...);

/** fb_db_step() - Return: 1 a row; 0 done; negative errno */
int fb_db_step(struct fb_store *store, sqlite3_stmt *stmt, struct fb_err *err);

/** fb_db_run() - Prepare, step once, finalize. Return: rows changed; negative errno */
int fb_db_run(struct fb_store *store, struct fb_err *err, const char *sql,
	      const char *types, ...);

/** fb_db_text() - A column as text, "" for NULL (borrowed until the next step) */
const char *fb_db_text(sqlite3_stmt *stmt, int column);

/** fb_db_digest() - A column as a digest; unset where it is none */
struct fb_digest fb_db_digest(sqlite3_stmt *stmt, int column);

static inline void fb_cleanup_stmt(sqlite3_stmt **stmt)
{
	(void)sqlite3_finalize(*stmt);
}

#define FB_STMT FB_CLEANUP(fb_cleanup_stmt)

/** struct fb_db_tx - A transaction; rolled back at the end of its scope */
struct fb_db_tx {
	struct fb_store *store;
};

/**
 * fb_db_snapshot() - Open the database and start a reading transaction
 *
 * What is read until @tx ends is of one moment.
 *
 * Return: 0 or a negative errno.
 */
int fb_db_snapshot(struct fb_store *store, struct fb_db_tx *tx,
		   struct fb_err *err);

/**
 * fb_db_begin() - Start a writing transaction
 * @durable: Sync at commit (image names); otherwise a power cut may undo it
 *           (containers: they don't survive one either)
 */
int fb_db_begin(struct fb_store *store, bool durable, struct fb_db_tx *tx,
		struct fb_err *err);
int fb_db_commit(struct fb_db_tx *tx, struct fb_err *err);
void fb_db_rollback(struct fb_db_tx *tx);

#define FB_DB_TX FB_CLEANUP(fb_db_rollback)

/* --- index.c --- */

/** fb_store_index_sync() - Rewrite oci/index.json where the catalogue has moved on */
int fb_store_index_sync(struct fb_store *store, struct fb_err *err);

/**
 * fb_store_index_catch_up() - The same after a commit: the names are safe, so
 * a failure is only logged, and the next opening of the catalogue tries again
 */
void fb_store_index_catch_up(struct fb_store *store);

/** fb_store_index_bump() - Say in the current transaction that it has */
int fb_store_index_bump(struct fb_store *store, struct fb_err *err);

/**
 * fb_store_index_is_current() - oci/index.json says what the catalogue says
 *
 * Return: 1 it does, or is being written; 0 not; negative errno.
 */
int fb_store_index_is_current(struct fb_store *store, struct fb_err *err);

/* --- collect.c --- */

/** fb_store_reserve_take() - Put blocks aside for removals on a full disk, if there are any */
void fb_store_reserve_take(struct fb_store *store);

/** fb_store_reserve_release() - Give them up. Return: whether there were any */
bool fb_store_reserve_release(struct fb_store *store);

/**
 * fb_store_delete_blobs() - Delete blobs that the catalogue no longer names
 * @candidates: Which (borrowed); those in live leases stay
 * @ret:        Digests and bytes are added
 *
 * The gate is held exclusively.  Return: 0; negative errno.
 */
int fb_store_delete_blobs(struct fb_store *store,
			  const struct fb_digest_set *candidates,
			  struct fb_image_removal *ret, struct fb_err *err);

/** fb_store_collect_held() - fb_store_collect() by who holds the gate exclusively */
int fb_store_collect_held(struct fb_store *store, struct fb_image_removal *ret,
			  struct fb_err *err);

/**
 * fb_store_delete_rootfs() - Delete converted images that no image uses
 *
 * The gate is held exclusively.  Return: 0; negative errno.
 */
int fb_store_delete_rootfs(struct fb_store *store, struct fb_image_removal *ret,
			   struct fb_err *err);

/** fb_store_blob_is_needed() - Some image names it. Return: 1; 0; negative errno */
int fb_store_blob_is_needed(struct fb_store *store,
			    const struct fb_digest *digest, struct fb_err *err);

/* --- rootfs_file.c --- */

/** fb_store_rootfs_forget() - Row and file of a converted image go */
void fb_store_rootfs_forget(struct fb_store *store,
			    const struct fb_digest *key);

#define FB_ROOTFS_NAME_MAX (FB_DIGEST_TEXT_MAX + 16)

/** fb_store_rootfs_on_disk() - What such a file and "<key>.layers" take up; 0 not there */
uint64_t fb_store_rootfs_on_disk(struct fb_store *store, const char *name);

/** fb_store_rootfs_unlink() - A file of rootfs/ and "<key>.layers" beside it go. Return: 0; -errno of the first */
int fb_store_rootfs_unlink(struct fb_store *store, const char *name);

/** fb_store_rootfs_name() - "<key>.squashfs" in rootfs/ */
void fb_store_rootfs_name(const struct fb_digest *key,
			  char out[FB_ROOTFS_NAME_MAX]);

/* --- container_query.c --- */

struct fb_container_entry;

/**
 * fb_store_image_user() - Find a container of an image
 * @id:           Config digest
 * @only_running: Not one that has ended
 * @ret:          Written when the value is 1
 *
 * Return: 1 found; 0 none; negative errno.
 */
int fb_store_image_user(struct fb_store *store, const struct fb_digest *id,
			bool only_running, struct fb_container_entry *ret,
			struct fb_err *err);

#endif
