/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_GUEST_TRACE_H
#define FB_GUEST_TRACE_H

#include <stdint.h>

#include "channel.h"

#define FB_TRACE_MAX 32u

/**
 * struct fb_trace - When each phase was reached
 * @count: Marks set
 * @sent:  Marks that the host has been told
 * @marks: Name and CLOCK_BOOTTIME in nanoseconds
 *
 * Shared between init and the process that becomes the entrypoint.
 */
struct fb_trace {
	unsigned int count;
	unsigned int sent;
	struct {
		char name[16];
		uint64_t ns;
	} marks[FB_TRACE_MAX];
};

/** fb_trace_new() - Return: zeroed object in shared memory; NULL where there is none */
struct fb_trace *fb_trace_new(void);

/** fb_trace_mark() - The phase @name is reached; NULL is fine, over the maximum too */
void fb_trace_mark(struct fb_trace *trace, const char *name);

/** fb_trace_send() - Queue a LOG frame "phase NAME NANOSECONDS" for each new mark */
void fb_trace_send(struct fb_trace *trace, struct fb_channel *ch);

#endif
