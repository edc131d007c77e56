/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The catalogue's database: opening, upgrading, statements, transactions.
 *
 * WAL, so that readers never wait for a writer.  Synchronous is NORMAL for rows
 * that a power cut makes meaningless anyway (containers), which saves every
 * start of a container a sync, and FULL for names of images, which must not be
 * lost once a pull has said "done".
 */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/path.h"
#include "store/internal.h"

#define DB_NAME "catalogue.db"
#define BUSY_TIMEOUT_MS 30000
#define SCHEMA_VERSION 2

/* SQLite's unix VFS has buffers of 512 bytes for names, "-journal" included. */
#define SQLITE_PATH_MAX 490

/* One step a version; step N leads from N to N + 1. Never edit one that was released. */
static const char *const schema_steps[] = {
	"CREATE TABLE meta(key TEXT PRIMARY KEY, value INTEGER NOT NULL)"
	" WITHOUT ROWID;"
	/* index.json shows generation `indexed` of the names */
	"INSERT INTO meta VALUES('generation', 1), ('indexed', 0);"
	"CREATE TABLE image("
	" seq INTEGER PRIMARY KEY AUTOINCREMENT,"
	" manifest TEXT NOT NULL UNIQUE,"
	" media_type TEXT NOT NULL,"
	" config TEXT NOT NULL,"
	" os TEXT NOT NULL, arch TEXT NOT NULL, variant TEXT NOT NULL,"
	" created_s INTEGER NOT NULL,"
	" registered_s INTEGER NOT NULL,"
	" size_bytes INTEGER NOT NULL);"
	"CREATE INDEX image_config ON image(config);"
	"CREATE TABLE name("
	" name TEXT PRIMARY KEY,"
	" image INTEGER NOT NULL REFERENCES image ON DELETE CASCADE,"
	" is_digest INTEGER NOT NULL) WITHOUT ROWID;"
	"CREATE INDEX name_image ON name(image, is_digest, name);"
	"CREATE TABLE image_blob("
	" image INTEGER NOT NULL REFERENCES image ON DELETE CASCADE,"
	" digest TEXT NOT NULL,"
	" size_bytes INTEGER NOT NULL,"
	" PRIMARY KEY(image, digest)) WITHOUT ROWID;"
	"CREATE INDEX image_blob_digest ON image_blob(digest);"
	"CREATE TABLE rootfs("
	" key TEXT PRIMARY KEY,"
	" sha256 TEXT NOT NULL,"
	" size_bytes INTEGER NOT NULL,"
	" compression TEXT NOT NULL,"
	" used_s INTEGER NOT NULL) WITHOUT ROWID;"
	"CREATE TABLE rootfs_use("
	" key TEXT NOT NULL REFERENCES rootfs ON DELETE CASCADE,"
	" image INTEGER NOT NULL REFERENCES image ON DELETE CASCADE,"
	" PRIMARY KEY(key, image)) WITHOUT ROWID;"
	"CREATE INDEX rootfs_use_image ON rootfs_use(image);"
	"CREATE TABLE container("
	" id TEXT PRIMARY KEY,"
	" name TEXT NOT NULL UNIQUE,"
	" image TEXT NOT NULL,"
	" manifest TEXT,"
	" auto_remove INTEGER NOT NULL,"
	" created_ns INTEGER NOT NULL) WITHOUT ROWID;"
	"CREATE INDEX container_manifest ON container(manifest);",
	/* what was found out about an image, and stays so: image/trust.c */
	"CREATE TABLE fact("
	" image INTEGER NOT NULL REFERENCES image ON DELETE CASCADE,"
	" fact TEXT NOT NULL,"
	" PRIMARY KEY(image, fact)) WITHOUT ROWID;",
};

_Static_assert(FB_ARRAY_SIZE(schema_steps) == SCHEMA_VERSION,
	       "one step a version");

