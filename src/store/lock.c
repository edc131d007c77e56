/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Theory of operation: who owns a file is who holds its flock.
 *
 * A lock that the kernel releases when its holder dies, however it dies, needs
 * no pid, no start time and no boot id to be told from a stale one; it also
 * works across PID namespaces.  A lock file is made, locked, and only then
 * trusted: in between, a reaper may have taken it for a dead one and removed it,
 * so after locking the name must still lead to the file that was locked.
 *
 *   tmp/, leases/   one file an owner, locked for as long as it lives
 *   locks/<hash>    work lock; removed by its holder before it lets go
 *   lock            the gate: shared by publishers, exclusive for the collector
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "base/hash.h"
#include "base/hex.h"
#include "store/internal.h"

int fb_store_flock(int fd, int operation)
{
	while (flock(fd, operation) < 0) {
		if (errno != EINTR)
			return -errno;
	}
	return 0;
}

bool fb_store_same_file(int dirfd, const char *name, int fd)
{
	struct stat by_name, by_fd;

	return fstat(fd, &by_fd) == 0 &&
	       fstatat(dirfd, name, &by_name, AT_SYMLINK_NOFOLLOW) == 0 &&
	       by_name.st_dev == by_fd.st_dev && by_name.st_ino == by_fd.st_ino;
}

int fb_store_random_name(char *out, size_t size)
{
	uint8_t bytes[8];
	char digits[2 * sizeof(bytes) + 1];

	if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
		return -EIO;
	fb_hex_encode(bytes, sizeof(bytes), digits);
	/* the pid is for people who look into the folder */
	(void)snprintf(out, size, "%ld-%s", (long)getpid(), digits);
	return 0;
}

int fb_store_gate(struct fb_store *store, bool exclusive, struct fb_err *err)
{
	FB_FD int fd = -EBADF;
	int dir = fb_store_dir_fd(store, FB_STORE_DIR_ROOT, err);
	int r;

	if (dir < 0)
		return dir;
	fd = openat(dir, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW,
		    0600);
	if (fd < 0)
		return fb_err_set(err, -errno, "open '%s/lock': %m",
				  store->state);
	r = fb_store_flock(fd, exclusive ? LOCK_EX : LOCK_SH);
	if (r < 0)
		return fb_err_set(err, r, "lock '%s/lock': %s", store->state,
				  strerror(-r));
	return FB_TAKE_FD(fd);
}

int fb_store_gate_collect(struct fb_store *store, struct fb_err *err)
{
	int r = fb_db(store, err);

	return r < 0 ? r : fb_store_gate(store, true, err);
}

/* Return: 1 removed; 0 somebody's, or gone; negative errno */
static int reap_entry(int dir, const char *name)
{
	FB_FD int fd =
		openat(dir, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	int r;

	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	r = fb_store_flock(fd, LOCK_EX | LOCK_NB);
	if (r < 0)
		return r == -EWOULDBLOCK ? 0 : r;
	if (!fb_store_same_file(dir, name, fd))
		return 0;
	return unlinkat(dir, name, 0) == 0 ? 1 : 0;
}

int fb_store_reap_dir(struct fb_store *store, enum fb_store_dir dir,
		      struct fb_err *err)
{
	FB_DIR DIR *list = fb_store_listdir(store, dir, err);
	FB_FREE char *path = NULL;
	struct dirent *entry;
	int count = 0, r;

	if (!list)
		return -errno;
	while ((entry = readdir(list))) {
		if (entry->d_name[0] == '.')
			continue;
		r = reap_entry(dirfd(list), entry->d_name);
		if (r == 0)
			continue;
		if (!path)
			path = fb_store_dir_path(store, dir);
		if (r > 0) {
			count++;
			fb_log(store->log, FB_LOG_INFO,
			       "removed '%s/%s', left by a process that is gone",
			       path ? path : "?", entry->d_name);
		} else {
			fb_log(store->log, FB_LOG_WARN,
			       "cannot look after '%s/%s': %s",
			       path ? path : "?", entry->d_name, strerror(-r));
		}
	}
	return count;
}

static int work_name(const char *kind, const char *key, char out[72])
{
	FB_HASH struct fb_hash *hash = fb_hash_new(FB_HASH_SHA256);
	uint8_t sum[32];

	if (!hash)
		return -ENOMEM;
	if (fb_hash_update(hash, kind, strlen(kind) + 1) < 0 ||
	    fb_hash_update(hash, key, strlen(key)) < 0 ||
	    fb_hash_final(hash, sum) < 0)
		return -EIO;
	fb_hex_encode(sum, sizeof(sum), out);
	return 0;
}

int fb_store_work_lock(struct fb_store *store, const char *kind,
		       const char *key, bool wait, struct fb_work_lock *ret,
		       struct fb_err *err)
{
	struct fb_work_lock lock = { .store = store, .fd = -EBADF };
	int dir = fb_store_dir_fd(store, FB_STORE_DIR_LOCKS, err);
	int r;

	if (dir < 0)
		return dir;
	r = work_name(kind, key, lock.name);
	if (r < 0)
		return fb_err_set(err, r, "lock %s of '%s': %s", kind, key,
				  strerror(-r));
	for (;;) {
		FB_FD int fd =
			openat(dir, lock.name,
			       O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

		if (fd < 0)
			return fb_err_set(err, -errno, "lock %s of '%s': %m",
					  kind, key);
		r = fb_store_flock(fd, wait ? LOCK_EX : LOCK_EX | LOCK_NB);
		if (r == -EWOULDBLOCK)
			return fb_err_set(err, r,
					  "another process is busy with the %s "
					  "of '%s'",
					  kind, key);
		if (r < 0)
			return fb_err_set(err, r, "lock %s of '%s': %s", kind,
					  key, strerror(-r));
		if (fb_store_same_file(dir, lock.name, fd)) {
			lock.fd = FB_TAKE_FD(fd);
			*ret = lock;
			return 0;
		}
	}
}

void fb_store_work_unlock(struct fb_work_lock *lock)
{
	if (lock->fd < 0)
		return;
	/* while it is held: whoever waits for it sees that the name is gone */
	(void)unlinkat(lock->store->fds[FB_STORE_DIR_LOCKS], lock->name, 0);
	lock->fd = fb_close(lock->fd);
}
