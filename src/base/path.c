/* SPDX-License-Identifier: Apache-2.0 */
#include "base/path.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>

#include "base/cleanup.h"

#define RMDIR_TRIES 100
#define RMTREE_DEPTH_MAX 4096

int fb_open_beneath(int dirfd, const char *path, int flags, mode_t mode)
{
	struct open_how how = {
		.flags = (uint64_t)(unsigned int)(flags | O_CLOEXEC),
		.mode = (flags & (O_CREAT | O_TMPFILE)) ? mode : 0,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
	};
	long fd = syscall(SYS_openat2, dirfd, path, &how, sizeof(how));

	return fd < 0 ? -errno : (int)fd;
}

int fb_rmdir_patiently(const char *path)
{
	const struct timespec pause = { .tv_nsec = 10000000 };

	for (int i = 0; rmdir(path) < 0 && errno != ENOENT; i++) {
		if (errno != EBUSY || i == RMDIR_TRIES)
			return -errno;
		(void)nanosleep(&pause, NULL);
	}
	return 0;
}

char *fb_path_join(const char *a, const char *b)
{
	size_t len = strlen(a);
	char *joined = NULL;

	while (len > 1 && a[len - 1] == '/')
		len--;
	while (*b == '/')
		b++;
	if (asprintf(&joined, "%.*s%s%s", (int)len, a,
		     len == 1 && a[0] == '/' ? "" : "/", b) < 0)
		return NULL;
	return joined;
}

static int mkdir_existing_ok(const char *path, mode_t mode)
{
	struct stat st;

	if (mkdir(path, mode) == 0)
		return 0;
	if (errno != EEXIST)
		return -errno;
	if (stat(path, &st) < 0)
		return -errno;
	return S_ISDIR(st.st_mode) ? 0 : -ENOTDIR;
}

int fb_mkdirs(const char *path, mode_t mode, struct fb_err *err)
{
	FB_FREE char *copy = strdup(path);
	int r;

	if (!copy)
		return fb_err_set(err, -ENOMEM, "create '%s': %m", path);
	for (char *p = copy + 1; copy[0] && *p; p++) {
		if (*p != '/')
			continue;
		*p = '\0';
		r = mkdir_existing_ok(copy, 0755);
		*p = '/';
		if (r < 0)
			return fb_err_set(err, r, "create '%s': %m", path);
	}
	r = mkdir_existing_ok(copy, mode);
	return r < 0 ? fb_err_set(err, r, "create '%s': %m", path) : 0;
}

static int rmtree_entry(int dirfd, const char *name, dev_t dev,
			unsigned int depth);

static int rmtree_children(int fd, dev_t dev, unsigned int depth)
{
	FB_DIR DIR *dir = NULL;
	struct dirent *entry;
	int first = 0, r;

	dir = fdopendir(fd);
	if (!dir) {
		r = -errno;
		fb_close(fd);
		return r;
	}
	while ((errno = 0, entry = readdir(dir))) {
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		r = rmtree_entry(dirfd(dir), entry->d_name, dev, depth + 1);
		if (r < 0 && first == 0)
			first = r;
	}
	return first ? first : -errno;
}

static int rmtree_entry(int dirfd, const char *name, dev_t dev,
			unsigned int depth)
{
	struct stat st;
	int fd, r;

	if (unlinkat(dirfd, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return -errno;
	if (depth > RMTREE_DEPTH_MAX)
		return -ELOOP;
	fd = openat(dirfd, name,
		    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0 || (depth > 0 && st.st_dev != dev)) {
		fb_close(fd);
		return -EXDEV;
	}
	r = rmtree_children(fd, st.st_dev, depth);
	if (unlinkat(dirfd, name, AT_REMOVEDIR) < 0 && r == 0)
		r = -errno;
	return r;
}

int fb_rmtree_at(int dirfd, const char *name)
{
	return rmtree_entry(dirfd, name, 0, 0);
}
