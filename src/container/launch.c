/* SPDX-License-Identifier: Apache-2.0 */
#include "container/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/spawn.h"
#include "container/files.h"
#include "container/prepare.h"
#include "flamebox/guest_abi.h"

static int make_memfd(const char *name, const struct fb_str *bytes, int *ret,
		      struct fb_err *err)
{
	FB_FD int fd = memfd_create(name, MFD_CLOEXEC);
	int r;

	if (fd < 0)
		return fb_err_set(err, -errno, "hand over the %s: %m", name);
	r = fb_write_full(fd, fb_str_cstr(bytes), bytes->len);
	if (r < 0)
		return fb_err_set(err, r, "hand over the %s: %m", name);
	*ret = FB_TAKE_FD(fd);
	return 0;
}

/* pipes of jailed VMMs, in the container's folder */
#define LOG_NAME "vmm-log"
#define METRICS_NAME "vmm-metrics"

/* descriptors made for the monitor; all closed here afterwards */
struct handover {
	int client[2];
	int channel[2];
	int console[2];
	int show[2];
	int nic[2];
	int stderr_pipe[2];
	int metrics_pipe[2];
	int start_pipe[2];
	int plan;
	int spec;
};

static void close_handover(struct handover *h)
{
	int *all = (int *)h;

	for (size_t i = 0; i < sizeof(*h) / sizeof(int); i++)
		all[i] = fb_close(all[i]);
}

/*
 * The guest connects to its host's vsock port, and the VMM to this socket in its
 * folder.  The path through our descriptor fits an address wherever the state lies.
 */
static int listen_for_guest(const struct fb_preparation *p, int *ret,
			    struct fb_err *err)
{
	FB_FD int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	const char *name;

	(void)snprintf(at.sun_path, sizeof(at.sun_path),
		       "/proc/self/fd/%d/%s_%u", p->folder_fd, FB_MACHINE_VSOCK,
		       FB_GUEST_VSOCK_PORT);
	name = strrchr(at.sun_path, '/') + 1;
	if (fd < 0 || bind(fd, (const struct sockaddr *)&at, sizeof(at)) < 0 ||
	    (geteuid() == 0 && fchownat(p->folder_fd, name, p->vmm_uid,
					p->vmm_gid, AT_SYMLINK_NOFOLLOW) < 0) ||
	    listen(fd, 1) < 0)
		return fb_err_set(err, -errno, "listen for the guest: %m");
	*ret = FB_TAKE_FD(fd);
	return 0;
}

/* what the VMM writes to, a path that it opens again where it has a folder */
static int open_pipe(const struct fb_preparation *p, const char *name,
		     int ret[2], struct fb_err *err)
{
	int r = 0;

	if (p->jailer)
		r = fb_prepare_jail_pipe(p, name, ret, err);
	else if (pipe2(ret, O_CLOEXEC) < 0)
		r = fb_err_set(err, -errno, "make a pipe: %m");
	if (r == 0 && p->engine.ops->folder && geteuid() == 0 &&
	    fchown(ret[1], p->vmm_uid, p->vmm_gid) < 0)
		r = fb_err_set(err, -errno, "give the VMM its pipe: %m");
	return r;
}

static int open_channel(const struct fb_preparation *p, struct handover *h,
			struct fb_err *err)
{
	int r;

	if (!p->engine.ops->folder)
		return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0,
				  h->channel) < 0
			       ? fb_err_set(err, -errno, "make sockets: %m")
			       : 0;
	r = open_pipe(p, METRICS_NAME, h->metrics_pipe, err);
	return r < 0 ? r : listen_for_guest(p, &h->channel[0], err);
}

/* read by the client; a VMM without a folder opens it by its path */
static int open_start_pipe(const struct fb_preparation *p, struct handover *h,
			   struct fb_err *err)
{
	if (!p->spec->timed || p->engine.ops->folder)
		return 0;
	if (pipe2(h->start_pipe, O_CLOEXEC | O_NONBLOCK) < 0 ||
	    (geteuid() == 0 &&
	     fchown(h->start_pipe[1], p->vmm_uid, p->vmm_gid) < 0))
		return fb_err_set(err, -errno, "make a pipe: %m");
	return 0;
}

static int open_handover(const struct fb_preparation *p, struct handover *h,
			 struct fb_err *err)
{
	int type = SOCK_STREAM | SOCK_CLOEXEC;
	int r;

