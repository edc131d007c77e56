/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/tsc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/io.h"

#define CACHE_FILE "tsc"
#define CACHE_MAX 128
#define KHZ_MIN 100000u
#define KHZ_MAX 20000000u

uint32_t fb_tsc_parse(const char *text, const char *boot)
{
	size_t n = strlen(boot);
	unsigned long khz;
	char *end;

	if (n == 0 || strncmp(text, boot, n) || text[n] != ' ' ||
	    text[n + 1] < '1' || text[n + 1] > '9')
		return 0;
	khz = strtoul(text + n + 1, &end, 10);
	return !strcmp(end, "\n") && khz >= KHZ_MIN && khz <= KHZ_MAX
		       ? (uint32_t)khz
		       : 0;
}

#ifdef __x86_64__
#include <cpuid.h>

#define MEASURE_NS 30000000
#define TRIES 5

/* it ticks at one rate whatever the processor's frequency and sleep states */
static bool is_constant(void)
{
	unsigned int a, b, c, d = 0;

	return __get_cpuid(0x80000007, &a, &b, &c, &d) && (d & 1u << 8);
}

static uint64_t clock_ns(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC_RAW, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

/* both clocks at once: of some tries the one that was interrupted least */
static void read_both(uint64_t *ticks, uint64_t *ns)
{
	uint64_t best = UINT64_MAX, before, at, after;

	for (int i = 0; i < TRIES; i++) {
		before = clock_ns();
		at = __builtin_ia32_rdtsc();
		after = clock_ns();
		if (after - before >= best)
			continue;
		best = after - before;
		*ticks = at;
		*ns = before + best / 2;
	}
}

static uint32_t measure(void)
{
	struct timespec pause = { .tv_nsec = MEASURE_NS };
	uint64_t ticks[2] = { 0 }, ns[2] = { 0 };
	double khz;

	if (!is_constant())
		return 0;
	read_both(&ticks[0], &ns[0]);
	(void)nanosleep(&pause, NULL);
	read_both(&ticks[1], &ns[1]);
	if (ns[1] <= ns[0])
		return 0;
	khz = (double)(ticks[1] - ticks[0]) * 1e6 / (double)(ns[1] - ns[0]);
	return khz >= KHZ_MIN && khz <= KHZ_MAX ? (uint32_t)(khz + 0.5) : 0;
}
#else
static uint32_t measure(void)
{
	return 0;
}
#endif

uint32_t fb_tsc_khz(int cache_dir_fd)
{
	FB_FREE char *boot = NULL, *text = NULL;
	char line[CACHE_MAX];
	uint32_t khz = 0;
	int n;

	if (cache_dir_fd < 0 ||
	    fb_read_file_at(AT_FDCWD, "/proc/sys/kernel/random/boot_id",
			    CACHE_MAX / 2, &boot, NULL) < 0)
		return measure();
	boot[strcspn(boot, "\n")] = '\0';
	if (fb_read_file_at(cache_dir_fd, CACHE_FILE, CACHE_MAX, &text, NULL) ==
	    0)
		khz = fb_tsc_parse(text, boot);
	if (khz)
		return khz;
	khz = measure();
	n = snprintf(line, sizeof(line), "%s %u\n", boot, khz);
	/* a cache that can't be written only costs the next measurement */
	if (khz && n > 0)
		(void)fb_write_file_at(cache_dir_fd, CACHE_FILE, line,
				       (size_t)n, 0600);
	return khz;
}
