/* SPDX-License-Identifier: Apache-2.0 */
#include "base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"

ssize_t fb_read_full(int fd, void *buf, size_t len)
{
	size_t done = 0;
	ssize_t n;

	while (done < len) {
		n = read(fd, (char *)buf + done, len - done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		done += (size_t)n;
	}
	return (ssize_t)done;
}

ssize_t fb_pread_full(int fd, void *buf, size_t len, uint64_t offset)
{
	size_t done = 0;
	ssize_t n;

	while (done < len) {
		n = pread(fd, (char *)buf + done, len - done,
			  (off_t)(offset + done));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		done += (size_t)n;
	}
	return (ssize_t)done;
}

int fb_write_full(int fd, const void *buf, size_t len)
{
	const char *p = buf;
	ssize_t n;

	while (len > 0) {
		n = write(fd, p, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

int fb_pwrite_full(int fd, const void *buf, size_t len, uint64_t offset)
{
	const char *p = buf;
	ssize_t n;

	while (len > 0) {
		n = pwrite(fd, p, len, (off_t)offset);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		p += n;
		offset += (uint64_t)n;
		len -= (size_t)n;
	}
	return 0;
}

int fb_read_file_at(int dirfd, const char *path, size_t max, char **ret_data,
		    size_t *ret_len)
{
	FB_FD int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	FB_FREE char *data = NULL;
	size_t len = 0, cap = 4096, next;
	char *grown;
	ssize_t n;

	if (fd < 0)
		return -errno;
	for (;;) {
		/* one byte over the maximum, so that "too big" is seen */
		next = cap > max + 1 ? max + 1 : cap;
		grown = realloc(data, next + 1);
		if (!grown)
			return -ENOMEM;
		data = grown;
		n = fb_read_full(fd, data + len, next - len);
		if (n < 0)
			return (int)n;
		len += (size_t)n;
		if (len > max)
			return -EFBIG;
		if (len < next)
			break;
		cap = next * 2;
	}
	data[len] = '\0';
	*ret_data = FB_TAKE_PTR(data);
	if (ret_len)
		*ret_len = len;
	return 0;
}

static int sync_directory(int dirfd, const char *path)
{
	FB_FREE char *copy = strdup(path);
	FB_FD int fd = -EBADF;

	if (!copy)
		return -ENOMEM;
	fd = openat(dirfd, dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fsync(fd) < 0)
		return -errno;
	return 0;
}

static int write_temporary(int dirfd, const char *tmp, const void *data,
			   size_t len, mode_t mode, bool sync)
{
	FB_FD int fd = openat(dirfd, tmp,
			      O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	int r;

	if (fd < 0)
		return -errno;
	r = fb_write_full(fd, data, len);
	if (r < 0)
		return r;
	return sync && fsync(fd) < 0 ? -errno : 0;
}

static int replace(int dirfd, const char *path, const void *data, size_t len,
		   mode_t mode, bool sync)
{
	FB_FREE char *tmp = NULL;
	int r;

	if (asprintf(&tmp, "%s.%ld.tmp", path, (long)getpid()) < 0) {
		tmp = NULL;
		return -ENOMEM;
	}
	/* left by a killed process that had our pid */
	(void)unlinkat(dirfd, tmp, 0);
	r = write_temporary(dirfd, tmp, data, len, mode, sync);
	if (r == 0 && renameat(dirfd, tmp, dirfd, path) < 0)
		r = -errno;
	if (r < 0) {
		(void)unlinkat(dirfd, tmp, 0);
		return r;
	}
	return sync ? sync_directory(dirfd, path) : 0;
}

int fb_write_file_at(int dirfd, const char *path, const void *data, size_t len,
		     mode_t mode)
{
	return replace(dirfd, path, data, len, mode, true);
}

int fb_replace_file_at(int dirfd, const char *path, const void *data,
		       size_t len, mode_t mode)
{
	return replace(dirfd, path, data, len, mode, false);
}

int fb_set_nonblock(int fd, bool on)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0)
		return -errno;
	flags = on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK;
	return fcntl(fd, F_SETFL, flags) < 0 ? -errno : 0;
}

int fb_set_cloexec(int fd, bool on)
{
	return fcntl(fd, F_SETFD, on ? FD_CLOEXEC : 0) < 0 ? -errno : 0;
}
