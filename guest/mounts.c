/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file systems that a container finds.
 *
 *   /proc, /sys        writable, unlike docker's: the wall is the machine's,
 *                      and docker or k3s inside need both
 *   /sys/fs/cgroup     cgroup v2, writable
 *   /dev               a tmpfs with docker's nodes, and fuse, net/tun, kmsg
 *   /dev/pts, /dev/shm (64 MiB), /dev/mqueue   as docker's
 *   /run               a tmpfs where the image has nothing there; otherwise
 *                      the image's, as under docker: a mount would hide it
 *
 * init's root is the kernel's first file system, which cannot be left by
 * pivot_root(); the container's is moved on top of it instead.
 */
#include "mounts.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/path.h"
#include "rootfs.h"
#include "wire/mountopt.h"

/* <sys/mount.h> and <linux/mount.h> both name some of these */
#define COMMON (MS_NOSUID | MS_NODEV | MS_NOEXEC)

struct mount_entry {
	const char *path;
	const char *fs;
	unsigned long flags;
	const char *data;
};

static const struct mount_entry before_dev[] = {
	{ "/proc", "proc", COMMON, NULL },
	{ "/sys", "sysfs", COMMON, NULL },
	{ "/sys/fs/cgroup", "cgroup2", COMMON, NULL },
	{ "/dev", "tmpfs", MS_NOSUID | MS_STRICTATIME, "mode=755,size=65536k" },
};

static const struct mount_entry in_dev[] = {
	{ "/dev/shm", "tmpfs", COMMON, "mode=1777,size=65536k" },
	{ "/dev/mqueue", "mqueue", COMMON, NULL },
};

static const struct {
	const char *path;
	mode_t mode;
	unsigned int major;
	unsigned int minor;
} nodes[] = {
	{ "/dev/null", 0666, 1, 3 },	   { "/dev/zero", 0666, 1, 5 },
	{ "/dev/full", 0666, 1, 7 },	   { "/dev/random", 0666, 1, 8 },
	{ "/dev/urandom", 0666, 1, 9 },	   { "/dev/tty", 0666, 5, 0 },
	{ "/dev/kmsg", 0600, 1, 11 },	   { "/dev/fuse", 0666, 10, 229 },
	{ "/dev/net/tun", 0666, 10, 200 },
};

static const struct {
	const char *path;
	const char *target;
} links[] = {
	{ "/dev/fd", "/proc/self/fd" },
	{ "/dev/stdin", "/proc/self/fd/0" },
	{ "/dev/stdout", "/proc/self/fd/1" },
	{ "/dev/stderr", "/proc/self/fd/2" },
	{ "/dev/core", "/proc/kcore" },
	{ "/dev/ptmx", "pts/ptmx" },
};

static const char *const dev_folders[] = { "/dev/pts", "/dev/shm",
					   "/dev/mqueue", "/dev/net" };

static int mount_at(const struct mount_entry *m, struct fb_err *err)
{
	if (mount(m->fs, m->path, m->fs, m->flags, m->data) < 0)
		return fb_err_set(err, -errno, "mount '%s': %m", m->path);
	return 0;
}

int fb_mounts_ready(struct fb_err *err)
{
	static const struct mount_entry mounts[] = {
		{ "/dev", "devtmpfs", MS_NOSUID, "mode=755" },
		{ "/sys", "sysfs", COMMON, NULL },
	};
	int r = mount_at(&mounts[0], err);

	return r < 0 ? r : mount_at(&mounts[1], err);
}

void fb_mounts_own_proc(void)
{
	(void)mount("proc", "/proc", "proc", COMMON, NULL);
}

int fb_mounts_open_terminals(struct fb_err *err)
{
	static const char *const options[][2] = { { "mode", "620" },
						  { "ptmxmode", "666" },
						  { "gid", "5" } };
	FB_FD int fs = (int)syscall(SYS_fsopen, "devpts", FSOPEN_CLOEXEC);
	int fd;

	for (size_t i = 0; fs >= 0 && i < FB_ARRAY_SIZE(options); i++)
		(void)syscall(SYS_fsconfig, fs, FSCONFIG_SET_STRING,
			      options[i][0], options[i][1], 0);
	if (fs < 0 ||
	    syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return fb_err_set(err, -errno, "make terminals: %m");
	fd = (int)syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC,
			  MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC);
	return fd < 0 ? fb_err_set(err, -errno, "make terminals: %m") : fd;
}

int fb_mounts_attach(int tree, const char *path)
{
	return syscall(SYS_move_mount, tree, "", AT_FDCWD, path,
		       MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_SYMLINKS) < 0
		       ? -errno
		       : 0;
}

