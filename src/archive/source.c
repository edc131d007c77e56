/* SPDX-License-Identifier: Apache-2.0 */
#include "archive/source.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

ssize_t fb_source_read(struct fb_source *src, void *buf, size_t len,
		       struct fb_err *err)
{
	return src->ops->read(src, buf, len > SSIZE_MAX ? SSIZE_MAX : len, err);
}

ssize_t fb_source_read_full(struct fb_source *src, void *buf, size_t len,
			    struct fb_err *err)
{
	size_t done = 0;
	ssize_t n;

	while (done < len) {
		n = fb_source_read(src, (char *)buf + done, len - done, err);
		if (n < 0)
			return n;
		if (n == 0)
			break;
		done += (size_t)n;
	}
	return (ssize_t)done;
}

ssize_t fb_source_view(struct fb_source *src, void *buf, size_t len,
		       const uint8_t **ret_data, struct fb_err *err)
{
	if (src->ops->view)
		return src->ops->view(src, len > SSIZE_MAX ? SSIZE_MAX : len,
				      ret_data, err);
	*ret_data = buf;
	return fb_source_read(src, buf, len, err);
}

int64_t fb_source_skip(struct fb_source *src, uint64_t len, struct fb_err *err)
{
	if (!src->ops->skip)
		return fb_err_set(err, -ENOTSUP, "skip: %m");
	return src->ops->skip(src, len < INT64_MAX ? len : INT64_MAX, err);
}

int fb_source_rewind(struct fb_source *src, struct fb_err *err)
{
	if (!src->ops->rewind)
		return fb_err_set(err, -ESPIPE, "rewind a stream: %m");
	return src->ops->rewind(src, err);
}

void fb_source_cancel(struct fb_source *src)
{
	if (src->ops->cancel)
		src->ops->cancel(src);
}

void fb_source_free(struct fb_source *src)
{
	if (src && src->ops->free)
		src->ops->free(src);
}

struct fd_source {
	struct fb_source base;
	int fd;
	bool seekable;
	uint64_t start;
	uint64_t pos; /* bytes handed out */
	uint64_t size_bytes;
};

static ssize_t fd_read(struct fb_source *src, void *buf, size_t len,
		       struct fb_err *err)
{
	struct fd_source *s = (struct fd_source *)src;
	uint64_t left = s->size_bytes - s->pos;
	ssize_t n;

	if (len > left)
		len = (size_t)left;
	if (len == 0)
		return 0;
	do {
		n = s->seekable
			    ? pread(s->fd, buf, len, (off_t)(s->start + s->pos))
			    : read(s->fd, buf, len);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return fb_err_set(err, -errno, "read: %m");
	s->pos += (uint64_t)n;
	return n;
}

/* of a file only: never past its end, so that what is cut short is noticed */
static int64_t fd_skip(struct fb_source *src, uint64_t len, struct fb_err *err)
{
	struct fd_source *s = (struct fd_source *)src;
	uint64_t left = s->size_bytes - s->pos;
	struct stat st;

	if (fstat(s->fd, &st) < 0)
		return fb_err_set(err, -errno, "read: %m");
	if (s->start + s->pos >= (uint64_t)st.st_size)
		return 0;
	if (left > (uint64_t)st.st_size - s->start - s->pos)
		left = (uint64_t)st.st_size - s->start - s->pos;
	if (len > left)
		len = left;
	s->pos += len;
	return (int64_t)len;
}

static int fd_rewind(struct fb_source *src, struct fb_err *err)
{
	struct fd_source *s = (struct fd_source *)src;

	if (!s->seekable)
		return fb_err_set(err, -ESPIPE, "rewind a pipe: %m");
	s->pos = 0;
	return 0;
}

static void plain_free(struct fb_source *src)
{
	free(src);
}

static const struct fb_source_ops fd_ops = {
	.read = fd_read,
	.rewind = fd_rewind,
	.free = plain_free,
};

static const struct fb_source_ops file_ops = {
	.read = fd_read,
	.skip = fd_skip,
	.rewind = fd_rewind,
	.free = plain_free,
};

int fb_source_from_fd(int fd, uint64_t offset, uint64_t size_bytes,
		      struct fb_source **ret, struct fb_err *err)
{
	struct fd_source *s;
	struct stat st;

	if (fstat(fd, &st) < 0)
		return fb_err_set(err, -errno, "look at a stream: %m");
	if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode) && offset > 0)
		return fb_err_set(err, -ESPIPE, "seek in a pipe: %m");
	s = calloc(1, sizeof(*s));
	if (!s)
		return fb_err_set(err, -ENOMEM, "open a stream: %m");
	s->base.ops = S_ISREG(st.st_mode) ? &file_ops : &fd_ops;
	s->fd = fd;
	s->seekable = S_ISREG(st.st_mode) || S_ISBLK(st.st_mode);
	s->start = offset;
	s->size_bytes = size_bytes;
	*ret = &s->base;
	return 0;
}

struct memory_source {
	struct fb_source base;
	const uint8_t *data;
	size_t len;
	size_t pos;
};

static ssize_t memory_read(struct fb_source *src, void *buf, size_t len,
			   struct fb_err *err)
{
	struct memory_source *s = (struct memory_source *)src;

	(void)err;
	if (len > s->len - s->pos)
		len = s->len - s->pos;
	if (len > 0)
		memcpy(buf, s->data + s->pos, len);
	s->pos += len;
	return (ssize_t)len;
}

static ssize_t memory_view(struct fb_source *src, size_t len,
			   const uint8_t **ret_data, struct fb_err *err)
{
	struct memory_source *s = (struct memory_source *)src;

	(void)err;
	if (len > s->len - s->pos)
		len = s->len - s->pos;
	*ret_data = s->data + s->pos;
	s->pos += len;
	return (ssize_t)len;
}

static int memory_rewind(struct fb_source *src, struct fb_err *err)
{
	(void)err;
	((struct memory_source *)src)->pos = 0;
	return 0;
}

static const struct fb_source_ops memory_ops = {
	.read = memory_read,
	.view = memory_view,
	.rewind = memory_rewind,
	.free = plain_free,
};

int fb_source_from_memory(const void *data, size_t len, struct fb_source **ret,
			  struct fb_err *err)
{
	struct memory_source *s = calloc(1, sizeof(*s));

	if (!s)
		return fb_err_set(err, -ENOMEM, "open a buffer: %m");
	s->base.ops = &memory_ops;
	s->data = len ? data : (const uint8_t *)""; /* NULL + 0 is undefined */
	s->len = len;
	*ret = &s->base;
	return 0;
}
