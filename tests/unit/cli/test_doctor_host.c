/* SPDX-License-Identifier: Apache-2.0 */
/* doctor's look at the host, in folders that stand for "/". */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <grp.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "cli/doctor_host.h"
#include "tap.h"

#define PAGES "sys/module/kvm/parameters/nx_huge_pages"
#define RELEASE "proc/sys/kernel/osrelease"
#define MULTIHIT "sys/devices/system/cpu/vulnerabilities/itlb_multihit"
#define APPARMOR "proc/sys/kernel/apparmor_restrict_unprivileged_userns"

static bool kvm_runs = true;
static char top[] = "/tmp/fb-doctor-XXXXXX";

static void put(int root, const char *path, const char *text)
{
	char part[200];

	for (const char *at = path; (at = strchr(at, '/')); at++) {
		(void)snprintf(part, sizeof(part), "%.*s", (int)(at - path),
			       path);
		(void)mkdirat(root, part, 0755);
	}
	if (fb_write_file_at(root, path, text, strlen(text), 0644) < 0)
		printf("# can't write %s\n", path);
}

/* a new host with user namespaces and nothing else */
static int new_root(void)
{
	static int count;
	char name[64];
	int root;

	(void)snprintf(name, sizeof(name), "%s/%d", top, count++);
	(void)mkdir(name, 0755);
	root = open(name, O_PATH | O_DIRECTORY | O_CLOEXEC);
	put(root, "proc/self/ns/user", "");
	return root;
}

static const struct fb_doctor_check *finding(int root, uid_t uid,
					     const gid_t *groups,
					     size_t group_count,
					     const char *name)
{
	static struct fb_doctor_report report;
	const struct fb_doctor_user user = { .uid = uid,
					     .gid = uid,
					     .groups = groups,
					     .group_count = group_count };

	report.count = 0;
	fb_doctor_look_at_host(root, &user, kvm_runs, &report);
	for (size_t i = 0; i < report.count; i++)
		if (!strcmp(report.checks[i].name, name))
			return &report.checks[i];
	return NULL;
}

static void test_start(void)
{
	static const struct {
		const char *pages, *release, *multihit, *mounts, *fix;
		bool unified;
	} cases[] = {
		{ "never\n", "6.8.0\n", "Not affected\n", "", NULL, true },
		{ "N\n", "5.10.0-30\n", "Not affected\n", "", NULL, true },
		{ "N\n", "6.1.0\n", "Not affected\n",
		  "x / ext4 rw 0 0\n"
		  "cgroup2 /sys/fs/cgroup cgroup2 rw,favordynmods 0 0\n",
		  NULL, true },
		{ "N\n", "6.1.0\n", "Not affected\n",
		  "x /favordynmods ext4 rw 0 0\n", "nx_huge_pages=never",
		  true },
		{ "Y\n", "6.1.0\n", "KVM: Mitigation: Split huge pages\n", "",
		  "remount,favordynmods", true },
		{ "Y\n", "10.0.0\n", "KVM: Mitigation: Split huge pages\n",
		  "cgroup /sys/fs/cgroup/cpu cgroup rw,cpu 0 0\n",
		  "cgroup_favordynmods=true", false },
		{ "Y\n", "6.1.0\n", NULL, "", "remount,favordynmods", true },
	};

	for (size_t i = 0; i < FB_ARRAY_SIZE(cases); i++) {
		FB_FD int root = new_root();
		const struct fb_doctor_check *c;

		put(root, PAGES, cases[i].pages);
		put(root, RELEASE, cases[i].release);
		put(root, "proc/mounts", cases[i].mounts);
		if (cases[i].multihit)
			put(root, MULTIHIT, cases[i].multihit);
		if (cases[i].unified)
			put(root, "sys/fs/cgroup/cgroup.controllers", "cpu\n");
		c = finding(root, 0, NULL, 0, "kvm-start");
		TAP_OK(c && c->status == (cases[i].fix ? FB_DOCTOR_WARNING
						       : FB_DOCTOR_OK),
		       "starting, host %zu", i);
		TAP_OK(c && (cases[i].fix ? strstr(c->fix, cases[i].fix) != NULL
					  : !c->fix[0]),
		       "and its fix");
	}
}

