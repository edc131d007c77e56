/* SPDX-License-Identifier: Apache-2.0 */
/*
 * QEMU's rendered process against golden files (argv[1]): one argument a line,
 * then what else it gets, each line with an '@'.  A change of the command line
 * is a change of what the guest may do to the host, so it is to be read:
 * UPDATE_GOLDEN=1 writes the files anew, `git diff` shows it.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/io.h"
#include "machine/engine.h"
#include "tap.h"

#define GOLDEN_MAX (64u << 10)

static const struct fb_machine_config two_disks = {
	.kernel_fd = 25,
	.initramfs_fd = 26,
	.cpus = 1,
	.memory_bytes = 512ull << 20,
	.disks = { { .fd = 27, .read_only = true }, { .fd = 28 } },
	.disk_count = 2,
	.nic = FB_NIC_STREAM,
	.nic_fd = 23,
	.mac = { 0x52, 0x54, 0x00, 0x0a, 0xb0, 0xff },
	.channel_fd = 20,
	.console_fd = 21,
};

static void describe(const struct fb_plan_process *p, struct fb_str *out)
{
	for (size_t i = 0; i < p->argv.count; i++)
		fb_str_printf(out, "%s\n", p->argv.v[i]);
	fb_str_printf(out, "@path %s\n", p->path);
	for (size_t i = 0; i < p->fd_count; i++)
		fb_str_printf(out, "@fd %d as %d\n", p->fds[i].from,
			      p->fds[i].to);
	for (size_t i = 0; i < p->readable.count; i++)
		fb_str_printf(out, "@readable %s\n", p->readable.v[i]);
	for (size_t i = 0; i < p->writable.count; i++)
		fb_str_printf(out, "@writable %s\n", p->writable.v[i]);
	if (p->network)
		fb_str_puts(out, "@network\n");
	if (p->drop_ids)
		fb_str_printf(out, "@ids %u:%u\n", p->uid, p->gid);
}

/* the first line that differs, for whoever reads the test's output */
static void show_difference(const char *got, const char *want)
{
	size_t line = 1, n;

	while (*got && (n = strcspn(got, "\n")) == strcspn(want, "\n") &&
	       !strncmp(got, want, n)) {
		got += n + (got[n] == '\n');
		want += n + (want[n] == '\n');
		line++;
	}
	printf("# line %zu\n# got  %.*s\n# want %.*s\n", line,
	       (int)strcspn(got, "\n"), got, (int)strcspn(want, "\n"), want);
}

static void compare(const char *folder, const char *name, const char *got)
{
	char path[4096];
	FB_FREE char *want = NULL;

	(void)snprintf(path, sizeof(path), "%s/%s.argv", folder, name);
	if (getenv("UPDATE_GOLDEN"))
		(void)fb_write_file_at(AT_FDCWD, path, got, strlen(got), 0644);
	if (fb_read_file_at(AT_FDCWD, path, GOLDEN_MAX, &want, NULL) < 0) {
		TAP_OK(false, "golden file '%s'", path);
		return;
	}
	if (!TAP_OK(!strcmp(got, want), "%s is rendered as before", name))
		show_difference(got, want);
}

static void check(const char *folder, const char *name,
		  const struct fb_machine_config *config, enum fb_accel accel)
{
	FB_STR struct fb_str text = FB_STR_INIT(GOLDEN_MAX);
	FB_PLAN struct fb_plan plan = { 0 };
	struct fb_err err = { 0 };
	int r = fb_engine_qemu.render(
		config, accel, "/usr/bin/qemu-system-x86_64", &plan, &err);

	if (r < 0 || plan.process_count != 1) {
		TAP_OK(false, "%s: %s", name, err.msg);
		return;
	}
	describe(&plan.processes[0], &text);
	for (size_t i = 0; i < config->disk_count; i++)
		fb_str_printf(&text, "@disk %s\n", plan.disk_names[i]);
	compare(folder, name, fb_str_cstr(&text));
}

static void test_golden(const char *folder)
{
	struct fb_machine_config c = two_disks;

	c.tsc_khz = 2596140;
	check(folder, "tcg", &c, FB_ACCEL_TCG);
	check(folder, "kvm", &c, FB_ACCEL_KVM);
	c.tsc_khz = 0;
	c.nic = FB_NIC_NONE;
	check(folder, "no-network", &c, FB_ACCEL_TCG);
	c = two_disks;
	c.disk_count = 1;
	check(folder, "ephemeral", &c, FB_ACCEL_TCG);
	c = two_disks;
	c.cpus = 2;
	c.memory_bytes = (300ull << 20) + 1;
	check(folder, "two-cpus", &c, FB_ACCEL_TCG);
	c = two_disks;
	c.drop_ids = true;
	c.uid = c.gid = 0x46420001;
	check(folder, "as-root", &c, FB_ACCEL_KVM);
	/* the fifth transport shares the clock's interrupt: the balloon's */
	c = two_disks;
	c.disks[1].disposable = true;
	c.disks[2] = c.disks[3] = (struct fb_machine_disk){ .fd = 29 };
	c.disk_count = 4;
	check(folder, "four-disks", &c, FB_ACCEL_TCG);
}

/* Return: the argument behind @option that has @word, or NULL */
static const char *argument(const struct fb_plan_process *p, const char *option,
			    const char *word)
{
	for (size_t i = 0; i + 1 < p->argv.count; i++)
		if (!strcmp(p->argv.v[i], option) &&
		    strstr(p->argv.v[i + 1], word))
			return p->argv.v[i + 1];
	return NULL;
}

/* what must hold whatever the golden files say */
static void test_promises(void)
{
	FB_PLAN struct fb_plan plan = { 0 };
	const struct fb_plan_process *p = &plan.processes[0];
	const char *sandbox;
	size_t image_fds = 0;

	if (fb_engine_qemu.render(&two_disks, FB_ACCEL_TCG, "/q", &plan, NULL) <
	    0) {
		TAP_OK(false, "render");
		return;
	}
	sandbox = argument(p, "-sandbox", "on,");
	TAP_OK(sandbox && strstr(sandbox, "elevateprivileges=deny") &&
		       strstr(sandbox, "spawn=deny"),
	       "the seccomp filter is on");
	TAP_OK(argument(p, "-blockdev", "disk0,filename=/dev/fdset/") &&
		       argument(p, "-blockdev", "disk1,filename=/dev/fdset/"),
	       "disks come by descriptor");
	TAP_OK(strstr(argument(p, "-blockdev", "disk0,"), "read-only=on") &&
		       strstr(argument(p, "-blockdev", "disk1,"),
			      "read-only=off"),
	       "the image is read-only, the other one is not");
	for (size_t i = 0; i < p->fd_count; i++)
		image_fds += p->fds[i].from == 27 || p->fds[i].from == 28;
	TAP_INT(image_fds, 2, "each disk's descriptor is given once");
	for (size_t i = 0; i < p->writable.count; i++)
		TAP_STR(p->writable.v[i], "/dev/null", "it may write nothing");
	TAP_STR(plan.disk_names[0], "/dev/vda", "name of the first disk");
	TAP_STR(plan.disk_names[1], "/dev/vdb", "and of the second");
}

int main(int argc, char **argv)
{
	if (argc != 2)
		return 2;
	test_golden(argv[1]);
	test_promises();
	return tap_done();
}
