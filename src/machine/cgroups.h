/* SPDX-License-Identifier: Apache-2.0 */
/* The host's control groups: which of them can limit a machine. */
#ifndef FB_MACHINE_CGROUPS_H
#define FB_MACHINE_CGROUPS_H

#define FB_CGROUPS_PATH_MAX 256

/**
 * struct fb_cgroups - Where limits can be set
 * @version: 1 or 2; 0 = nowhere
 * @cpu:     The hierarchy's mount point, "" where processor time can't be limited
 * @memory:  Likewise; with version 2 it is the same one
 */
struct fb_cgroups {
	unsigned int version;
	char cpu[FB_CGROUPS_PATH_MAX];
	char memory[FB_CGROUPS_PATH_MAX];
};

/**
 * fb_cgroups_find() - Look at a host's hierarchies
 * @root_fd: The folder that stands for "/" (borrowed)
 * @ret:     Always filled in
 *
 * Version 2 counts where its root hands a controller to its children: who may not
 * change that (a container) can't be limited by it.  Hierarchies that are mounted
 * read-only do not count.
 *
 * Source: proc_pid_mounts(5); Linux Documentation/admin-guide/cgroup-v2.rst.
 */
void fb_cgroups_find(int root_fd, struct fb_cgroups *ret);

#endif