static void test_no_kvm(void)
{
	FB_FD int root = new_root();

	put(root, RELEASE, "6.1.0\n");
	TAP_OK(!finding(root, 0, NULL, 0, "kvm-start") &&
		       !finding(root, 0, NULL, 0, "kvm-rights"),
	       "without KVM its settings are not judged");
	put(root, PAGES, "N\n");
	TAP_OK(finding(root, 0, NULL, 0, "kvm-start"), "with it they are");
	kvm_runs = false;
	TAP_OK(!finding(root, 0, NULL, 0, "kvm-start"),
	       "not where it runs nothing");
	kvm_runs = true;
}

static void test_namespaces(void)
{
	static const struct {
		const char *path, *text, *fix;
	} cases[] = {
		{ APPARMOR, "1\n", "apparmor_restrict_unprivileged_userns=0" },
		{ APPARMOR, "0\n", NULL },
		{ "proc/sys/kernel/unprivileged_userns_clone", "0\n",
		  "unprivileged_userns_clone=1" },
		{ "proc/sys/user/max_user_namespaces", "0\n",
		  "max_user_namespaces=15000" },
		{ "proc/sys/user/max_user_namespaces", "95000\n", NULL },
	};

	for (size_t i = 0; i < FB_ARRAY_SIZE(cases); i++) {
		FB_FD int root = new_root();
		const struct fb_doctor_check *c;

		put(root, cases[i].path, cases[i].text);
		c = finding(root, 1000, NULL, 0, "userns");
		TAP_OK(c && c->status == (cases[i].fix ? FB_DOCTOR_WARNING
						       : FB_DOCTOR_OK),
		       "namespaces, host %zu", i);
		TAP_OK(c && (cases[i].fix ? strstr(c->fix, cases[i].fix) != NULL
					  : !c->fix[0]),
		       "and its fix");
		c = finding(root, 0, NULL, 0, "userns");
		TAP_OK(c && c->status == FB_DOCTOR_OK && !c->fix[0],
		       "which root does not need");
	}
}

static void test_no_namespaces(void)
{
	FB_FD int root = new_root();
	const struct fb_doctor_check *c;

	(void)unlinkat(root, "proc/self/ns/user", 0);
	c = finding(root, 1000, NULL, 0, "userns");
	TAP_OK(c && c->status == FB_DOCTOR_WARNING &&
		       strstr(c->fix, "CONFIG_USER_NS"),
	       "a kernel without user namespaces");
}

static void test_rights(void)
{
	FB_FD int root = new_root();
	struct stat st;
	const struct fb_doctor_check *c;
	const struct group *group;

	put(root, "dev/kvm", "");
	/* root's own group would open it to nobody */
	if (geteuid() == 0 && fchownat(root, "dev/kvm", 0, 7, 0) < 0)
		abort();
	if (fchmodat(root, "dev/kvm", 0660, 0) < 0)
		abort();
	(void)fstatat(root, "dev/kvm", &st, 0);
	c = finding(root, st.st_uid, NULL, 0, "kvm-rights");
	TAP_OK(c && c->status == FB_DOCTOR_OK, "its owner opens it");
	c = finding(root, st.st_uid + 1, &st.st_gid, 1, "kvm-rights");
	TAP_OK(c && c->status == FB_DOCTOR_OK, "so does its group");
	c = finding(root, st.st_uid + 1, NULL, 0, "kvm-rights");
	TAP_OK(c && c->status == FB_DOCTOR_WARNING, "nobody else does");
	group = getgrgid(st.st_gid);
	TAP_OK(c && strstr(c->detail, "mode 0660, group '") &&
		       (!group || strstr(c->detail, group->gr_name)),
	       "mode and group are told: %s", c ? c->detail : "");
	TAP_OK(c && strstr(c->fix, "usermod -aG"), "and the fix");
	if (fchmodat(root, "dev/kvm", 0600, 0) < 0)
		abort();
	c = finding(root, st.st_uid + 1, &st.st_gid, 1, "kvm-rights");
	TAP_OK(c && c->status == FB_DOCTOR_WARNING &&
		       strstr(c->fix, "chmod g+rw"),
	       "a group without rights gets some");
	c = finding(root, 0, NULL, 0, "kvm-rights");
	TAP_OK(c && c->status == FB_DOCTOR_WARNING &&
		       strstr(c->detail, "in a jail") &&
		       strstr(c->fix, "chmod g+rw"),
	       "root opens it, but its machines do not");
	if (fchmodat(root, "dev/kvm", 0666, 0) < 0)
		abort();
	c = finding(root, st.st_uid + 1, NULL, 0, "kvm-rights");
	TAP_OK(c && c->status == FB_DOCTOR_OK, "everybody, where it is open");
}

