/* SPDX-License-Identifier: Apache-2.0 */
/* QEMU's rendered process against golden files in the folder argv[1]. */
#include "golden.h"
#include "machine/engine.h"

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

static void check_program(const char *program, const char *folder,
			  const char *name,
			  const struct fb_machine_config *config,
			  enum fb_accel accel)
{
	FB_STR struct fb_str text = FB_STR_INIT(GOLDEN_MAX);
	FB_PLAN struct fb_plan plan = { 0 };
	struct fb_err err = { 0 };
	char file[64];
	int r = fb_engine_qemu.render(config, accel, program, &plan, &err);

	if (r < 0 || plan.process_count != 1) {
		TAP_OK(false, "%s: %s", name, err.msg);
		return;
	}
	golden_describe(&plan.processes[0], &text);
	for (size_t i = 0; i < config->disk_count; i++)
		fb_str_printf(&text, "@disk %s\n", plan.disk_names[i]);
	(void)snprintf(file, sizeof(file), "%s.argv", name);
	golden_compare(folder, file, fb_str_cstr(&text));
}

static void check(const char *folder, const char *name,
		  const struct fb_machine_config *config, enum fb_accel accel)
{
	check_program("/usr/bin/qemu-system-x86_64", folder, name, config,
		      accel);
}

static void test_golden(const char *folder)
{
	struct fb_machine_config c = two_disks;

	c.tsc_khz = 2596140;
	check(folder, "tcg", &c, FB_ACCEL_TCG);
	check(folder, "kvm", &c, FB_ACCEL_KVM);
	/* it has no filter of its own */
	check_program("/usr/bin/qemu-system-x86_64-microvm", folder, "kvm-only",
		      &c, FB_ACCEL_KVM);
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
	c.interpreted = true;
	check(folder, "interpreted", &c, FB_ACCEL_KVM);
	c = two_disks;
	c.drop_ids = true;
	c.uid = c.gid = 0x46420001;
	check(folder, "as-root", &c, FB_ACCEL_KVM);
	c = two_disks;
	c.disks[0].rates[FB_RATE_READ_BYTES] = 1048576;
	c.disks[1].rates[FB_RATE_READ_BYTES] = 4096000;
	c.disks[1].rates[FB_RATE_WRITE_BYTES] = 2048000;
	c.disks[1].rates[FB_RATE_READ_OPERATIONS] = 999;
	c.disks[1].rates[FB_RATE_WRITE_OPERATIONS] = 1;
	check(folder, "rates", &c, FB_ACCEL_TCG);
	c = two_disks;
	c.talkative = c.timed = true;
	c.start_fd = 29;
	check(folder, "timed", &c, FB_ACCEL_TCG);
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
