/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Theory of operation.  /dev/kvm can exist and open, and virtual CPUs can be
 * made, on a host that interprets the guest's code (nested clouds, sandboxes):
 * an ordinary kernel then takes minutes or dies at an instruction that the
 * interpreter does not know.  So a child process makes a machine of one page of
 * 64-bit code: a counted loop that is timed from outside, then popcnt and
 * cmpxchg16b, then a write to a port.  Its verdict comes back through a pipe; if
 * nothing comes in a second, that is the verdict.
 */
#include "machine/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/str.h"

#define MEMORY_SIZE (2u << 20)
#define PAGE_TABLES 0x1000
#define CODE 0x4000
#define DATA 0x8000
#define DONE_PORT 0x10
#define LOOPS 20000u
#define LOOP_INSTRUCTIONS (2ull * LOOPS)
/* a real processor needs some 20 us for the loop, an interpreter over 10 ms */
#define NATIVE_MAX_NS 5000000ull
#define TIMEOUT_MS 1000
#define CACHE_FILE "probe"
#define CACHE_MAX 4096

static const char *const verdict_names[] = {
	[FB_KVM_UNKNOWN] = "unknown",	  [FB_KVM_NATIVE] = "native",
	[FB_KVM_EMULATING] = "emulating", [FB_KVM_DENIED] = "denied",
	[FB_KVM_ABSENT] = "absent",	  [FB_KVM_BROKEN] = "broken",
};
_Static_assert(FB_ARRAY_SIZE(verdict_names) == FB_KVM_VERDICT_COUNT,
	       "a name each");

const char *fb_kvm_verdict_name(enum fb_kvm_verdict verdict)
{
	return verdict_names[verdict];
}

/* clang-format off: bytes beside what they mean */
static const uint8_t guest_code[] = {
	0xb9, 0x20,	 0x4e, 0x00, 0x00, /* mov  $20000, %ecx */
	0xff, 0xc9,			   /* 1: dec %ecx */
	0x75, 0xfc,			   /* jnz  1b */
	0xe6, DONE_PORT,		   /* out  %al, $port: loop done */
	0xf3, 0x48,	 0x0f, 0xb8, 0xc3, /* popcnt %rbx, %rax */
	0xbf, 0x00,	 0x80, 0x00, 0x00, /* mov  $0x8000, %edi */
	0x31, 0xc0,	 0x31, 0xd2,	   /* xor  %eax,%eax; %edx,%edx */
	0x48, 0x0f,	 0xc7, 0x0f,	   /* cmpxchg16b (%rdi) */
	0xe6, DONE_PORT,		   /* out  %al, $port: all done */
	0xf4,				   /* hlt */
};
/* clang-format on */

static void set_verdict(struct fb_probe *p, enum fb_kvm_verdict verdict,
			const char *reason, const char *fix)
{
	p->kvm = verdict;
	(void)snprintf(p->reason, sizeof(p->reason), "%s", reason);
	(void)snprintf(p->fix, sizeof(p->fix), "%s", fix);
}

struct vm {
	uint64_t loop_ns; /* of the timed loop, once it has run */
	int kvm;
	int vm;
	int vcpu;
	struct kvm_run *run;
};

static int set_registers(const struct vm *vm)
{
	struct kvm_sregs sregs;
	struct kvm_regs regs = { .rip = CODE, .rflags = 2, .rsp = DATA };
	struct kvm_segment flat = { .limit = 0xffffffff,
				    .selector = 8,
				    .present = 1,
				    .type = 11,
				    .s = 1,
				    .l = 1,
				    .g = 1 };

	if (ioctl(vm->vcpu, KVM_GET_SREGS, &sregs) < 0)
		return -errno;
	sregs.cr3 = PAGE_TABLES;
	sregs.cr4 = 1u << 5;		     /* PAE */
	sregs.cr0 = 1u << 31 | 1u << 5 | 1u; /* PG, NE, PE */
	sregs.efer = 1u << 8 | 1u << 10;     /* LME, LMA */
	sregs.cs = flat;
	flat.type = 3;
	flat.l = 0;
	flat.db = 1;
	sregs.ds = sregs.es = sregs.fs = sregs.gs = sregs.ss = flat;
	if (ioctl(vm->vcpu, KVM_SET_SREGS, &sregs) < 0 ||
	    ioctl(vm->vcpu, KVM_SET_REGS, &regs) < 0)
		return -errno;
	return 0;
}

