/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The monitor of a container is the process that has its lock file open as
 * descriptor FB_LAUNCH_LOCK, and is called as our monitor is.  That is looked up
 * in /proc when it is asked for: a pid in a file would have to be believed, long
 * after it went to another process.  The pidfd is opened before the process is
 * looked at, so that what was looked at is what gets the signal.
 */
#include "container/find.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "container/launch.h"
#include "store/container.h"

#define COMM_MAX 15 /* the kernel cuts names there */

static bool is_monitor(int proc_fd, pid_t pid, const struct stat *lock)
{
	FB_FREE char *comm = NULL;
	char path[64];
	struct stat st;
	size_t len = 0;

	(void)snprintf(path, sizeof(path), "%d/fd/%d", pid, FB_LAUNCH_LOCK);
	if (fstatat(proc_fd, path, &st, 0) < 0 || st.st_dev != lock->st_dev ||
	    st.st_ino != lock->st_ino)
		return false;
	(void)snprintf(path, sizeof(path), "%d/comm", pid);
	return fb_read_file_at(proc_fd, path, 64, &comm, &len) == 0 &&
	       !strncmp(comm, FB_MONITOR_PROGRAM, COMM_MAX);
}

int fb_monitor_find(int dir_fd, pid_t *ret_pid)
{
	FB_DIR DIR *proc = opendir("/proc");
	const struct dirent *entry;
	struct stat lock;

	if (!proc || fstatat(dir_fd, FB_CONTAINER_FILE_LOCK, &lock,
			     AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	while ((entry = readdir(proc))) {
		FB_FD int pidfd = -EBADF;
		pid_t pid = (pid_t)atol(entry->d_name);

		if (pid < 1)
			continue;
		pidfd = pidfd_open(pid, 0);
		if (pidfd < 0 || !is_monitor(dirfd(proc), pid, &lock))
			continue;
		if (ret_pid)
			*ret_pid = pid;
		return FB_TAKE_FD(pidfd);
	}
	return -ESRCH;
}
