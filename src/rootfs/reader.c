/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Theory of operation.  One thread reads and inflates into chunks; a second one
 * hashes them for the diff_id; the caller parses them.  A chunk has a reference
 * for each of the two, and for every block that is packed straight out of it; the
 * last to let go returns it to the pool, where the inflating thread waits for
 * one.  The packed side is a counting, hashing source under the inflating one.
 *
 * One mutex, the pool's, guards a reader's state, and one condition tells of any
 * change: a chunk is half a megabyte, so there are few.  Cancelling (an error,
 * or freeing before the end) sets a flag, wakes all, and joins.
 */
#include "rootfs/reader.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/hash.h"

#define CHUNKS 12u
#define CHUNK_SIZE (512u << 10)
#define RATIO_FREE_BYTES (1ull << 30)

struct chunk {
	struct fb_hold hold;
	struct fb_chunks *pool;
	struct chunk *next; /* in the pool */
	size_t len;
	uint8_t data[];
};

struct fb_chunks {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct chunk *free;
	unsigned int made;
};

/*
 * The packed bytes: counted, hashed, and no more than the descriptor says.
 * @plain_is_hashed: as the inflated ones, in the same way
 */
struct packed {
	struct fb_source base;
	struct fb_source *from;
	struct fb_source *own; /* made here for a file descriptor, or NULL */
	struct fb_hash *hash;
	bool plain_is_hashed;
	_Atomic uint64_t bytes;
	uint64_t max_bytes;
};

struct reader {
	struct fb_source base;
	const struct fb_rootfs_layer *layer;
	struct fb_chunks *pool;
	struct packed packed;
	struct fb_source *inflate;
	struct fb_hash *diff_hash;
	uint64_t plain_bytes;
	struct fb_digest digest; /* computed, set at the end */
	struct fb_digest diff_id;
	pthread_t inflater;
	pthread_t hasher;
	bool inflater_runs;
	bool hasher_runs;
	struct chunk *queue[CHUNKS];
	uint64_t filled; /* chunks in all */
	uint64_t hashed;
	uint64_t parsed;
	bool ended;
	bool cancelled;
	int failed;
	struct fb_err error;
	struct chunk *current; /* of the caller */
	size_t taken;	       /* bytes of it */
};

struct fb_chunks *fb_chunks_new(void)
{
	struct fb_chunks *c = calloc(1, sizeof(*c));

	if (c) {
		(void)pthread_mutex_init(&c->lock, NULL);
		(void)pthread_cond_init(&c->changed, NULL);
	}
	return c;
}

void fb_chunks_free(struct fb_chunks *chunks)
{
	struct chunk *next;

	if (!chunks)
		return;
	for (struct chunk *c = chunks->free; c; c = next) {
		next = c->next;
		free(c);
	}
	(void)pthread_mutex_destroy(&chunks->lock);
	(void)pthread_cond_destroy(&chunks->changed);
	free(chunks);
}

static void chunk_release(struct fb_hold *hold)
{
	struct chunk *c = (struct chunk *)hold;
	struct fb_chunks *pool = c->pool;

	pthread_mutex_lock(&pool->lock);
	c->next = pool->free;
	pool->free = c;
	pthread_cond_broadcast(&pool->changed);
	pthread_mutex_unlock(&pool->lock);
}

/* An empty chunk; waits for one. Return: NULL cancelled or out of memory */
static struct chunk *take_chunk(struct reader *r)
{
	struct fb_chunks *pool = r->pool;
	struct chunk *c = NULL;

	pthread_mutex_lock(&pool->lock);
	while (!pool->free && pool->made == CHUNKS && !r->cancelled)
		pthread_cond_wait(&pool->changed, &pool->lock);
	if (!r->cancelled && pool->free) {
		c = pool->free;
		pool->free = c->next;
	} else if (!r->cancelled) {
		c = malloc(sizeof(*c) + CHUNK_SIZE);
		if (c)
			pool->made++;
		else
			r->failed = fb_err_set(&r->error, -ENOMEM,
					       "read a layer: %m");
	}
	pthread_mutex_unlock(&pool->lock);
	if (!c)
		return NULL;
	c->pool = pool;
	c->hold.release = chunk_release;
	atomic_init(&c->hold.refs, r->diff_hash ? 2 : 1);
	return c;
}

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
	/* a plain layer is its diff_id: once is enough */
	if (p->bytes == 0 && p->plain_is_hashed &&
	    fb_compression_detect(buf, (size_t)n) == FB_COMPRESSION_PLAIN) {
		fb_hash_free(p->hash);
		p->hash = NULL;
	}
	p->bytes += (uint64_t)n;
	if (p->hash && fb_hash_update(p->hash, buf, (size_t)n) < 0)
		return fb_err_set(err, -EIO, "hash: %m");
	return n;
}

