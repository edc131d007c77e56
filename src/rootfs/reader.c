/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Theory of operation.  The thread fills a ring of SLOTS buffers; the reader
 * empties it.  One mutex guards the counters, one condition each way.  The
 * packed side is a counting, hashing source under the inflating one, so both
 * digests are made in passing.  Cancelling (an error, or freeing before the end)
 * sets a flag, wakes the thread, cancels the layer's own source, and joins.
 */
#include "rootfs/reader.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "archive/inflate.h"
#include "base/cleanup.h"
#include "base/hash.h"

#define SLOTS 8
#define SLOT_SIZE (256u << 10)
#define RATIO_FREE_BYTES (1ull << 30)

/* the packed bytes: counted, hashed, and no more than the descriptor says */
struct packed {
	struct fb_source base;
	struct fb_source *from;
	struct fb_source *own; /* made here for a file descriptor, or NULL */
	struct fb_hash *hash;
	_Atomic uint64_t bytes;
	uint64_t max_bytes;
};

struct slot {
	uint8_t *data;
	size_t len;
};

struct reader {
	struct fb_source base;
	const struct fb_rootfs_layer *layer;
	struct packed packed;
	struct fb_source *inflate;
	struct fb_hash *diff_hash;
	uint64_t plain_bytes;
	struct fb_digest digest; /* computed, set at the end */
	struct fb_digest diff_id;
	pthread_t thread;
	bool started;
	pthread_mutex_t lock;
	pthread_cond_t filled;
	pthread_cond_t emptied;
	struct slot slots[SLOTS];
	size_t head;  /* slots filled in all */
	size_t tail;  /* slots emptied in all */
	size_t taken; /* bytes of the tail slot handed out */
	bool ended;
	bool cancelled;
	int failed;
	struct fb_err error;
};

static ssize_t packed_read(struct fb_source *src, void *buf, size_t len,
			   struct fb_err *err)
{
	struct packed *p = (struct packed *)src;
	ssize_t n = fb_source_read(p->from, buf, len, err);

	if (n <= 0)
		return n;
	if ((uint64_t)n > p->max_bytes - p->bytes)
		return fb_err_set(err, -EBADMSG,
				  "is longer than its descriptor says");
	p->bytes += (uint64_t)n;
	if (p->hash && fb_hash_update(p->hash, buf, (size_t)n) < 0)
		return fb_err_set(err, -EIO, "hash: %m");
	return n;
}

static const struct fb_source_ops packed_ops = { .read = packed_read };

static int fill_slot(struct reader *r, struct slot *slot)
{
	ssize_t n;

	slot->len = 0;
	while (slot->len < SLOT_SIZE) {
		n = fb_source_read(r->inflate, slot->data + slot->len,
				   SLOT_SIZE - slot->len, &r->error);
		if (n < 0)
			return (int)n;
		if (n == 0)
			break;
		slot->len += (size_t)n;
	}
	r->plain_bytes += slot->len;
	if (r->diff_hash &&
	    fb_hash_update(r->diff_hash, slot->data, slot->len) < 0)
		return fb_err_set(&r->error, -EIO, "hash: %m");
	return 0;
}

static int finish_hashes(struct reader *r)
{
	if (!r->diff_hash)
		return 0;
	r->diff_id.kind = r->layer->diff_id.kind;
	r->digest.kind = r->layer->digest.kind;
	if (fb_hash_final(r->diff_hash, r->diff_id.hash) < 0 ||
	    fb_hash_final(r->packed.hash, r->digest.hash) < 0)
		return fb_err_set(&r->error, -EIO, "hash: %m");
	r->diff_id.set = r->digest.set = true;
	return 0;
}

static void *reader_main(void *arg)
{
	struct reader *r = arg;
	struct slot *slot;
	int failed = 0;
	bool ended = false;

	while (!ended && !failed) {
		pthread_mutex_lock(&r->lock);
		while (r->head - r->tail == SLOTS && !r->cancelled)
			pthread_cond_wait(&r->emptied, &r->lock);
		ended = r->cancelled;
		pthread_mutex_unlock(&r->lock);
		if (ended)
			break;
		slot = &r->slots[r->head % SLOTS];
		failed = fill_slot(r, slot);
		ended = !failed && slot->len < SLOT_SIZE;
		if (ended)
			failed = finish_hashes(r);
		pthread_mutex_lock(&r->lock);
		r->failed = failed;
		r->ended = ended;
		r->head += !failed && slot->len > 0;
		pthread_cond_signal(&r->filled);
		pthread_mutex_unlock(&r->lock);
	}
	return NULL;
}

/* Have bytes in the tail slot. Return: 1; 0 at the end; negative errno */
static int wait_filled(struct reader *r, struct fb_err *err)
{
	int result;

	pthread_mutex_lock(&r->lock);
	while (r->head == r->tail && !r->ended && !r->failed && !r->cancelled)
		pthread_cond_wait(&r->filled, &r->lock);
	if (r->head != r->tail)
		result = 1;
	else if (r->failed)
		result = r->failed;
	else
		result = r->cancelled ? -ECANCELED : 0;
	pthread_mutex_unlock(&r->lock);
	if (result < 0 && err)
		*err = r->error;
	return result;
}

static void release_slot(struct reader *r)
{
	pthread_mutex_lock(&r->lock);
	r->tail++;
	pthread_cond_signal(&r->emptied);
	pthread_mutex_unlock(&r->lock);
	r->taken = 0;
}

static ssize_t reader_read(struct fb_source *src, void *buf, size_t len,
			   struct fb_err *err)
{
	struct reader *r = (struct reader *)src;
	struct slot *slot;
	int state = wait_filled(r, err);

