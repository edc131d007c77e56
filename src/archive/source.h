/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A stream of bytes, wherever it comes from.
 *
 * A kind of source is a struct that begins with `struct fb_source` and a table
 * of operations.  There are three here (a descriptor, memory, and the
 * decompressing one in archive/inflate.h); one that is still being downloaded
 * is another table: its read() blocks until bytes are there, its cancel()
 * wakes that read, its rewind() goes back in the file that they were saved in.
 */
#ifndef FB_ARCHIVE_SOURCE_H
#define FB_ARCHIVE_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

struct fb_source;

/**
 * struct fb_source_ops - What a kind of source can do
 * @read:   Up to @len bytes into @buf, @len >= 1. Return: bytes, 0 at the end
 *          (and again afterwards), negative errno with @err set
 * @view:   Hand out the next 1 … @len bytes where they lie, in *@ret_data,
 *          valid until the next call; returns as @read does.  NULL where
 *          bytes have to be copied anyway
 * @skip:   Pass over up to @len bytes without looking at them; returns as @read
 *          does, more bytes at once; NULL where they have to be read
 * @rewind: Start over from the first byte; NULL where that is impossible
 * @cancel: Make a blocked read(), and every later one, return -ECANCELED; the
 *          only operation that another thread may call meanwhile; NULL where
 *          read() never waits for long
 * @free:   Free the object; NULL where there is nothing to free
 */
struct fb_source_ops {
	ssize_t (*read)(struct fb_source *src, void *buf, size_t len,
			struct fb_err *err);
	ssize_t (*view)(struct fb_source *src, size_t len,
			const uint8_t **ret_data, struct fb_err *err);
	int64_t (*skip)(struct fb_source *src, uint64_t len,
			struct fb_err *err);
	int (*rewind)(struct fb_source *src, struct fb_err *err);
	void (*cancel)(struct fb_source *src);
	void (*free)(struct fb_source *src);
};

/** struct fb_source - Embedded first in every kind of source */
struct fb_source {
	const struct fb_source_ops *ops;
};

/**
 * fb_source_read() - Read what there is
 * @src: Source (borrowed)
 * @buf: Room for @len bytes
 * @len: At least 1; cut to SSIZE_MAX
 * @err: Error detail, or NULL
 *
 * Return: bytes, 1 … @len; 0 at the end; negative errno.
 */
ssize_t fb_source_read(struct fb_source *src, void *buf, size_t len,
		       struct fb_err *err);

/**
 * fb_source_read_full() - Read until @len bytes or the end
 *
 * Return: bytes, less than @len only at the end; negative errno.
 */
ssize_t fb_source_read_full(struct fb_source *src, void *buf, size_t len,
			    struct fb_err *err);

/**
 * fb_source_view() - Take bytes without copying them, where the source can
 * @src: Source (borrowed)
 * @buf: Room for @len bytes, for sources that have to copy
 * @len: At least 1
 * @ret_data: The bytes, in @buf or in the source; valid until its next call
 *
 * Return: as fb_source_read().
 */
ssize_t fb_source_view(struct fb_source *src, void *buf, size_t len,
		       const uint8_t **ret_data, struct fb_err *err);

/**
 * fb_source_can_skip() - Bytes need not be read to get past them
 *
 * fb_source_skip() then is -ENOTSUP never.
 */
static inline bool fb_source_can_skip(const struct fb_source *src)
{
	return src->ops->skip;
}

/**
 * fb_source_skip() - Get past bytes of a source that can do so
 * @len: At least 1
 *
 * Return: bytes, 1 … @len; 0 at the end; -ENOTSUP it cannot; negative errno.
 */
int64_t fb_source_skip(struct fb_source *src, uint64_t len, struct fb_err *err);

/** fb_source_rewind() - Start over. Return: 0; -ESPIPE impossible; negative errno */
int fb_source_rewind(struct fb_source *src, struct fb_err *err);

/** fb_source_cancel() - Wake a blocked read; does nothing where none can block */
void fb_source_cancel(struct fb_source *src);

/** fb_source_free() - Free; NULL is fine */
void fb_source_free(struct fb_source *src);

static inline void fb_cleanup_source(struct fb_source **src)
{
	fb_source_free(*src);
}

/** FB_SOURCE - `FB_SOURCE struct fb_source *s = NULL;` frees itself */
#define FB_SOURCE __attribute__((cleanup(fb_cleanup_source)))

/**
 * fb_source_from_fd() - Bytes of a descriptor, or a part of a file
 * @fd:         Descriptor (borrowed, must outlive the source)
 * @offset:     First byte; of a pipe, 0
 * @size_bytes: Where the stream ends at the latest; UINT64_MAX = at the end
 * @ret:        Source (returned)
 *
 * A file is read with pread(), its position unmoved, so several sources may
 * share a descriptor; such a source can be rewound, a pipe cannot.
 *
 * Return: 0; -ESPIPE an offset in a pipe; -ENOMEM.
 */
int fb_source_from_fd(int fd, uint64_t offset, uint64_t size_bytes,
		      struct fb_source **ret, struct fb_err *err);

/**
 * fb_source_from_memory() - Bytes of a buffer
 * @data: Bytes (borrowed, must outlive the source)
 * @len:  Count
 * @ret:  Source (returned)
 *
 * Return: 0; -ENOMEM.
 */
int fb_source_from_memory(const void *data, size_t len, struct fb_source **ret,
			  struct fb_err *err);

#endif
