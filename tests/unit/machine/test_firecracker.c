/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Firecracker's rendered process and configuration against golden files in the
 * folder argv[1]; NAME.json is the configuration itself, to be read with any tool.
 */
#include <errno.h>

#include "golden.h"
#include "machine/engine.h"
#include "machine/firecracker.h"

static const struct fb_machine_config two_disks = {
	.kernel_fd = 28,
	.initramfs_fd = 29,
	.cpus = 1,
	.memory_bytes = 512ull << 20,
	.disks = { { .fd = 30, .read_only = true }, { .fd = 31 } },
	.disk_count = 2,
	.mac = { 0x52, 0x54, 0x00, 0x0a, 0xb0, 0xff },
	.folder_fd = 24,
	.metrics_fd = 25,
	.console_fd = 21,
	.vmm_version = FB_ENGINE_VERSION(1u, 16u),
};

static int render(const struct fb_machine_config *config, struct fb_plan *plan,
		  struct fb_err *err)
{
	return fb_engine_firecracker.render(config, FB_ACCEL_KVM,
					    "/usr/bin/firecracker", plan, err);
}

static void check(const char *folder, const char *name,
		  const struct fb_machine_config *config)
{
	FB_STR struct fb_str text = FB_STR_INIT(GOLDEN_MAX);
	FB_PLAN struct fb_plan plan = { 0 };
	const struct fb_plan_process *p = &plan.processes[0];
	struct fb_err err = { 0 };
	char file[64];

	if (render(config, &plan, &err) < 0 || plan.process_count != 1 ||
	    p->text_count < 1) {
		TAP_OK(false, "%s: %s", name, err.msg);
		return;
	}
	golden_describe(p, &text);
	for (size_t i = 0; i < config->disk_count; i++)
		fb_str_printf(&text, "@disk %s\n", plan.disk_names[i]);
	for (size_t i = 1; i < p->text_count; i++)
		fb_str_printf(&text, "@text %d %s", p->texts[i].fd,
			      p->texts[i].text);
	(void)snprintf(file, sizeof(file), "%s.argv", name);
	golden_compare(folder, file, fb_str_cstr(&text));
	(void)snprintf(file, sizeof(file), "%s.json", name);
	golden_compare(folder, file, p->texts[0].text);
}

static void test_golden(const char *folder)
{
	struct fb_machine_config c = two_disks;

	check(folder, "two-disks", &c);
	c.vmm_version = FB_FIRECRACKER_OLDEST;
	c.disks[1].disposable = true;
	check(folder, "oldest", &c);
	c = two_disks;
	c.disk_count = 1;
	c.cpus = 3;
	c.memory_bytes = (300ull << 20) + 1;
	check(folder, "ephemeral", &c);
	c = two_disks;
	c.nic = FB_NIC_TAP;
	c.namespaces[c.namespace_count++] = 39;
	c.drop_ids = true;
	c.uid = c.gid = 0x46420001;
	check(folder, "as-root", &c);
	c = two_disks;
	c.interpreted = true;
	check(folder, "interpreted", &c);
	/* one bucket for reads and writes: the smaller of the limits */
	c = two_disks;
	c.disks[0].rates[FB_RATE_READ_BYTES] = 1048576;
	c.disks[1].rates[FB_RATE_READ_BYTES] = 4096000;
	c.disks[1].rates[FB_RATE_WRITE_BYTES] = 2048000;
	c.disks[1].rates[FB_RATE_READ_OPERATIONS] = 999;
	check(folder, "rates", &c);
}

/* what must hold whatever the golden files say */
static void test_promises(void)
{
	FB_PLAN struct fb_plan plan = { 0 };
	const struct fb_plan_process *p = &plan.processes[0];
	const char *json;

	if (render(&two_disks, &plan, NULL) < 0) {
		TAP_OK(false, "render");
		return;
	}
	json = p->texts[0].text;
	for (size_t i = 0; i < p->argv.count; i++)
		TAP_OK(!strstr(p->argv.v[i], "seccomp"),
		       "'%s' leaves its seccomp filter alone", p->argv.v[i]);
	TAP_OK(strstr(json, "\"is_read_only\": true") <
		       strstr(json, "\"is_read_only\": false"),
	       "the image is read-only, the other one is not");
	TAP_INT(p->writable.count, 3, "it may write three files");
	TAP_STR(p->writable.v[0], "/proc/self/fd/31", "its disk");
	TAP_STR(p->writable.v[1], "/dev/null", "nothing");
	TAP_STR(p->writable.v[2], "/dev/kvm", "and KVM");
	TAP_STR(plan.disk_names[0], "/dev/vda", "name of the first disk");
	TAP_STR(plan.disk_names[1], "/dev/vdb", "and of the second");
}

static void test_refused(void)
{
	struct fb_machine_config c = two_disks;
	FB_PLAN struct fb_plan plan = { 0 };
	struct fb_err err = { 0 };

	c.nic = FB_NIC_STREAM;
	TAP_INT(render(&c, &plan, &err), -EINVAL, "no stream of frames");
	TAP_INT(fb_engine_firecracker.render(&two_disks, FB_ACCEL_TCG, "/f",
					     &plan, &err),
		-EINVAL, "no software emulation");
}

int main(int argc, char **argv)
{
	if (argc != 2)
		return 2;
	test_golden(argv[1]);
	test_promises();
	test_refused();
	return tap_done();
}
