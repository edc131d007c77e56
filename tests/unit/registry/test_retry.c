/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/retry.h"

#include <errno.h>

#include "base/clock.h"
#include "tap.h"

static void test_pauses(void)
{
	TAP_INT(fb_retry_pause_ms(1, 500, 512), 500, "the first");
	TAP_INT(fb_retry_pause_ms(2, 500, 512), 1000, "doubled");
	TAP_INT(fb_retry_pause_ms(5, 500, 512), 8000, "four times");
	TAP_INT(fb_retry_pause_ms(1000000, 500, 512), 30000, "not for ever");
	TAP_INT(fb_retry_pause_ms(1, 1000, 0), 750, "a quarter less");
	TAP_OK(fb_retry_pause_ms(1, 1000, 1023) <= 1250, "a quarter more");
}

static void test_next(void)
{
	struct fb_retry r = { .first_ms = 100 };
	uint64_t now = fb_now_ms();

	TAP_INT(fb_retry_next(&r, ""), 0, "a first failure");
	TAP_OK(r.until_ms >= now + 75 && r.until_ms <= fb_now_ms() + 125,
	       "a first pause");
	TAP_INT(fb_retry_next(&r, "2"), 0, "asked to wait");
	TAP_OK(r.until_ms >= now + 2000, "for two seconds");
	TAP_INT(fb_retry_next(&r, "61"), -EBUSY, "asked to wait for long");
	TAP_INT(fb_retry_next(&r, "rubbish"), 0, "a header that says nothing");
	TAP_INT(fb_retry_next(&r, ""), 0, "the fifth failure");
	TAP_INT(fb_retry_next(&r, ""), -EAGAIN, "the sixth is the last");
	fb_retry_reset(&r);
	TAP_INT(fb_retry_next(&r, ""), 0, "it got on: the first again");
}

static void test_statuses(void)
{
	TAP_OK(fb_retry_status(429) && fb_retry_status(503) &&
		       fb_retry_status(500) && fb_retry_status(408),
	       "may be another one later");
	TAP_OK(!fb_retry_status(200) && !fb_retry_status(401) &&
		       !fb_retry_status(404) && !fb_retry_status(501),
	       "will not");
}

int main(void)
{
	test_pauses();
	test_next();
	test_statuses();
	return tap_done();
}
