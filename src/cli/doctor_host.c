/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/doctor_host.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "machine/probe.h"

#define SETTING_MAX 4096
#define MOUNTS_MAX (1u << 20)
#define KERNEL_IMAGE_MAX (512ll << 20)
/* from this release on cgroups make who changes them wait for who reads */
#define SLOW_CGROUPS_MAJOR 6

static const char *const status_names[] = {
	[FB_DOCTOR_OK] = "ok",
	[FB_DOCTOR_WARNING] = "warning",
	[FB_DOCTOR_MISSING] = "missing",
};
_Static_assert(FB_ARRAY_SIZE(status_names) == FB_DOCTOR_STATUS_COUNT,
	       "a name each");

const char *fb_doctor_status_name(enum fb_doctor_status status)
{
	return status_names[status];
}

bool fb_doctor_healthy(const struct fb_doctor_report *report)
{
	for (size_t i = 0; i < report->count; i++)
		if (report->checks[i].status == FB_DOCTOR_MISSING)
			return false;
	return true;
}

void fb_doctor_add(struct fb_doctor_report *report, const char *name,
		   enum fb_doctor_status status, const char *fix,
		   const char *fmt, ...)
{
	struct fb_doctor_check *c = &report->checks[report->count];
	va_list ap;

	if (report->count == FB_DOCTOR_CHECKS_MAX)
		return;
	report->count++;
	*c = (struct fb_doctor_check){ .name = name, .status = status };
	va_start(ap, fmt);
	(void)vsnprintf(c->detail, sizeof(c->detail), fmt, ap);
	va_end(ap);
	(void)snprintf(c->fix, sizeof(c->fix), "%s", fix);
}

/* A file's text without its line end; NULL where it can't be read */
static char *read_setting(int root_fd, const char *path, size_t max)
{
	char *text;

	if (fb_read_file_at(root_fd, path, max, &text, NULL) < 0)
		return NULL;
	text[strcspn(text, "\n")] = '\0';
	return text;
}

static bool in_group(const struct fb_doctor_user *user, gid_t group)
{
	if (user->gid == group)
		return true;
	for (size_t i = 0; i < user->group_count; i++)
		if (user->groups[i] == group)
			return true;
	return false;
}

static bool may_read_and_write(const struct fb_doctor_user *user,
			       const struct stat *st)
{
	if (user->uid == 0)
		return true;
	if (user->uid == st->st_uid)
		return (st->st_mode & 0600) == 0600;
	if (in_group(user, st->st_gid))
		return (st->st_mode & 060) == 060;
	return (st->st_mode & 06) == 06;
}

static void check_kvm_rights(int root_fd, const struct fb_doctor_user *user,
			     struct fb_doctor_report *report)
{
	struct stat st;
	struct group *group;
	char name[64], fix[200];
	gid_t needed;

	if (fstatat(root_fd, "dev/kvm", &st, 0) < 0)
		return;
	group = getgrgid(st.st_gid);
	if (group)
		(void)snprintf(name, sizeof(name), "%s", group->gr_name);
	else
		(void)snprintf(name, sizeof(name), "%u", st.st_gid);
	/* machines that root starts are not root */
	if (user->uid == 0 &&
	    fb_kvm_group(st.st_mode, st.st_gid, &needed) < 0) {
		fb_doctor_add(report, "kvm-rights", FB_DOCTOR_WARNING,
			      "sudo chgrp kvm /dev/kvm && sudo chmod g+rw "
			      "/dev/kvm",
			      "/dev/kvm is for root only, mode %04o, group "
			      "'%s': of the machines that root starts only "
			      "Firecracker's in a jail can use it",
			      st.st_mode & 07777, name);
		return;
	}
	if (may_read_and_write(user, &st)) {
		fb_doctor_add(report, "kvm-rights", FB_DOCTOR_OK, "",
			      "/dev/kvm can be opened: mode %04o, group '%s'",
			      st.st_mode & 07777, name);
		return;
	}
	if (in_group(user, st.st_gid) || (st.st_mode & 060) != 060 ||
	    st.st_gid == 0)
		(void)snprintf(fix, sizeof(fix),
			       "sudo chgrp kvm /dev/kvm && sudo chmod g+rw "
			       "/dev/kvm && sudo usermod -aG kvm $USER, then "
			       "log in again");
	else
		(void)snprintf(fix, sizeof(fix),
			       "sudo usermod -aG %s $USER, then log in again",
			       name);
	fb_doctor_add(report, "kvm-rights", FB_DOCTOR_WARNING, fix,
		      "/dev/kvm is closed to user %u: mode %04o, group '%s'",
		      user->uid, st.st_mode & 07777, name);
}

/* machines that root starts are not root, so for root it is the others' rights that count */
static void check_tun(int root_fd, const struct fb_doctor_user *user,
		      struct fb_doctor_report *report)
{
	struct stat st;

	if (fstatat(root_fd, "dev/net/tun", &st, 0) < 0) {
		fb_doctor_add(report, "tun", FB_DOCTOR_WARNING,
			      "sudo modprobe tun",
			      "no /dev/net/tun: Firecracker's machines have no "
			      "network");
		return;
	}
	if (user->uid == 0 ? (st.st_mode & 06) == 06
			   : may_read_and_write(user, &st))
		fb_doctor_add(report, "tun", FB_DOCTOR_OK, "",
			      "/dev/net/tun can be opened");
	else
		fb_doctor_add(
			report, "tun", FB_DOCTOR_WARNING,
			"sudo chmod 666 /dev/net/tun (what it makes needs "
			"rights of its own)",
			"/dev/net/tun is closed to who runs machines, mode "
			"%04o: Firecracker's have no network%s",
			st.st_mode & 07777,
			user->uid ? "" : ", but for those in a jail");
}

