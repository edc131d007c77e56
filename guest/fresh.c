/* SPDX-License-Identifier: Apache-2.0 */
#include "fresh.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/random.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"

static int set_clock(const struct fb_guest_spec *spec, struct fb_err *err)
{
	const struct timespec now = { .tv_sec = (time_t)spec->clock_sec,
				      .tv_nsec = (long)spec->clock_nsec };

	if (clock_settime(CLOCK_REALTIME, &now) < 0)
		return fb_err_set(err, -errno, "set the clock: %m");
	return 0;
}

static int reseed(const uint8_t *seed, struct fb_err *err)
{
	FB_FD int fd = open("/dev/urandom", O_WRONLY | O_CLOEXEC);
	union {
		struct rand_pool_info info;
		uint8_t bytes[sizeof(struct rand_pool_info) +
			      FB_SPEC_SEED_SIZE];
	} pool = { .info = { .entropy_count = 8 * FB_SPEC_SEED_SIZE,
			     .buf_size = FB_SPEC_SEED_SIZE } };

	memcpy(pool.info.buf, seed, FB_SPEC_SEED_SIZE);
	/* the first only fills the pool; the second makes the generator use it */
	if (fd < 0 || ioctl(fd, RNDADDENTROPY, &pool) < 0 ||
	    ioctl(fd, RNDRESEEDCRNG) < 0)
		return fb_err_set(err, -errno, "seed the random numbers: %m");
	return 0;
}

int fb_fresh_apply(const struct fb_guest_spec *spec, struct fb_err *err)
{
	int r = spec->has_clock ? set_clock(spec, err) : 0;

	if (r == 0 && spec->has_seed)
		r = reseed(spec->seed, err);
	return r;
}
