/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The process that a running container has: it owns the VMM and the channel,
 * relays between guest and client, and writes the exit record.
 */
#ifndef FB_CONTAINER_MONITOR_H
#define FB_CONTAINER_MONITOR_H

#include <stdbool.h>
#include <stdint.h>

/**
 * fb_monitor_run() - Start the machine of the inherited plan and see it through
 * @boot_timeout_s: How long the guest may take to become ready
 * @discard:        Nobody will use the writable disk again
 *
 * Return: exit status: 0 where a record was written, 1 otherwise.
 */
int fb_monitor_run(unsigned int boot_timeout_s, bool discard);

#endif
