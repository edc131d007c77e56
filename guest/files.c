/* SPDX-License-Identifier: Apache-2.0 */
/*
 * As docker, /etc/hostname, /etc/hosts and /etc/resolv.conf are mounted over the
 * image's: the writable layer never holds them, so they are not part of what
 * the container changed.  The files lie in init's own root.
 */
#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/path.h"
#include "mounts.h"

#define LINKS_MAX 8 /* as many dangling links in a row are followed */

static const char *const names[FB_FILES_COUNT] = { "hostname", "hosts",
						   "resolv.conf" };

static int make_file(const char *name, const char *text, const char *end,
		     int *ret_tree, struct fb_err *err)
{
	char path[64];
	FB_FD int fd = -EBADF;
	int r, tree;

	(void)snprintf(path, sizeof(path), "/tmp/%s", name);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	r = fd < 0 ? -errno : fb_write_full(fd, text, strlen(text));
	if (r == 0)
		r = fb_write_full(fd, end, strlen(end));
	if (r < 0)
		return fb_err_set(err, r, "write '/etc/%s': %m", name);
	tree = (int)syscall(SYS_open_tree, AT_FDCWD, path,
			    OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (tree < 0)
		return fb_err_set(err, -errno, "mount '/etc/%s': %m", name);
	*ret_tree = tree;
	return 0;
}

int fb_files_make(const struct fb_guest_spec *spec, struct fb_files *ret,
		  struct fb_err *err)
{
	const char *const texts[FB_FILES_COUNT] = { spec->hostname, spec->hosts,
						    spec->resolv_conf };
	int r = 0;

	*ret = (struct fb_files){ { -EBADF, -EBADF, -EBADF } };
	for (size_t i = 0; i < FB_FILES_COUNT && r == 0; i++)
		if (texts[i] && texts[i][0])
			r = make_file(names[i], texts[i], i == 0 ? "\n" : "",
				      &ret->tree[i], err);
	return r;
}

static int make_parent(const char *path, struct fb_err *err)
{
	char parent[FB_ERR_MSG_MAX];
	char *slash;

	if (strlen(path) >= sizeof(parent))
		return -ENAMETOOLONG;
	(void)snprintf(parent, sizeof(parent), "%s", path);
	slash = strrchr(parent, '/');
	if (!slash || slash == parent)
		return 0;
	*slash = '\0';
	return fb_mkdirs(parent, 0755, err);
}

/* Where a link at @path leads, as a path from the root */
static int follow(const char *path, char *ret, size_t size)
{
	char target[512];
	ssize_t n = readlink(path, target, sizeof(target) - 1);
	const char *slash = strrchr(path, '/');

	if (n < 0)
		return -errno;
	target[n] = '\0';
	if (target[0] == '/')
		n = snprintf(ret, size, "%s", target);
	else
		n = snprintf(ret, size, "%.*s/%s", (int)(slash - path), path,
			     target);
	return (size_t)n < size ? 0 : -ENAMETOOLONG;
}

static int ensure_file(const char *path, struct fb_err *err)
{
	char at[1024], next[1024];
	int fd, r;

	(void)snprintf(at, sizeof(at), "%s", path);
	for (int i = 0; i < LINKS_MAX; i++) {
		fd = open(at,
			  O_WRONLY | O_CREAT | O_CLOEXEC | O_NOCTTY |
				  O_NONBLOCK,
			  0644);
		if (fd >= 0) {
			(void)close(fd);
			return 0;
		}
		/* whatever is there, a mount can cover it */
		if (errno != ENOENT)
			return 0;
		r = make_parent(at, err);
		if (r == 0)
			r = follow(at, next, sizeof(next));
		if (r == -EINVAL || r == -ENOENT)
			continue; /* no link: the parent was missing */
		if (r < 0)
			return r;
		memcpy(at, next, sizeof(at));
	}
	return -ELOOP;
}

int fb_files_mount(const struct fb_files *files, struct fb_err *err)
{
	char path[64];
	int r;

	for (size_t i = 0; i < FB_FILES_COUNT; i++) {
		if (files->tree[i] < 0)
			continue;
		(void)snprintf(path, sizeof(path), "/etc/%s", names[i]);
		r = fb_mounts_attach(files->tree[i], path);
		if (r == -ENOENT) {
			r = ensure_file(path, err);
			if (r == 0)
				r = fb_mounts_attach(files->tree[i], path);
		}
		if (r < 0)
			return fb_err_set(err, r, "mount '%s': %m", path);
	}
	return 0;
}

void fb_files_release(struct fb_files *files)
{
	for (size_t i = 0; i < FB_FILES_COUNT; i++)
		files->tree[i] = fb_close(files->tree[i]);
}
