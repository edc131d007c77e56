/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Control groups.
 *
 * The machine's memory and processors are the container's limits, so by default
 * it lives in the root group, where docker, k3s or systemd inside find every
 * controller to hand on, and where nothing is accounted twice.  Only a limit
 * that the machine cannot express (a part of a processor, a number of processes)
 * gets a group of its own, which a cgroup namespace then makes its root.
 *
 * Whether the OOM killer struck is the kernel's own count: whatever it killed
 * in this machine belonged to the container.
 */
#include "cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"

#define CGROUP_ROOT "/sys/fs/cgroup"
#define GROUP CGROUP_ROOT "/container"
#define CONTROLLERS "+cpu +pids +memory +io +cpuset"

static int write_at(int folder, const char *name, const char *text)
{
	FB_FD int fd = openat(folder, name, O_WRONLY | O_CLOEXEC);

	return fd < 0 ? -errno : fb_write_full(fd, text, strlen(text));
}

/* One after the other: a kernel may lack some, and only the limit's own matters */
static void hand_on_controllers(void)
{
	char list[] = CONTROLLERS, *rest = list, *word;

	while ((word = strsep(&rest, " ")))
		(void)write_at(AT_FDCWD, CGROUP_ROOT "/cgroup.subtree_control",
			       word);
}

static int set_limits(int group, const struct fb_guest_spec *spec,
		      struct fb_err *err)
{
	char text[64];
	int r = 0;

	if (spec->cpu_quota_us) {
		(void)snprintf(text, sizeof(text), "%llu %llu",
			       (unsigned long long)spec->cpu_quota_us,
			       (unsigned long long)spec->cpu_period_us);
		r = write_at(group, "cpu.max", text);
	}
	if (r < 0)
		return fb_err_set(err, r, "limit processor time: %m");
	if (spec->pids_max) {
		(void)snprintf(text, sizeof(text), "%llu",
			       (unsigned long long)spec->pids_max);
		r = write_at(group, "pids.max", text);
	}
	return r < 0 ? fb_err_set(err, r, "limit processes: %m") : 0;
}

int fb_cgroup_make(const struct fb_guest_spec *spec, struct fb_err *err)
{
	FB_FD int group = -EBADF;
	int r;

	if (!spec->cpu_quota_us && !spec->pids_max)
		return -ENODATA;
	/* nsdelegate: the container cannot lift the limits of its own root */
	if (mount("cgroup2", CGROUP_ROOT, "cgroup2",
		  MS_NOSUID | MS_NODEV | MS_NOEXEC, "nsdelegate") < 0)
		return fb_err_set(err, -errno, "mount '" CGROUP_ROOT "': %m");
	hand_on_controllers();
	if (mkdir(GROUP, 0755) < 0)
		return fb_err_set(err, -errno, "make control group: %m");
	group = open(GROUP, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (group < 0)
		return fb_err_set(err, -errno, "open control group: %m");
	r = set_limits(group, spec, err);
	return r < 0 ? r : FB_TAKE_FD(group);
}

bool fb_cgroup_oom(void)
{
	FB_FREE char *text = NULL;
	const char *count;

	if (fb_read_file_at(AT_FDCWD, "/proc/vmstat", 1u << 20, &text, NULL) <
	    0)
		return false;
	count = strstr(text, "\noom_kill ");
	return count && strncmp(count, "\noom_kill 0\n", 12) != 0;
}
