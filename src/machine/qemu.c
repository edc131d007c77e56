/* SPDX-License-Identifier: Apache-2.0 */
/*
 * QEMU's microvm: virtio over MMIO, no PCI, no firmware but what loads the
 * kernel, one serial port for the kernel's last words.
 *
 * Everything of the host that the guest is given comes by descriptor: disks as
 * fd sets, the channel and the console as sockets.  QEMU itself opens only its
 * own firmware and libraries.  The guest names disks in the order of the command
 * line.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "machine/engine.h"
#include "machine/interpreted.h"

/* what each part is for: docs/engines.md "The kernel's command line" */
#define KERNEL_CONSOLE "console=ttyS0"
#define KERNEL_QUIET " quiet"
#define KERNEL_REST " reboot=t panic=-1 acpi=off dummy.numdummies=0"
/* KVM says the first of these to the kernel itself, and has its own clock */
#define KERNEL_TCG " no_timer_check"
#define KERNEL_TCG_CLOCK " tsc=reliable tsc_early_khz="

#define RATES_MAX 256

static const char *const readable[] = {
	"/sys/devices/system",
	"/dev/urandom",
};

static void add(struct fb_strv *argv, const char *option, const char *value)
{
	(void)fb_strv_add(argv, option);
	(void)fb_strv_add(argv, value);
}

#define KVM_ONLY "qemu-system-x86_64-microvm"

/* Debian's build for KVM alone comes without a system call filter, and ends where it
 * is asked for one: it gets ours */
static bool has_filter(const char *program)
{
	const char *slash = strrchr(program, '/');

	return strcmp(slash ? slash + 1 : program, KVM_ONLY) != 0;
}

static void render_base(const struct fb_machine_config *c, enum fb_accel accel,
			const char *program, struct fb_strv *argv)
{
	bool kvm = accel == FB_ACCEL_KVM;

	(void)fb_strv_add(argv, "qemu-system-x86_64");
	(void)fb_strv_add(argv, "-nodefaults");
	(void)fb_strv_add(argv, "-no-user-config");
	add(argv, "-display", "none");
	(void)fb_strv_add(argv, "-no-reboot");
	if (has_filter(program))
		add(argv, "-sandbox",
		    "on,obsolete=deny,elevateprivileges=deny,spawn=deny,"
		    "resourcecontrol=deny");
	/* without KVM the guest calibrates its clock by PIT and PIC */
	add(argv, "-machine",
	    kvm ? "microvm,acpi=off,rtc=on,pit=off,pic=off,isa-serial=on,"
		  "mem-merge=off"
		: "microvm,acpi=off,rtc=on,pit=on,pic=on,isa-serial=on,"
		  "mem-merge=off");
	if (kvm) {
		add(argv, "-accel", "kvm");
		add(argv, "-cpu",
		    c->interpreted ? "host,-arch-capabilities,-cx16,"
				     "-kvm-pv-unhalt,-kvm-pv-tlb-flush,"
				     "-kvm-pv-ipi,-kvm-pv-sched-yield"
				   : "host");
	} else {
		add(argv, "-accel", "tcg,thread=multi");
		/* rep movsb goes byte by byte in TCG: without ERMS the guest copies
		 * in larger steps, four times as fast */
		add(argv, "-cpu", "max,-erms");
	}
	(void)fb_strv_add(argv, "-smp");
	(void)fb_strv_addf(argv, "%u", c->cpus);
	(void)fb_strv_add(argv, "-m");
	(void)fb_strv_addf(argv, "%lluM",
			   (unsigned long long)((c->memory_bytes + 1048575) >>
						20));
	add(argv, "-global", "virtio-mmio.force-legacy=false");
}

/*
 * By descriptor as well: an unprivileged user id may not be able to walk to
 * where these files are.  Opening the link asks only for the file's own mode.
 */
static void render_file(struct fb_plan_process *p, const char *option, int fd)
{
	(void)fb_plan_give_fd(p, fd);
	(void)fb_strv_add(&p->argv, option);
	(void)fb_strv_addf(&p->argv, "/proc/self/fd/%d", fd);
	(void)fb_strv_addf(&p->readable, "/proc/self/fd/%d", fd);
}

/* constant for a host and an accelerator: nothing of any container */
static void render_cmdline(const struct fb_machine_config *c,
			   enum fb_accel accel, struct fb_strv *argv)
{
	const char *quiet = c->talkative ? "" : KERNEL_QUIET;

