/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/jailer.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include "base/path.h"
#include "base/program.h"
#include "base/spawn.h"
#include "machine/jail.h"

#define ID_MAX 64
#define PERIOD_US 100000ull
/* beside the guest's memory: the VMM itself, its root folder, page tables */
#define MEMORY_EXTRA (64ull << 20)
/* it has some 40 of them; more only with many disks */
#define OPEN_FILES_MAX 1024

static int complain(char why[FB_JAILER_WHY_MAX], const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static int complain(char why[FB_JAILER_WHY_MAX], const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(why, FB_JAILER_WHY_MAX, fmt, ap);
	va_end(ap);
	return -1;
}

/* what it does takes these, also from a root that some were taken from */
static bool has_rights(void)
{
	static const unsigned int needed[] = {
		CAP_CHOWN,  CAP_DAC_OVERRIDE, CAP_KILL,	     CAP_MKNOD,
		CAP_SETGID, CAP_SETUID,	      CAP_SYS_ADMIN, CAP_SYS_CHROOT,
	};
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[2] = { 0 };

	if (geteuid() != 0 || syscall(SYS_capget, &header, data) < 0)
		return false;
	for (size_t i = 0; i < FB_ARRAY_SIZE(needed); i++)
		if (!(data[needed[i] / 32].effective & 1u << needed[i] % 32))
			return false;
	return true;
}

/* Return: 0; -1 with the reason */
static int check_vmm(const char *vmm, const char *jailer,
		     char why[FB_JAILER_WHY_MAX])
{
	FB_FREE char *real = realpath(vmm, NULL);
	const char *name = real ? strrchr(real, '/') + 1 : "";

	/* its own rule */
	if (!strstr(name, "firecracker"))
		return complain(why,
				"%.100s refuses a program whose name lacks "
				"'firecracker'",
				jailer);
	/* its root folder has none */
	if (fb_program_needs_libraries(vmm) != 0)
		return complain(why, "%.150s is not linked statically", vmm);
	return 0;
}

static char *beside(const char *vmm, const char *binary)
{
	FB_FREE char *real = realpath(vmm, NULL);
	FB_FREE char *path = NULL;
	char *slash = real ? strrchr(real, '/') : NULL;

	if (!slash)
		return NULL;
	*slash = '\0';
	path = fb_path_join(slash == real ? "/" : real, binary);
	return path ? fb_find_program(path) : NULL;
}

static bool is_path(const char *wish)
{
	return wish && strcmp(wish, "auto") && strcmp(wish, "off");
}

char *fb_jailer_program(const char *wish, const char *binary, const char *vmm)
{
	return is_path(wish) ? fb_find_program(wish) : beside(vmm, binary);
}

/* Return: 0 with the path in @ret; -1 with the reason */
static int look(const char *wish, const char *binary, const char *vmm,
		char **ret, char why[FB_JAILER_WHY_MAX])
{
	FB_FREE char *found = NULL;
	int r;

	if (!binary)
		return complain(why, "this engine has none");
	if (geteuid() != 0)
		return complain(why, "only root can use it");
	found = fb_jailer_program(wish, binary, vmm);
	if (!found && is_path(wish))
		return complain(why, "%.200s: no such program", wish);
	if (!found)
		return complain(why, "no '%s' beside %.150s", binary, vmm);
	if (!has_rights())
		return complain(why, "this root lacks rights that it needs");
	if (check_vmm(vmm, found, why) < 0)
		return -1;
	r = fb_jail_try();
	if (r < 0)
		return complain(why,
				"root may not make mounts and namespaces here "
				"(a security module, or a container): %s",
				strerror(-r));
	*ret = realpath(found, NULL);
	return *ret ? 0 : complain(why, "%.150s: %s", found, strerror(errno));
}

int fb_jailer_find(const char *wish, const char *binary, const char *vmm,
		   char **ret, char ret_why[FB_JAILER_WHY_MAX],
		   struct fb_err *err)
{
	*ret = NULL;
	ret_why[0] = '\0';
	if (wish && !strcmp(wish, "off")) {
		(void)complain(ret_why, "switched off");
		return 0;
	}
	if (look(wish, binary, vmm, ret, ret_why) == 0 || !is_path(wish) ||
	    !binary)
		return 0;
	return fb_err_hint(err,
			   fb_err_set(err, geteuid() ? -EPERM : -EINVAL,
				      "jailer: %s", ret_why),
			   "use --jailer auto or off");
}

static void render_limits(const struct fb_jailer *j, struct fb_strv *argv)
{
	const struct fb_cgroups *g = &j->cgroups;
	unsigned long long quota = j->cpu_quota_us;
	unsigned long long memory = j->memory_bytes + MEMORY_EXTRA;

	(void)fb_strv_add(argv, "--resource-limit");
	(void)fb_strv_addf(argv, "no-file=%d", OPEN_FILES_MAX);
	(void)fb_strv_add(argv, "--resource-limit");
	(void)fb_strv_addf(argv, "fsize=%llu",
			   (unsigned long long)j->file_bytes);
	if (!g->version)
		return;
	(void)fb_strv_add(argv, "--cgroup-version");
	(void)fb_strv_addf(argv, "%u", g->version);
	(void)fb_strv_add(argv, "--parent-cgroup");
	(void)fb_strv_add(argv, FB_JAILER_CGROUP);
	if (g->cpu[0]) {
		(void)fb_strv_add(argv, "--cgroup");
		if (g->version == 2)
			(void)fb_strv_addf(argv, "cpu.max=%llu %llu", quota,
					   PERIOD_US);
		else
			(void)fb_strv_addf(argv, "cpu.cfs_quota_us=%llu",
					   quota);
	}
	if (g->memory[0]) {
		(void)fb_strv_add(argv, "--cgroup");
		(void)fb_strv_addf(argv, "memory.%s=%llu",
				   g->version == 2 ? "max" : "limit_in_bytes",
				   memory);
	}
}

static void render_argv(const struct fb_jailer *j, const struct fb_strv *vmm,
			struct fb_strv *argv)
{
	(void)fb_strv_add(argv, "jailer");
	(void)fb_strv_add(argv, "--id");
	(void)fb_strv_add(argv, j->id);
	(void)fb_strv_add(argv, "--exec-file");
	(void)fb_strv_add(argv, j->vmm);
	(void)fb_strv_add(argv, "--uid");
	(void)fb_strv_addf(argv, "%u", j->uid);
	(void)fb_strv_add(argv, "--gid");
	(void)fb_strv_addf(argv, "%u", j->gid);
	/* machine/jail.c starts it there */
	(void)fb_strv_add(argv, "--chroot-base-dir");
	(void)fb_strv_add(argv, ".");
	(void)fb_strv_add(argv, "--new-pid-ns");
	render_limits(j, argv);
	(void)fb_strv_add(argv, "--");
	for (size_t i = 1; i < vmm->count; i++)
		(void)fb_strv_add(argv, vmm->v[i]);
}

/* the groups that it makes, and leaves */
static void list_cgroups(const struct fb_jailer *j, struct fb_strv *list)
{
	const struct fb_cgroups *g = &j->cgroups;

	if (g->cpu[0])
		(void)fb_strv_addf(list, "%s/%s/%s", g->cpu, FB_JAILER_CGROUP,
				   j->id);
	if (g->memory[0] && strcmp(g->cpu, g->memory) != 0)
		(void)fb_strv_addf(list, "%s/%s/%s", g->memory,
				   FB_JAILER_CGROUP, j->id);
}

static bool is_id(const char *id)
{
	size_t len = strlen(id);

	return len > 0 && len <= ID_MAX &&
	       strspn(id,
		      "0123456789abcdefghijklmnopqrstuvwxyz"
		      "ABCDEFGHIJKLMNOPQRSTUVWXYZ-") == len;
}

int fb_jailer_wrap(const struct fb_jailer *jailer, struct fb_plan_process *vmm,
		   struct fb_err *err)
{
	FB_STRV struct fb_strv argv = { .max = FB_PLAN_ARGS_MAX };
	const char *slash = strrchr(jailer->vmm, '/');

	if (!slash || !is_id(jailer->id))
		return fb_err_set(err, -EINVAL, "prepare the jailer: %m");
	render_argv(jailer, &vmm->argv, &argv);
	list_cgroups(jailer, &vmm->cgroups);
	free(vmm->path);
	vmm->path = strdup(jailer->program);
	free(vmm->jail);
	vmm->jail = NULL;
	if (asprintf(&vmm->jail, "%s/%s/root", slash + 1, jailer->id) < 0)
		vmm->jail = NULL;
	vmm->jail_fd = jailer->folder_fd;
	/* Landlock would forbid it to mount; the root folder does the same */
	fb_strv_release(&vmm->readable);
	/* it does that */
	vmm->drop_ids = false;
	if (!vmm->path || !vmm->jail || argv.err || vmm->cgroups.err)
		return fb_err_set(err, -ENOMEM, "prepare the jailer: %m");
	fb_strv_release(&vmm->argv);
	vmm->argv = argv;
	argv = (struct fb_strv){ 0 };
	return 0;
}
