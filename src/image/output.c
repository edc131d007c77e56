/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file is made without a name where the file system can do that, so that a
 * killed command leaves nothing in the user's folder.
 */
#include "image/output.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/hash.h"
#include "base/io.h"

#define COPY_BYTES 1048576
/* as Linux has it */
#define LINKS_MAX 40

void fb_output_release(struct fb_output *out)
{
	if (out->temp && out->dir >= 0)
		(void)unlinkat(out->dir, out->temp, 0);
	if (out->spool.fd >= 0)
		fb_store_temp_discard(&out->spool);
	else
		(void)fb_close(out->fd);
	(void)fb_close(out->dir);
	if (out->stream_owned)
		(void)fb_close(out->stream);
	free(out->name);
	free(out->temp);
	*out = FB_OUTPUT_INIT;
}

static int open_stream(struct fb_store *store, struct fb_output *out,
		       struct fb_err *err)
{
	int r = fb_store_temp_create(store, &out->spool, err);

	if (r == 0)
		out->fd = out->spool.fd;
	return r;
}

static int make_temp_name(struct fb_output *out)
{
	if (asprintf(&out->temp, ".%.200s.%ld.tmp", out->name, (long)getpid()) <
	    0) {
		out->temp = NULL;
		return -ENOMEM;
	}
	/* left by a killed process that had our pid */
	(void)unlinkat(out->dir, out->temp, 0);
	return 0;
}

