/* SPDX-License-Identifier: Apache-2.0 */
/* Converted images: file and row. */
#include "store/rootfs_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/path.h"
#include "store/internal.h"

/* how exact "last used" is: a row written for every start would cost a start */
#define USED_GRAIN_S 3600

void fb_store_rootfs_name(const struct fb_digest *key,
			  char out[FB_ROOTFS_NAME_MAX])
{
	char hex[FB_DIGEST_TEXT_MAX];

	(void)snprintf(out, FB_ROOTFS_NAME_MAX, "%s.squashfs",
		       fb_digest_hex(key, hex));
}

char *fb_store_rootfs_path(const struct fb_store *store,
			   const struct fb_digest *key)
{
	FB_FREE char *dir = fb_store_dir_path(store, FB_STORE_DIR_ROOTFS);
	char name[FB_ROOTFS_NAME_MAX];

	fb_store_rootfs_name(key, name);
	return dir ? fb_path_join(dir, name) : NULL;
}

static int read_record(struct fb_store *store, const struct fb_digest *key,
		       struct fb_rootfs_record *ret, struct fb_err *err)
{
	FB_STMT sqlite3_stmt *stmt = NULL;
	char text[FB_DIGEST_TEXT_MAX];
	int r = fb_db_prepare(store, &stmt, err,
			      "SELECT sha256, size_bytes, compression, used_s"
			      " FROM rootfs WHERE key=?",
			      "d", key);

	if (r == 0)
		r = fb_db_step(store, stmt, err);
	if (r == 0)
		return fb_err_set(err, -ENOENT, "no converted image '%s'",
				  fb_digest_format(key, text));
	if (r < 0)
		return r;
	ret->key = *key;
	ret->sha256 = fb_db_digest(stmt, 0);
	ret->size_bytes = (uint64_t)sqlite3_column_int64(stmt, 1);
	(void)snprintf(ret->compression, sizeof(ret->compression), "%s",
		       fb_db_text(stmt, 2));
	ret->used_s = sqlite3_column_int64(stmt, 3);
	return 0;
}

/* An image without a row (just removed) leaves the file without a user. */
static int note_use(struct fb_store *store, const struct fb_digest *key,
		    const struct fb_digest *manifest, struct fb_err *err)
{
	int r = fb_db_run(store, err,
			  "INSERT OR IGNORE INTO rootfs_use(key, image)"
			  " SELECT ?, seq FROM image WHERE manifest=?",
			  "dd", key, manifest);

	return r < 0 ? r : 0;
}

static bool is_noted(struct fb_store *store, const struct fb_digest *key,
		     const struct fb_digest *manifest)
{
	FB_STMT sqlite3_stmt *stmt = NULL;

	return fb_db_prepare(store, &stmt, NULL,
			     "SELECT 1 FROM rootfs_use u"
			     " JOIN image i ON i.seq = u.image"
			     " WHERE u.key=? AND i.manifest=?",
			     "dd", key, manifest) == 0 &&
	       fb_db_step(store, stmt, NULL) == 1;
}

/* Writes only when there is news: most starts find nothing to write. */
static void note_opened(struct fb_store *store,
			const struct fb_rootfs_record *record,
			const struct fb_digest *manifest)
{
	FB_DB_TX struct fb_db_tx tx = { 0 };
	int64_t now = time(NULL);
	bool stale = now - record->used_s >= USED_GRAIN_S;

	if (!stale && is_noted(store, &record->key, manifest))
		return;
	if (fb_db_begin(store, false, &tx, NULL) < 0 ||
	    note_use(store, &record->key, manifest, NULL) < 0 ||
	    fb_db_run(store, NULL, "UPDATE rootfs SET used_s=? WHERE key=?",
		      "id", now, &record->key) < 0 ||
	    fb_db_commit(&tx, NULL) < 0)
		fb_log(store->log, FB_LOG_INFO,
		       "could not note that a converted image was used");
}

/* what was remembered of its layers, for other images that have them */
static const char *layers_name(const char *name, char out[FB_ROOTFS_NAME_MAX])
{
	size_t n = strnlen(name, 64);

	memcpy(out, name, n);
	memcpy(out + n, ".layers", sizeof(".layers"));
	return out;
}

static uint64_t on_disk(int dir, const char *name)
{
	struct stat st;

	return fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0
		       ? (uint64_t)st.st_blocks * 512
		       : 0;
}

