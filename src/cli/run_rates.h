/* SPDX-License-Identifier: Apache-2.0 */
/* --device-read-bps and its siblings. */
#ifndef FB_CLI_RUN_RATES_H
#define FB_CLI_RUN_RATES_H

#include "base/err.h"
#include "base/str.h"
#include "container/container.h"

/**
 * fb_run_rates_parse() - "/dev/vdb:1mb" to what it limits
 * @words: As typed (borrowed)
 * @kind:  Of which option they are
 * @ret:   Disk by disk; what is not named stays.  Of two for one disk the later counts
 *
 * Bytes may have a unit, operations not; 0 is no limit.
 *
 * Return: 0; -EINVAL in docker's words.
 */
int fb_run_rates_parse(const struct fb_strv *words, enum fb_machine_rate kind,
		       uint64_t ret[FB_CONTAINER_DISKS_MAX][FB_RATE_COUNT],
		       struct fb_err *err);

#endif
