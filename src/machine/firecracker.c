/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Firecracker: one JSON text says what the machine is, and starts it; the API
 * socket is for what comes later.
 *
 * Firecracker opens everything by path.  What it is given lies open in it
 * already, so a path is "/proc/self/fd/N": no name of the host is needed, none
 * is too long for a socket's address, and nothing is copied.  Opening such a
 * link asks for the file's own mode, not for the way to it.
 *
 * Its sockets are made in a folder of the machine's own.  A guest that connects
 * to port P of its host reaches whoever listens at "<vsock's path>_P".
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "machine/engine.h"
#include "machine/firecracker.h"
#include "machine/interpreted.h"

/* descriptors of texts, beyond those of container/launch.h */
#define CONFIG_FD 64
#define CPU_FD 65
#define CONFIG_MAX 16384

#define GUEST_CID 3
#define MIB (1ull << 20)
/* from here on a limit is kept in tenths of a second */
#define BUCKET_RATE_MIN 1000

/* what each part is for: docs/engines.md "The kernel's command line" */
#define KERNEL_CONSOLE "console=ttyS0"
#define KERNEL_QUIET " quiet"
#define KERNEL_REST " reboot=k panic=-1 acpi=off dummy.numdummies=0"
/* what a KVM that interprets lacks and the kernel's words can't hide: cmpxchg16b, and
 * the hypercalls by which one processor calls another (KVM's CPUID leaf, bits 7, 9,
 * 11, 13) */
#define CPU_INTERPRETED                                                     \
	"{\"cpuid_modifiers\": [{\"leaf\": \"0x1\", \"subleaf\": \"0x0\", " \
	"\"flags\": 0, \"modifiers\": [{\"register\": \"ecx\", "            \
	"\"bitmap\": \"0bxxxxxxxxxxxxxxxxxx0xxxxxxxxxxxxx\"}]}, "           \
	"{\"leaf\": \"0x40000001\", \"subleaf\": \"0x0\", "                 \
	"\"flags\": 0, \"modifiers\": [{\"register\": \"eax\", "            \
	"\"bitmap\": \"0bxxxxxxxxxxxxxxxxxx0x0x0x0xxxxxxx\"}]}]}\n"

/* a file of the host that it opens through its own descriptor */
static const char *give(struct fb_plan_process *p, int fd, bool write,
			char path[FB_FIRECRACKER_PATH_MAX])
{
	(void)snprintf(path, FB_FIRECRACKER_PATH_MAX, "/proc/self/fd/%d", fd);
	(void)fb_plan_give_fd(p, fd);
	(void)fb_strv_add(write ? &p->writable : &p->readable, path);
	return path;
}

static void render_boot(const struct fb_machine_config *c,
			struct fb_plan_process *p, struct fb_str *json)
{
	char path[FB_FIRECRACKER_PATH_MAX];

	fb_str_printf(json,
		      "  \"boot-source\": {\n"
		      "    \"kernel_image_path\": \"%s\",\n",
		      give(p, c->kernel_fd, false, path));
	fb_str_printf(json,
		      "    \"initrd_path\": \"%s\",\n"
		      "    \"boot_args\": \"" KERNEL_CONSOLE "%s" KERNEL_REST
		      "%s\"\n"
		      "  },\n",
		      give(p, c->initramfs_fd, false, path),
		      c->talkative ? "" : KERNEL_QUIET,
		      c->interpreted ? FB_INTERPRETED_CMDLINE : "");
}

static void render_machine(const struct fb_machine_config *c,
			   struct fb_str *json)
{
	fb_str_printf(json,
		      "  \"machine-config\": {\n"
		      "    \"vcpu_count\": %u,\n"
		      "    \"mem_size_mib\": %llu,\n"
		      "    \"smt\": false\n"
		      "  },\n",
		      c->cpus,
		      (unsigned long long)((c->memory_bytes + MIB - 1) / MIB));
	if (c->interpreted)
		fb_str_printf(json, "  \"cpu-config\": \"/proc/self/fd/%d\",\n",
			      CPU_FD);
}

