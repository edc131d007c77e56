/* SPDX-License-Identifier: Apache-2.0 */
/* The store's folders, and files that are written in tmp/ and then named. */
#include "store/store.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

#include "base/io.h"
#include "base/path.h"
#include "store/internal.h"

/* A container's folder in the making has a lock soon after its birth. */
#define NEWBORN_GRACE_S 60

static const char *const dir_names[] = {
	[FB_STORE_DIR_ROOT] = "",
	[FB_STORE_DIR_OCI] = "oci",
	[FB_STORE_DIR_ROOTFS] = "rootfs",
	[FB_STORE_DIR_DISKS] = "disks",
	[FB_STORE_DIR_CONTAINERS] = "containers",
	[FB_STORE_DIR_TMP] = "tmp",
	[FB_STORE_DIR_PARTIAL] = "partial",
	[FB_STORE_DIR_LEASES] = "leases",
	[FB_STORE_DIR_LOCKS] = "locks",
	[FB_STORE_DIR_RUN] = "",
	[FB_STORE_DIR_RUN_CONTAINERS] = "containers",
};

_Static_assert(FB_ARRAY_SIZE(dir_names) == FB_STORE_DIR_COUNT,
	       "every folder has a name");

static bool is_run(enum fb_store_dir dir)
{
	return dir == FB_STORE_DIR_RUN || dir == FB_STORE_DIR_RUN_CONTAINERS;
}

char *fb_store_dir_path(const struct fb_store *store, enum fb_store_dir dir)
{
	const char *root = is_run(dir) ? store->run : store->state;

	return dir_names[dir][0] ? fb_path_join(root, dir_names[dir])
				 : strdup(root);
}

static int open_root(const char *path, struct fb_err *err)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r;

	if (fd >= 0)
		return fd;
	if (errno != ENOENT)
		return fb_err_set(err, -errno, "open '%s': %m", path);
	r = fb_mkdirs(path, 0700, err);
	if (r < 0)
		return fb_err_hint(err, r,
				   "say another folder with --root DIR");
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? fb_err_set(err, -errno, "open '%s': %m", path) : fd;
}

