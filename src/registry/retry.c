/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/retry.h"

#include <errno.h>
#include <sys/random.h>
#include <time.h>

#include "base/clock.h"
#include "registry/header.h"

bool fb_retry_status(int status)
{
	switch (status) {
	case 408:
	case 425:
	case 429:
	case 500:
	case 502:
	case 503:
	case 504:
		return true;
	default:
		return false;
	}
}

unsigned int fb_retry_pause_ms(unsigned int failures, unsigned int first_ms,
			       uint32_t random)
{
	uint64_t pause = first_ms;

	for (unsigned int i = 1; i < failures && pause < FB_RETRY_PAUSE_MAX_MS;
	     i++)
		pause *= 2;
	if (pause > FB_RETRY_PAUSE_MAX_MS)
		pause = FB_RETRY_PAUSE_MAX_MS;
	/* 75 … 125 %, so that a thousand clients do not come back as one */
	return (unsigned int)(pause * 3 / 4 + pause * (random % 1024) / 2048);
}

static uint32_t random_number(void)
{
	uint32_t n = 0;

	if (getrandom(&n, sizeof(n), GRND_NONBLOCK) != (ssize_t)sizeof(n))
		n = (uint32_t)fb_now_ns();
	return n;
}

int fb_retry_next(struct fb_retry *retry, const char *retry_after)
{
	uint64_t asked_s = 0;
	uint64_t pause_ms;

	if (++retry->failures > FB_RETRY_ATTEMPTS_MAX)
		return -EAGAIN;
	if (*retry_after)
		(void)fb_retry_after_parse(retry_after, (int64_t)time(NULL),
					   &asked_s);
	if (asked_s > FB_RETRY_AFTER_MAX_S)
		return -EBUSY;
	pause_ms = fb_retry_pause_ms(retry->failures, retry->first_ms,
				     random_number());
	if (pause_ms < asked_s * 1000)
		pause_ms = asked_s * 1000;
	retry->until_ms = fb_now_ms() + pause_ms;
	return 0;
}

void fb_retry_reset(struct fb_retry *retry)
{
	retry->failures = 0;
	retry->until_ms = 0;
}
