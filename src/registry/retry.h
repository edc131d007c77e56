/* SPDX-License-Identifier: Apache-2.0 */
/* How often and how soon something is tried again. Pure but for the jitter. */
#ifndef FB_REGISTRY_RETRY_H
#define FB_REGISTRY_RETRY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

#define FB_RETRY_ATTEMPTS_MAX 5
#define FB_RETRY_PAUSE_MAX_MS 30000u
#define FB_RETRY_AFTER_MAX_S 60u

/**
 * struct fb_retry - Attempts at one thing since it last got on
 * @failures: In a row
 * @until_ms: fb_now_ms() before which it is not tried again
 * @first_ms: First pause, doubled from failure to failure
 */
struct fb_retry {
	unsigned int failures;
	uint64_t until_ms;
	unsigned int first_ms;
};

/** fb_retry_status() - An HTTP status that may be another one in a while */
bool fb_retry_status(int status);

/**
 * fb_retry_pause_ms() - The pause after the @failures-th failure in a row
 * @first_ms: First pause
 * @random:   Any number: moves the pause by up to a quarter either way
 */
unsigned int fb_retry_pause_ms(unsigned int failures, unsigned int first_ms,
			       uint32_t random);

/**
 * fb_retry_next() - Note a failure and decide
 * @retry:       Mutated: @until_ms is when to try again
 * @retry_after: That header's value, or ""
 *
 * Return: 0; -EAGAIN attempts used up; -EBUSY it asks for a pause of more than
 * FB_RETRY_AFTER_MAX_S.
 */
int fb_retry_next(struct fb_retry *retry, const char *retry_after);

/** fb_retry_reset() - It got on: the next failure is a first one */
void fb_retry_reset(struct fb_retry *retry);

#endif
