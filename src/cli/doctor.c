/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/doctor.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/io.h"
#include "base/program.h"
#include "cli/doctor_host.h"
#include "cli/format.h"
#include "container/files.h"
#include "machine/engine.h"
#include "machine/jailer.h"
#include "machine/sandbox.h"
#include "net/slirp.h"
#include "net/user.h"
#include "registry/curl_dl.h"
#include "volume/upper.h"

#define VERSION_TEXT_MAX 200
#define NOBODY 65534
#define DISK_LOW (2ull << 30)
#define MEMORY_LOW (1ull << 30)

/* an error as a finding: its text, its hint as the fix */
static void add_err(struct fb_doctor_report *report, const char *name,
		    enum fb_doctor_status status, const struct fb_err *err)
{
	fb_doctor_add(report, name, status, err->hint, "%s", err->msg);
}

static void check_host(struct fb_doctor_report *report)
{
	struct utsname u;

	if (uname(&u) == 0)
		fb_doctor_add(report, "host", FB_DOCTOR_OK, "",
			      "flamebox %s on Linux %s, %s, %d CPUs",
			      FB_VERSION, u.release, u.machine, get_nprocs());
}

static void check_memory(struct fb_doctor_report *report)
{
	FB_FREE char *text = NULL;
	unsigned long long kib = 0;
	const char *at;
	char size[32];
	size_t len;

	if (fb_read_file_at(AT_FDCWD, "/proc/meminfo", 65536, &text, &len) < 0)
		return;
	at = strstr(text, "MemAvailable:");
	if (at)
		kib = strtoull(at + strlen("MemAvailable:"), NULL, 10);
	(void)fb_format_size(kib * 1024, size);
	if (kib * 1024 < MEMORY_LOW)
		fb_doctor_add(
			report, "memory", FB_DOCTOR_WARNING,
			"free some, or start containers with a smaller --memory",
			"only %s are available", size);
	else
		fb_doctor_add(report, "memory", FB_DOCTOR_OK, "",
			      "%s are available", size);
}

/* The first line that `PROGRAM --version` prints; "" where it says nothing */
static void ask_version(const char *program, char out[VERSION_TEXT_MAX])
{
	(void)fb_program_ask(program, "--version", out, VERSION_TEXT_MAX, NULL);
	out[strcspn(out, "\n")] = '\0';
}

static struct fb_engine_wish engine_wish(const struct fb_cli *cli)
{
	return (struct fb_engine_wish){
		.engine = cli->config.engine,
		.accel = cli->config.accel,
		.firecracker = cli->config.firecracker,
		.jailer = cli->config.jailer,
	};
}

static void check_engine(const struct fb_engine_ops *e, const char *program,
			 struct fb_doctor_report *report)
{
	char says[VERSION_TEXT_MAX];
	struct fb_err err = { 0 };
	unsigned int version;

	if (e->version && e->version(program, -1, &version, &err) < 0) {
		add_err(report, "engine", FB_DOCTOR_WARNING, &err);
		return;
	}
	ask_version(program, says);
	/* no release is like that, and its system call filter is missing then */
	if (e->version && fb_program_needs_libraries(program) == 1)
		fb_doctor_add(report, "engine", FB_DOCTOR_WARNING, e->install,
			      "%s: %s is linked with libraries: it has no "
			      "system call filter, and the jailer can't start "
			      "it",
			      e->title, program);
	else
		fb_doctor_add(report, "engine", FB_DOCTOR_OK, "", "%s: %s%s%s",
			      e->title, program, says[0] ? ", " : "", says);
}

/* what follows the program's own name: "v1.16.1" */
static const char *version_word(const char *says)
{
	const char *space = strrchr(says, ' ');

	return space ? space + 1 : says;
}

