/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Theory of operation.  A ring of slots; three counters walk over it.  The
 * submitting thread moves `submitted` on, workers move `taken` on and mark slots
 * done in whatever order, and the submitting thread moves `written` on over
 * slots that are done, writing each: so the order of the output is that of the
 * input, with any number of workers.  A worker lets go of its input as soon as it
 * is packed (a block that does not get smaller is copied), so that whoever fills
 * input buffers never waits for the writer.
 */
#include "rootfs/packer.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "rootfs/codec.h"

#define SLOTS_PER_WORKER 8u
#define RING_BYTES_MAX (24u << 20)
/*
 * With as many workers as CPUs, whoever inflates and parses gets less than a CPU
 * while there is a backlog, and one CPU is idle when that is packed.  So they go
 * first (on Linux a thread has a nice value of its own).
 */
#define WORKER_NICE 3

struct worker {
	struct fb_packer *packer;
	struct fb_codec *codec;
	pthread_t thread;
	bool started;
};

struct fb_packer {
	int (*write)(void *ctx, const struct fb_packed *block,
		     struct fb_err *err);
	void *ctx;
	pthread_mutex_t lock;
	pthread_cond_t work;
	pthread_cond_t done;
	bool stop;
	bool waiting; /* the submitter waits for the oldest slot */
	uint64_t submitted;
	uint64_t taken;
	uint64_t written;
	struct fb_packed *slots;
	size_t slot_count;
	struct worker *workers;
	unsigned int worker_count;
	uint32_t block_bytes;
};

static uint64_t read64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static uint64_t mix(uint64_t a, uint64_t b)
{
	unsigned __int128 m = (unsigned __int128)a * b;

	return (uint64_t)m ^ (uint64_t)(m >> 64);
}

uint64_t fb_sum(const void *data, size_t len)
{
	const uint64_t k0 = 0x9e3779b97f4a7c15ull, k1 = 0xd1b54a32d192ed03ull;
	const uint8_t *p = data;
	uint64_t h = len * k0;
	uint8_t tail[16] = { 0 };

	for (; len >= 16; p += 16, len -= 16)
		h = mix(h ^ read64(p) ^ k1, k0 ^ read64(p + 8));
	memcpy(tail, p, len);
	return mix(h ^ read64(tail) ^ k1, k0 ^ read64(tail + 8));
}

static bool all_zero(const uint8_t *data, uint32_t len)
{
	/* equal to itself shifted by one byte */
	return data[0] == 0 && !memcmp(data, data + 1, len - 1);
}

static void pack(struct worker *w, struct fb_packed *b)
{
	int n;

	b->raw = false;
	b->out_len = 0;
	b->sum = 0;
	if (!all_zero(b->in, b->in_len)) {
		n = fb_codec_pack(w->codec, b->in, b->in_len, b->out);
		b->failed = n < 0 ? n : 0;
		b->raw = n == 0;
		b->out_len = n > 0 ? (uint32_t)n : b->in_len;
		if (b->raw)
			memcpy(b->out, b->in, b->in_len);
		b->sum = fb_sum(b->out, b->out_len);
	}
	if (b->hold)
		fb_hold_put(b->hold);
	b->hold = NULL;
}

static void *worker_main(void *arg)
{
	struct worker *w = arg;
	struct fb_packer *p = w->packer;
	struct fb_packed *b;

	/* more than 19 is 19; that it fails harms nobody */
	(void)setpriority(PRIO_PROCESS, 0,
			  getpriority(PRIO_PROCESS, 0) + WORKER_NICE);
	pthread_mutex_lock(&p->lock);
	for (;;) {
		while (p->taken == p->submitted && !p->stop)
			pthread_cond_wait(&p->work, &p->lock);
		if (p->stop)
			break;
		b = &p->slots[p->taken++ % p->slot_count];
		if (b->done) {
			if (p->waiting)
				pthread_cond_signal(&p->done);
			continue;
		}
		pthread_mutex_unlock(&p->lock);
		pack(w, b);
		pthread_mutex_lock(&p->lock);
		b->done = true;
		if (p->waiting && b == &p->slots[p->written % p->slot_count])
			pthread_cond_signal(&p->done);
	}
	pthread_mutex_unlock(&p->lock);
	return NULL;
}

/* The oldest slot, once it is packed; NULL if it is not, and not waited for */
static struct fb_packed *oldest(struct fb_packer *p, bool wait)
{
	struct fb_packed *b = &p->slots[p->written % p->slot_count];
	bool done;

	pthread_mutex_lock(&p->lock);
	/* one that came packed is done before a worker has seen it */
	while (wait && !(b->done && p->taken > p->written)) {
		p->waiting = true;
		pthread_cond_wait(&p->done, &p->lock);
	}
	p->waiting = false;
	done = b->done && p->taken > p->written;
	pthread_mutex_unlock(&p->lock);
	return done ? b : NULL;
}

