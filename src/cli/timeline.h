/* SPDX-License-Identifier: Apache-2.0 */
/* When each phase of a run was reached: `run --timeline FILE`. */
#ifndef FB_CLI_TIMELINE_H
#define FB_CLI_TIMELINE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

#define FB_TIMELINE_MARKS_MAX 32

struct fb_timeline_mark {
	char name[24];
	uint64_t ns;
};

/** struct fb_timeline - Marks in the order of their times */
struct fb_timeline {
	uint64_t start_ns;
	struct fb_timeline_mark marks[FB_TIMELINE_MARKS_MAX];
	size_t count;
};

/** fb_timeline_start() - Time zero */
void fb_timeline_start(struct fb_timeline *t);

/**
 * fb_timeline_mark() - A phase was reached now
 * @name: Copied, at most 23 bytes; the guest says some of them, so whatever is no
 *        letter, digit, space or one of "-._" becomes "_"
 */
void fb_timeline_mark(struct fb_timeline *t, const char *name);

/** fb_timeline_mark_at() - A phase was reached then (CLOCK_MONOTONIC); 0 = never */
void fb_timeline_mark_at(struct fb_timeline *t, const char *name, uint64_t ns);

/**
 * fb_timeline_draw() - As SVG
 * @t:   Timeline (borrowed)
 * @out: Appended to; 16 KiB are enough
 *
 * Pure.  Return: 0; -E2BIG; -ENOMEM.
 */
int fb_timeline_draw(const struct fb_timeline *t, struct fb_str *out);

/**
 * fb_timeline_write() - Into a file
 * @path: With ".svg" at its end a picture, otherwise
 *        {"phases": [{"name":…, "at_ms":…, "took_ms":…}…]}
 *
 * Return: 0; a negative errno.
 */
int fb_timeline_write(const struct fb_timeline *t, const char *path,
		      struct fb_err *err);

#endif
