/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A jailed VMM's process against golden files in the folder argv[1], the host's
 * control groups, and the decision.
 */
#include <errno.h>
#include <sys/stat.h>

#include "base/path.h"
#include "golden.h"
#include "machine/engine.h"
#include "machine/firecracker.h"
#include "machine/jailer.h"

static const struct fb_jailer jailer = {
	.program = "/usr/local/bin/jailer",
	.vmm = "/opt/fc/firecracker-v1.16.1",
	.id = "0123456789abcdef",
	.uid = 0x46420001,
	.gid = 0x46420001,
	.folder_fd = 24,
	.cpu_quota_us = 150000,
	.memory_bytes = 512ull << 20,
	.file_bytes = 8ull << 30,
};

static const struct fb_machine_config machine = {
	.metrics_fd = 25,
	.kernel_fd = 27,
	.initramfs_fd = 28,
	.cpus = 2,
	.memory_bytes = 512ull << 20,
	.disks = { { .fd = 29, .read_only = true }, { .fd = 30 } },
	.disk_count = 2,
	.folder_fd = 24,
	.console_fd = 21,
	.vmm_version = FB_ENGINE_VERSION(1u, 16u),
	.drop_ids = true,
	.uid = 0x46420001,
	.gid = 104,
};

static void describe_jail(const struct fb_plan_process *p, struct fb_str *out)
{
	golden_describe(p, out);
	fb_str_printf(out, "@jail %s over %d\n", p->jail ? p->jail : "-",
		      p->jail_fd);
	for (size_t i = 0; i < p->cgroups.count; i++)
		fb_str_printf(out, "@cgroup %s\n", p->cgroups.v[i]);
}

static void check(const char *folder, const char *name,
		  const struct fb_cgroups *cgroups)
{
	FB_STR struct fb_str text = FB_STR_INIT(GOLDEN_MAX);
	FB_PLAN struct fb_plan plan = { 0 };
	struct fb_plan_process *p = &plan.processes[0];
	struct fb_jailer j = jailer;
	struct fb_err err = { 0 };

	j.cgroups = *cgroups;
	if (fb_engine_firecracker.render(&machine, FB_ACCEL_KVM, "firecracker",
					 &plan, &err) < 0 ||
	    fb_jailer_wrap(&j, p, &err) < 0) {
		TAP_OK(false, "%s: %s", name, err.msg);
		return;
	}
	describe_jail(p, &text);
	golden_compare(folder, name, fb_str_cstr(&text));
	for (size_t i = 0; i < p->argv.count; i++)
		TAP_OK(!strstr(p->argv.v[i], "seccomp"),
		       "'%s' leaves its seccomp filter alone", p->argv.v[i]);
	TAP_OK(!p->drop_ids, "it is root that starts it");
}

static void test_golden(const char *folder)
{
	const struct fb_cgroups none = { 0 };
	const struct fb_cgroups v1 = { 1, "/sys/fs/cgroup/cpu,cpuacct",
				       "/sys/fs/cgroup/memory" };
	const struct fb_cgroups v2 = { 2, "/sys/fs/cgroup", "/sys/fs/cgroup" };
	const struct fb_cgroups memory = { 2, "", "/sys/fs/cgroup" };

	check(folder, "no-cgroups.argv", &none);
	check(folder, "cgroups-v1.argv", &v1);
	check(folder, "cgroups-v2.argv", &v2);
	check(folder, "cgroups-v2-memory.argv", &memory);
}

static void test_refused(void)
{
	struct fb_plan_process p = { 0 };
	struct fb_jailer j = jailer;

	j.vmm = "firecracker";
	TAP_INT(fb_jailer_wrap(&j, &p, NULL), -EINVAL, "a relative path");
	j = jailer;
	j.id = "../x";
	TAP_INT(fb_jailer_wrap(&j, &p, NULL), -EINVAL, "an id with a way out");
	j.id = "";
	TAP_INT(fb_jailer_wrap(&j, &p, NULL), -EINVAL, "no id");
}

static void put(int dir, const char *name, const char *text)
{
	if (fb_write_file_at(dir, name, text, strlen(text), 0644) < 0)
		abort();
}