static int fill_memory(const struct vm *vm)
{
	struct kvm_userspace_memory_region region = {
		.memory_size = MEMORY_SIZE,
	};
	uint8_t *mem = mmap(NULL, MEMORY_SIZE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint64_t entry;

	if (mem == MAP_FAILED)
		return -errno;
	/* one 2 MiB page, mapped one to one */
	entry = (PAGE_TABLES + 0x1000) | 3;
	memcpy(mem + PAGE_TABLES, &entry, sizeof(entry));
	entry = (PAGE_TABLES + 0x2000) | 3;
	memcpy(mem + PAGE_TABLES + 0x1000, &entry, sizeof(entry));
	entry = 0x83;
	memcpy(mem + PAGE_TABLES + 0x2000, &entry, sizeof(entry));
	memcpy(mem + CODE, guest_code, sizeof(guest_code));
	region.userspace_addr = (uintptr_t)mem;
	return ioctl(vm->vm, KVM_SET_USER_MEMORY_REGION, &region) < 0 ? -errno
								      : 0;
}

static int make_vm(struct vm *vm)
{
	int size, r;

	vm->vm = ioctl(vm->kvm, KVM_CREATE_VM, 0);
	if (vm->vm < 0)
		return -errno;
	r = fill_memory(vm);
	if (r < 0)
		return r;
	vm->vcpu = ioctl(vm->vm, KVM_CREATE_VCPU, 0);
	size = ioctl(vm->kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
	if (vm->vcpu < 0 || size < (int)sizeof(*vm->run))
		return vm->vcpu < 0 ? -errno : -EINVAL;
	vm->run = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_SHARED,
		       vm->vcpu, 0);
	return vm->run == MAP_FAILED ? -errno : set_registers(vm);
}

/* of the processor, not the clock: a busy host must not look like an interpreter */
static uint64_t cpu_ns(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static double per_second(uint64_t ns)
{
	return (double)LOOP_INSTRUCTIONS * 1e9 / (double)(ns ? ns : 1);
}

/* to the next write to the port. Return: 0; negative errno with the verdict set */
static int run_to_port(const struct vm *vm, struct fb_probe *p)
{
	char text[200], speed[64] = "";

	if (ioctl(vm->vcpu, KVM_RUN, 0) < 0) {
		(void)snprintf(text, sizeof(text), "running guest code: %s",
			       strerror(errno));
		set_verdict(p, FB_KVM_BROKEN, text, "use --accel tcg");
		return -EIO;
	}
	if (vm->run->exit_reason == KVM_EXIT_IO)
		return 0;
	if (vm->loop_ns)
		(void)snprintf(speed, sizeof(speed),
			       ", %.1f million instructions a second,",
			       per_second(vm->loop_ns) / 1e6);
	(void)snprintf(
		text, sizeof(text),
		"/dev/kvm interprets guest code%s and stops at an ordinary "
		"instruction (exit reason %u%s)",
		speed, vm->run->exit_reason,
		vm->run->exit_reason == KVM_EXIT_INTERNAL_ERROR
			? ", internal error"
			: "");
	set_verdict(p, FB_KVM_EMULATING, text,
		    "run on a host with hardware virtualisation (vmx or svm in "
		    "/proc/cpuinfo) passed through");
	return -EIO;
}

static void judge_speed(uint64_t ns, struct fb_probe *p)
{
	char text[200];

	if (ns <= NATIVE_MAX_NS) {
		(void)snprintf(text, sizeof(text),
			       "guest code runs natively (%u loops in %llu us)",
			       LOOPS, (unsigned long long)(ns / 1000));
		set_verdict(p, FB_KVM_NATIVE, text, "");
		return;
	}
	(void)snprintf(text, sizeof(text),
		       "/dev/kvm interprets guest code: %.1f million "
		       "instructions a second",
		       per_second(ns) / 1e6);
	set_verdict(p, FB_KVM_EMULATING, text,
		    "run on a host with hardware virtualisation (vmx or svm in "
		    "/proc/cpuinfo) passed through");
}

static void run_guest(int kvm, struct fb_probe *p)
{
	struct vm vm = { .kvm = kvm };
	uint64_t start;
	char text[200];
	int r = make_vm(&vm);

	if (r < 0) {
		(void)snprintf(text, sizeof(text),
			       "/dev/kvm makes no virtual machine: %s",
			       strerror(-r));
		set_verdict(p, FB_KVM_BROKEN, text,
			    "look at dmesg for kvm messages");
		return;
	}
	start = cpu_ns();
	if (run_to_port(&vm, p) < 0)
		return;
	vm.loop_ns = cpu_ns() - start;
	judge_speed(vm.loop_ns, p);
	/* what interpreters lack counts also where the loop was quick */
	(void)run_to_port(&vm, p);
}

static void wait_for_verdict(int fd, pid_t pid, struct fb_probe *p)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
	struct fb_probe got;
	int status;

	if (poll(&poll_fd, 1, TIMEOUT_MS) == 1 &&
	    fb_read_full(fd, &got, sizeof(got)) == (ssize_t)sizeof(got) &&
	    got.kvm < FB_KVM_VERDICT_COUNT) {
		got.reason[sizeof(got.reason) - 1] = '\0';
		got.fix[sizeof(got.fix) - 1] = '\0';
		*p = got;
	} else {
		set_verdict(p, FB_KVM_EMULATING,
			    "/dev/kvm: guest code did not end within a second",
			    "use --accel tcg");
	}
	(void)kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
}

int fb_kvm_group(mode_t mode, gid_t group, gid_t *ret)
{
	if ((mode & 06) == 06)
		return 0;
	if ((mode & 060) != 060 || group == 0)
		return -EACCES;
	*ret = group;
	return 1;
}

int fb_probe_kvm_group(gid_t *ret)
{
	struct stat st;

	if (stat("/dev/kvm", &st) < 0)
		return -errno;
	return fb_kvm_group(st.st_mode, st.st_gid, ret);
}

/* root opens everything, but machines that it starts are not root */
static bool is_for_root_only(void)
{
	gid_t group;

	return geteuid() == 0 && fb_probe_kvm_group(&group) == -EACCES;
}

void fb_probe_kvm(struct fb_probe *ret)
{
	FB_FD int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	FB_FD int out = -EBADF, in = -EBADF;
	int fds[2];
	pid_t pid;

	*ret = (struct fb_probe){ 0 };
	if (kvm < 0 && (errno == EACCES || errno == EPERM)) {
		set_verdict(ret, FB_KVM_DENIED, "no right to open /dev/kvm",
			    "sudo usermod -aG kvm $USER, then log in again");
		return;
	}
	if (kvm < 0) {
		set_verdict(
			ret, FB_KVM_ABSENT,
			errno == ENOENT ? "/dev/kvm does not exist"
					: strerror(errno),
			"enable virtualisation in the firmware or the "
			"cloud's settings, then: sudo modprobe kvm_intel or "
			"kvm_amd");
		return;
	}
	if (pipe2(fds, O_CLOEXEC) < 0) {
		set_verdict(ret, FB_KVM_BROKEN, strerror(errno), "");
		return;
	}
	in = fds[0];
	out = fds[1];
	pid = fork();
	if (pid == 0) {
		run_guest(kvm, ret);
		(void)fb_write_full(out, ret, sizeof(*ret));
		_exit(0);
	}
	out = fb_close(out);
	if (pid < 0)
		set_verdict(ret, FB_KVM_BROKEN, strerror(errno), "");
	else
		wait_for_verdict(in, pid, ret);
	ret->root_only = is_for_root_only();
}

static int cache_key(struct fb_str *key)
{
	FB_FREE char *boot = NULL;
	struct utsname uts;
	struct stat st = { 0 };

	if (fb_read_file_at(AT_FDCWD, "/proc/sys/kernel/random/boot_id", 100,
			    &boot, NULL) < 0 ||
	    uname(&uts) < 0)
		return -EIO;
	boot[strcspn(boot, "\n")] = '\0';
	(void)stat("/dev/kvm", &st);
	return fb_str_printf(key, "2 %s %s %u %llu %u %u %u", boot, uts.release,
			     geteuid(), (unsigned long long)st.st_rdev,
			     st.st_mode, st.st_uid, st.st_gid);
}

int fb_probe_parse(const char *text, const char *key, struct fb_probe *ret)
{
	FB_FREE char *copy = strdup(text);
	char *line[4], *rest = copy;

	for (size_t i = 0; i < FB_ARRAY_SIZE(line); i++) {
		line[i] = strsep(&rest, "\n");
		if (!line[i] || !rest)
			return -EBADMSG;
	}
	if (strcmp(line[0], key))
		return -ESTALE;
	for (unsigned int v = 1; v < FB_KVM_VERDICT_COUNT; v++) {
		if (strcmp(line[1], verdict_names[v]))
			continue;
		*ret = (struct fb_probe){ 0 };
		set_verdict(ret, (enum fb_kvm_verdict)v, line[2], line[3]);
		return 0;
	}
	return -EBADMSG;
}

static int read_cache(int dir_fd, const char *key, struct fb_probe *ret)
{
	FB_FREE char *text = NULL;
	int r = fb_read_file_at(dir_fd, CACHE_FILE, CACHE_MAX, &text, NULL);

	return r < 0 ? r : fb_probe_parse(text, key, ret);
}

void fb_probe_cached(int cache_dir_fd, struct fb_probe *ret)
{
	FB_STR struct fb_str key = FB_STR_INIT(1024);
	FB_STR struct fb_str text = FB_STR_INIT(CACHE_MAX);
	int r = cache_dir_fd < 0 ? -EBADF : cache_key(&key);

	if (r == 0 && read_cache(cache_dir_fd, key.buf, ret) == 0) {
		ret->root_only = is_for_root_only();
		return;
	}
	fb_probe_kvm(ret);
	if (r < 0)
		return;
	/* a cache that can't be written only costs the next probe */
	if (fb_str_printf(&text, "%s\n%s\n%s\n%s\n", key.buf,
			  verdict_names[ret->kvm], ret->reason, ret->fix) == 0)
		(void)fb_write_file_at(cache_dir_fd, CACHE_FILE, text.buf,
				       text.len, 0600);
}