/* Is any hierarchy of control groups mounted with this option? */
static bool mounted_with(int root_fd, const char *option)
{
	FB_FREE char *text = NULL;
	char *rest, *line;

	if (fb_read_file_at(root_fd, "proc/mounts", MOUNTS_MAX, &text, NULL) <
	    0)
		return false;
	rest = text;
	while ((line = strsep(&rest, "\n"))) {
		const char *at = strstr(line, option);

		if (at && strstr(line, " cgroup"))
			return true;
	}
	return false;
}

static bool has_unified_cgroups(int root_fd)
{
	return faccessat(root_fd, "sys/fs/cgroup/cgroup.controllers", F_OK,
			 0) == 0;
}

/*
 * KVM makes a thread for each machine that splits huge pages, and moves it into
 * the caller's control groups.  Since Linux 6.0 that waits for every reader of
 * them, tens of milliseconds, before the first instruction runs.
 */
static void check_kvm_start(int root_fd, struct fb_doctor_report *report)
{
	FB_FREE char *pages =
		read_setting(root_fd, "sys/module/kvm/parameters/nx_huge_pages",
			     SETTING_MAX);
	FB_FREE char *release =
		read_setting(root_fd, "proc/sys/kernel/osrelease", SETTING_MAX);
	FB_FREE char *multihit = read_setting(
		root_fd, "sys/devices/system/cpu/vulnerabilities/itlb_multihit",
		SETTING_MAX);
	const char *fix;

	if (!pages || !release)
		return;
	if (!strcmp(pages, "never")) {
		fb_doctor_add(report, "kvm-start", FB_DOCTOR_OK, "",
			      "kvm.nx_huge_pages=never");
		return;
	}
	if (strtoul(release, NULL, 10) < SLOW_CGROUPS_MAJOR ||
	    mounted_with(root_fd, "favordynmods")) {
		fb_doctor_add(report, "kvm-start", FB_DOCTOR_OK, "",
			      "control groups change without delay");
		return;
	}
	if (multihit && !strncmp(multihit, "Not affected", 12))
		fix = "echo 'options kvm nx_huge_pages=never' | sudo tee "
		      "/etc/modprobe.d/kvm.conf, then load kvm again (this "
		      "processor needs no protection from iTLB multihit)";
	else if (has_unified_cgroups(root_fd))
		fix = "sudo mount -o remount,favordynmods /sys/fs/cgroup";
	else
		fix = "boot the host with cgroup_favordynmods=true";
	fb_doctor_add(report, "kvm-start", FB_DOCTOR_WARNING, fix,
		      "kvm.nx_huge_pages=%s and control groups without "
		      "favordynmods: making a machine can take tens of "
		      "milliseconds more",
		      pages);
}

struct userns_setting {
	const char *path;
	const char *closed;
	const char *what;
	const char *fix;
};

/* each of them closes user namespaces to who is not root */
static const struct userns_setting userns_settings[] = {
	{ "proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1",
	  "AppArmor takes every capability from",
	  "sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0, or "
	  "an AppArmor profile for flamebox with the line 'userns,'" },
	{ "proc/sys/kernel/unprivileged_userns_clone", "0",
	  "the kernel's setting unprivileged_userns_clone=0 forbids",
	  "sudo sysctl -w kernel.unprivileged_userns_clone=1" },
	{ "proc/sys/user/max_user_namespaces", "0",
	  "the kernel's setting max_user_namespaces=0 forbids",
	  "sudo sysctl -w user.max_user_namespaces=15000" },
};

static void check_user_namespaces(int root_fd,
				  const struct fb_doctor_user *user,
				  struct fb_doctor_report *report)
{
	if (faccessat(root_fd, "proc/self/ns/user", F_OK, AT_SYMLINK_NOFOLLOW) <
	    0) {
		fb_doctor_add(report, "userns",
			      user->uid ? FB_DOCTOR_WARNING : FB_DOCTOR_OK,
			      user->uid ? "a kernel with CONFIG_USER_NS" : "",
			      "the kernel has no user namespaces");
		return;
	}
	for (size_t i = 0; i < FB_ARRAY_SIZE(userns_settings); i++) {
		const struct userns_setting *s = &userns_settings[i];
		FB_FREE char *text =
			read_setting(root_fd, s->path, SETTING_MAX);

		if (!text || strcmp(text, s->closed))
			continue;
		/* root needs none */
		fb_doctor_add(report, "userns",
			      user->uid ? FB_DOCTOR_WARNING : FB_DOCTOR_OK,
			      user->uid ? s->fix : "",
			      "%s user namespaces of who is not root", s->what);
		return;
	}
	fb_doctor_add(report, "userns", FB_DOCTOR_OK, "",
		      "user namespaces are open to every user");
}

void fb_doctor_look_at_host(int root_fd, const struct fb_doctor_user *user,
			    bool kvm, struct fb_doctor_report *report)
{
	check_kvm_rights(root_fd, user, report);
	check_tun(root_fd, user, report);
	if (kvm)
		check_kvm_start(root_fd, report);
	check_user_namespaces(root_fd, user, report);
}

int fb_doctor_kernel_has_vsock(int fd)
{
	/* the driver's name, which it registers */
	static const char name[] = "vmw_vsock_virtio_transport";
	struct stat st;
	void *image;
	bool found;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (st.st_size == 0)
		return 0;
	if (st.st_size > KERNEL_IMAGE_MAX)
		return -EFBIG;
	image = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (image == MAP_FAILED)
		return -errno;
	found = memmem(image, (size_t)st.st_size, name, sizeof(name)) != NULL;
	(void)munmap(image, (size_t)st.st_size);
	return found;
}