static const struct fb_source_ops packed_ops = { .read = packed_read };

static int finish_packed(struct reader *r)
{
	if (!r->packed.hash)
		return 0;
	r->digest.kind = r->layer->digest.kind;
	if (fb_hash_final(r->packed.hash, r->digest.hash) < 0)
		return fb_err_set(&r->error, -EIO, "hash: %m");
	r->digest.set = true;
	return 0;
}

static void publish(struct reader *r, struct chunk *c, int failed, bool ended)
{
	pthread_mutex_lock(&r->pool->lock);
	if (c) {
		r->queue[r->filled++ % CHUNKS] = c;
		r->plain_bytes += c->len;
	}
	r->failed = failed;
	r->ended = ended;
	pthread_cond_broadcast(&r->pool->changed);
	pthread_mutex_unlock(&r->pool->lock);
}

static void drop(struct reader *r, struct chunk *c)
{
	if (r->diff_hash)
		fb_hold_put(&c->hold);
	fb_hold_put(&c->hold);
}

static void *inflater_main(void *arg)
{
	struct reader *r = arg;
	struct chunk *c;
	ssize_t n = 1;
	int failed;

	while (n > 0) {
		c = take_chunk(r);
		if (!c) {
			publish(r, NULL, r->failed, false);
			break;
		}
		n = fb_source_read_full(r->inflate, c->data, CHUNK_SIZE,
					&r->error);
		c->len = n > 0 ? (size_t)n : 0;
		failed = n < 0 ? (int)n : 0;
		if (n >= 0 && (size_t)n < CHUNK_SIZE) {
			failed = finish_packed(r);
			n = 0;
		}
		if (!c->len || failed) {
			drop(r, c);
			c = NULL;
		}
		publish(r, c, failed, n == 0 && !failed);
	}
	return NULL;
}

/*
 * Chunk number @pos once it is there.
 * Return: 1; 0 the end comes before; negative errno
 */
static int wait_filled(struct reader *r, uint64_t pos, struct chunk **ret)
{
	int result = 0;

	pthread_mutex_lock(&r->pool->lock);
	while (r->filled == pos && !r->ended && !r->failed && !r->cancelled)
		pthread_cond_wait(&r->pool->changed, &r->pool->lock);
	if (r->cancelled) {
		result = -ECANCELED;
	} else if (r->filled > pos) {
		*ret = r->queue[pos % CHUNKS];
		result = 1;
	} else {
		result = r->failed;
	}
	pthread_mutex_unlock(&r->pool->lock);
	return result;
}

static void *hasher_main(void *arg)
{
	struct reader *r = arg;
	struct chunk *c;
	bool good = true;
	int n;

	while ((n = wait_filled(r, r->hashed, &c)) > 0) {
		good = good &&
		       fb_hash_update(r->diff_hash, c->data, c->len) == 0;
		r->hashed++;
		fb_hold_put(&c->hold);
	}
	if (n == 0 && good &&
	    fb_hash_final(r->diff_hash, r->diff_id.hash) == 0) {
		r->diff_id.kind = r->layer->diff_id.kind;
		r->diff_id.set = true;
	}
	return NULL;
}

/* Have bytes in the current chunk. Return: 1; 0 at the end; negative errno */
static int have_bytes(struct reader *r, struct fb_err *err)
{
	int n;

	if (r->current && r->taken < r->current->len)
		return 1;
	if (r->current)
		fb_hold_put(&r->current->hold);
	r->current = NULL;
	r->taken = 0;
	n = wait_filled(r, r->parsed, &r->current);
	if (n > 0)
		r->parsed++;
	/* the inflating thread has ended where it failed: its text is at rest */
	if (n < 0 && err)
		*err = r->error;
	return n;
}

static ssize_t reader_view(struct fb_source *src, size_t len,
			   const uint8_t **ret_data, struct fb_err *err)
{
	struct reader *r = (struct reader *)src;
	int n = have_bytes(r, err);

	if (n <= 0)
		return n;
	if (len > r->current->len - r->taken)
		len = r->current->len - r->taken;
	*ret_data = r->current->data + r->taken;
	r->taken += len;
	return (ssize_t)len;
}

static ssize_t reader_read(struct fb_source *src, void *buf, size_t len,
			   struct fb_err *err)
{
	const uint8_t *data;
	ssize_t n = reader_view(src, len, &data, err);

	if (n > 0)
		memcpy(buf, data, (size_t)n);
	return n;
}