/* the jailer is root's, and comes with Firecracker */
static void check_jailer(const char *firecracker, const char *wish,
			 struct fb_doctor_report *report)
{
	const struct fb_engine_ops *e = &fb_engine_firecracker;
	FB_FREE char *jailer = fb_jailer_program(wish, e->jailer, firecracker);
	char says[VERSION_TEXT_MAX], wanted[VERSION_TEXT_MAX];

	if (geteuid() != 0)
		return;
	if (!jailer) {
		fb_doctor_add(report, "jailer", FB_DOCTOR_WARNING, e->install,
			      "Firecracker's jailer: no '%s' beside %s",
			      e->jailer, firecracker);
		return;
	}
	ask_version(jailer, says);
	ask_version(firecracker, wanted);
	if (strcmp(version_word(says), version_word(wanted)) != 0)
		fb_doctor_add(report, "jailer", FB_DOCTOR_WARNING, e->install,
			      "%s is %s, and Firecracker is %s: they belong "
			      "together",
			      jailer, version_word(says), version_word(wanted));
	else
		fb_doctor_add(report, "jailer", FB_DOCTOR_OK, "", "%s, %s",
			      jailer, says);
}

/* whether machines run in a jail, and by what they can be limited there */
static void check_jail(const char *firecracker, const char *wish,
		       struct fb_doctor_report *report)
{
	FB_FD int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	FB_FREE char *jailer = NULL;
	char why[FB_JAILER_WHY_MAX];
	struct fb_err err = { 0 };
	struct fb_cgroups groups = { 0 };

	if (fb_jailer_find(wish, fb_engine_firecracker.jailer, firecracker,
			   &jailer, why, &err) < 0) {
		add_err(report, "jail", FB_DOCTOR_WARNING, &err);
		return;
	}
	if (root >= 0)
		fb_cgroups_find(root, &groups);
	if (!jailer)
		fb_doctor_add(report, "jail", FB_DOCTOR_OK, "",
			      "Firecracker runs without the jailer: %s", why);
	else if (!groups.version)
		fb_doctor_add(report, "jail", FB_DOCTOR_OK, "",
			      "Firecracker runs in a jail, by %s; no control "
			      "group can limit it",
			      jailer);
	else
		fb_doctor_add(
			report, "jail", FB_DOCTOR_OK, "",
			"Firecracker runs in a jail, by %s; control groups "
			"v%u limit%s%s",
			jailer, groups.version,
			groups.cpu[0] ? " processor time" : "",
			!groups.memory[0] ? ""
			: groups.cpu[0]	  ? " and memory"
					  : " memory");
}

static void check_engines(const struct fb_cli *cli,
			  struct fb_doctor_report *report)
{
	struct fb_engine_wish wish = engine_wish(cli);

	for (const struct fb_engine_ops *const *e = fb_engines(); *e; e++) {
		FB_FREE char *program = fb_engine_find(*e, &wish);

		if (!program) {
			/* whether that matters is what "choice" says */
			fb_doctor_add(report, "engine", FB_DOCTOR_WARNING,
				      (*e)->install, "%s: not found in PATH",
				      (*e)->title);
			continue;
		}
		check_engine(*e, program, report);
		if (*e != &fb_engine_firecracker)
			continue;
		check_jailer(program, wish.jailer, report);
		check_jail(program, wish.jailer, report);
	}
}

/* Return: KVM runs guest code natively */
static bool check_accelerator(struct fb_cli *cli,
			      struct fb_doctor_report *report)
{
	FB_ENGINE_CHOICE struct fb_engine_choice choice = { 0 };
	struct fb_engine_wish wish = engine_wish(cli);
	struct fb_err err = { 0 };
	struct fb_probe probe;

