/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Theory of operation.  A machine is its processes, the children of its monitor: VMM,
 * network, and with a jail what lies between.  SIGSTOP makes them stand, and SIGCONT
 * go on: the same for every engine, and whatever state the guest or a VMM that it took
 * over is in, since neither is asked.  It costs a start nothing, no socket for it lies
 * about, and the clocks go on as they do under docker's freezer: the time is right when
 * the guest goes on.  (What QEMU's and Firecracker's own ways do instead:
 * docs/engines.md.)  The monitor itself stays awake, and can end them at any time.
 *
 * The file "paused" in the container's folder says so to whoever lists containers: it
 * is made before the first process is stopped and removed after the last one goes on.
 * Who was killed between leaves a file and a machine that runs; so what counts here is
 * the processes.  The folder is locked meanwhile, against another one of us.
 */
#include "container/pause.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/io.h"
#include "container/family.h"
#include "container/find.h"

#define STAND_TIMEOUT_MS 5000
#define LOOK_AGAIN_NS 500000 /* it takes some ten microseconds */

/**
 * struct target - A container whose processes were found
 * @handle: With its folder locked
 * @family: Below its monitor
 */
struct target {
	struct fb_container_handle handle;
	struct fb_family family;
};

static void release(struct target *t)
{
	fb_family_release(&t->family);
	fb_container_handle_release(&t->handle);
}

#define TARGET __attribute__((cleanup(release)))

static int not_running(const struct fb_container_entry *entry,
		       struct fb_err *err)
{
	return fb_err_set(err, -EINVAL, "container '%s' is not running",
			  entry->name);
}

static int find(struct fb_store *store, const struct fb_container_entry *entry,
		struct target *t, struct fb_err *err)
{
	FB_FD int monitor = -EBADF;
	pid_t pid;
	int r;

	*t = (struct target){ .handle = FB_CONTAINER_HANDLE_INIT };
	if (!fb_container_is_up(entry->state))
		return not_running(entry, err);
	r = fb_store_container_open(store, entry->id, false, &t->handle, err);
	if (r < 0)
		return r;
	while (flock(t->handle.dir_fd, LOCK_EX) < 0)
		if (errno != EINTR)
			return fb_err_set(err, -errno, "lock its folder: %m");
	monitor = fb_monitor_find(t->handle.dir_fd, &pid);
	if (monitor == -ESRCH)
		return not_running(entry, err);
	r = monitor < 0 ? monitor : fb_family_find(pid, &t->family);
	if (r == 0 && t->family.count == 0)
		return not_running(entry, err);
	return r < 0 ? fb_err_set(err, r, "find its processes: %m") : 0;
}

static int wait_until_it_stands(const struct fb_family *family)
{
	const struct timespec moment = { .tv_nsec = LOOK_AGAIN_NS };
	uint64_t until = fb_now_ms() + STAND_TIMEOUT_MS;

	while (!fb_family_stands(family)) {
		if (fb_now_ms() >= until)
			return -ETIMEDOUT;
		(void)nanosleep(&moment, NULL);
	}
	return 0;
}

static void forget(const struct target *t)
{
	(void)unlinkat(t->handle.dir_fd, FB_CONTAINER_FILE_PAUSED, 0);
}

int fb_container_pause(struct fb_store *store,
		       const struct fb_container_entry *entry,
		       struct fb_err *err)
{
	TARGET struct target t;
	int r = find(store, entry, &t, err);

	if (r < 0)
		return r;
	if (fb_family_stands(&t.family))
		return fb_err_set(err, -EINVAL,
				  "container '%s' is already paused",
				  entry->name);
	r = fb_replace_file_at(t.handle.dir_fd, FB_CONTAINER_FILE_PAUSED, "", 0,
			       0600);
	if (r == 0)
		r = fb_family_signal(&t.family, SIGSTOP);
	if (r == 0)
		r = wait_until_it_stands(&t.family);
	if (r == 0)
		return 0;
	(void)fb_family_signal(&t.family, SIGCONT);
	forget(&t);
	return fb_err_set(err, r, "pause container '%s': %m", entry->name);
}

int fb_container_unpause(struct fb_store *store,
			 const struct fb_container_entry *entry,
			 struct fb_err *err)
{
	TARGET struct target t;
	int r = find(store, entry, &t, NULL);

	if (r == -EINVAL || (r == 0 && entry->state != FB_CONTAINER_PAUSED &&
			     !fb_family_stands(&t.family)))
		return fb_err_set(err, -EINVAL, "container '%s' is not paused",
				  entry->name);
	if (r == 0)
		r = fb_family_signal(&t.family, SIGCONT);
	if (r < 0)
		return fb_err_set(err, r, "unpause container '%s': %m",
				  entry->name);
	forget(&t);
	return 0;
}