	if (socketpair(AF_UNIX, type, 0, h->client) < 0 ||
	    socketpair(AF_UNIX, type, 0, h->console) < 0 ||
	    socketpair(AF_UNIX, type, 0, h->nic) < 0)
		return fb_err_set(err, -errno, "make sockets: %m");
	r = open_pipe(p, LOG_NAME, h->stderr_pipe, err);
	if (r == 0)
		r = open_channel(p, h, err);
	if (r == 0)
		r = open_start_pipe(p, h, err);
	if (r < 0)
		return r;
	if (p->spec->console && pipe2(h->show, O_CLOEXEC | O_NONBLOCK) < 0)
		return fb_err_set(err, -errno, "make a pipe: %m");
	r = make_memfd("plan", &p->plan_bytes, &h->plan, err);
	return r < 0 ? r : make_memfd("spec", &p->spec_bytes, &h->spec, err);
}

static int spawn_monitor(const struct fb_preparation *p,
			 const struct handover *h, struct fb_err *err)
{
	const struct fb_container_handle *handle = &p->c->handle;
	/* those that this machine does not have are left out below */
	struct fb_spawn_fd fds[] = {
		{ h->client[1], FB_LAUNCH_CLIENT },
		{ handle->dir_fd, FB_LAUNCH_DIR },
		{ handle->lock_fd, FB_LAUNCH_LOCK },
		{ h->plan, FB_LAUNCH_PLAN },
		{ h->spec, FB_LAUNCH_SPEC },
		{ h->channel[0], FB_LAUNCH_CHANNEL },
		{ h->console[0], FB_LAUNCH_CONSOLE },
		{ h->stderr_pipe[0], FB_LAUNCH_STDERR },
		{ h->show[1], FB_LAUNCH_SHOW },
		{ h->channel[1], FB_LAUNCH_VMM_CHANNEL },
		{ h->console[1], FB_LAUNCH_VMM_CONSOLE },
		{ h->stderr_pipe[1], FB_LAUNCH_VMM_STDERR },
		{ h->nic[0], FB_LAUNCH_VMM_NIC },
		{ p->tap.frames >= 0 ? p->tap.frames : h->nic[1],
		  FB_LAUNCH_NET_NIC },
		{ p->tap.net_ns, FB_LAUNCH_NET_NS },
		{ p->tap.user_ns, FB_LAUNCH_USER_NS },
		{ h->metrics_pipe[0], FB_LAUNCH_METRICS },
		{ h->metrics_pipe[1], FB_LAUNCH_VMM_METRICS },
		{ h->start_pipe[1], FB_LAUNCH_VMM_START },
		{ p->folder_fd, FB_LAUNCH_VMM_FOLDER },
		{ p->net_program_fd, FB_LAUNCH_NET_PROGRAM },
		{ p->kernel_fd, FB_LAUNCH_VMM_KERNEL },
		{ p->initramfs_fd, FB_LAUNCH_VMM_INITRAMFS },
		{ p->spec->root_fd, FB_LAUNCH_VMM_DISK },
		{ p->upper_fd, FB_LAUNCH_VMM_DISK + 1 },
	};
	FB_FREE char *path = NULL;
	char timeout[16];
	char *const argv[] = { (char[]){ FB_MONITOR_PROGRAM }, timeout,
			       p->c->auto_remove ? (char[]){ "discard" }
						 : (char[]){ "keep" },
			       NULL };
	struct fb_spawn spawn = {
		.argv = argv,
		.fds = fds,
		.new_session = true,
	};
	int r = fb_files_find(FB_MONITOR_PROGRAM, &path, err);

	if (r < 0)
		return r;
	(void)snprintf(timeout, sizeof(timeout), "%u", p->spec->boot_timeout_s);
	for (size_t i = 0; i < FB_ARRAY_SIZE(fds); i++)
		if (fds[i].from >= 0)
			fds[spawn.fd_count++] = fds[i];
	spawn.path = path;
	return fb_spawn(&spawn, &p->c->monitor_pid, NULL, err);
}

int fb_launch(const struct fb_preparation *p, struct fb_err *err)
{
	struct handover h;
	int r;

	memset(&h, 0xff, sizeof(h)); /* -1 everywhere */
	r = open_handover(p, &h, err);
	if (r == 0)
		r = spawn_monitor(p, &h, err);
	if (r == 0) {
		p->c->socket = FB_TAKE_FD(h.client[0]);
		p->c->console = FB_TAKE_FD(h.show[0]);
		if (h.start_pipe[0] >= 0)
			p->c->watch = FB_TAKE_FD(h.start_pipe[0]);
		/* from now on the lock is the monitor's alone */
		p->c->handle.lock_fd = fb_close(p->c->handle.lock_fd);
	}
	close_handover(&h);
	return r;
}
