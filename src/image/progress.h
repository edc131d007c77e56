/* SPDX-License-Identifier: Apache-2.0 */
/* What long work says about itself; src/cli/ renders it. */
#ifndef FB_IMAGE_PROGRESS_H
#define FB_IMAGE_PROGRESS_H

#include <stdint.h>

enum fb_progress_phase {
	FB_PROGRESS_RESOLVING, /* asking the registry; id: the reference */
	FB_PROGRESS_WAITING,   /* another process does it; id: the reference */
	FB_PROGRESS_DOWNLOADING, /* id: a blob's digest */
	FB_PROGRESS_UPLOADING,	 /* likewise */
	FB_PROGRESS_LOADING,  /* reading an archive; id: a member or a digest */
	FB_PROGRESS_EXISTS,   /* id: a blob that is there already */
	FB_PROGRESS_COMPLETE, /* id: a blob that is whole and verified */
	FB_PROGRESS_CONVERTING, /* id: the image's digest; bytes of its layers */
	FB_PROGRESS_VERIFYING,	/* hashing what is there; id: a digest */
	FB_PROGRESS_SAVING,	/* writing an archive; id: a blob's digest */
	FB_PROGRESS_DONE,	/* id: the reference */
};

/**
 * struct fb_progress_event - One thing that happened
 * @phase:       What
 * @id:          On what (borrowed during the call)
 * @done_bytes:  So far
 * @total_bytes: Of all; 0 = not known
 */
struct fb_progress_event {
	enum fb_progress_phase phase;
	const char *id;
	uint64_t done_bytes;
	uint64_t total_bytes;
};

/**
 * struct fb_progress - Who wants to know; NULL and a zeroed one: nobody
 * @event: Called often (every few dozen kB): draw at your own pace
 * @tick:  Called at least four times a second while work waits; a negative
 *         errno cancels it.  May be NULL
 * @ctx:   Passed to both
 */
struct fb_progress {
	void (*event)(void *ctx, const struct fb_progress_event *event);
	int (*tick)(void *ctx);
	void *ctx;
};

/** fb_progress() - Send one event; NULL is fine */
void fb_progress(const struct fb_progress *progress,
		 enum fb_progress_phase phase, const char *id,
		 uint64_t done_bytes, uint64_t total_bytes);

/** fb_progress_tick() - Return: 0, or the negative errno that cancels */
int fb_progress_tick(const struct fb_progress *progress);

#endif
