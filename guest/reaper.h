/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_GUEST_REAPER_H
#define FB_GUEST_REAPER_H

#include <stdbool.h>
#include <sys/types.h>

/**
 * fb_reaper_run() - Be the small PID 1 of --init
 * @child:    The entrypoint, a child of ours
 *
 * Reaps whatever ends, passes signals on to @child, and ends as @child ends:
 * with its status, or 128 and its signal.  All descriptors are let go of.
 */
_Noreturn void fb_reaper_run(pid_t child);

/** fb_reaper_detach() - The entrypoint's side: a process group of its own, in the foreground */
void fb_reaper_detach(bool terminal);

#endif