	(void)fb_strv_add(argv, "-append");
	if (accel != FB_ACCEL_TCG)
		(void)fb_strv_addf(
			argv, KERNEL_CONSOLE "%s" KERNEL_REST "%s", quiet,
			c->interpreted ? FB_INTERPRETED_CMDLINE : "");
	else if (c->tsc_khz)
		(void)fb_strv_addf(argv,
				   KERNEL_CONSOLE
				   "%s" KERNEL_REST KERNEL_TCG KERNEL_TCG_CLOCK
				   "%u",
				   quiet, c->tsc_khz);
	else
		(void)fb_strv_addf(argv,
				   KERNEL_CONSOLE "%s" KERNEL_REST KERNEL_TCG,
				   quiet);
}

/*
 * The virtio transports, in the order of the command line: QEMU gives the first
 * device the last transport and interrupt 12, the next 11, and so on.  Interrupt
 * 8 is the clock's too, so it falls to the device that matters least.
 */
struct transports {
	struct fb_strv *argv;
	unsigned int used;
	bool balloon;
};

#define TRANSPORT_OF_CLOCK 4

static void add_balloon(struct transports *t)
{
	if (t->balloon)
		return;
	add(t->argv, "-device",
	    "virtio-balloon-device,free-page-reporting=on,deflate-on-oom=on");
	t->balloon = true;
	t->used++;
}

/* to be followed by the device's own words */
static void next_transport(struct transports *t)
{
	if (t->used == TRANSPORT_OF_CLOCK)
		add_balloon(t);
	t->used++;
	(void)fb_strv_add(t->argv, "-device");
}

/* a node between device and file. Return: whether there is one */
static bool render_rates(const struct fb_machine_disk *d, size_t i,
			 struct fb_strv *argv)
{
	static const char *const names[] = {
		[FB_RATE_READ_BYTES] = "bps-read",
		[FB_RATE_WRITE_BYTES] = "bps-write",
		[FB_RATE_READ_OPERATIONS] = "iops-read",
		[FB_RATE_WRITE_OPERATIONS] = "iops-write",
	};
	FB_STR struct fb_str limits = FB_STR_INIT(RATES_MAX);

	_Static_assert(FB_ARRAY_SIZE(names) == FB_RATE_COUNT, "a name each");
	for (size_t k = 0; k < FB_RATE_COUNT; k++)
		if (d->rates[k])
			fb_str_printf(&limits, "%s\"%s\":%llu",
				      limits.len ? "," : "", names[k],
				      (unsigned long long)d->rates[k]);
	if (!limits.len)
		return false;
	(void)fb_strv_add(argv, "-object");
	(void)fb_strv_addf(argv,
			   "{\"qom-type\":\"throttle-group\",\"id\":"
			   "\"rates%zu\",\"limits\":{%s}}",
			   i, fb_str_cstr(&limits));
	(void)fb_strv_add(argv, "-blockdev");
	(void)fb_strv_addf(
		argv,
		"driver=throttle,node-name=limited%zu,"
		"throttle-group=rates%zu,file=disk%zu,read-only=%s%s",
		i, i, i, d->read_only ? "on" : "off",
		d->read_only ? "" : ",discard=unmap");
	return true;
}

static void render_disk(const struct fb_machine_disk *d, size_t i,
			struct fb_plan_process *p, struct transports *t)
{
	bool limited;

	(void)fb_plan_give_fd(p, d->fd);
	(void)fb_strv_add(t->argv, "-add-fd");
	(void)fb_strv_addf(t->argv, "fd=%d,set=%zu,opaque=disk%zu", d->fd,
			   i + 1, i);
	(void)fb_strv_add(t->argv, "-blockdev");
	(void)fb_strv_addf(
		t->argv,
		"driver=file,node-name=disk%zu,filename=/dev/fdset/%zu,"
		"locking=off,read-only=%s,auto-read-only=off%s%s",
		i, i + 1, d->read_only ? "on" : "off",
		d->read_only ? "" : ",discard=unmap",
		d->disposable ? ",cache.no-flush=on" : "");
	limited = render_rates(d, i, t->argv);
	next_transport(t);
	(void)fb_strv_addf(t->argv,
			   "virtio-blk-device,drive=%s%zu,config-wce=off%s",
			   limited ? "limited" : "disk", i,
			   d->read_only ? "" : ",discard=on,write-cache=on");
}

static void render_nic(const struct fb_machine_config *c,
		       struct fb_plan_process *p, struct transports *t)
{
	if (c->nic == FB_NIC_NONE)
		return;
	(void)fb_strv_add(t->argv, "-netdev");
	(void)fb_plan_give_fd(p, c->nic_fd);
	(void)fb_strv_addf(t->argv,
			   "stream,id=net0,server=off,addr.type=fd,addr.str=%d",
			   c->nic_fd);
	next_transport(t);
	(void)fb_strv_addf(t->argv,
			   "virtio-net-device,netdev=net0,"
			   "mac=%02x:%02x:%02x:%02x:%02x:%02x",
			   c->mac[0], c->mac[1], c->mac[2], c->mac[3],
			   c->mac[4], c->mac[5]);
}

