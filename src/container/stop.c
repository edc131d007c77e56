/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The monitor of a container is the process that has its lock file open as
 * descriptor FB_LAUNCH_LOCK, and is called as our monitor is.  That is looked up
 * in /proc when it is asked for: a pid in a file would have to be believed, long
 * after it went to another process.  The pidfd is opened before the process is
 * looked at, so that what was looked at is what gets the signal.
 */
#include "container/stop.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "container/launch.h"
#include "store/container.h"

#define TERM_TIMEOUT_MS 5000
#define KILL_TIMEOUT_MS 5000
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

/* Return: pidfd (returned); -ESRCH none; a negative errno */
static int find_monitor(const struct stat *lock)
{
	FB_DIR DIR *proc = opendir("/proc");
	const struct dirent *entry;

	if (!proc)
		return -errno;
	while ((entry = readdir(proc))) {
		FB_FD int pidfd = -EBADF;
		pid_t pid = (pid_t)atol(entry->d_name);

		if (pid < 1)
			continue;
		pidfd = pidfd_open(pid, 0);
		if (pidfd >= 0 && is_monitor(dirfd(proc), pid, lock))
			return FB_TAKE_FD(pidfd);
	}
	return -ESRCH;
}

/* Return: 0 it ended; -ETIMEDOUT; a negative errno */
static int signal_and_wait(int pidfd, int sig, int timeout_ms)
{
	struct pollfd p = { .fd = pidfd, .events = POLLIN };
	int r;

	if (pidfd_send_signal(pidfd, sig, NULL, 0) < 0)
		return errno == ESRCH ? 0 : -errno;
	do {
		r = poll(&p, 1, timeout_ms);
	} while (r < 0 && errno == EINTR);
	if (r < 0)
		return -errno;
	return r ? 0 : -ETIMEDOUT;
}

static bool is_running(struct fb_store *store, const char *id)
{
	FB_CONTAINER_ENTRY struct fb_container_entry entry = { 0 };

	return fb_store_container_find(store, id, &entry, NULL) == 0 &&
	       (entry.state == FB_CONTAINER_RUNNING ||
		entry.state == FB_CONTAINER_PREPARING);
}

int fb_container_kill(struct fb_store *store, const char *id,
		      struct fb_err *err)
{
	FB_CONTAINER_HANDLE struct fb_container_handle handle =
		FB_CONTAINER_HANDLE_INIT;
	FB_FD int pidfd = -EBADF;
	struct stat lock;
	int r = fb_store_container_open(store, id, false, &handle, err);

	if (r < 0)
		return r;
	if (fstatat(handle.dir_fd, FB_CONTAINER_FILE_LOCK, &lock,
		    AT_SYMLINK_NOFOLLOW) < 0)
		return fb_err_set(err, -errno, "container '%.12s': lock: %m",
				  id);
	pidfd = find_monitor(&lock);
	if (pidfd == -ESRCH && !is_running(store, id))
		return 0;
	if (pidfd == -ESRCH)
		return fb_err_set(err, -EBUSY,
				  "container '%.12s' is being prepared", id);
	r = pidfd < 0 ? pidfd
		      : signal_and_wait(pidfd, SIGTERM, TERM_TIMEOUT_MS);
	if (r == -ETIMEDOUT)
		r = signal_and_wait(pidfd, SIGKILL, KILL_TIMEOUT_MS);
	return r < 0 ? fb_err_set(err, r, "end container '%.12s': %m", id) : 0;
}
