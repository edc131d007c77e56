/* SPDX-License-Identifier: Apache-2.0 */
/* The programs of a machine: the monitor's children, which die with it. */
#ifndef FB_CONTAINER_CHILDREN_H
#define FB_CONTAINER_CHILDREN_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"
#include "machine/plan.h"

/**
 * struct fb_children - A plan, and what of it runs
 * @plan:    The machine; its last process is the VMM
 * @pids:    Of those that were started and not reaped yet, otherwise 0
 * @pidfds:  Likewise, otherwise -EBADF
 */
struct fb_children {
	struct fb_plan plan;
	pid_t pids[FB_PLAN_PROCESSES_MAX];
	int pidfds[FB_PLAN_PROCESSES_MAX];
};

/** fb_children_init() - Nothing runs */
void fb_children_init(struct fb_children *c);

/**
 * fb_children_start() - Start a plan's processes in its order
 * @plan_fd: fb_plan_encode()'s bytes, from offset 0 (borrowed)
 *
 * The caller closes what the plan gives away, so that the end of a process is the
 * end of its connections.
 *
 * Return: 0; -EBADMSG a malformed plan; a negative errno.
 */
int fb_children_start(struct fb_children *c, int plan_fd, struct fb_err *err);

/** fb_children_vmm_fd() - The VMM's pidfd (borrowed), -EBADF when it does not run */
int fb_children_vmm_fd(const struct fb_children *c);

/** fb_children_kill_vmm() - SIGKILL to it, if it runs */
void fb_children_kill_vmm(const struct fb_children *c);

/** fb_children_reap_vmm() - Wait for it. Return: its status as waitpid() gives it */
int fb_children_reap_vmm(struct fb_children *c);

/** fb_children_release() - Kill and reap all that run; free the plan */
void fb_children_release(struct fb_children *c);

#endif
