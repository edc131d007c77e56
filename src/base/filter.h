/* SPDX-License-Identifier: Apache-2.0 */
/* A filter of system calls: all but those that are named. */
#ifndef FB_BASE_FILTER_H
#define FB_BASE_FILTER_H

#include <stdbool.h>
#include <stddef.h>

#define FB_FILTER_CALLS_MAX 64

/**
 * fb_filter_calls() - From now on these system calls fail with EPERM
 * @denied:  Their numbers
 * @count:   Of @denied, at most FB_FILTER_CALLS_MAX
 * @threads: The process may make threads, but no processes; otherwise neither
 *
 * Holds for everything that this process runs as well.  Calls of other ABIs end the
 * process.  Sets no_new_privs, and so needs no right; async-signal-safe.
 *
 * Return: 0; -E2BIG; a negative errno where the kernel has no such filters.
 */
int fb_filter_calls(const unsigned int *denied, size_t count, bool threads);

#endif
