/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "wire/spec_records.h"

#define HOSTNAME_MAX 64u /* Linux' */
#define PERIOD_MAX_US 1000000u

static int check_device(const char *device, struct fb_err *err)
{
	if (strncmp(device, "/dev/", 5) != 0)
		return fb_err_set(err, -EINVAL, "'%s' is no device", device);
	return 0;
}

static int check_root(const struct fb_spec_root *root, struct fb_err *err)
{
	int r;

	if (!root->device)
		return fb_err_set(err, -EINVAL, "no root device");
	if (root->fs == 0 || root->fs >= FB_SPEC_FS_END)
		return fb_err_set(err, -EINVAL, "unknown file system %u",
				  (unsigned int)root->fs);
	r = check_device(root->device, err);
	if (r == 0 && root->upper_device)
		r = check_device(root->upper_device, err);
	return r;
}

static int check_name16(const char *name, const char *what, bool may_be_empty,
			struct fb_err *err)
{
	size_t len = strnlen(name, 16);

	if (len == 16 || (len == 0 && !may_be_empty) || strchr(name, '/'))
		return fb_err_set(err, -EINVAL, "bad name of %s", what);
	return 0;
}

static int check_net(const struct fb_spec_net *net, struct fb_err *err)
{
	if (net->v4.prefix > 32 || net->v6.prefix > 128)
		return fb_err_set(err, -EINVAL, "impossible prefix length");
	if (!net->name[0] && (net->v4.prefix || net->v6.prefix))
		return fb_err_set(err, -EINVAL, "address without interface");
	return check_name16(net->name, "an interface", true, err);
}

static int check_process(const struct fb_spec_process *p, struct fb_err *err)
{
	if (p->arg_count == 0)
		return fb_err_set(err, -EINVAL, "no command specified");
	if (p->arg_count > FB_SPEC_ARGS_MAX)
		return fb_err_set(err, -E2BIG, "more than %u arguments",
				  FB_SPEC_ARGS_MAX);
	if (p->env_count > FB_SPEC_ENV_MAX)
		return fb_err_set(err, -E2BIG, "more than %u variables",
				  FB_SPEC_ENV_MAX);
	if (p->rlimit_count > FB_SPEC_RLIMITS_MAX)
		return fb_err_set(err, -E2BIG, "more than %u resource limits",
				  FB_SPEC_RLIMITS_MAX);
	if (p->cwd && p->cwd[0] != '/')
		return fb_err_set(err, -EINVAL,
				  "working directory '%s' is not absolute",
				  p->cwd);
	for (size_t i = 0; i < p->rlimit_count; i++) {
		int r = check_name16(p->rlimits[i].name, "a resource limit",
				     false, err);

		if (r < 0)
			return r;
	}
	return 0;
}

int fb_spec_check(const struct fb_guest_spec *spec, struct fb_err *err)
{
	int r = check_process(&spec->process, err);

	if (r == 0)
		r = check_root(&spec->root, err);
	if (r == 0)
		r = check_net(&spec->net, err);
	if (r < 0)
		return r;
	if (spec->hostname && strlen(spec->hostname) > HOSTNAME_MAX)
		return fb_err_set(err, -EINVAL, "host name over %u bytes",
				  HOSTNAME_MAX);
	if (spec->cpu_quota_us &&
	    (spec->cpu_period_us == 0 || spec->cpu_period_us > PERIOD_MAX_US))
		return fb_err_set(err, -EINVAL, "impossible CPU period");
	if (spec->tmpfs_count > FB_SPEC_TMPFS_MAX)
		return fb_err_set(err, -E2BIG, "more than %u tmpfs mounts",
				  FB_SPEC_TMPFS_MAX);
	for (size_t i = 0; i < spec->tmpfs_count; i++)
		if (spec->tmpfs[i].path[0] != '/')
			return fb_err_set(err, -EINVAL,
					  "tmpfs '%s' is not absolute",
					  spec->tmpfs[i].path);
	return 0;
}