#define V1_MOUNTS                                                        \
	"proc /proc proc rw 0 0\n"                                       \
	"cgroup /sys/fs/cgroup/cpuset cgroup rw,relatime,cpuset 0 0\n"   \
	"cgroup /sys/fs/cgroup/ro cgroup ro,relatime,memory 0 0\n"       \
	"cgroup /sys/fs/cgroup/cpu cgroup rw,relatime,cpu,cpuacct 0 0\n" \
	"cgroup /sys/fs/cgroup/memory cgroup rw,relatime,memory 0 0\n"   \
	"cgroup2 /unified cgroup2 rw,relatime 0 0\n"

static void test_cgroups(void)
{
	char dir[] = "/tmp/fb-cgroups-XXXXXX";
	struct fb_cgroups got;
	FB_FD int root = -EBADF;

	if (!mkdtemp(dir))
		abort();
	root = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	fb_cgroups_find(root, &got);
	TAP_INT(got.version, 0, "no /proc: no control groups");
	if (mkdirat(root, "proc", 0700) < 0 ||
	    mkdirat(root, "unified", 0700) < 0)
		abort();
	put(root, "proc/mounts", V1_MOUNTS);
	put(root, "unified/cgroup.subtree_control", "\n");
	fb_cgroups_find(root, &got);
	TAP_INT(got.version, 1, "version 1 where version 2 has nothing");
	TAP_STR(got.cpu, "/sys/fs/cgroup/cpu", "its processor time");
	TAP_STR(got.memory, "/sys/fs/cgroup/memory", "its memory");
	put(root, "unified/cgroup.subtree_control", "cpuset memory pids\n");
	fb_cgroups_find(root, &got);
	TAP_INT(got.version, 2, "version 2 where it has controllers");
	TAP_STR(got.cpu, "", "'cpuset' is not 'cpu'");
	TAP_STR(got.memory, "/unified", "memory alone");
	put(root, "proc/mounts", "broken\ncgroup\ncgroup x\n\n a b c d\n");
	fb_cgroups_find(root, &got);
	TAP_INT(got.version, 0, "lines that are none");
	(void)fb_rmtree_at(AT_FDCWD, dir);
}

static void test_decision(void)
{
	char why[FB_JAILER_WHY_MAX], *path = NULL;
	struct fb_err err = { 0 };

	TAP_INT(fb_jailer_find("off", "jailer", "/bin/sh", &path, why, NULL), 0,
		"switched off");
	TAP_OK(!path && strstr(why, "off"), "and told so");
	TAP_INT(fb_jailer_find(NULL, NULL, "/bin/sh", &path, why, NULL), 0,
		"a VMM without one");
	TAP_OK(!path && why[0], "is not jailed");
	path = fb_jailer_program("auto", "sh", "/bin/sh");
	TAP_OK(path && strstr(path, "/sh"), "it is looked for beside the VMM");
	free(FB_TAKE_PTR(path));
	path = fb_jailer_program("/bin/sh", "none", "/nonexistent");
	TAP_STR(path, "/bin/sh", "or where it was said to be");
	free(FB_TAKE_PTR(path));
	TAP_OK(!fb_jailer_program(NULL, "none", "/bin/sh"),
	       "and not elsewhere");
	TAP_INT(fb_jailer_find("auto", "no-such-jailer", "/bin/sh", &path, why,
			       NULL),
		0, "none beside the VMM");
	TAP_OK(!path && why[0], "is a reason: %s", why);
	TAP_OK(fb_jailer_find("/nonexistent", "jailer", "/bin/sh", &path, why,
			      &err) < 0,
	       "one that was asked for must be there: %s", err.msg);
	TAP_OK(err.hint[0], "with a hint");
	/* any program serves as the jailer here: /bin/sh is no Firecracker */
	TAP_OK(fb_jailer_find("/bin/sh", "jailer", "/bin/sh", &path, why,
			      &err) < 0,
	       "a VMM that can't be jailed: %s", err.msg);
}

int main(int argc, char **argv)
{
	if (argc != 2)
		return 2;
	test_golden(argv[1]);
	test_refused();
	test_cgroups();
	test_decision();
	return tap_done();
}