	fb_probe_kvm(&probe);
	fb_doctor_add(report, "accelerator",
		      probe.kvm == FB_KVM_NATIVE ? FB_DOCTOR_OK
						 : FB_DOCTOR_WARNING,
		      probe.fix, "KVM is %s: %s",
		      fb_kvm_verdict_name(probe.kvm), probe.reason);
	if (fb_engine_select(&wish, &probe, &choice, &err) < 0) {
		add_err(report, "choice", FB_DOCTOR_MISSING, &err);
		return probe.kvm == FB_KVM_NATIVE;
	}
	fb_doctor_add(report, "choice", FB_DOCTOR_OK, "",
		      "machines run on %s with %s", choice.ops->title,
		      choice.accel == FB_ACCEL_KVM ? "KVM"
						   : "software emulation");
	return probe.kvm == FB_KVM_NATIVE;
}

static void check_file(struct fb_doctor_report *report, const char *what,
		       const char *name, const char *given)
{
	FB_FREE char *path = given ? strdup(given) : NULL;
	struct fb_err err = { 0 };
	struct stat st;
	char size[32];

	if (!given && fb_files_find(name, &path, &err) < 0) {
		add_err(report, what, FB_DOCTOR_MISSING, &err);
		return;
	}
	if (!path || stat(path, &st) < 0 || access(path, R_OK) < 0) {
		fb_doctor_add(report, what, FB_DOCTOR_MISSING,
			      "set it right in the configuration file",
			      "'%s': %m", path ? path : "");
		return;
	}
	fb_doctor_add(report, what, FB_DOCTOR_OK, "", "%s, %s", path,
		      fb_format_size((uint64_t)st.st_size, size));
}

