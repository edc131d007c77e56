/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files into an archive or a folder.
 *
 * The tar is the plainest there is: ustar headers, no owner, no time, so that
 * it depends on nothing but its contents.  Names are known, and nearly all short.
 */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <string.h>
#include <sys/stat.h>

#include "base/io.h"
#include "base/path.h"
#include "image/save_internal.h"
#include "store/blob.h"

#define BLOCK 512
#define COPY_BYTES 1048576

/* Places of ustar's header, POSIX.1-1988 */
enum {
	AT_NAME = 0,
	AT_MODE = 100,
	AT_UID = 108,
	AT_GID = 116,
	AT_SIZE = 124,
	AT_MTIME = 136,
	AT_SUM = 148,
	AT_TYPE = 156,
	AT_MAGIC = 257,
};

#define OCTAL_SIZE_MAX ((1ULL << 33) - 1)

static void put_size(uint8_t *field, uint64_t size)
{
	if (size <= OCTAL_SIZE_MAX) {
		(void)snprintf((char *)field, 12, "%011llo",
			       (unsigned long long)size);
		return;
	}
	/* GNU's base 256, which every reader of today knows */
	field[0] = 0x80;
	for (int i = 11; i > 3; i--, size >>= 8)
		field[i] = (uint8_t)size;
}

/* @type: ustar's; @name is cut where it has no room */
static int put_block(struct fb_save_sink *sink, const char *name, char type,
		     uint64_t size)
{
	uint8_t block[BLOCK] = { 0 };
	unsigned int sum = 0;

	memcpy(block + AT_NAME, name, strnlen(name, AT_MODE - 1));
	memcpy(block + AT_MODE, type == '5' ? "0000755" : "0000644", 7);
	memcpy(block + AT_UID, "0000000", 7);
	memcpy(block + AT_GID, "0000000", 7);
	put_size(block + AT_SIZE, size);
	memcpy(block + AT_MTIME, "00000000000", 11);
	memset(block + AT_SUM, ' ', 8);
	block[AT_TYPE] = (uint8_t)type;
	memcpy(block + AT_MAGIC, "ustar\00000", 8);
	for (size_t i = 0; i < BLOCK; i++)
		sum += block[i];
	(void)snprintf((char *)block + AT_SUM, 8, "%06o", sum);
	return fb_write_full(sink->fd, block, BLOCK);
}

/* A name of a SHA-512 is longer than ustar's field: POSIX.1-2001's record */
static int put_long_name(struct fb_save_sink *sink, const char *name)
{
	char record[2 * BLOCK] = "";
	/* " path=", the line's end, and three digits of the length itself */
	size_t len = strlen(name) + 7 + 3;
	int r;

	if (len > 999 || len < 100)
		return -ENAMETOOLONG;
	(void)snprintf(record, sizeof(record), "%zu path=%s\n", len, name);
	r = put_block(sink, "PaxHeaders/name", 'x', len);
	return r < 0 ? r
		     : fb_write_full(sink->fd, record,
				     (len + BLOCK - 1) / BLOCK * BLOCK);
}

static int put_header(struct fb_save_sink *sink, const char *name, bool is_dir,
		      uint64_t size)
{
	char shown[BLOCK];
	int n = snprintf(shown, sizeof(shown), "%s%s", name, is_dir ? "/" : "");
	int r = 0;

	if (n < 0 || (size_t)n >= sizeof(shown))
		return -ENAMETOOLONG;
	if (n >= AT_MODE)
		r = put_long_name(sink, shown);
	return r < 0 ? r : put_block(sink, shown, is_dir ? '5' : '0', size);
}

static int put_padding(struct fb_save_sink *sink, uint64_t size)
{
	static const uint8_t zeroes[BLOCK];

	return size % BLOCK == 0
		       ? 0
		       : fb_write_full(sink->fd, zeroes, BLOCK - size % BLOCK);
}

int fb_save_sink_dir(struct fb_save_sink *sink, const char *name,
		     struct fb_err *err)
{
	int r;

	if (sink->folder)
		r = mkdirat(sink->fd, name, 0777) < 0 ? -errno : 0;
	else
		r = put_header(sink, name, true, 0);
	return r < 0 ? fb_err_set(err, r, "write '%s': %s", name, strerror(-r))
		     : 0;
}

