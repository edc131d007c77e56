/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_BASE_CLOCK_H
#define FB_BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

/** fb_now_ns() - CLOCK_MONOTONIC in nanoseconds */
static inline uint64_t fb_now_ns(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

/** fb_now_ms() - CLOCK_MONOTONIC in milliseconds */
static inline uint64_t fb_now_ms(void)
{
	return fb_now_ns() / 1000000u;
}

#endif