static void stop_threads(struct reader *r, bool cancel)
{
	bool source;

	pthread_mutex_lock(&r->pool->lock);
	source = cancel && !r->ended && r->inflater_runs && r->layer->source;
	r->cancelled = r->cancelled || cancel;
	pthread_cond_broadcast(&r->pool->changed);
	pthread_mutex_unlock(&r->pool->lock);
	if (source)
		fb_source_cancel(r->layer->source);
	if (r->inflater_runs)
		(void)pthread_join(r->inflater, NULL);
	if (r->hasher_runs)
		(void)pthread_join(r->hasher, NULL);
	r->inflater_runs = r->hasher_runs = false;
}

/* what nobody came to look at goes back to the pool */
static void release_queue(struct reader *r)
{
	if (r->current)
		fb_hold_put(&r->current->hold);
	for (; r->parsed < r->filled; r->parsed++)
		fb_hold_put(&r->queue[r->parsed % CHUNKS]->hold);
	for (; r->diff_hash && r->hashed < r->filled; r->hashed++)
		fb_hold_put(&r->queue[r->hashed % CHUNKS]->hold);
}

static void reader_free(struct fb_source *src)
{
	struct reader *r = (struct reader *)src;

	stop_threads(r, true);
	release_queue(r);
	fb_source_free(r->inflate);
	fb_source_free(r->packed.own);
	fb_hash_free(r->packed.hash);
	fb_hash_free(r->diff_hash);
	free(r);
}

static const struct fb_source_ops reader_ops = {
	.read = reader_read,
	.view = reader_view,
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
					layer->size_bytes == UINT64_MAX
						? UINT64_MAX
						: layer->size_bytes + 1,
					&r->packed.own, err);
		r->packed.from = r->packed.own;
	}
	return ret < 0 ? ret
		       : fb_inflate_new(&r->packed.base, &limits, &r->inflate,
					err);
}

static int open_hashes(struct reader *r, struct fb_err *err)
{
	const struct fb_digest *digest = &r->layer->digest;
	const struct fb_digest *diff_id = &r->layer->diff_id;

	if (digest->set)
		r->packed.hash = fb_hash_new(digest->kind);
	r->diff_hash = fb_hash_new(diff_id->kind);
	r->packed.plain_is_hashed =
		digest->set && digest->kind == diff_id->kind;
	return r->diff_hash && (r->packed.hash || !digest->set)
		       ? 0
		       : fb_err_set(err, -ENOMEM, "read a layer: %m");
}

static int start_threads(struct reader *r, struct fb_err *err)
{
	sigset_t all, before;
	int failed;

	/* signals are for the thread that has handlers */
	sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	failed = pthread_create(&r->inflater, NULL, inflater_main, r);
	r->inflater_runs = !failed;
	if (!failed && r->diff_hash) {
		failed = pthread_create(&r->hasher, NULL, hasher_main, r);
		r->hasher_runs = !failed;
	}
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	return failed ? fb_err_set(err, -failed, "start a thread: %m") : 0;
}

int fb_reader_open(const struct fb_rootfs_layer *layer,
		   const struct fb_rootfs_options *options, bool verify,
		   struct fb_chunks *chunks, struct fb_source **ret,
		   struct fb_err *err)
{
	struct reader *r = calloc(1, sizeof(*r));
	int status;

	if (!r)
		return fb_err_set(err, -ENOMEM, "read a layer: %m");
	r->base.ops = &reader_ops;
	r->layer = layer;
	r->pool = chunks;
	status = open_sources(r, options, err);
	if (status == 0 && verify)
		status = open_hashes(r, err);
	if (status == 0)
		status = start_threads(r, err);
	if (status < 0) {
		reader_free(&r->base);
		return status;
	}
	*ret = &r->base;
	return 0;
}

struct fb_hold *fb_reader_hold(struct fb_source *src)
{
	return &((struct reader *)src)->current->hold;
}

static int check_digest(const struct fb_digest *want,
			const struct fb_digest *got, const char *what,
			struct fb_err *err)
{
	char a[FB_DIGEST_TEXT_MAX], b[FB_DIGEST_TEXT_MAX];

	if (!want->set)
		return 0;
	if (!got->set)
		return fb_err_set(err, -EIO, "hash: %m");
	if (fb_digest_equal(want, got))
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

	stop_threads(r, false);
	if (layer->size_bytes != UINT64_MAX &&
	    r->packed.bytes != layer->size_bytes)
		return fb_err_set(err, -EBADMSG,
				  "is %llu bytes, its descriptor says %llu",
				  (unsigned long long)r->packed.bytes,
				  (unsigned long long)layer->size_bytes);
	status = check_digest(&layer->digest,
			      r->packed.hash ? &r->digest : &r->diff_id,
			      "digest", err);
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

enum fb_compression fb_reader_kind(struct fb_source *src)
{
	return fb_inflate_kind(((struct reader *)src)->inflate);
}