static int code_of(int rc)
{
	switch (rc & 0xff) {
	case SQLITE_NOMEM:
		return -ENOMEM;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return -EBUSY;
	case SQLITE_FULL:
		return -ENOSPC;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return -EBADMSG;
	case SQLITE_READONLY:
		return -EROFS;
	case SQLITE_PERM:
		return -EACCES;
	case SQLITE_CONSTRAINT:
		return -EEXIST;
	default:
		return -EIO;
	}
}

int fb_db_error(struct fb_store *store, int rc, struct fb_err *err)
{
	int code = code_of(rc);
	int sys = store->db ? sqlite3_system_errno(store->db) : 0;

	if (sys == ENOSPC || sys == EDQUOT || sys == EACCES)
		code = -sys;
	code = fb_err_set(
		err, code, "catalogue '%s/%s': %s", store->state, DB_NAME,
		store->db ? sqlite3_errmsg(store->db) : sqlite3_errstr(rc));
	if (code == -EBADMSG)
		return fb_err_hint(err, code,
				   "move the file away, then load or pull the "
				   "images again");
	return code;
}

int fb_db_exec(struct fb_store *store, const char *sql, struct fb_err *err)
{
	int rc = sqlite3_exec(store->db, sql, NULL, NULL, NULL);

	return rc == SQLITE_OK ? 0 : fb_db_error(store, rc, err);
}

/* The name is used as it is: nothing resolves /proc/self/fd, which would make it long again. */
static int full_path_as_is(sqlite3_vfs *vfs, const char *name, int size,
			   char *out)
{
	(void)vfs;
	if (strlen(name) >= (size_t)size)
		return SQLITE_CANTOPEN;
	memcpy(out, name, strlen(name) + 1);
	return SQLITE_OK;
}

/* SQLite keeps its VFSes in a list of its own; ours is made at most once. */
static int long_path_vfs(const char **ret)
{
	static const char name[] = "flamebox-long-path";
	sqlite3_vfs *base, *mine;

	*ret = name;
	if (sqlite3_vfs_find(name))
		return 0;
	base = sqlite3_vfs_find(NULL);
	mine = base ? malloc(sizeof(*mine)) : NULL;
	if (!mine)
		return -ENOMEM;
	*mine = *base;
	mine->zName = name;
	mine->xFullPathname = full_path_as_is;
	return sqlite3_vfs_register(mine, 0) == SQLITE_OK ? 0 : -ENOMEM;
}

static int open_file(struct fb_store *store, struct fb_err *err)
{
	const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE |
			  SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE;
	FB_FREE char *path = fb_path_join(store->state, DB_NAME);
	const char *vfs = NULL;
	int persist = 1;
	int rc;

	if (path && strlen(path) > SQLITE_PATH_MAX) {
		free(path);
		if (asprintf(&path, "/proc/self/fd/%d/%s",
			     store->fds[FB_STORE_DIR_ROOT], DB_NAME) < 0)
			path = NULL;
		else if (long_path_vfs(&vfs) < 0)
			return fb_err_set(err, -ENOMEM, "open the catalogue");
	}
	if (!path)
		return fb_err_set(err, -ENOMEM, "open the catalogue");
	rc = sqlite3_open_v2(path, &store->db, flags, vfs);
	if (rc != SQLITE_OK)
		return fb_db_error(store, rc, err);
	(void)sqlite3_extended_result_codes(store->db, 1);
	(void)sqlite3_busy_timeout(store->db, BUSY_TIMEOUT_MS);
	/* -wal (emptied) and -shm stay: a full disk has no room for new ones */
	(void)sqlite3_file_control(store->db, "main", SQLITE_FCNTL_PERSIST_WAL,
				   &persist);
	return fb_db_exec(store, "PRAGMA journal_size_limit=0", err);
}

static int schema_version(struct fb_store *store, int *ret, struct fb_err *err)
{
	FB_STMT sqlite3_stmt *stmt = NULL;
	int r = fb_db_prepare(store, &stmt, err, "PRAGMA user_version", "");

	if (r == 0)
		r = fb_db_step(store, stmt, err);
	if (r < 0)
		return r;
	*ret = sqlite3_column_int(stmt, 0);
	return 0;
}

