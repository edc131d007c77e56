/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The process that a running container has: it owns the VMM and the channel,
 * relays between guest and client, and writes the exit record.
 */
#ifndef FB_CONTAINER_MONITOR_H
#define FB_CONTAINER_MONITOR_H

#include <stdbool.h>

/**
 * struct fb_monitor_options - How one machine is seen through
 * @boot_timeout_s:  For the guest to become ready, and then to start the command
 * @reset_timeout_s: For the guest to come to rest after its exit record
 * @discard:         Nobody will use the writable disk again: no need to wait
 */
struct fb_monitor_options {
	unsigned int boot_timeout_s;
	unsigned int reset_timeout_s;
	bool discard;
};

/**
 * fb_monitor_run() - Start the machine of the inherited plan and see it through
 * @options: How (borrowed); the rest is in the descriptors of launch.h
 *
 * Return: exit status: 0 where a record was written, 1 otherwise.
 */
int fb_monitor_run(const struct fb_monitor_options *options);

#endif