/* Firecracker has no other way between host and guest */
static void check_vsock(struct fb_doctor_report *report, const char *given)
{
	FB_FREE char *path = NULL;
	FB_FD int fd = -EBADF;

	if (!given && fb_files_find("vmlinux", &path, NULL) < 0)
		return;
	fd = open(given ? given : path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	if (fb_doctor_kernel_has_vsock(fd) == 1)
		fb_doctor_add(report, "vsock", FB_DOCTOR_OK, "",
			      "the guest's kernel has its driver");
	else
		fb_doctor_add(report, "vsock", FB_DOCTOR_WARNING,
			      "use FlameBox's own kernel, or one with "
			      "CONFIG_VIRTIO_VSOCKETS=y, not compressed",
			      "the guest's kernel shows no driver for it: "
			      "Firecracker's machines can't be reached");
}

static void check_tools(struct fb_doctor_report *report)
{
	FB_FREE char *mkfs = fb_upper_find_mkfs();
	struct fb_curl curl = { 0 };
	struct fb_err err = { 0 };

	if (mkfs)
		fb_doctor_add(report, "mkfs.ext4", FB_DOCTOR_OK, "", "%s",
			      mkfs);
	else
		fb_doctor_add(
			report, "mkfs.ext4", FB_DOCTOR_MISSING,
			"apt-get install e2fsprogs, or run with --ephemeral",
			"not found: no writable disk can be made");
	if (fb_curl_load(FB_CURL_SONAME, &curl, &err) < 0) {
		add_err(report, "libcurl", FB_DOCTOR_WARNING, &err);
		return;
	}
	fb_doctor_add(report, "libcurl", FB_DOCTOR_OK, "", "version %u.%u.%u",
		      curl.version >> 16, curl.version >> 8 & 255,
		      curl.version & 255);
	fb_curl_unload(&curl);
}

static void check_network(struct fb_doctor_report *report)
{
	struct fb_net_routes routes;
	FB_FREE char *path = NULL;
	struct fb_err err = { 0 };

	fb_net_routes_get(&routes);
	if (!routes.v4 && !routes.v6) {
		fb_doctor_add(report, "network", FB_DOCTOR_WARNING,
			      "bring an interface up",
			      "this host has no route to anywhere");
		return;
	}
	if (fb_files_find(FB_NET_SLIRP_PROGRAM, &path, &err) < 0)
		add_err(report, "network", FB_DOCTOR_MISSING, &err);
	else
		fb_doctor_add(report, "network", FB_DOCTOR_OK, "", "by %s",
			      path);
}

static void check_rights(struct fb_doctor_report *report)
{
	if (geteuid() == 0)
		fb_doctor_add(
			report, "rights", FB_DOCTOR_OK, "",
			"root; each machine runs as a user id of its own");
	else
		fb_doctor_add(report, "rights", FB_DOCTOR_OK, "",
			      "user %u; machines run as this user", geteuid());
	if (fb_sandbox_available())
		fb_doctor_add(
			report, "sandbox", FB_DOCTOR_OK, "",
			"Landlock: a machine's process sees none of the host's "
			"files");
	else
		fb_doctor_add(
			report, "sandbox", FB_DOCTOR_WARNING,
			"boot the host with lsm=landlock,... (Linux 5.13 or newer)",
			"no Landlock: only seccomp and the user id keep a machine's "
			"process in");
}

#define GROUPS_MAX 65536

static void check_kvm_host(bool kvm, struct fb_doctor_report *report)
{
	FB_FD int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	FB_FREE gid_t *groups = calloc(GROUPS_MAX, sizeof(*groups));
	int count = groups ? getgroups(GROUPS_MAX, groups) : 0;
	const struct fb_doctor_user user = {
		.uid = geteuid(),
		.gid = getegid(),
		.groups = groups,
		.group_count = count > 0 ? (size_t)count : 0,
	};

	if (root >= 0)
		fb_doctor_look_at_host(root, &user, kvm, report);
}

/* Can a file with holes be made there? Container disks are that */
static bool has_holes(int dir_fd)
{
	FB_FD int fd =
		openat(dir_fd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	struct stat st;

	if (fd < 0 || ftruncate(fd, 64 << 20) < 0 || fstat(fd, &st) < 0)
		return false;
	return st.st_blocks < 1024;
}

static void check_state(struct fb_cli *cli, struct fb_doctor_report *report)
{
	struct fb_store *store;
	struct fb_err err = { 0 };
	struct statfs fs;
	uint64_t free_bytes;
	char size[32];
	int fd;

	if (fb_cli_store(cli, &store, &err) < 0 ||
	    (fd = fb_store_dir_fd(store, FB_STORE_DIR_ROOT, &err)) < 0) {
		add_err(report, "state", FB_DOCTOR_MISSING, &err);
		return;
	}
	fb_doctor_add(report, "state", FB_DOCTOR_OK, "", "%s, sockets in %s",
		      cli->roots.state, cli->roots.run);
	if (fstatfs(fd, &fs) < 0)
		return;
	free_bytes = (uint64_t)fs.f_bavail * (uint64_t)fs.f_bsize;
	(void)fb_format_size(free_bytes, size);
	if (free_bytes < DISK_LOW)
		fb_doctor_add(
			report, "disk", FB_DOCTOR_WARNING,
			"remove images with 'flamebox rmi', or use --root on "
			"another disk",
			"only %s are free", size);
	else if (!has_holes(fd))
		fb_doctor_add(
			report, "disk", FB_DOCTOR_WARNING,
			"use --root on ext4, XFS or btrfs",
			"%s are free; files with holes take their whole size",
			size);
	else
		fb_doctor_add(report, "disk", FB_DOCTOR_OK, "", "%s are free",
			      size);
}

void fb_doctor_examine(struct fb_cli *cli, struct fb_doctor_report *ret)
{
	ret->count = 0;
	check_host(ret);
	check_memory(ret);
	check_engines(cli, ret);
	check_kvm_host(check_accelerator(cli, ret), ret);
	check_file(ret, "kernel", "vmlinux", cli->config.kernel);
	check_vsock(ret, cli->config.kernel);
	check_file(ret, "initramfs", "initramfs.cpio", NULL);
	check_file(ret, "monitor", "flamebox-monitor", NULL);
	check_tools(ret);
	check_network(ret);
	check_rights(ret);
	check_state(cli, ret);
}