	if (state <= 0)
		return state;
	slot = &r->slots[r->tail % SLOTS];
	if (len > slot->len - r->taken)
		len = slot->len - r->taken;
	memcpy(buf, slot->data + r->taken, len);
	r->taken += len;
	if (r->taken == slot->len)
		release_slot(r);
	return (ssize_t)len;
}

static void stop_thread(struct reader *r)
{
	if (!r->started)
		return;
	pthread_mutex_lock(&r->lock);
	r->cancelled = true;
	pthread_cond_signal(&r->emptied);
	pthread_mutex_unlock(&r->lock);
	if (!r->ended && r->layer->source)
		fb_source_cancel(r->layer->source);
	(void)pthread_join(r->thread, NULL);
	r->started = false;
}

static void reader_free(struct fb_source *src)
{
	struct reader *r = (struct reader *)src;

	stop_thread(r);
	(void)pthread_mutex_destroy(&r->lock);
	(void)pthread_cond_destroy(&r->filled);
	(void)pthread_cond_destroy(&r->emptied);
	fb_source_free(r->inflate);
	fb_source_free(r->packed.own);
	fb_hash_free(r->packed.hash);
	fb_hash_free(r->diff_hash);
	for (size_t i = 0; i < SLOTS; i++)
		free(r->slots[i].data);
	free(r);
}

static const struct fb_source_ops reader_ops = {
	.read = reader_read,
	.free = reader_free,
};

static int open_sources(struct reader *r,
			const struct fb_rootfs_options *options,
			struct fb_err *err)
{
	const struct fb_rootfs_layer *layer = r->layer;
	struct fb_inflate_options limits = {
		.out_bytes_max = options->max_unpacked_bytes,
		.ratio_max = options->max_ratio,
		.ratio_free_bytes = RATIO_FREE_BYTES,
	};
	int ret = 0;

	r->packed.base.ops = &packed_ops;
	r->packed.max_bytes = layer->size_bytes;
	r->packed.from = layer->source;
	if (!layer->source) {
		/* one byte more than it should be, so that more is noticed */
		ret = fb_source_from_fd(layer->fd, layer->offset,
					layer->size_bytes == UINT64_MAX ?
						UINT64_MAX :
						layer->size_bytes + 1,
					&r->packed.own, err);
		r->packed.from = r->packed.own;
	}
	return ret < 0 ? ret :
			 fb_inflate_new(&r->packed.base, &limits, &r->inflate,
					err);
}

static int open_buffers(struct reader *r, bool verify, struct fb_err *err)
{
	for (size_t i = 0; i < SLOTS; i++) {
		r->slots[i].data = malloc(SLOT_SIZE);
		if (!r->slots[i].data)
			return fb_err_set(err, -ENOMEM, "read a layer: %m");
	}
	if (!verify)
		return 0;
	r->packed.hash = fb_hash_new(r->layer->digest.kind);
	r->diff_hash = fb_hash_new(r->layer->diff_id.kind);
	return r->packed.hash && r->diff_hash ?
		       0 :
		       fb_err_set(err, -ENOMEM, "read a layer: %m");
}

static int start_thread(struct reader *r, struct fb_err *err)
{
	sigset_t all, before;
	int failed;

	/* signals are for the thread that has handlers */
	sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	failed = pthread_create(&r->thread, NULL, reader_main, r);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (failed)
		return fb_err_set(err, -failed, "start a thread: %m");
	r->started = true;
	return 0;
}

int fb_reader_open(const struct fb_rootfs_layer *layer,
		   const struct fb_rootfs_options *options, bool verify,
		   struct fb_source **ret, struct fb_err *err)
{
	struct reader *r = calloc(1, sizeof(*r));
	int status;

	if (!r)
		return fb_err_set(err, -ENOMEM, "read a layer: %m");
	r->base.ops = &reader_ops;
	r->layer = layer;
	(void)pthread_mutex_init(&r->lock, NULL);
	(void)pthread_cond_init(&r->filled, NULL);
	(void)pthread_cond_init(&r->emptied, NULL);
	status = open_sources(r, options, err);
	if (status == 0)
		status = open_buffers(r, verify, err);
	if (status == 0)
		status = start_thread(r, err);
	if (status < 0) {
		reader_free(&r->base);
		return status;
	}
	*ret = &r->base;
	return 0;
}

static int check_digest(const struct fb_digest *want,
			const struct fb_digest *got, const char *what,
			struct fb_err *err)
{
	char a[FB_DIGEST_TEXT_MAX], b[FB_DIGEST_TEXT_MAX];

	if (!want->set || fb_digest_equal(want, got))
		return 0;
	return fb_err_set(err, -EBADMSG, "%s is '%s', it should be '%s'", what,
			  fb_digest_format(got, a), fb_digest_format(want, b));
}

int fb_reader_finish(struct fb_source *src, struct fb_reader_totals *ret,
		     struct fb_err *err)
{
	struct reader *r = (struct reader *)src;
	const struct fb_rootfs_layer *layer = r->layer;
	int status;

	stop_thread(r);
	if (layer->size_bytes != UINT64_MAX &&
	    r->packed.bytes != layer->size_bytes)
		return fb_err_set(err, -EBADMSG,
				  "is %llu bytes, its descriptor says %llu",
				  (unsigned long long)r->packed.bytes,
				  (unsigned long long)layer->size_bytes);
	status = check_digest(&layer->digest, &r->digest, "digest", err);
	if (status == 0)
		status = check_digest(&layer->diff_id, &r->diff_id, "diff_id",
				      err);
	if (status == 0)
		*ret = (struct fb_reader_totals){ r->packed.bytes,
						  r->plain_bytes };
	return status;
}

uint64_t fb_reader_packed_bytes(struct fb_source *src)
{
	return ((struct reader *)src)->packed.bytes;
}
