/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Theory of operation.  Nothing else runs when an image is hashed, and a hash has
 * one thread; so the copying out of the page cache is given to a second one, a
 * few pieces ahead.  A piece is full until it was hashed; the first one that is
 * not as long as it could be is the last.
 *
 * Measured: 531 MiB in 0.32 s, where one thread takes 0.38 s.  It is not free (the
 * bytes go from one CPU's cache to another's: 0.18 s more CPU time).  Hashing
 * straight out of a mapping, populated ahead, is no faster than one thread.
 */
#include "rootfs/digest.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/hash.h"
#include "base/io.h"

#define PIECES 3u
#define PIECE_SIZE (1u << 20)

struct piece {
	bool full;
	ssize_t len; /* or a negative errno */
	uint8_t data[PIECE_SIZE];
};

struct ahead {
	int fd;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool stop;
	struct piece pieces[PIECES];
};

/* Return: false to be stopped */
static bool wait_until(struct ahead *a, const struct piece *p, bool full)
{
	bool go;

	pthread_mutex_lock(&a->lock);
	while (p->full != full && !a->stop)
		pthread_cond_wait(&a->changed, &a->lock);
	go = p->full == full;
	pthread_mutex_unlock(&a->lock);
	return go;
}

static void set_full(struct ahead *a, struct piece *p, bool full)
{
	pthread_mutex_lock(&a->lock);
	p->full = full;
	pthread_cond_signal(&a->changed);
	pthread_mutex_unlock(&a->lock);
}

static void *read_ahead(void *arg)
{
	struct ahead *a = arg;
	struct piece *p;
	uint64_t at = 0;
	ssize_t n = PIECE_SIZE;

	for (size_t i = 0; n == PIECE_SIZE; i++) {
		p = &a->pieces[i % PIECES];
		if (!wait_until(a, p, false))
			break;
		n = p->len = fb_pread_full(a->fd, p->data, PIECE_SIZE, at);
		at += PIECE_SIZE;
		set_full(a, p, true);
	}
	return NULL;
}

static int hash_pieces(struct ahead *a, struct fb_hash *hash,
		       struct fb_err *err)
{
	ssize_t n = PIECE_SIZE;
	struct piece *p;

	for (size_t i = 0; n == PIECE_SIZE; i++) {
		p = &a->pieces[i % PIECES];
		(void)wait_until(a, p, true);
		n = p->len;
		if (n < 0)
			return fb_err_set(err, (int)n, "hash the image: %m");
		if (fb_hash_update(hash, p->data, (size_t)n) < 0)
			return fb_err_set(err, -EIO, "hash the image: %m");
		set_full(a, p, false);
	}
	return 0;
}

static int start_thread(struct ahead *a, pthread_t *ret)
{
	sigset_t all, before;
	int failed;

	/* signals are for the thread that has handlers */
	sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	failed = pthread_create(ret, NULL, read_ahead, a);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	return -failed;
}

static void stop_thread(struct ahead *a, pthread_t thread)
{
	pthread_mutex_lock(&a->lock);
	a->stop = true;
	pthread_cond_signal(&a->changed);
	pthread_mutex_unlock(&a->lock);
	(void)pthread_join(thread, NULL);
}

int fb_digest_file(int fd, struct fb_digest *ret, struct fb_err *err)
{
	FB_HASH struct fb_hash *hash = fb_hash_new(FB_HASH_SHA256);
	FB_FREE struct ahead *a = calloc(1, sizeof(*a));
	struct fb_digest d = { .set = true, .kind = FB_HASH_SHA256 };
	pthread_t thread;
	int r;

	if (!a || !hash)
		return fb_err_set(err, -ENOMEM, "hash the image: %m");
	a->fd = fd;
	(void)pthread_mutex_init(&a->lock, NULL);
	(void)pthread_cond_init(&a->changed, NULL);
	r = start_thread(a, &thread);
	if (r == 0) {
		r = hash_pieces(a, hash, err);
		stop_thread(a, thread);
	} else {
		(void)fb_err_set(err, r, "hash the image: %m");
	}
	(void)pthread_mutex_destroy(&a->lock);
	(void)pthread_cond_destroy(&a->changed);
	if (r == 0 && fb_hash_final(hash, d.hash) < 0)
		r = fb_err_set(err, -EIO, "hash the image: %m");
	if (r == 0)
		*ret = d;
	return r;
}