static void render_channel(const struct fb_machine_config *c,
			   struct fb_plan_process *p, struct transports *t)
{
	(void)fb_plan_give_fd(p, c->channel_fd);
	(void)fb_strv_add(t->argv, "-chardev");
	(void)fb_strv_addf(t->argv, "socket,id=channel,fd=%d", c->channel_fd);
	next_transport(t);
	(void)fb_strv_add(t->argv, "virtio-serial-device,max_ports=2");
	add(t->argv, "-device",
	    "virtserialport,chardev=channel,name=flamebox.0,nr=1");
}

static void render_console(const struct fb_machine_config *c,
			   struct fb_plan_process *p)
{
	(void)fb_plan_give_fd(p, c->console_fd);
	(void)fb_strv_add(&p->argv, "-chardev");
	(void)fb_strv_addf(&p->argv, "socket,id=console,fd=%d", c->console_fd);
	add(&p->argv, "-serial", "chardev:console");
}

/* the last reset is just before the guest runs; traces of later events keep it from
 * running */
static void render_start(const struct fb_machine_config *c,
			 struct fb_plan_process *p)
{
	if (!c->timed)
		return;
	(void)fb_plan_give_fd(p, c->start_fd);
	add(&p->argv, "-d", "cpu_reset");
	(void)fb_strv_add(&p->argv, "-D");
	(void)fb_strv_addf(&p->argv, "/proc/self/fd/%d", c->start_fd);
}

static void render_devices(const struct fb_machine_config *c,
			   struct fb_plan_process *p, struct fb_plan *plan)
{
	struct transports t = { .argv = &p->argv };

	render_channel(c, p, &t);
	render_nic(c, p, &t);
	for (size_t i = 0; i < c->disk_count; i++) {
		render_disk(&c->disks[i], i, p, &t);
		(void)snprintf(plan->disk_names[i], sizeof(plan->disk_names[i]),
			       "/dev/vd%c", (char)('a' + i));
	}
	add(t.argv, "-object", "rng-builtin,id=rng0");
	next_transport(&t);
	(void)fb_strv_add(t.argv, "virtio-rng-device,rng=rng0");
	add_balloon(&t);
	render_console(c, p);
}

/* a QEMU that somebody built keeps its firmware beside its own folder */
static void add_home(struct fb_plan_process *p)
{
	const char *slash = strrchr(p->path, '/');
	int len = slash ? (int)(slash - p->path) : 0;

	if (len == 0 || !strncmp(p->path, "/usr/", 5))
		return;
	(void)fb_strv_addf(&p->readable, "%.*s", len, p->path);
	(void)fb_strv_addf(&p->readable, "%.*s/../share/qemu", len, p->path);
	(void)fb_strv_addf(&p->readable, "%.*s/../lib", len, p->path);
}

static void render_sandbox(enum fb_accel accel, struct fb_plan_process *p)
{
	fb_plan_allow_libraries(p);
	for (size_t i = 0; i < FB_ARRAY_SIZE(readable); i++)
		(void)fb_strv_add(&p->readable, readable[i]);
	add_home(p);
	(void)fb_strv_add(&p->writable, "/dev/null");
	if (accel == FB_ACCEL_KVM)
		(void)fb_strv_add(&p->writable, "/dev/kvm");
}

static int qemu_render(const struct fb_machine_config *c, enum fb_accel accel,
		       const char *program, struct fb_plan *plan,
		       struct fb_err *err)
{
	struct fb_plan_process *p = fb_plan_add_process(plan, "QEMU", program);

	if (!p)
		return fb_err_set(err, -ENOMEM, "prepare QEMU: %m");
	render_base(c, accel, program, &p->argv);
	p->filter = !has_filter(program);
	render_file(p, "-kernel", c->kernel_fd);
	render_file(p, "-initrd", c->initramfs_fd);
	render_cmdline(c, accel, &p->argv);
	render_devices(c, p, plan);
	render_start(c, p);
	render_sandbox(accel, p);
	p->drop_ids = c->drop_ids;
	p->uid = c->uid;
	p->gid = c->gid;
	if (p->argv.err || p->readable.err || p->writable.err)
		return fb_err_set(err, -ENOMEM, "prepare QEMU: %m");
	return 0;
}

const struct fb_engine_ops fb_engine_qemu = {
	.name = "qemu",
	.title = "QEMU",
	.binary = "qemu-system-x86_64",
	.kvm_only = KVM_ONLY,
	.install = "apt-get install qemu-system-x86",
	.accels = 1u << FB_ACCEL_KVM | 1u << FB_ACCEL_TCG,
	.nics = 1u << FB_NIC_NONE | 1u << FB_NIC_STREAM,
	.cpus_max = FB_MACHINE_CPUS_MAX,
	.render = qemu_render,
};
