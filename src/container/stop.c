/* SPDX-License-Identifier: Apache-2.0 */
#include "container/stop.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/pidfd.h>

#include "base/cleanup.h"
#include "container/find.h"
#include "store/container.h"

#define TERM_TIMEOUT_MS 5000
#define KILL_TIMEOUT_MS 5000

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
	       fb_container_is_alive(entry.state);
}

int fb_container_kill(struct fb_store *store, const char *id,
		      struct fb_err *err)
{
	FB_CONTAINER_HANDLE struct fb_container_handle handle =
		FB_CONTAINER_HANDLE_INIT;
	FB_FD int pidfd = -EBADF;
	int r = fb_store_container_open(store, id, false, &handle, err);

	if (r < 0)
		return r;
	pidfd = fb_monitor_find(handle.dir_fd, NULL);
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