uint64_t fb_store_rootfs_on_disk(struct fb_store *store, const char *name)
{
	int dir = store->fds[FB_STORE_DIR_ROOTFS];
	char layers[FB_ROOTFS_NAME_MAX];
	uint64_t bytes = on_disk(dir, name);

	/* one that is left over is called so itself */
	if (strcmp(layers_name(name, layers), name) != 0)
		bytes += on_disk(dir, layers);
	return bytes;
}

int fb_store_rootfs_unlink(struct fb_store *store, const char *name)
{
	int dir = store->fds[FB_STORE_DIR_ROOTFS];
	int r = unlinkat(dir, name, 0) < 0 ? -errno : 0;
	char layers[FB_ROOTFS_NAME_MAX];

	(void)unlinkat(dir, layers_name(name, layers), 0);
	return r;
}

void fb_store_rootfs_forget(struct fb_store *store, const struct fb_digest *key)
{
	FB_FD int gate = fb_store_gate(store, false, NULL);
	char name[FB_ROOTFS_NAME_MAX];

	if (gate < 0)
		return;
	fb_store_rootfs_name(key, name);
	(void)fb_db_run(store, NULL, "DELETE FROM rootfs WHERE key=?", "d",
			key);
	(void)fb_store_rootfs_unlink(store, name);
}

int fb_store_rootfs_open(struct fb_store *store, const struct fb_digest *key,
			 const struct fb_digest *manifest,
			 struct fb_rootfs_record *ret, struct fb_err *err)
{
	struct fb_rootfs_record record = { 0 };
	FB_FD int fd = -EBADF;
	char name[FB_ROOTFS_NAME_MAX];
	struct stat st;
	int dir = fb_store_dir_fd(store, FB_STORE_DIR_ROOTFS, err);
	int r = dir < 0 ? dir : fb_db(store, err);

	if (r == 0)
		r = read_record(store, key, &record, err);
	if (r < 0)
		return r;
	fb_store_rootfs_name(key, name);
	fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 && errno != ENOENT)
		return fb_err_set(err, -errno, "open '%s/rootfs/%s': %m",
				  store->state, name);
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) ||
	    (uint64_t)st.st_size != record.size_bytes) {
		fb_log(store->log, FB_LOG_WARN,
		       "'%s/rootfs/%s' is not what it was: it will be converted "
		       "again",
		       store->state, name);
		fb_store_rootfs_forget(store, key);
		return fb_err_set(err, -ENOENT, "no converted image '%s'",
				  name);
	}
	note_opened(store, &record, manifest);
	*ret = record;
	return FB_TAKE_FD(fd);
}

int fb_store_rootfs_publish(struct fb_store *store, struct fb_store_temp *temp,
			    const struct fb_rootfs_record *record,
			    const struct fb_digest *manifest,
			    struct fb_err *err)
{
	FB_DB_TX struct fb_db_tx tx = { 0 };
	FB_FD int gate = -EBADF;
	char name[FB_ROOTFS_NAME_MAX];
	int r = fb_db(store, err);

	if (r < 0)
		return r;
	/* the long sync before the gate, not behind it */
	if (fsync(temp->fd) < 0)
		return fb_err_set(err, -errno, "write the converted image: %m");
	gate = fb_store_gate(store, false, err);
	if (gate < 0)
		return gate;
	fb_store_rootfs_name(&record->key, name);
	r = fb_store_temp_publish(temp, FB_STORE_DIR_ROOTFS, name, 0444, err);
	if (r == 0)
		r = fb_db_begin(store, true, &tx, err);
	if (r == 0)
		r = fb_db_run(store, err,
			      "INSERT INTO rootfs(key, sha256, size_bytes,"
			      " compression, used_s) VALUES(?, ?, ?, ?, ?)"
			      " ON CONFLICT(key) DO UPDATE SET"
			      " sha256=excluded.sha256,"
			      " size_bytes=excluded.size_bytes,"
			      " compression=excluded.compression,"
			      " used_s=excluded.used_s",
			      "dditi", &record->key, &record->sha256,
			      (int64_t)record->size_bytes, record->compression,
			      (int64_t)time(NULL));
	if (r >= 0)
		r = note_use(store, &record->key, manifest, err);
	return r < 0 ? r : fb_db_commit(&tx, err);
}