static int open_file(struct fb_output *out)
{
	int r;

	out->fd = openat(out->dir, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0666);
	if (out->fd >= 0)
		return 0;
	if (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL)
		return -errno;
	r = make_temp_name(out);
	if (r < 0)
		return r;
	out->fd = openat(out->dir, out->temp,
			 O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	return out->fd < 0 ? -errno : 0;
}

/* Where a link's text leads, that stands at @path */
static char *beside(const char *path, const char *text)
{
	FB_FREE char *copy = strdup(path);
	char *joined;

	if (!copy || text[0] == '/')
		return copy ? strdup(text) : NULL;
	return asprintf(&joined, "%s/%s", dirname(copy), text) < 0 ? NULL
								   : joined;
}

/*
 * What a symbolic link names is written, also what is not there yet; the link
 * itself (think of /dev/stdout) is not replaced.
 */
static int follow_links(const char *path, char **ret)
{
	FB_FREE char *at = strdup(path);
	/* the kernel forbids to follow what another user put into /tmp */
	FB_FD int allowed = open(path, O_PATH | O_CLOEXEC);
	char text[PATH_MAX], *next;
	ssize_t n;

	if (allowed < 0 && errno == EACCES)
		return -EACCES;
	for (int links = 0; at; links++) {
		n = readlink(at, text, sizeof(text) - 1);
		if (n < 0) {
			*ret = FB_TAKE_PTR(at);
			return 0;
		}
		if (links == LINKS_MAX)
			return -ELOOP;
		text[n] = '\0';
		next = beside(at, text);
		free(at);
		at = next;
	}
	return -ENOMEM;
}

static int open_path(const char *path, struct fb_output *out)
{
	FB_FREE char *for_dir = NULL;
	FB_FREE char *for_name = NULL;
	int r = follow_links(path, &for_dir);

	if (r < 0)
		return r;
	if (!for_dir[0])
		return -ENOENT;
	if (for_dir[strlen(for_dir) - 1] == '/')
		return -EISDIR;
	for_name = strdup(for_dir);
	if (!for_name)
		return -ENOMEM;
	out->name = strdup(basename(for_name));
	if (!out->name)
		return -ENOMEM;
	out->dir = open(dirname(for_dir), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return out->dir < 0 ? -errno : open_file(out);
}

int fb_output_open(struct fb_store *store, const char *path, int stream,
		   struct fb_output *ret, struct fb_err *err)
{
	FB_OUTPUT struct fb_output out = FB_OUTPUT_INIT;
	struct stat st;
	int r;

	if (!strcmp(path, "-")) {
		out.stream = stream;
		r = open_stream(store, &out, err);
	} else if (stat(path, &st) == 0 && S_ISDIR(st.st_mode)) {
		r = fb_err_set(err, -EISDIR, "write '%s': it is a folder",
			       path);
	} else if (stat(path, &st) == 0 && !S_ISREG(st.st_mode)) {
		out.stream = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
		out.stream_owned = true;
		r = out.stream < 0
			    ? fb_err_set(err, -errno, "write '%s': %m", path)
			    : open_stream(store, &out, err);
	} else {
		r = open_path(path, &out);
		if (r < 0)
			r = fb_err_set(err, r, "write '%s': %s", path,
				       strerror(-r));
	}
	if (r < 0)
		return r;
	*ret = out;
	out = FB_OUTPUT_INIT;
	return 0;
}

int fb_output_clear(struct fb_output *out, struct fb_err *err)
{
	if (ftruncate(out->fd, 0) < 0 || lseek(out->fd, 0, SEEK_SET) < 0)
		return fb_err_set(err, -errno, "empty the output: %m");
	return 0;
}

static int copy_to_stream(struct fb_output *out)
{
	FB_FREE char *buf = malloc(COPY_BYTES);
	uint64_t at = 0;
	ssize_t n;
	int r;

	if (!buf)
		return -ENOMEM;
	while ((n = fb_pread_full(out->fd, buf, COPY_BYTES, at)) > 0) {
		r = fb_write_full(out->stream, buf, (size_t)n);
		if (r < 0)
			return r;
		at += (uint64_t)n;
	}
	return (int)n;
}

/* A new name first: linkat() does not replace. Then one rename. */
static int name_file(struct fb_output *out)
{
	char proc[64];
	int r;

	if (fsync(out->fd) < 0)
		return -errno;
	if (!out->temp) {
		r = make_temp_name(out);
		if (r < 0)
			return r;
		(void)snprintf(proc, sizeof(proc), "/proc/self/fd/%d", out->fd);
		if (linkat(AT_FDCWD, proc, out->dir, out->temp,
			   AT_SYMLINK_FOLLOW) < 0)
			return -errno;
	}
	if (renameat(out->dir, out->temp, out->dir, out->name) < 0)
		return -errno;
	free(out->temp);
	out->temp = NULL;
	return fsync(out->dir) < 0 ? -errno : 0;
}

int fb_output_commit(struct fb_output *out, struct fb_err *err)
{
	int r = out->dir < 0 ? copy_to_stream(out) : name_file(out);

	return r < 0 ? fb_err_set(err, r, "write '%s': %s",
				  out->name ? out->name : "-", strerror(-r))
		     : 0;
}

int fb_copy_verified(int from, int to, const struct fb_digest *digest,
		     uint64_t size_bytes, struct fb_err *err)
{
	FB_FREE char *buf = malloc(COPY_BYTES);
	FB_HASH struct fb_hash *hash = fb_hash_new(digest->kind);
	uint8_t sum[FB_HASH_SIZE_MAX];
	uint64_t at = 0;
	ssize_t n;
	int r;

	if (!buf || !hash)
		return fb_err_set(err, -ENOMEM, "copy: %m");
	while ((n = fb_pread_full(from, buf, COPY_BYTES, at)) > 0) {
		r = fb_hash_update(hash, buf, (size_t)n);
		if (r == 0)
			r = fb_pwrite_full(to, buf, (size_t)n, at);
		if (r < 0)
			return fb_err_set(err, r, "copy: %s", strerror(-r));
		at += (uint64_t)n;
	}
	if (n < 0)
		return fb_err_set(err, (int)n, "copy: %s", strerror((int)-n));
	if (fb_hash_final(hash, sum) < 0)
		return fb_err_set(err, -EIO, "copy: hash");
	if (at != size_bytes ||
	    memcmp(sum, digest->hash, fb_hash_size(digest->kind)) != 0)
		return fb_err_set(err, -EBADMSG,
				  "the converted image is damaged");
	return 0;
}