/* the smaller of two limits, where 0 is none */
static uint64_t tighter(uint64_t a, uint64_t b)
{
	return !a || (b && b < a) ? b : a;
}

/* small ones in the steps of a second, so that no fraction is lost */
static void render_bucket(const char *name, uint64_t rate, const char *before,
			  struct fb_str *json)
{
	bool slow = rate < BUCKET_RATE_MIN;

	fb_str_printf(json,
		      "%s\n        \"%s\": { \"size\": %llu, "
		      "\"refill_time\": %d }",
		      before, name,
		      (unsigned long long)(slow ? rate : rate / 10),
		      slow ? 1000 : 100);
}

/* one bucket for reads and writes: it has no others */
static void render_rates(const uint64_t rates[FB_RATE_COUNT],
			 struct fb_str *json)
{
	uint64_t bytes =
		tighter(rates[FB_RATE_READ_BYTES], rates[FB_RATE_WRITE_BYTES]);
	uint64_t operations = tighter(rates[FB_RATE_READ_OPERATIONS],
				      rates[FB_RATE_WRITE_OPERATIONS]);

	if (!bytes && !operations)
		return;
	fb_str_puts(json, ",\n      \"rate_limiter\": {");
	if (bytes)
		render_bucket("bandwidth", bytes, "", json);
	if (operations)
		render_bucket("ops", operations, bytes ? "," : "", json);
	fb_str_puts(json, "\n      }");
}

/* "Unsafe" is Firecracker's word for: the guest's flushes are not waited for */
static void render_drives(const struct fb_machine_config *c,
			  struct fb_plan_process *p, struct fb_plan *plan,
			  struct fb_str *json)
{
	char path[FB_FIRECRACKER_PATH_MAX];

	fb_str_puts(json, "  \"drives\": [");
	for (size_t i = 0; i < c->disk_count; i++) {
		const struct fb_machine_disk *d = &c->disks[i];

		fb_str_printf(json,
			      "%s\n    {\n"
			      "      \"drive_id\": \"disk%zu\",\n"
			      "      \"is_root_device\": false,\n"
			      "      \"is_read_only\": %s,\n"
			      "      \"path_on_host\": \"%s\",\n"
			      "      \"cache_type\": \"%s\"",
			      i ? "," : "", i, d->read_only ? "true" : "false",
			      give(p, d->fd, !d->read_only, path),
			      d->read_only || d->disposable ? "Unsafe"
							    : "Writeback");
		render_rates(d->rates, json);
		fb_str_puts(json, "\n    }");
		(void)snprintf(plan->disk_names[i], sizeof(plan->disk_names[i]),
			       "/dev/vd%c", (char)('a' + i));
	}
	fb_str_puts(json, "\n  ],\n");
}

static void render_nic(const struct fb_machine_config *c,
		       struct fb_plan_process *p, struct fb_str *json)
{
	if (c->nic != FB_NIC_TAP)
		return;
	(void)fb_strv_add(&p->writable, "/dev/net/tun");
	for (size_t i = 0; i < c->namespace_count; i++)
		p->namespaces[p->namespace_count++] = c->namespaces[i];
	fb_str_printf(json,
		      "  \"network-interfaces\": [\n    {\n"
		      "      \"iface_id\": \"eth0\",\n"
		      "      \"host_dev_name\": \"%s\",\n"
		      "      \"guest_mac\": "
		      "\"%02x:%02x:%02x:%02x:%02x:%02x\"\n"
		      "    }\n  ],\n",
		      FB_MACHINE_TAP, c->mac[0], c->mac[1], c->mac[2],
		      c->mac[3], c->mac[4], c->mac[5]);
}

static void render_rest(const struct fb_machine_config *c, struct fb_str *json)
{
	fb_str_printf(json,
		      "  \"vsock\": {\n"
		      "    \"guest_cid\": %d,\n"
		      "    \"uds_path\": \"/proc/self/fd/%d/%s\"\n"
		      "  },\n"
		      "  \"entropy\": {},\n"
		      "  \"balloon\": {\n"
		      "    \"amount_mib\": 0,\n"
		      "    \"deflate_on_oom\": true%s\n"
		      "  }\n}\n",
		      GUEST_CID, c->folder_fd, FB_MACHINE_VSOCK,
		      c->vmm_version >= FB_FIRECRACKER_REPORTING
			      ? ",\n    \"free_page_reporting\": true"
			      : "");
}