static int open_sub(int root, const char *root_path, const char *name,
		    struct fb_err *err)
{
	int fd = openat(root, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT) {
		if (mkdirat(root, name, 0700) < 0 && errno != EEXIST)
			return fb_err_set(err, -errno, "create '%s/%s': %m",
					  root_path, name);
		fd = openat(root, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	return fd < 0 ? fb_err_set(err, -errno, "open '%s/%s': %m", root_path,
				   name)
		      : fd;
}

int fb_store_dir_fd(struct fb_store *store, enum fb_store_dir dir,
		    struct fb_err *err)
{
	enum fb_store_dir root =
		is_run(dir) ? FB_STORE_DIR_RUN : FB_STORE_DIR_ROOT;
	const char *root_path = is_run(dir) ? store->run : store->state;
	int fd;

	if (store->fds[dir] >= 0)
		return store->fds[dir];
	if (store->fds[root] < 0) {
		fd = open_root(root_path, err);
		if (fd < 0)
			return fd;
		store->fds[root] = fd;
	}
	if (dir == root)
		return store->fds[root];
	fd = open_sub(store->fds[root], root_path, dir_names[dir], err);
	if (fd >= 0)
		store->fds[dir] = fd;
	return fd;
}

DIR *fb_store_listdir(struct fb_store *store, enum fb_store_dir dir,
		      struct fb_err *err)
{
	FB_FD int fd = -EBADF;
	int base = fb_store_dir_fd(store, dir, err);
	DIR *list;

	if (base < 0) {
		errno = -base;
		return NULL;
	}
	/* not a dup(): its position would be shared with other walks */
	fd = openat(base, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	list = fd < 0 ? NULL : fdopendir(fd);
	if (!list) {
		(void)fb_err_set(err, -errno, "read folder '%s' of '%s': %m",
				 dir_names[dir], store->state);
		return NULL;
	}
	(void)FB_TAKE_FD(fd);
	return list;
}

/* Folders of containers whose maker died between mkdir and the final name. */
static void reap_newborn(struct fb_store *store)
{
	FB_DIR DIR *list =
		fb_store_listdir(store, FB_STORE_DIR_CONTAINERS, NULL);
	struct dirent *entry;
	struct stat st;

	while (list && (entry = readdir(list))) {
		if (entry->d_name[0] != '.' || !strcmp(entry->d_name, ".") ||
		    !strcmp(entry->d_name, ".."))
			continue;
		if (fstatat(dirfd(list), entry->d_name, &st,
			    AT_SYMLINK_NOFOLLOW) < 0 ||
		    time(NULL) - st.st_mtime < NEWBORN_GRACE_S)
			continue;
		if (fb_rmtree_at(dirfd(list), entry->d_name) == 0)
			fb_log(store->log, FB_LOG_INFO,
			       "removed the unfinished container folder '%s'",
			       entry->d_name);
	}
}

int fb_store_open(const struct fb_store_roots *roots, const struct fb_log *log,
		  struct fb_store **ret, struct fb_err *err)
{
	FB_STORE struct fb_store *store = calloc(1, sizeof(*store));
	int r;

	if (!store)
		return fb_err_set(err, -ENOMEM, "open the store: %m");
	for (size_t i = 0; i < FB_STORE_DIR_COUNT; i++)
		store->fds[i] = -EBADF;
	store->state = strdup(roots->state);
	store->run = strdup(roots->run);
	store->log = log;
	if (!store->state || !store->run)
		return fb_err_set(err, -ENOMEM, "open the store: %m");
	r = fb_store_reap_dir(store, FB_STORE_DIR_TMP, err);
	if (r >= 0)
		r = fb_store_reap_dir(store, FB_STORE_DIR_LEASES, err);
	if (r < 0)
		return r;
	reap_newborn(store);
	*ret = FB_TAKE_PTR(store);
	return 0;
}

void fb_store_close(struct fb_store *store)
{
	if (!store)
		return;
	(void)sqlite3_close_v2(store->db);
	for (size_t i = 0; i < FB_STORE_DIR_COUNT; i++)
		(void)fb_close(store->fds[i]);
	free(store->state);
	free(store->run);
	free(store);
}

int fb_store_temp_create(struct fb_store *store, struct fb_store_temp *ret,
			 struct fb_err *err)
{
	FB_STORE_TEMP struct fb_store_temp temp = { .store = store,
						    .fd = -EBADF };
	int dir = fb_store_dir_fd(store, FB_STORE_DIR_TMP, err);
	int r;

	if (dir < 0)
		return dir;
	for (;;) {
		r = fb_store_random_name(temp.name, sizeof(temp.name));
		if (r < 0)
			return fb_err_set(err, r, "name a temporary file: %s",
					  strerror(-r));
		temp.fd = openat(dir, temp.name,
				 O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		if (temp.fd < 0)
			return fb_err_set(err, -errno, "create '%s/tmp/%s': %m",
					  store->state, temp.name);
		r = fb_store_flock(temp.fd, LOCK_EX);
		if (r < 0)
			return fb_err_set(err, r, "lock '%s/tmp/%s': %s",
					  store->state, temp.name,
					  strerror(-r));
		if (fb_store_same_file(dir, temp.name, temp.fd))
			break;
		temp.fd = fb_close(temp.fd); /* reaped before it was locked */
	}
	*ret = temp;
	temp.fd = -EBADF;
	return 0;
}

int fb_store_temp_publish(struct fb_store_temp *temp, enum fb_store_dir dir,
			  const char *name, unsigned int mode,
			  struct fb_err *err)
{
	int to = fb_store_dir_fd(temp->store, dir, err);

	if (to < 0)
		return to;
	if (fchmod(temp->fd, (mode_t)mode) < 0 || fsync(temp->fd) < 0 ||
	    renameat(temp->store->fds[FB_STORE_DIR_TMP], temp->name, to, name) <
		    0)
		return fb_err_set(err, -errno, "write '%s/%s/%s': %m",
				  temp->store->state, dir_names[dir], name);
	/* from here on the file has its name, whatever happens to the sync */
	temp->fd = fb_close(temp->fd);
	if (fsync(to) < 0)
		return fb_err_set(err, -errno, "sync '%s/%s': %m",
				  temp->store->state, dir_names[dir]);
	return 0;
}

void fb_store_temp_discard(struct fb_store_temp *temp)
{
	if (temp->fd < 0)
		return;
	(void)unlinkat(temp->store->fds[FB_STORE_DIR_TMP], temp->name, 0);
	temp->fd = fb_close(temp->fd);
}
