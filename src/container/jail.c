/* SPDX-License-Identifier: Apache-2.0 */
/* A VMM in a jail: what the client has to do with it. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "container/launch.h"
#include "container/prepare.h"
#include "machine/jailer.h"

#define PERIOD_US 100000ull
#define FILE_BYTES_MIN (64ull << 20)
#define OUTSIDE_MAX 4096

int fb_prepare_jailer(struct fb_preparation *p, struct fb_err *err)
{
	char why[FB_JAILER_WHY_MAX];
	int r = fb_jailer_find(p->spec->engine.jailer, p->engine.ops->jailer,
			       p->engine.program, &p->jailer, why, err);

	if (r < 0 || !p->engine.ops->jailer)
		return r;
	if (p->jailer)
		fb_log(p->log, FB_LOG_INFO, "%s is started by %s",
		       p->engine.ops->title, p->jailer);
	else
		fb_log(p->log, FB_LOG_INFO, "no jailer: %s", why);
	return 0;
}

/* its disk, and one day a snapshot of its memory; no more than this process may */
static uint64_t largest_file(const struct fb_container_spec *spec)
{
	uint64_t bytes = FILE_BYTES_MIN;
	struct rlimit limit;

	if (bytes < spec->memory_bytes)
		bytes = spec->memory_bytes;
	if (fb_wants_disk(spec) && bytes < spec->storage_bytes)
		bytes = spec->storage_bytes;
	if (getrlimit(RLIMIT_FSIZE, &limit) == 0 && bytes > limit.rlim_max)
		bytes = limit.rlim_max;
	return bytes;
}

static int write_outside(const struct fb_preparation *p,
			 const struct fb_plan_process *vmm, struct fb_err *err)
{
	FB_STR struct fb_str text = FB_STR_INIT(OUTSIDE_MAX);
	int r;

	for (size_t i = 0; i < vmm->cgroups.count; i++)
		fb_str_printf(&text, "%s\n", vmm->cgroups.v[i]);
	r = text.err ? text.err
		     : fb_replace_file_at(p->c->handle.dir_fd,
					  FB_CONTAINER_FILE_OUTSIDE,
					  fb_str_cstr(&text), text.len, 0600);
	return r < 0 ? fb_err_set(err, r, "write down the control groups: %m")
		     : 0;
}

int fb_prepare_jail(struct fb_preparation *p, struct fb_err *err)
{
	const struct fb_container_spec *spec = p->spec;
	FB_FD int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	FB_FREE char *vmm = realpath(p->engine.program, NULL);
	struct fb_jailer jailer = {
		.program = p->jailer,
		.vmm = vmm,
		.id = p->c->handle.id,
		/* the jail has devices of its own, whose owner it is */
		.uid = p->vmm_uid,
		.gid = p->vmm_uid,
		.folder_fd = FB_LAUNCH_VMM_FOLDER,
		.cpu_quota_us = spec->cpu_quota_us ? spec->cpu_quota_us
						   : spec->cpus * PERIOD_US,
		.memory_bytes = spec->memory_bytes,
		.file_bytes = largest_file(spec),
	};
	struct fb_plan_process *process;
	int r;

	if (!p->jailer)
		return 0;
	if (root < 0 || !vmm)
		return fb_err_set(err, -errno, "find '%s': %m",
				  p->engine.program);
	process = &p->plan.processes[p->plan.process_count - 1];
	fb_cgroups_find(root, &jailer.cgroups);
	r = fb_jailer_wrap(&jailer, process, err);
	return r < 0 ? r : write_outside(p, process, err);
}

int fb_prepare_jail_pipe(const struct fb_preparation *p, const char *name,
			 int ret[2], struct fb_err *err)
{
	FB_FD int in = -EBADF, out = -EBADF;
	int dir = p->c->handle.dir_fd;

	if (mkfifoat(dir, name, 0600) < 0)
		return fb_err_set(err, -errno, "make a pipe: %m");
	in = openat(dir, name, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	out = in < 0 ? -EBADF : openat(dir, name, O_WRONLY | O_CLOEXEC);
	if (out < 0)
		return fb_err_set(err, -errno, "make a pipe: %m");
	ret[0] = FB_TAKE_FD(in);
	ret[1] = FB_TAKE_FD(out);
	return 0;
}
