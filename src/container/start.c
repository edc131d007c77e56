/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Theory of operation.  Everything that can fail for a reason worth explaining
 * happens here, in the client: choose an engine, make the writable disk, render
 * the plan and the spec.  The monitor then gets descriptors at fixed numbers
 * (launch.h), which is why the plan can be rendered before anything is open
 * where it will be.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "container/container.h"
#include "container/hosts.h"
#include "container/prepare.h"
#include "volume/upper.h"
#include "wire/mountopt.h"

static void release(struct fb_preparation *p)
{
	fb_engine_choice_release(&p->engine);
	fb_plan_release(&p->plan);
	free(p->jailer);
	fb_net_tap_release(&p->tap);
	(void)fb_close(p->folder_fd);
	(void)fb_close(p->net_program_fd);
	(void)fb_close(p->upper_fd);
	(void)fb_close(p->kernel_fd);
	(void)fb_close(p->initramfs_fd);
	fb_str_release(&p->resolv_conf);
	fb_str_release(&p->hosts);
	free(p->tmpfs);
	fb_strv_release(&p->tmpfs_texts);
	fb_str_release(&p->plan_bytes);
	if (p->spec_bytes.buf) /* may hold secrets */
		explicit_bzero(p->spec_bytes.buf, p->spec_bytes.len);
	fb_str_release(&p->spec_bytes);
}

static int check_tmpfs(char *const *list, struct fb_err *err)
{
	struct fb_mountopt options;
	const char *colon;
	int r = 0;

	for (; list && *list && r == 0; list++) {
		if ((*list)[0] != '/')
			return fb_err_set(err, -EINVAL,
					  "invalid mount path: '%s' mount path "
					  "must be absolute",
					  *list);
		colon = strchr(*list, ':');
		r = fb_mountopt_parse_tmpfs(colon ? colon + 1 : "", &options,
					    err);
	}
	return r;
}

static int check_rates(const struct fb_container_spec *spec, struct fb_err *err)
{
	for (size_t k = 0; k < FB_RATE_COUNT; k++)
		if (spec->rates[1][k] && !fb_wants_disk(spec))
			return fb_err_set(err, -EINVAL,
					  "this machine has no disk "
					  "'/dev/vdb': what it writes, if "
					  "anything, stays in its memory");
	return 0;
}

int fb_container_check(const struct fb_container_spec *spec, struct fb_err *err)
{
	FB_STR struct fb_str hosts = FB_STR_INIT(FB_HOSTS_MAX);
	bool net = spec->net != FB_CONTAINER_NET_NONE;
	int r;

	if (spec->memory_bytes < FB_MACHINE_MEMORY_MIN)
		return fb_err_set(
			err, -EINVAL, "Minimum memory limit allowed is %lluMB",
			(unsigned long long)(FB_MACHINE_MEMORY_MIN >> 20));
	if (fb_wants_disk(spec) && (spec->storage_bytes < FB_UPPER_SIZE_MIN ||
				    spec->storage_bytes > FB_UPPER_SIZE_MAX))
		return fb_err_set(err, -EINVAL,
				  "storage size must be between 32m and 16t");
	r = check_tmpfs(spec->tmpfs, err);
	if (r == 0)
		r = check_rates(spec, err);
	if (r == 0)
		r = fb_hosts_render(spec->add_hosts,
				    net ? FB_NET_V4_GATEWAY : NULL,
				    net ? FB_NET_V4_ADDRESS : NULL,
				    spec->hostname ? spec->hostname : "x",
				    &hosts, err);
	return r;
}

int fb_container_start(struct fb_container *c,
		       const struct fb_container_spec *spec,
		       const struct fb_log *log, struct fb_err *err)
{
	struct fb_preparation p = { .spec = spec,
				    .c = c,
				    .log = log,
				    .tap = FB_NET_TAP_INIT,
				    .folder_fd = -EBADF,
				    .net_program_fd = -EBADF,
				    .upper_fd = -EBADF,
				    .kernel_fd = -EBADF,
				    .initramfs_fd = -EBADF };
	int r;

	if ((r = fb_prepare_engine(&p, err)) < 0 ||
	    (r = fb_prepare_jailer(&p, err)) < 0 ||
	    (r = fb_prepare_files(&p, err)) < 0 ||
	    (r = fb_prepare_net(&p, err)) < 0 ||
	    (r = fb_prepare_plan(&p, err)) < 0 ||
	    (r = fb_prepare_spec(&p, err)) < 0 ||
	    (r = fb_prepare_config(&p, err)) < 0)
		fb_err_wrap(err, r, "prepare container '%s'", c->name);
	c->prepared_ns = fb_now_ns();
	if (r == 0 && (r = fb_launch(&p, err)) < 0)
		fb_err_wrap(err, r, "start container '%s'", c->name);
	release(&p);
	return r;
}