static int upgrade(struct fb_store *store, struct fb_err *err)
{
	FB_WORK_LOCK struct fb_work_lock lock = FB_WORK_LOCK_INIT;
	FB_DB_TX struct fb_db_tx tx = { 0 };
	char pragma[64];
	int version = 0;
	int r;

	/* SQLite does not wait for the lock that a change of the mode needs */
	r = fb_store_work_lock(store, "upgrade", "", true, &lock, err);
	if (r == 0)
		r = schema_version(store, &version, err);
	if (r < 0 || version == SCHEMA_VERSION)
		return r;
	/* outside of a transaction, and remembered in the file */
	r = fb_db_exec(store, "PRAGMA journal_mode=WAL", err);
	if (r == 0)
		r = fb_db_begin(store, true, &tx, err);
	if (r == 0)
		r = schema_version(store, &version, err);
	if (r < 0)
		return r;
	for (; version < SCHEMA_VERSION; version++) {
		(void)snprintf(pragma, sizeof(pragma), "PRAGMA user_version=%d",
			       version + 1);
		r = fb_db_exec(store, schema_steps[version], err);
		if (r == 0)
			r = fb_db_exec(store, pragma, err);
		if (r < 0)
			return fb_err_wrap(err, r, "upgrade to version %d",
					   version + 1);
	}
	return fb_db_commit(&tx, err);
}

static int open_and_upgrade(struct fb_store *store, struct fb_err *err)
{
	int version = 0;
	int r = open_file(store, err);

	if (r == 0)
		r = schema_version(store, &version, err);
	if (r < 0)
		return r;
	if (version > SCHEMA_VERSION)
		return fb_err_hint(
			err,
			fb_err_set(err, -EOPNOTSUPP,
				   "catalogue '%s/%s' has version %d, this "
				   "program knows up to %d",
				   store->state, DB_NAME, version,
				   SCHEMA_VERSION),
			"use the newer flamebox that made it, or another --root");
	if (version < SCHEMA_VERSION) {
		r = upgrade(store, err);
		fb_store_reserve_take(store);
	}
	return r < 0 ? r : fb_db_exec(store, "PRAGMA foreign_keys=ON", err);
}

static int open_or_close(struct fb_store *store, struct fb_err *err)
{
	int r = open_and_upgrade(store, err);

	if (r < 0) {
		(void)sqlite3_close_v2(store->db);
		store->db = NULL;
	}
	return r;
}

int fb_db(struct fb_store *store, struct fb_err *err)
{
	int r;

	if (store->db)
		return 0;
	r = fb_store_dir_fd(store, FB_STORE_DIR_ROOT, err);
	if (r < 0)
		return r;
	r = open_or_close(store, err);
	if (r == -ENOSPC && fb_store_reserve_release(store))
		r = open_or_close(store, err);
	if (r < 0)
		return r;
	/* a process may have died between naming an image and the index */
	fb_store_index_catch_up(store);
	return 0;
}

static int bind_digest(sqlite3_stmt *stmt, int index,
		       const struct fb_digest *digest)
{
	char text[FB_DIGEST_TEXT_MAX];

	if (!digest || !digest->set)
		return sqlite3_bind_null(stmt, index);
	return sqlite3_bind_text(stmt, index, fb_digest_format(digest, text),
				 -1, SQLITE_TRANSIENT);
}

