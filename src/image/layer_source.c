/* SPDX-License-Identifier: Apache-2.0 */
#include "image/layer_source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/path.h"
#include "image/load_internal.h"
#include "store/blob.h"

/**
 * struct layer_source - A file that is open while it is read
 * @store: Where it is, or NULL: below @dirfd
 */
struct layer_source {
	struct fb_source base;
	struct fb_store *store;
	int dirfd;
	struct fb_digest digest;
	uint64_t size_bytes;
	int fd;
	bool ended;
};

static struct layer_source *of(struct fb_source *src)
{
	return (struct layer_source *)src; /* the base is its first member */
}

static int open_layer(const struct layer_source *s, struct fb_err *err)
{
	char path[FB_LAYOUT_PATH_MAX];
	int fd;

	if (s->store)
		return fb_store_blob_open(s->store, &s->digest, s->size_bytes,
					  NULL, err);
	fb_layout_path(&s->digest, path);
	fd = fb_open_beneath(s->dirfd, path, O_RDONLY | O_NONBLOCK, 0);
	return fd < 0 ? fb_err_set(err, fd, "open '%s': %s", path,
				   strerror(-fd))
		      : fd;
}

static ssize_t layer_read(struct fb_source *src, void *buf, size_t len,
			  struct fb_err *err)
{
	struct layer_source *s = of(src);
	ssize_t n;

	if (s->ended)
		return 0;
	if (s->fd < 0) {
		s->fd = open_layer(s, err);
		if (s->fd < 0)
			return s->fd;
		(void)posix_fadvise(s->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	}
	do
		n = read(s->fd, buf, len);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return fb_err_set(err, -errno, "read a layer: %m");
	if (n == 0) {
		s->ended = true;
		s->fd = fb_close(s->fd);
	}
	return n;
}

static int layer_rewind(struct fb_source *src, struct fb_err *err)
{
	struct layer_source *s = of(src);

	s->ended = false;
	if (s->fd >= 0 && lseek(s->fd, 0, SEEK_SET) < 0)
		return fb_err_set(err, -errno, "rewind a layer: %m");
	return 0;
}

static void layer_free(struct fb_source *src)
{
	struct layer_source *s = of(src);

	(void)fb_close(s->fd);
	free(s);
}

static const struct fb_source_ops layer_ops = {
	.read = layer_read,
	.rewind = layer_rewind,
	.free = layer_free,
};

static struct layer_source *layer_new(const struct fb_digest *digest,
				      struct fb_err *err)
{
	struct layer_source *s = calloc(1, sizeof(*s));

	if (!s) {
		(void)fb_err_set(err, -ENOMEM, "open a layer: %m");
		return NULL;
	}
	s->base.ops = &layer_ops;
	s->digest = *digest;
	s->dirfd = -EBADF;
	s->fd = -EBADF;
	return s;
}

int fb_layer_source_new(struct fb_store *store, const struct fb_digest *digest,
			uint64_t size_bytes, struct fb_source **ret,
			struct fb_err *err)
{
	struct layer_source *s = layer_new(digest, err);

	if (!s)
		return -ENOMEM;
	s->store = store;
	s->size_bytes = size_bytes;
	*ret = &s->base;
	return 0;
}

int fb_layer_source_at(int dirfd, const struct fb_digest *digest,
		       struct fb_source **ret, struct fb_err *err)
{
	struct layer_source *s = layer_new(digest, err);

	if (!s)
		return -ENOMEM;
	s->dirfd = dirfd;
	*ret = &s->base;
	return 0;
}