/* Write what is packed; wait until at most @left slots are on their way */
static int write_done(struct fb_packer *p, uint64_t left, struct fb_err *err)
{
	struct fb_packed *b;
	int r = 0;

	while (r == 0 && p->written < p->submitted) {
		b = oldest(p, p->submitted - p->written > left);
		if (!b)
			break;
		r = b->failed ? fb_err_set(err, b->failed, "compress: %m")
			      : p->write(p->ctx, b, err);
		b->done = false;
		p->written++;
	}
	return r;
}

int fb_packer_begin(struct fb_packer *packer, struct fb_packed **ret,
		    struct fb_err *err)
{
	struct fb_packed *b;
	int r = write_done(packer, packer->slot_count - 1, err);

	if (r < 0)
		return r;
	b = &packer->slots[packer->submitted % packer->slot_count];
	if (!b->out)
		b->out = malloc(packer->block_bytes);
	if (!b->own)
		b->own = malloc(packer->block_bytes);
	if (!b->out || !b->own)
		return fb_err_set(err, -ENOMEM, "compress: %m");
	*ret = b;
	return 0;
}

void fb_packer_submit(struct fb_packer *packer)
{
	pthread_mutex_lock(&packer->lock);
	packer->submitted++;
	pthread_cond_signal(&packer->work);
	pthread_mutex_unlock(&packer->lock);
}

void fb_packer_submit_packed(struct fb_packer *packer)
{
	pthread_mutex_lock(&packer->lock);
	packer->slots[packer->submitted % packer->slot_count].done = true;
	packer->submitted++;
	pthread_cond_signal(&packer->work);
	pthread_mutex_unlock(&packer->lock);
}

int fb_packer_drain(struct fb_packer *packer, struct fb_err *err)
{
	return write_done(packer, 0, err);
}

static int start_workers(struct fb_packer *p,
			 const struct fb_rootfs_options *options,
			 struct fb_err *err)
{
	sigset_t all, before;
	struct worker *w;
	int failed = 0;

	/* signals are for the thread that has handlers */
	sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	for (; !failed && p->worker_count < options->workers;) {
		w = &p->workers[p->worker_count];
		w->packer = p;
		w->codec = fb_codec_new(options);
		failed = w->codec ? pthread_create(&w->thread, NULL,
						   worker_main, w)
				  : ENOMEM;
		w->started = !failed;
		p->worker_count++;
	}
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	return failed ? fb_err_set(err, -failed, "start a thread: %m") : 0;
}

static size_t ring_size(const struct fb_rootfs_options *o)
{
	size_t want = SLOTS_PER_WORKER * o->workers;
	size_t fits = RING_BYTES_MAX / (2u * o->block_bytes);
	size_t least = 2u * o->workers + 1;

	return want < fits ? want : fits > least ? fits : least;
}

int fb_packer_new(const struct fb_rootfs_options *options,
		  int (*write)(void *ctx, const struct fb_packed *block,
			       struct fb_err *err),
		  void *ctx, struct fb_packer **ret, struct fb_err *err)
{
	struct fb_packer *p = calloc(1, sizeof(*p));
	int r;

	if (!p)
		return fb_err_set(err, -ENOMEM, "compress: %m");
	(void)pthread_mutex_init(&p->lock, NULL);
	(void)pthread_cond_init(&p->work, NULL);
	(void)pthread_cond_init(&p->done, NULL);
	p->write = write;
	p->ctx = ctx;
	p->block_bytes = options->block_bytes;
	p->slot_count = ring_size(options);
	p->slots = calloc(p->slot_count, sizeof(*p->slots));
	p->workers = calloc(options->workers, sizeof(*p->workers));
	r = p->slots && p->workers ? start_workers(p, options, err)
				   : fb_err_set(err, -ENOMEM, "compress: %m");
	if (r < 0) {
		fb_packer_free(p);
		return r;
	}
	*ret = p;
	return 0;
}

static void release_slots(struct fb_packer *p)
{
	for (size_t i = 0; p->slots && i < p->slot_count; i++) {
		if (p->slots[i].hold)
			fb_hold_put(p->slots[i].hold);
		free(p->slots[i].own);
		free(p->slots[i].out);
	}
	free(p->slots);
}

void fb_packer_free(struct fb_packer *packer)
{
	if (!packer)
		return;
	pthread_mutex_lock(&packer->lock);
	packer->stop = true;
	pthread_cond_broadcast(&packer->work);
	pthread_mutex_unlock(&packer->lock);
	for (unsigned int i = 0; i < packer->worker_count; i++) {
		if (packer->workers[i].started)
			(void)pthread_join(packer->workers[i].thread, NULL);
		fb_codec_free(packer->workers[i].codec);
	}
	free(packer->workers);
	release_slots(packer);
	(void)pthread_mutex_destroy(&packer->lock);
	(void)pthread_cond_destroy(&packer->work);
	(void)pthread_cond_destroy(&packer->done);
	free(packer);
}
