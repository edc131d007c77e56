/* SPDX-License-Identifier: Apache-2.0 */
#include "rootfs/job.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/str.h"

/* most lines that are kept until the caller asks for them */
#define LINES_MAX 256u

struct line {
	enum fb_log_level level;
	char *text;
};

/**
 * struct fb_rootfs_job - Shared by the caller and the thread
 * @log:     The caller's sink, or NULL
 * @collect: What the conversion logs to
 * @lines:   The thread's until it has ended
 */
struct fb_rootfs_job {
	struct fb_rootfs_layer *layers;
	size_t count;
	int out_fd;
	struct fb_rootfs_options options;
	const struct fb_log *log;
	struct fb_log collect;
	struct line lines[LINES_MAX];
	size_t line_count;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool ended;
	atomic_bool cancelled;
	_Atomic uint64_t done_bytes;
	struct fb_rootfs_result result;
	int code;
	struct fb_err err;
};

static void keep_line(void *ctx, enum fb_log_level level, const char *line)
{
	struct fb_rootfs_job *job = ctx;
	char *text;

	if (job->line_count == LINES_MAX)
		return;
	text = strdup(line);
	if (text)
		job->lines[job->line_count++] = (struct line){ level, text };
}

static int note_progress(void *ctx, uint64_t done_bytes, uint64_t total_bytes)
{
	struct fb_rootfs_job *job = ctx;

	(void)total_bytes;
	job->done_bytes = done_bytes;
	return job->cancelled ? -ECANCELED : 0;
}

static void *job_main(void *arg)
{
	struct fb_rootfs_job *job = arg;

	job->code = fb_rootfs_convert(job->layers, job->count, job->out_fd,
				      &job->options, &job->result, &job->err);
	pthread_mutex_lock(&job->lock);
	job->ended = true;
	pthread_cond_broadcast(&job->changed);
	pthread_mutex_unlock(&job->lock);
	return NULL;
}

static void job_free(struct fb_rootfs_job *job)
{
	for (size_t i = 0; i < job->line_count; i++) {
		if (job->log && job->log->emit)
			job->log->emit(job->log->ctx, job->lines[i].level,
				       job->lines[i].text);
		free(job->lines[i].text);
	}
	(void)pthread_mutex_destroy(&job->lock);
	(void)pthread_cond_destroy(&job->changed);
	free(job->layers);
	free(job);
}

static int start_thread(struct fb_rootfs_job *job)
{
	sigset_t all, before;
	int failed;

	/* signals are for the thread that has handlers */
	sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	failed = pthread_create(&job->thread, NULL, job_main, job);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	return -failed;
}

static void init_clock(pthread_cond_t *cond)
{
	pthread_condattr_t attr;

	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_cond_init(cond, &attr);
	(void)pthread_condattr_destroy(&attr);
}

int fb_rootfs_job_start(const struct fb_rootfs_layer *layers, size_t count,
			int out_fd, const struct fb_rootfs_options *options,
			struct fb_rootfs_job **ret, struct fb_err *err)
{
	struct fb_rootfs_job *job = calloc(1, sizeof(*job));
	int r;

	if (!job)
		return fb_err_set(err, -ENOMEM, "convert: %m");
	(void)pthread_mutex_init(&job->lock, NULL);
	init_clock(&job->changed);
	if (options)
		job->options = *options;
	job->log = job->options.log;
	if (job->log) {
		job->collect = *job->log;
		job->collect.emit = keep_line;
		job->collect.ctx = job;
		job->options.log = &job->collect;
	}
	job->options.progress = note_progress;
	job->options.progress_ctx = job;
	job->out_fd = out_fd;
	job->count = count;
	job->layers = calloc(count + 1, sizeof(*job->layers));
	r = job->layers ? 0 : -ENOMEM;
	if (r == 0) {
		memcpy(job->layers, layers, count * sizeof(*layers));
		r = start_thread(job);
	}
	if (r < 0) {
		job_free(job);
		return fb_err_set(err, r, "start a conversion: %m");
	}
	*ret = job;
	return 0;
}

bool fb_rootfs_job_wait(struct fb_rootfs_job *job, unsigned int timeout_ms)
{
	struct timespec until;
	bool ended;
	int r = 0;

	(void)clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += timeout_ms / 1000;
	until.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_nsec -= 1000000000;
		until.tv_sec++;
	}
	pthread_mutex_lock(&job->lock);
	while (!job->ended && timeout_ms && r == 0)
		r = pthread_cond_timedwait(&job->changed, &job->lock, &until);
	ended = job->ended;
	pthread_mutex_unlock(&job->lock);
	return ended;
}

uint64_t fb_rootfs_job_done_bytes(const struct fb_rootfs_job *job)
{
	return job->done_bytes;
}

int fb_rootfs_job_end(struct fb_rootfs_job *job, bool cancel,
		      struct fb_rootfs_result *ret, struct fb_err *err)
{
	int code;

	if (!job)
		return 0;
	job->cancelled = cancel;
	for (size_t i = 0; cancel && i < job->count; i++)
		if (job->layers[i].source)
			fb_source_cancel(job->layers[i].source);
	(void)pthread_join(job->thread, NULL);
	code = job->code;
	if (code < 0 && err)
		*err = job->err;
	if (code == 0 && ret)
		*ret = job->result;
	job_free(job);
	return code;
}
