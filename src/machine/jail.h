/* SPDX-License-Identifier: Apache-2.0 */
/* What surrounds a jailer, and goes with it. */
#ifndef FB_MACHINE_JAIL_H
#define FB_MACHINE_JAIL_H

#include "machine/plan.h"

/**
 * fb_jail_try() - May this process make what a jail is made of?
 *
 * A child makes mounts and namespaces as fb_jail_enter() does, and goes with them: a
 * root that a security module or a container keeps from it has the capabilities
 * all the same.
 *
 * Return: 0; a negative errno.
 */
int fb_jail_try(void);

/**
 * fb_jail_enter() - Make the surroundings, and be the jailer in them
 * @process: The jailer's; its descriptors lie at their numbers, all others may be
 *           closed (borrowed)
 *
 * Called in the first process of a PID namespace, as root.  Returns in a child of
 * it, which is to run the jailer; the caller itself waits for everything that comes
 * of that, and ends as the VMM did, see fb_jail_status().
 *
 * Return: 0; a negative errno.
 */
int fb_jail_enter(const struct fb_plan_process *process);

/**
 * fb_jail_status() - How the VMM ended
 * @status: Of the process that fb_jail_enter() was called in, as waitpid() gives it
 *
 * Return: the VMM's, likewise.
 */
int fb_jail_status(int status);

/**
 * fb_jail_remove_cgroups() - Remove the control groups that a jailer left
 * @process: Whose processes have ended (borrowed)
 */
void fb_jail_remove_cgroups(const struct fb_plan_process *process);

#endif
