/* SPDX-License-Identifier: Apache-2.0 */
#include "rootfs/follow.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"

/* a network gives bytes by the few thousand: for these nobody wakes up */
#define WORTH_WAKING (128u << 10)

/**
 * struct fb_follow - A file that grows
 * @base: First: the reader's side
 * @pos:  The reader's alone
 */
struct fb_follow {
	struct fb_source base;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	int fd;
	uint64_t available_bytes;
	bool ended;
	bool cancelled;
	uint64_t pos;
};

static struct fb_follow *of(struct fb_source *src)
{
	return (struct fb_follow *)src; /* the base is its first member */
}

static bool has_enough(const struct fb_follow *f, uint64_t wanted)
{
	return f->cancelled || f->ended ||
	       (f->available_bytes > f->pos &&
		f->available_bytes - f->pos >= wanted);
}

/* Return: bytes that are there behind @pos; 0 the end; -ECANCELED */
static int64_t wait_for_bytes(struct fb_follow *f, size_t len, int *ret_fd)
{
	int64_t n = 0;

	pthread_mutex_lock(&f->lock);
	while (!has_enough(f, len < WORTH_WAKING ? len : WORTH_WAKING))
		pthread_cond_wait(&f->changed, &f->lock);
	if (f->cancelled)
		n = -ECANCELED;
	else if (f->available_bytes > f->pos)
		n = (int64_t)(f->available_bytes - f->pos);
	*ret_fd = f->fd;
	pthread_mutex_unlock(&f->lock);
	return n;
}

static ssize_t follow_read(struct fb_source *src, void *buf, size_t len,
			   struct fb_err *err)
{
	struct fb_follow *f = of(src);
	ssize_t got;
	int64_t n;
	int fd;

	do {
		n = wait_for_bytes(f, len, &fd);
		if (n == 0)
			return 0;
		if (n < 0)
			return fb_err_set(err, (int)n, "read a layer: %m");
		if ((uint64_t)n > len)
			n = (int64_t)len;
		do
			got = pread(fd, buf, (size_t)n, (off_t)f->pos);
		while (got < 0 && errno == EINTR);
		/* nothing: it was cut off this very moment, to be written again */
	} while (got == 0);
	if (got < 0)
		return fb_err_set(err, -errno, "read a layer: %m");
	f->pos += (uint64_t)got;
	return got;
}

static int follow_rewind(struct fb_source *src, struct fb_err *err)
{
	(void)err;
	of(src)->pos = 0;
	return 0;
}

static void follow_cancel(struct fb_source *src)
{
	struct fb_follow *f = of(src);

	pthread_mutex_lock(&f->lock);
	f->cancelled = true;
	pthread_cond_broadcast(&f->changed);
	pthread_mutex_unlock(&f->lock);
}

static void follow_free(struct fb_source *src)
{
	struct fb_follow *f = of(src);

	(void)fb_close(f->fd);
	(void)pthread_mutex_destroy(&f->lock);
	(void)pthread_cond_destroy(&f->changed);
	free(f);
}

static const struct fb_source_ops follow_ops = {
	.read = follow_read,
	.rewind = follow_rewind,
	.cancel = follow_cancel,
	.free = follow_free,
};

int fb_follow_new(struct fb_follow **ret, struct fb_err *err)
{
	struct fb_follow *f = calloc(1, sizeof(*f));

	if (!f)
		return fb_err_set(err, -ENOMEM, "follow a layer: %m");
	f->base.ops = &follow_ops;
	f->fd = -EBADF;
	(void)pthread_mutex_init(&f->lock, NULL);
	(void)pthread_cond_init(&f->changed, NULL);
	*ret = f;
	return 0;
}

struct fb_source *fb_follow_source(struct fb_follow *follow)
{
	return &follow->base;
}

void fb_follow_open(struct fb_follow *follow, int fd, uint64_t available_bytes)
{
	FB_FD int former = -EBADF;

	pthread_mutex_lock(&follow->lock);
	/* a reader may be at work with it: the number must not become another's */
	if (follow->fd >= 0) {
		(void)dup3(fd, follow->fd, O_CLOEXEC);
		former = fd;
	} else {
		follow->fd = fd;
	}
	follow->available_bytes = available_bytes;
	pthread_cond_broadcast(&follow->changed);
	pthread_mutex_unlock(&follow->lock);
}

void fb_follow_grow(struct fb_follow *follow, uint64_t available_bytes)
{
	pthread_mutex_lock(&follow->lock);
	follow->available_bytes = available_bytes;
	pthread_cond_broadcast(&follow->changed);
	pthread_mutex_unlock(&follow->lock);
}

void fb_follow_end(struct fb_follow *follow)
{
	pthread_mutex_lock(&follow->lock);
	follow->ended = true;
	pthread_cond_broadcast(&follow->changed);
	pthread_mutex_unlock(&follow->lock);
}