static void test_tun(void)
{
	static const struct {
		unsigned int mode;
		bool root, want;
	} cases[] = {
		{ 0666, true, true },
		{ 0600, true, false },
		{ 0666, false, true },
		{ 0600, false, false },
	};
	FB_FD int root = new_root();
	const struct fb_doctor_check *c = finding(root, 0, NULL, 0, "tun");
	struct stat st;

	TAP_OK(c && strstr(c->fix, "modprobe tun"), "no tun device");
	put(root, "dev/net/tun", "");
	(void)fstatat(root, "dev/net/tun", &st, 0);
	for (size_t i = 0; i < FB_ARRAY_SIZE(cases); i++) {
		if (fchmodat(root, "dev/net/tun", cases[i].mode, 0) < 0)
			abort();
		c = finding(root, cases[i].root ? 0 : st.st_uid + 1, NULL, 0,
			    "tun");
		TAP_OK(c && cases[i].want == (c->status == FB_DOCTOR_OK) &&
			       cases[i].want == !c->fix[0] &&
			       (cases[i].want ||
				cases[i].root == (strstr(c->detail,
							 "in a jail") != NULL)),
		       "mode %04o, %s", cases[i].mode,
		       cases[i].root ? "root" : "a user");
	}
}

static void test_kernel(void)
{
	FB_FD int root = new_root();
	FB_FD int none = -EBADF, some = -EBADF, empty = -EBADF;

	put(root, "none", "\177ELF virtio_blk");
	put(root, "empty", "");
	put(root, "some", "\177ELF");
	none = openat(root, "none", O_RDWR | O_CLOEXEC);
	some = openat(root, "some", O_RDWR | O_CLOEXEC);
	empty = openat(root, "empty", O_RDONLY | O_CLOEXEC);
	(void)fb_pwrite_full(some, "vmw_vsock_virtio_transport", 27, 9000);
	TAP_INT(fb_doctor_kernel_has_vsock(none), 0, "a kernel without vsock");
	TAP_INT(fb_doctor_kernel_has_vsock(some), 1, "a kernel with it");
	TAP_INT(fb_doctor_kernel_has_vsock(empty), 0, "an empty file");
	TAP_INT(fb_doctor_kernel_has_vsock(-EBADF), -EBADF, "no file");
	if (ftruncate(none, 1ll << 30) < 0)
		abort();
	TAP_INT(fb_doctor_kernel_has_vsock(none), -EFBIG, "no kernel");
}

static void test_full(void)
{
	static struct fb_doctor_report report;

	for (size_t i = 0; i < FB_DOCTOR_CHECKS_MAX + 1; i++)
		fb_doctor_add(&report, "x", FB_DOCTOR_OK, "", "%zu", i);
	TAP_INT(report.count, FB_DOCTOR_CHECKS_MAX, "a full report stays");
	TAP_OK(fb_doctor_healthy(&report), "and is healthy");
	report.checks[3].status = FB_DOCTOR_MISSING;
	TAP_OK(!fb_doctor_healthy(&report), "with something missing it is not");
}

static int remove_entry(const char *path, const struct stat *st, int type,
			struct FTW *where)
{
	(void)st;
	(void)type;
	(void)where;
	return remove(path);
}

int main(void)
{
	if (!mkdtemp(top))
		return 1;
	test_start();
	test_no_kvm();
	test_namespaces();
	test_no_namespaces();
	test_rights();
	test_tun();
	test_kernel();
	test_full();
	(void)nftw(top, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
	return tap_done();
}
