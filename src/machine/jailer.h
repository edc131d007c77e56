/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Firecracker's jailer: a user id, a root folder, control groups and namespaces for
 * one VMM.  What happens around it: machine/jail.h.
 */
#ifndef FB_MACHINE_JAILER_H
#define FB_MACHINE_JAILER_H

#include <stdint.h>

#include "base/err.h"
#include "machine/cgroups.h"
#include "machine/plan.h"

#define FB_JAILER_WHY_MAX 256
/* the control group above those of the machines, in each hierarchy */
#define FB_JAILER_CGROUP "flamebox"

/**
 * fb_jailer_program() - Where the jailer of a VMM is looked for
 * @wish:   "auto" or NULL, "off", or its path
 * @binary: Its name: beside the VMM
 * @vmm:    The VMM's program
 *
 * Return: malloc'ed path (returned); NULL where there is no such program.
 */
char *fb_jailer_program(const char *wish, const char *binary, const char *vmm);

/**
 * fb_jailer_find() - Is a VMM to be started through the jailer?
 * @wish:    "auto" or NULL, "off", or its path
 * @binary:  Its name, beside the VMM; NULL = this VMM has none
 * @vmm:     The VMM's program
 * @ret:     Its absolute path (returned) where it is, otherwise NULL
 * @ret_why: Why it is not, or ""
 *
 * auto takes it where root starts machines, has the rights that it needs and may use
 * them (fb_jail_try()), and where it stands beside a VMM that can be jailed: one
 * that is linked statically, since its root folder has no libraries.
 *
 * Return: 0; with a path as @wish: -EPERM, -ENOENT, -EINVAL what it lacks; -ENOMEM.
 */
int fb_jailer_find(const char *wish, const char *binary, const char *vmm,
		   char **ret, char ret_why[FB_JAILER_WHY_MAX],
		   struct fb_err *err);

/**
 * struct fb_jailer - How one VMM is started; everything borrowed
 * @program:      The jailer
 * @vmm:          The VMM, an absolute path without symbolic links
 * @id:           Of the machine: letters, digits, '-', at most 64
 * @uid, @gid:    Its own
 * @folder_fd:    The machine's folder among the plan's descriptors
 * @cgroups:      Of the host
 * @cpu_quota_us: Of 100 ms
 * @memory_bytes: Of the guest
 * @file_bytes:   Largest file that it writes
 */
struct fb_jailer {
	const char *program;
	const char *vmm;
	const char *id;
	uid_t uid;
	gid_t gid;
	int folder_fd;
	struct fb_cgroups cgroups;
	uint64_t cpu_quota_us;
	uint64_t memory_bytes;
	uint64_t file_bytes;
};

/**
 * fb_jailer_wrap() - Turn a plan's VMM into one that the jailer starts
 * @vmm: As its engine rendered it (borrowed, changed; of no use on failure)
 *
 * Pure.  The paths that it was given stay what they are: in its root folder they
 * lead to the same files.
 *
 * Return: 0; -EINVAL; -ENOMEM.
 */
int fb_jailer_wrap(const struct fb_jailer *jailer, struct fb_plan_process *vmm,
		   struct fb_err *err);

#endif