/* The descriptor that a file's bytes go to; a folder's is the caller's to close */
static int begin_file(struct fb_save_sink *sink, const char *name,
		      uint64_t size)
{
	int r;

	if (sink->folder) {
		r = openat(sink->fd, name,
			   O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
		return r < 0 ? -errno : r;
	}
	r = put_header(sink, name, false, size);
	return r < 0 ? r : sink->fd;
}

static int end_file(struct fb_save_sink *sink, int fd, uint64_t size)
{
	if (!sink->folder)
		return put_padding(sink, size);
	return fsync(fd) < 0 ? -errno : 0;
}

int fb_save_sink_text(struct fb_save_sink *sink, const char *name,
		      const struct fb_str *text, struct fb_err *err)
{
	FB_FD int owned = -EBADF;
	int fd = text->err ? text->err : begin_file(sink, name, text->len);
	int r = fd < 0 ? fd : 0;

	if (fd >= 0 && sink->folder)
		owned = fd;
	if (r == 0)
		r = fb_write_full(fd, text->buf, text->len);
	if (r == 0)
		r = end_file(sink, fd, text->len);
	return r < 0 ? fb_err_set(err, r, "write '%s': %s", name, strerror(-r))
		     : 0;
}

static int damaged(const struct fb_digest *digest, struct fb_err *err)
{
	char text[FB_DIGEST_TEXT_MAX];

	return fb_err_hint(err,
			   fb_err_set(err, -EBADMSG,
				      "blob '%s' of the store is damaged",
				      fb_digest_format(digest, text)),
			   "mend it with flamebox verify --repair");
}

static int copy_blob(const struct fb_image_context *ctx, int from, int to,
		     const struct fb_digest *digest, uint64_t size,
		     struct fb_err *err)
{
	FB_FREE uint8_t *buf = malloc(COPY_BYTES);
	FB_HASH struct fb_hash *hash = fb_hash_new(digest->kind);
	uint8_t sum[FB_HASH_SIZE_MAX];
	char text[FB_DIGEST_TEXT_MAX];
	uint64_t done = 0;
	ssize_t n;
	int r = 0;

	if (!buf || !hash)
		return fb_err_set(err, -ENOMEM, "copy a blob: %m");
	(void)fb_digest_format(digest, text);
	while (r == 0 && (n = fb_read_full(from, buf, COPY_BYTES)) != 0) {
		if (n < 0)
			return fb_err_set(err, (int)n, "read blob '%s': %s",
					  text, strerror((int)-n));
		/* never more than the header announced */
		if ((uint64_t)n > size - done)
			return damaged(digest, err);
		r = fb_hash_update(hash, buf, (size_t)n);
		if (r == 0)
			r = fb_write_full(to, buf, (size_t)n);
		if (r < 0)
			return fb_err_set(err, r, "write: %s", strerror(-r));
		done += (uint64_t)n;
		fb_progress(ctx->progress, FB_PROGRESS_SAVING, text, done,
			    size);
		r = fb_progress_tick(ctx->progress);
	}
	if (r < 0)
		return r;
	if (fb_hash_final(hash, sum) < 0)
		return fb_err_set(err, -EIO, "hash a blob");
	if (done != size ||
	    memcmp(sum, digest->hash, fb_hash_size(digest->kind)) != 0)
		return damaged(digest, err);
	return 0;
}

int fb_save_sink_blob(struct fb_save_sink *sink,
		      const struct fb_image_context *ctx,
		      const struct fb_digest *digest, uint64_t size_bytes,
		      struct fb_err *err)
{
	FB_FD int from =
		fb_store_blob_open(ctx->store, digest, size_bytes, NULL, err);
	FB_FD int owned = -EBADF;
	char name[FB_SAVE_NAME_MAX];
	int fd, r;

	if (from < 0)
		return from;
	(void)fb_save_blob_name(digest, name);
	fd = begin_file(sink, name, size_bytes);
	if (fd >= 0 && sink->folder)
		owned = fd;
	if (fd < 0)
		return fb_err_set(err, fd, "write '%s': %s", name,
				  strerror(-fd));
	r = copy_blob(ctx, from, fd, digest, size_bytes, err);
	if (r < 0)
		return r;
	r = end_file(sink, fd, size_bytes);
	return r < 0 ? fb_err_set(err, r, "write '%s': %s", name, strerror(-r))
		     : 0;
}

static bool is_empty_dir(int dirfd, const char *name)
{
	FB_FD int fd = openat(dirfd, name,
			      O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	FB_DIR DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	if (!dir)
		return false;
	(void)FB_TAKE_FD(fd);
	while ((entry = readdir(dir)))
		if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
			return false;
	return true;
}

static int open_folder(const char *path, struct fb_save_sink *sink,
		       struct fb_err *err)
{
	FB_FREE char *for_dir = strdup(path);
	FB_FREE char *for_name = strdup(path);
	struct stat st;

	sink->folder = true;
	sink->owned = true;
	sink->name = for_name ? strdup(basename(for_name)) : NULL;
	if (!for_dir || !sink->name ||
	    asprintf(&sink->temp, ".%.200s.%ld.tmp", sink->name,
		     (long)getpid()) < 0) {
		sink->temp = NULL;
		return fb_err_set(err, -ENOMEM, "write '%s': %m", path);
	}
	sink->parent =
		open(dirname(for_dir), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (sink->parent < 0)
		return fb_err_set(err, -errno, "write '%s': %m", path);
	if (fstatat(sink->parent, sink->name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    !is_empty_dir(sink->parent, sink->name))
		return fb_err_hint(err,
				   fb_err_set(err, -EEXIST,
					      "write '%s': it is there already",
					      path),
				   "name a folder that is not there yet");
	/* left by a killed process that had our pid */
	(void)fb_rmtree_at(sink->parent, sink->temp);
	if (mkdirat(sink->parent, sink->temp, 0777) == 0)
		sink->fd = openat(sink->parent, sink->temp,
				  O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return sink->fd < 0 ? fb_err_set(err, -errno, "write '%s': %m", path)
			    : 0;
}

static int open_any(const struct fb_image_context *ctx,
		    const struct fb_image_save *save, struct fb_save_sink *sink,
		    struct fb_err *err)
{
	struct stat st;
	int r;

	if (save->format == FB_SAVE_OCI_DIR) {
		if (!strcmp(save->path, "-"))
			return fb_err_set(err, -EINVAL,
					  "a folder cannot go to standard "
					  "output");
		return open_folder(save->path, sink, err);
	}
	if (!strcmp(save->path, "-")) {
		sink->fd = save->fd;
		return 0;
	}
	/* a pipe, a device: written front to back, as it comes */
	if (stat(save->path, &st) == 0 && !S_ISREG(st.st_mode) &&
	    !S_ISDIR(st.st_mode)) {
		sink->owned = true;
		sink->fd = open(save->path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
		return sink->fd < 0 ? fb_err_set(err, -errno, "write '%s': %m",
						 save->path)
				    : 0;
	}
	r = fb_output_open(ctx->store, save->path, -EBADF, &sink->output, err);
	if (r == 0)
		sink->fd = sink->output.fd;
	return r;
}

int fb_save_sink_open(const struct fb_image_context *ctx,
		      const struct fb_image_save *save,
		      struct fb_save_sink *ret, struct fb_err *err)
{
	FB_SAVE_SINK struct fb_save_sink sink = FB_SAVE_SINK_INIT;
	int r = open_any(ctx, save, &sink, err);

	if (r < 0)
		return r;
	*ret = sink;
	sink = FB_SAVE_SINK_INIT;
	return 0;
}

static int commit_folder(struct fb_save_sink *sink, struct fb_err *err)
{
	if (syncfs(sink->fd) < 0 ||
	    renameat(sink->parent, sink->temp, sink->parent, sink->name) < 0 ||
	    fsync(sink->parent) < 0)
		return fb_err_set(err, -errno, "write '%s': %m", sink->name);
	free(sink->temp);
	sink->temp = NULL;
	return 0;
}

int fb_save_sink_commit(struct fb_save_sink *sink, struct fb_err *err)
{
	static const uint8_t end[2 * BLOCK];
	int r;

	if (sink->folder)
		return commit_folder(sink, err);
	r = fb_write_full(sink->fd, end, sizeof(end));
	if (r < 0)
		return fb_err_set(err, r, "write: %s", strerror(-r));
	return sink->output.fd >= 0 ? fb_output_commit(&sink->output, err) : 0;
}

void fb_save_sink_release(struct fb_save_sink *sink)
{
	if (sink->folder && sink->temp && sink->parent >= 0)
		(void)fb_rmtree_at(sink->parent, sink->temp);
	if (sink->owned)
		(void)fb_close(sink->fd);
	(void)fb_close(sink->parent);
	fb_output_release(&sink->output);
	free(sink->temp);
	free(sink->name);
	*sink = FB_SAVE_SINK_INIT;
}