static int vprepare(struct fb_store *store, sqlite3_stmt **ret,
		    struct fb_err *err, const char *sql, const char *types,
		    va_list ap)
{
	FB_STMT sqlite3_stmt *stmt = NULL;
	int rc = sqlite3_prepare_v2(store->db, sql, -1, &stmt, NULL);

	for (int i = 1; rc == SQLITE_OK && types[i - 1]; i++) {
		if (types[i - 1] == 't')
			rc = sqlite3_bind_text(stmt, i,
					       va_arg(ap, const char *), -1,
					       SQLITE_TRANSIENT);
		else if (types[i - 1] == 'd')
			rc = bind_digest(stmt, i,
					 va_arg(ap, const struct fb_digest *));
		else
			rc = sqlite3_bind_int64(stmt, i, va_arg(ap, int64_t));
	}
	if (rc != SQLITE_OK)
		return fb_db_error(store, rc, err);
	*ret = FB_TAKE_PTR(stmt);
	return 0;
}

int fb_db_prepare(struct fb_store *store, sqlite3_stmt **ret,
		  struct fb_err *err, const char *sql, const char *types, ...)
{
	va_list ap;
	int r;

	va_start(ap, types);
	r = vprepare(store, ret, err, sql, types, ap);
	va_end(ap);
	return r;
}

int fb_db_list(struct fb_store *store, struct fb_strv *ret, struct fb_err *err,
	       const char *sql, const char *types, ...)
{
	FB_STMT sqlite3_stmt *stmt = NULL;
	va_list ap;
	int r;

	va_start(ap, types);
	r = vprepare(store, &stmt, err, sql, types, ap);
	va_end(ap);
	while (r == 0 && (r = fb_db_step(store, stmt, err)) > 0) {
		r = fb_strv_add(ret, fb_db_text(stmt, 0));
		if (r < 0)
			(void)fb_err_set(err, r, "catalogue: %s", strerror(-r));
	}
	return r;
}

int fb_db_step(struct fb_store *store, sqlite3_stmt *stmt, struct fb_err *err)
{
	int rc = sqlite3_step(stmt);

	if (rc == SQLITE_ROW)
		return 1;
	return rc == SQLITE_DONE ? 0 : fb_db_error(store, rc, err);
}

int fb_db_run(struct fb_store *store, struct fb_err *err, const char *sql,
	      const char *types, ...)
{
	FB_STMT sqlite3_stmt *stmt = NULL;
	va_list ap;
	int r;

	va_start(ap, types);
	r = vprepare(store, &stmt, err, sql, types, ap);
	va_end(ap);
	if (r == 0)
		r = fb_db_step(store, stmt, err);
	return r < 0 ? r : sqlite3_changes(store->db);
}

const char *fb_db_text(sqlite3_stmt *stmt, int column)
{
	/* SQLite's text is unsigned char */
	const void *text = sqlite3_column_text(stmt, column);

	return text ? text : "";
}

struct fb_digest fb_db_digest(sqlite3_stmt *stmt, int column)
{
	struct fb_digest digest = { 0 };

	(void)fb_digest_parse(fb_db_text(stmt, column), &digest, NULL);
	return digest;
}

int fb_db_snapshot(struct fb_store *store, struct fb_db_tx *tx,
		   struct fb_err *err)
{
	int r = fb_db(store, err);

	if (r == 0)
		r = fb_db_exec(store, "BEGIN", err);
	if (r == 0)
		tx->store = store;
	return r;
}

int fb_db_begin(struct fb_store *store, bool durable, struct fb_db_tx *tx,
		struct fb_err *err)
{
	int r = fb_db_exec(store,
			   durable ? "PRAGMA synchronous=FULL"
				   : "PRAGMA synchronous=NORMAL",
			   err);

	/* at once, not at the first write: no dead end between two readers */
	if (r == 0)
		r = fb_db_exec(store, "BEGIN IMMEDIATE", err);
	if (r == 0)
		tx->store = store;
	return r;
}

int fb_db_commit(struct fb_db_tx *tx, struct fb_err *err)
{
	int r = fb_db_exec(tx->store, "COMMIT", err);

	if (r == 0)
		tx->store = NULL;
	return r;
}

void fb_db_rollback(struct fb_db_tx *tx)
{
	if (tx->store)
		(void)sqlite3_exec(tx->store->db, "ROLLBACK", NULL, NULL, NULL);
	tx->store = NULL;
}
