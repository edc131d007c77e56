/* SPDX-License-Identifier: Apache-2.0 */
#include "trace.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

struct fb_trace *fb_trace_new(void)
{
	void *p = mmap(NULL, sizeof(struct fb_trace), PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

void fb_trace_mark(struct fb_trace *trace, const char *name)
{
	struct timespec ts;
	unsigned int i;

	if (!trace || trace->count >= FB_TRACE_MAX)
		return;
	(void)clock_gettime(CLOCK_BOOTTIME, &ts);
	/* init and the new process may be here at the same time */
	i = __atomic_fetch_add(&trace->count, 1, __ATOMIC_RELAXED);
	if (i >= FB_TRACE_MAX)
		return;
	(void)snprintf(trace->marks[i].name, sizeof(trace->marks[0].name), "%s",
		       name);
	trace->marks[i].ns =
		(uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

void fb_trace_send(struct fb_trace *trace, struct fb_channel *ch)
{
	uint8_t frame[FB_FRAME_HEADER_SIZE + 64];

	while (trace && trace->sent < trace->count &&
	       trace->sent < FB_TRACE_MAX) {
		unsigned int i = trace->sent++;
		int len = snprintf((char *)frame + FB_FRAME_HEADER_SIZE, 64,
				   "phase %s %llu", trace->marks[i].name,
				   (unsigned long long)trace->marks[i].ns);

		fb_frame_put_header(
			frame, &(struct fb_frame){ .type = FB_GUEST_LOG,
						   .length = (uint32_t)len });
		(void)fb_channel_put(ch, frame,
				     FB_FRAME_HEADER_SIZE + (size_t)len);
	}
}