int fb_mounts_enter_root(struct fb_err *err)
{
	if (chdir(FB_ROOTFS_PATH) < 0 ||
	    mount(".", "/", NULL, MS_MOVE, NULL) < 0 || chroot(".") < 0 ||
	    chdir("/") < 0)
		return fb_err_set(err, -errno, "enter the root: %m");
	return 0;
}

/* A mount point; where the root is read-only it is there already */
static int ensure_folder(const char *path, mode_t mode, struct fb_err *err)
{
	struct stat st;

	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return 0;
	return fb_mkdirs(path, mode, err);
}

static int fill_dev(struct fb_err *err)
{
	for (size_t i = 0; i < FB_ARRAY_SIZE(dev_folders); i++)
		if (mkdir(dev_folders[i], 0755) < 0)
			return fb_err_set(err, -errno, "make '%s': %m",
					  dev_folders[i]);
	for (size_t i = 0; i < FB_ARRAY_SIZE(nodes); i++)
		if (mknod(nodes[i].path, S_IFCHR | nodes[i].mode,
			  makedev(nodes[i].major, nodes[i].minor)) < 0)
			return fb_err_set(err, -errno, "make '%s': %m",
					  nodes[i].path);
	for (size_t i = 0; i < FB_ARRAY_SIZE(links); i++)
		if (symlink(links[i].target, links[i].path) < 0)
			return fb_err_set(err, -errno, "make '%s': %m",
					  links[i].path);
	return 0;
}

static bool is_empty(const char *path)
{
	FB_DIR DIR *folder = opendir(path);
	struct dirent *entry;

	while (folder && (entry = readdir(folder)))
		if (strcmp(entry->d_name, ".") != 0 &&
		    strcmp(entry->d_name, "..") != 0)
			return false;
	return true;
}

static int mount_run(bool read_only, struct fb_err *err)
{
	static const struct mount_entry run = { "/run", "tmpfs",
						MS_NOSUID | MS_NODEV,
						"mode=755" };
	struct stat st;

	if (stat("/run", &st) == 0 &&
	    (!S_ISDIR(st.st_mode) || !is_empty("/run")))
		return 0;
	/* an image without one, and no overlay: nothing to mount on */
	if (mkdir("/run", 0755) < 0 && errno != EEXIST)
		return read_only ? 0
				 : fb_err_set(err, -errno, "make '/run': %m");
	return mount_at(&run, err);
}

/* runc's rule: a folder that is there gives its mode, unless one was asked for */
static int mount_tmpfs(const struct fb_spec_tmpfs *tmpfs, struct fb_err *err)
{
	char data[FB_MOUNTOPT_DATA_MAX + 16];
	struct fb_mountopt opt;
	struct stat st;
	int r = fb_mountopt_parse_tmpfs(tmpfs->options, &opt, err);

	if (r < 0)
		return r;
	if (stat(tmpfs->path, &st) == 0) {
		(void)snprintf(data, sizeof(data), "mode=%o%s%s",
			       (unsigned int)(st.st_mode & 07777),
			       opt.data[0] ? "," : "", opt.data);
	} else {
		r = fb_mkdirs(tmpfs->path, 0755, err);
		if (r < 0)
			return r;
		(void)snprintf(data, sizeof(data), "%s", opt.data);
	}
	if (mount("tmpfs", tmpfs->path, "tmpfs", opt.flags, data) < 0)
		return fb_err_set(err, -errno, "mount tmpfs '%s': %m",
				  tmpfs->path);
	return 0;
}

static int mount_base(struct fb_err *err)
{
	int r = 0;

	for (size_t i = 0; i < FB_ARRAY_SIZE(before_dev) && r == 0; i++) {
		/* /sys has its folder for cgroups */
		if (strcmp(before_dev[i].fs, "cgroup2") != 0)
			r = ensure_folder(before_dev[i].path, 0755, err);
		if (r == 0)
			r = mount_at(&before_dev[i], err);
	}
	if (r == 0)
		r = fill_dev(err);
	for (size_t i = 0; i < FB_ARRAY_SIZE(in_dev) && r == 0; i++)
		r = mount_at(&in_dev[i], err);
	return r;
}

int fb_mounts_container(const struct fb_guest_spec *spec, int terminals,
			struct fb_err *err)
{
	mode_t mask = umask(0);
	int r = mount_base(err);

	if (r == 0) {
		r = fb_mounts_attach(terminals, "/dev/pts");
		if (r < 0)
			(void)fb_err_set(err, r, "mount '/dev/pts': %m");
	}
	if (r == 0)
		r = mount_run(spec->root.read_only, err);
	for (size_t i = 0; i < spec->tmpfs_count && r == 0; i++)
		r = mount_tmpfs(&spec->tmpfs[i], err);
	(void)umask(mask);
	return r;
}

int fb_mounts_read_only(struct fb_err *err)
{
	if (mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL) < 0)
		return fb_err_set(err, -errno, "make '/' read-only: %m");
	return 0;
}