static void render_argv(const struct fb_machine_config *c, struct fb_strv *argv)
{
	(void)fb_strv_add(argv, "firecracker");
	(void)fb_strv_add(argv, "--api-sock");
	(void)fb_strv_addf(argv, "/proc/self/fd/%d/%s", c->folder_fd,
			   FB_FIRECRACKER_API);
	(void)fb_strv_add(argv, "--config-file");
	(void)fb_strv_addf(argv, "/proc/self/fd/%d", CONFIG_FD);
	/* the console is its standard output; what goes wrong is said apart */
	(void)fb_strv_add(argv, "--log-path");
	(void)fb_strv_add(argv, "/proc/self/fd/2");
	if (c->metrics_fd >= 0) {
		(void)fb_strv_add(argv, "--metrics-path");
		(void)fb_strv_addf(argv, "/proc/self/fd/%d", c->metrics_fd);
	}
	(void)fb_strv_add(argv, "--level");
	(void)fb_strv_add(argv, "Error");
	(void)fb_strv_add(argv, "--show-level");
}

static void render_sandbox(const struct fb_machine_config *c,
			   struct fb_plan_process *p)
{
	(void)fb_strv_add(&p->readable, p->path);
	/* releases are static; somebody's own may not be */
	fb_plan_allow_libraries(p);
	(void)fb_strv_add(&p->writable, "/dev/null");
	(void)fb_strv_add(&p->writable, "/dev/kvm");
	if (c->metrics_fd >= 0)
		(void)fb_plan_give_fd(p, c->metrics_fd);
	(void)fb_plan_give_fd(p, c->folder_fd);
	(void)fb_strv_addf(&p->sockets, "/proc/self/fd/%d", c->folder_fd);
	p->drop_ids = c->drop_ids;
	p->uid = c->uid;
	p->gid = c->gid;
}

static int firecracker_render(const struct fb_machine_config *c,
			      enum fb_accel accel, const char *program,
			      struct fb_plan *plan, struct fb_err *err)
{
	FB_STR struct fb_str json = FB_STR_INIT(CONFIG_MAX);
	struct fb_plan_process *p =
		fb_plan_add_process(plan, "Firecracker", program);
	int r;

	if (accel != FB_ACCEL_KVM || c->nic == FB_NIC_STREAM)
		return fb_err_set(err, -EINVAL, "prepare Firecracker: %m");
	if (!p)
		return fb_err_set(err, -ENOMEM, "prepare Firecracker: %m");
	render_argv(c, &p->argv);
	fb_str_puts(&json, "{\n");
	render_boot(c, p, &json);
	render_machine(c, &json);
	render_drives(c, p, plan, &json);
	render_nic(c, p, &json);
	render_rest(c, &json);
	render_sandbox(c, p);
	p->fds[p->fd_count++] = (struct fb_spawn_fd){ c->console_fd, 1 };
	r = fb_plan_give_text(p, CONFIG_FD, fb_str_take(&json));
	if (r == 0 && c->interpreted)
		r = fb_plan_give_text(p, CPU_FD, strdup(CPU_INTERPRETED));
	if (r < 0 || p->argv.err || p->readable.err || p->writable.err ||
	    p->sockets.err)
		return fb_err_set(err, -ENOMEM, "prepare Firecracker: %m");
	return 0;
}

const struct fb_engine_ops fb_engine_firecracker = {
	.name = "firecracker",
	.title = "Firecracker",
	.binary = "firecracker",
	.install = "scripts/install-firecracker",
	.jailer = "jailer",
	.accels = 1u << FB_ACCEL_KVM,
	.nics = 1u << FB_NIC_NONE | 1u << FB_NIC_TAP,
	.cpus_max = 32,
	.rates_together = true,
	.folder = true,
	.version = fb_firecracker_version,
	.render = firecracker_render,
};
