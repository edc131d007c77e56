/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Containers: folder, lock, row.
 *
 * A folder is made under a name with a dot, gets its lock, and is then renamed:
 * nobody ever sees a container's folder without a held lock that is not dead.
 * The row comes last; until then a listing shows a container without a name.
 */
#include "store/container.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>

#include "base/hex.h"
#include "base/io.h"
#include "base/path.h"
#include "store/container_internal.h"
#include "store/internal.h"

#define RANDOM_NAME_TRIES 100
#define NAME_BYTES_MAX 255
#define REMOVE_TRIES 5
#define OUTSIDE_MAX 65536

void fb_container_handle_release(struct fb_container_handle *handle)
{
	handle->dir_fd = fb_close(handle->dir_fd);
	handle->lock_fd = fb_close(handle->lock_fd);
}

bool fb_container_id_valid(const char *id)
{
	return strlen(id) == FB_CONTAINER_ID_LEN &&
	       strspn(id, "0123456789abcdef") == FB_CONTAINER_ID_LEN;
}

/* Return: 0 taken; -EBUSY another description has it; negative errno */
static int lock_ofd(int fd)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	if (fcntl(fd, F_OFD_SETLK, &lock) == 0)
		return 0;
	return errno == EAGAIN || errno == EACCES ? -EBUSY : -errno;
}

static int check_name(const char *name, struct fb_err *err)
{
	bool ok = isalnum((unsigned char)name[0]) && name[1] &&
		  strlen(name) <= NAME_BYTES_MAX;

	for (const char *p = name; ok && *p; p++)
		ok = isalnum((unsigned char)*p) || strchr("_.-", *p);
	if (!ok)
		return fb_err_set(err, -EINVAL,
				  "Invalid container name (%s), only "
				  "[a-zA-Z0-9][a-zA-Z0-9_.-] are allowed",
				  name);
	return 0;
}

static int new_id(char out[FB_CONTAINER_ID_LEN + 1], struct fb_err *err)
{
	uint8_t bytes[FB_CONTAINER_ID_LEN / 2];

	do {
		if (getrandom(bytes, sizeof(bytes), 0) !=
		    (ssize_t)sizeof(bytes))
			return fb_err_set(err, -EIO,
					  "get random bytes for an id: %m");
		fb_hex_encode(bytes, sizeof(bytes), out);
		/* docker's rule: twelve digits that are no number, for hosts */
	} while (strspn(out, "0123456789") >= 12);
	return 0;
}

static int make_folder(struct fb_store *store, struct fb_container_handle *h,
		       struct fb_err *err)
{
	int dir = fb_store_dir_fd(store, FB_STORE_DIR_CONTAINERS, err);
	char unborn[FB_CONTAINER_ID_LEN + 8];
	int r;

