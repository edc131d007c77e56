/* SPDX-License-Identifier: Apache-2.0 */
/* A conversion that runs beside its caller: the pipeline on a thread of its own. */
#ifndef FB_ROOTFS_JOB_H
#define FB_ROOTFS_JOB_H

#include "rootfs/convert.h"

struct fb_rootfs_job; /* opaque */

/**
 * fb_rootfs_job_start() - fb_rootfs_convert(), without waiting for it
 * @layers:  Copied; their sources are borrowed until the job has ended, are read
 *           by its threads, and must be such that can be cancelled where their
 *           reads may wait
 * @out_fd:  Borrowed likewise
 * @options: Copied; @progress is not called.  What it logs is told by
 *           fb_rootfs_job_end(), on the caller's thread
 * @ret:     Job (returned); end it with fb_rootfs_job_end()
 *
 * Return: 0; -ENOMEM; -EAGAIN no thread can be made.
 */
int fb_rootfs_job_start(const struct fb_rootfs_layer *layers, size_t count,
			int out_fd, const struct fb_rootfs_options *options,
			struct fb_rootfs_job **ret, struct fb_err *err);

/**
 * fb_rootfs_job_wait() - Wait for it for a while
 * @timeout_ms: 0 = only look
 *
 * Return: whether it has ended.
 */
bool fb_rootfs_job_wait(struct fb_rootfs_job *job, unsigned int timeout_ms);

/** fb_rootfs_job_done_bytes() - Bytes of the layers that were read so far */
uint64_t fb_rootfs_job_done_bytes(const struct fb_rootfs_job *job);

/**
 * fb_rootfs_job_end() - Wait for its end, or break it off; free it
 * @job:    Job (taken); NULL is fine
 * @cancel: Don't let it go on
 * @ret:    Written on success only; may be NULL
 *
 * Return: as fb_rootfs_convert(); -ECANCELED.
 */
int fb_rootfs_job_end(struct fb_rootfs_job *job, bool cancel,
		      struct fb_rootfs_result *ret, struct fb_err *err);

#endif