	if (dir < 0)
		return dir;
	(void)snprintf(unborn, sizeof(unborn), ".%s", h->id);
	if (mkdirat(dir, unborn, 0700) < 0)
		return fb_err_set(err, -errno, "create '%s/containers/%s': %m",
				  store->state, h->id);
	h->dir_fd = openat(dir, unborn,
			   O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (h->dir_fd >= 0)
		h->lock_fd =
			openat(h->dir_fd, FB_CONTAINER_FILE_LOCK,
			       O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	r = h->lock_fd < 0 ? -errno : lock_ofd(h->lock_fd);
	if (r == 0 && renameat(dir, unborn, dir, h->id) < 0)
		r = -errno;
	if (r < 0) {
		(void)fb_rmtree_at(dir, unborn);
		return fb_err_set(err, r, "create '%s/containers/%s': %s",
				  store->state, h->id, strerror(-r));
	}
	return 0;
}

/* Return: 0; -EEXIST with docker's text where the name is taken */
static int check_free(struct fb_store *store, const char *name,
		      struct fb_err *err)
{
	FB_STMT sqlite3_stmt *stmt = NULL;
	int r = fb_db_prepare(store, &stmt, err,
			      "SELECT id FROM container WHERE name=?", "t",
			      name);

	if (r == 0)
		r = fb_db_step(store, stmt, err);
	if (r <= 0)
		return r;
	return fb_err_hint(
		err,
		fb_err_set(err, -EEXIST,
			   "Conflict. The container name \"/%s\" is already in "
			   "use by container \"%s\". You have to remove (or "
			   "rename) that container to be able to reuse that "
			   "name.",
			   name, fb_db_text(stmt, 0)),
		"flamebox rm %s", name);
}

static int choose_name(struct fb_store *store, const char *wanted, char **ret,
		       struct fb_err *err)
{
	if (wanted) {
		int r = check_free(store, wanted, err);

		if (r < 0)
			return r;
		*ret = strdup(wanted);
		return *ret ? 0 : fb_err_set(err, -ENOMEM, "name: %m");
	}
	for (unsigned int i = 0; i < RANDOM_NAME_TRIES; i++) {
		FB_FREE char *name = fb_container_random_name(i);
		int r = name ? check_free(store, name, NULL) : -ENOMEM;

		if (r == -EEXIST)
			continue;
		if (r < 0)
			return fb_err_set(err, r, "make up a name: %s",
					  strerror(-r));
		*ret = FB_TAKE_PTR(name);
		return 0;
	}
	return fb_err_hint(err,
			   fb_err_set(err, -EEXIST,
				      "make up a name: all that were tried are "
				      "taken"),
			   "say one with --name");
}

/* The image must not be removed between being found and being used. */
static int check_image(struct fb_store *store,
		       const struct fb_container_new *what, struct fb_err *err)
{
	FB_STMT sqlite3_stmt *stmt = NULL;
	int r;

	if (!what->manifest.set)
		return 0;
	r = fb_db_prepare(store, &stmt, err,
			  "SELECT 1 FROM image WHERE manifest=?", "d",
			  &what->manifest);
	if (r == 0)
		r = fb_db_step(store, stmt, err);
	if (r == 0)
		return fb_err_set(err, -ENOENT,
				  "image '%s' was removed meanwhile",
				  what->image);
	return r < 0 ? r : 0;
}

static int64_t now_ns(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static int insert_row(struct fb_store *store,
		      const struct fb_container_new *what, const char *id,
		      char **ret_name, struct fb_err *err)
{
	FB_DB_TX struct fb_db_tx tx = { 0 };
	FB_FREE char *name = NULL;
	int r = fb_db_begin(store, false, &tx, err);

	if (r == 0)
		r = check_image(store, what, err);
	if (r == 0)
		r = choose_name(store, what->name, &name, err);
	if (r == 0)
		r = fb_db_run(store, err,
			      "INSERT INTO container(id, name, image, manifest,"
			      " auto_remove, created_ns)"
			      " VALUES(?, ?, ?, ?, ?, ?)",
			      "tttdii", id, name, what->image, &what->manifest,
			      (int64_t)what->auto_remove, now_ns());
	if (r >= 0)
		r = fb_db_commit(&tx, err);
	if (r == 0)
		*ret_name = FB_TAKE_PTR(name);
	return r;
}

int fb_store_container_create(struct fb_store *store,
			      const struct fb_container_new *what,
			      struct fb_container_handle *ret, char **ret_name,
			      struct fb_err *err)
{
	FB_CONTAINER_HANDLE struct fb_container_handle h =
		FB_CONTAINER_HANDLE_INIT;
	FB_FREE char *name = NULL;
	int r = what->name ? check_name(what->name, err) : 0;

	if (r == 0)
		r = fb_db(store, err);
	if (r == 0)
		r = new_id(h.id, err);
	if (r == 0)
		r = make_folder(store, &h, err);
	if (r < 0)
		return r;
	r = insert_row(store, what, h.id, &name, err);
	if (r < 0) {
		(void)fb_rmtree_at(store->fds[FB_STORE_DIR_CONTAINERS], h.id);
		return r;
	}
	*ret = h;
	h = FB_CONTAINER_HANDLE_INIT;
	if (ret_name)
		*ret_name = FB_TAKE_PTR(name);
	return 0;
}

/* Without a folder it is dead; it gets one so that it can be locked, and removed. */
static bool has_row(struct fb_store *store, const char *id)
{
	FB_STMT sqlite3_stmt *stmt = NULL;
	bool found = fb_db(store, NULL) == 0 &&
		     fb_db_prepare(store, &stmt, NULL,
				   "SELECT 1 FROM container WHERE id=?", "t",
				   id) == 0 &&
		     fb_db_step(store, stmt, NULL) == 1;

	errno = ENOENT;
	return found;
}

int fb_store_container_open(struct fb_store *store, const char *id, bool lock,
			    struct fb_container_handle *ret, struct fb_err *err)
{
	FB_CONTAINER_HANDLE struct fb_container_handle h =
		FB_CONTAINER_HANDLE_INIT;
	int dir = fb_store_dir_fd(store, FB_STORE_DIR_CONTAINERS, err);
	int r;

	if (dir < 0)
		return dir;
	if (!fb_container_id_valid(id))
		return fb_err_set(err, -ENOENT, "No such container: %s", id);
	memcpy(h.id, id, sizeof(h.id));
	h.dir_fd = openat(dir, id,
			  O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (h.dir_fd < 0 && errno == ENOENT && lock && has_row(store, id) &&
	    (mkdirat(dir, id, 0700) == 0 || errno == EEXIST))
		h.dir_fd =
			openat(dir, id,
			       O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (h.dir_fd < 0)
		return errno == ENOENT
			       ? fb_err_set(err, -ENOENT,
					    "No such container: %s", id)
			       : fb_err_set(err, -errno,
					    "open '%s/containers/%s': %m",
					    store->state, id);
	if (lock) {
		/* missing where a removal was interrupted at its end */
		h.lock_fd =
			openat(h.dir_fd, FB_CONTAINER_FILE_LOCK,
			       O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
		r = h.lock_fd < 0 ? -errno : lock_ofd(h.lock_fd);
		if (r == -EBUSY)
			return fb_err_set(err, r,
					  "container %s is in use by a running "
					  "process",
					  id);
		if (r < 0)
			return fb_err_set(err, r, "lock '%s/containers/%s': %s",
					  store->state, id, strerror(-r));
	}
	*ret = h;
	h = FB_CONTAINER_HANDLE_INIT;
	return 0;
}

/* RUN/containers/<id>.sock and whatever else begins so */
static void remove_run_files(struct fb_store *store, const char *id)
{
	FB_DIR DIR *list =
		fb_store_listdir(store, FB_STORE_DIR_RUN_CONTAINERS, NULL);
	struct dirent *entry;

	while (list && (entry = readdir(list))) {
		if (strncmp(entry->d_name, id, FB_CONTAINER_ID_LEN) == 0)
			(void)fb_rmtree_at(dirfd(list), entry->d_name);
	}
}

/* what stands there is root's, as the folder is */
static int remove_outside(const struct fb_container_handle *handle,
			  struct fb_err *err)
{
	FB_FREE char *text = NULL;
	char *rest, *line;
	int r = 0;

	if (fb_read_file_at(handle->dir_fd, FB_CONTAINER_FILE_OUTSIDE,
			    OUTSIDE_MAX, &text, NULL) < 0)
		return 0;
	rest = text;
	while ((line = strsep(&rest, "\n"))) {
		if (line[0] == '/')
			r = fb_rmdir_patiently(line);
		if (r < 0)
			return fb_err_set(err, r, "remove '%s': %s", line,
					  strerror(-r));
	}
	return 0;
}

int fb_store_container_remove(struct fb_store *store,
			      struct fb_container_handle *handle,
			      struct fb_err *err)
{
	FB_DB_TX struct fb_db_tx tx = { 0 };
	int dir = fb_store_dir_fd(store, FB_STORE_DIR_CONTAINERS, err);
	int r = dir < 0 ? dir : remove_outside(handle, err);

	if (r == 0)
		r = fb_db(store, err);
	/* the row first: from then on the name is free */
	if (r == 0)
		r = fb_db_begin(store, false, &tx, err);
	if (r == 0)
		r = fb_db_run(store, err, "DELETE FROM container WHERE id=?",
			      "t", handle->id);
	if (r >= 0)
		r = fb_db_commit(&tx, err);
	if (r < 0)
		return r;
	remove_run_files(store, handle->id);
	/* another remover may put a lock file into the emptied folder */
	for (int i = 0; i < REMOVE_TRIES; i++) {
		r = fb_rmtree_at(dir, handle->id);
		if (r != -ENOTEMPTY)
			break;
	}
	if (r < 0)
		return fb_err_set(err, r, "remove '%s/containers/%s': %s",
				  store->state, handle->id, strerror(-r));
	fb_container_handle_release(handle);
	return 0;
}

char *fb_store_container_path(const struct fb_store *store, const char *id,
			      const char *file)
{
	FB_FREE char *dir = fb_store_dir_path(store, FB_STORE_DIR_CONTAINERS);
	FB_FREE char *own = dir ? fb_path_join(dir, id) : NULL;

	if (!own || !file)
		return FB_TAKE_PTR(own);
	return fb_path_join(own, file);
}

char *fb_store_container_socket_path(const struct fb_store *store,
				     const char *id)
{
	FB_FREE char *dir =
		fb_store_dir_path(store, FB_STORE_DIR_RUN_CONTAINERS);
	char *path = NULL;

	if (!dir || asprintf(&path, "%s/%s.sock", dir, id) < 0)
		return NULL;
	return path;
}
