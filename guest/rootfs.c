/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The container's root.
 *
 *   /run/lower    the image (SquashFS, EROFS or ext4), read-only
 *   /run/upper    the writable disk or a tmpfs; /upper and /work in it
 *   /newroot      overlay of both: what the container sees as /
 *
 * In software emulation, mounting an overlay costs as much as everything else of
 * a start, so a read-only root goes without one whenever the image lets it.
 */
#include "rootfs.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"

#define LOWER "/run/lower"
#define UPPER "/run/upper"

static const char *const fs_names[FB_SPEC_FS_END] = {
	[FB_SPEC_FS_SQUASHFS] = "squashfs",
	[FB_SPEC_FS_EROFS] = "erofs",
	[FB_SPEC_FS_EXT4] = "ext4",
};

static int make_folder(const char *path, struct fb_err *err)
{
	if (mkdir(path, 0755) < 0 && errno != EEXIST)
		return fb_err_set(err, -errno, "make '%s': %m", path);
	return 0;
}

static int mount_image(const struct fb_spec_root *root, const char *where,
		       struct fb_err *err)
{
	if (mount(root->device, where, fs_names[root->fs],
		  MS_RDONLY | MS_SILENT, NULL) < 0)
		return fb_err_set(err, -errno, "mount image '%s' as %s: %m",
				  root->device, fs_names[root->fs]);
	return 0;
}

static bool exists_in(int root, const char *path)
{
	const struct open_how how = {
		.flags = O_PATH | O_CLOEXEC,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};
	int fd = (int)syscall(SYS_openat2, root, path, &how, sizeof(how));

	(void)fb_close(fd);
	return fd >= 0;
}

/* Has the image everything that will be mounted on, or changed into? */
static bool image_suffices(const struct fb_guest_spec *spec)
{
	FB_FD int root = open(FB_ROOTFS_PATH, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (!exists_in(root, "/proc") || !exists_in(root, "/sys") ||
	    !exists_in(root, "/dev"))
		return false;
	if ((spec->hostname && !exists_in(root, "/etc/hostname")) ||
	    (spec->hosts && !exists_in(root, "/etc/hosts")) ||
	    (spec->resolv_conf && !exists_in(root, "/etc/resolv.conf")) ||
	    (spec->process.cwd && !exists_in(root, spec->process.cwd)))
		return false;
	for (size_t i = 0; i < spec->tmpfs_count; i++)
		if (!exists_in(root, spec->tmpfs[i].path))
			return false;
	return true;
}

static int mount_upper(const struct fb_spec_root *root, struct fb_err *err)
{
	char options[64] = "mode=755";

	/*
	 * A sparse disk must not be filled with empty inode tables; one that is
	 * thrown away needs no journal and no barriers.
	 */
	if (!root->read_only && root->upper_device) {
		if (mount(root->upper_device, UPPER, "ext4", MS_SILENT,
			  root->disposable ? "noinit_itable,noload,nobarrier"
					   : "noinit_itable") < 0)
			return fb_err_set(err, -errno,
					  "mount writable layer '%s': %m",
					  root->upper_device);
		return 0;
	}
	if (root->upper_size_bytes)
		(void)snprintf(options, sizeof(options), "mode=755,size=%llu",
			       (unsigned long long)root->upper_size_bytes);
	if (mount("tmpfs", UPPER, "tmpfs", 0, options) < 0)
		return fb_err_set(err, -errno,
				  "mount writable layer in memory: %m");
	return 0;
}

/* A fresh upper folder is what / looks like: it gets the image's attributes */
static int make_upper_folder(struct fb_err *err)
{
	struct timespec times[2];
	struct stat st;

	if (mkdir(UPPER "/upper", 0755) < 0)
		return errno == EEXIST ? 0
				       : fb_err_set(err, -errno,
						    "make upper folder: %m");
	if (stat(LOWER, &st) < 0)
		return fb_err_set(err, -errno, "look at image's root: %m");
	times[0] = st.st_atim;
	times[1] = st.st_mtim;
	if (chown(UPPER "/upper", st.st_uid, st.st_gid) < 0 ||
	    chmod(UPPER "/upper", st.st_mode & 07777) < 0 ||
	    utimensat(AT_FDCWD, UPPER "/upper", times, 0) < 0)
		return fb_err_set(err, -errno, "set up upper folder: %m");
	return 0;
}

static int mount_overlay(const struct fb_spec_root *root, struct fb_err *err)
{
	int r = make_folder(LOWER, err);

	if (r == 0)
		r = make_folder(UPPER, err);
	if (r == 0)
		r = mount_image(root, LOWER, err);
	if (r == 0)
		r = mount_upper(root, err);
	if (r == 0)
		r = make_upper_folder(err);
	if (r == 0)
		r = make_folder(UPPER "/work", err);
	if (r < 0)
		return r;
	if (mount("overlay", FB_ROOTFS_PATH, "overlay", 0,
		  "lowerdir=" LOWER ",upperdir=" UPPER "/upper,workdir=" UPPER
		  "/work") < 0)
		return fb_err_set(err, -errno, "mount overlay: %m");
	return 0;
}

int fb_rootfs_mount(const struct fb_guest_spec *spec, struct fb_err *err)
{
	int r;

	if (spec->root.read_only) {
		r = mount_image(&spec->root, FB_ROOTFS_PATH, err);
		if (r < 0 || image_suffices(spec))
			return r;
		if (umount2(FB_ROOTFS_PATH, 0) < 0)
			return fb_err_set(err, -errno, "unmount image: %m");
	}
	return mount_overlay(&spec->root, err);
}

static bool keeps(const struct fb_spec_root *root)
{
	return root->upper_device && !root->read_only && !root->disposable;
}

bool fb_rootfs_full(const struct fb_spec_root *root)
{
	struct statvfs st;

	return !root->read_only && statvfs(UPPER, &st) == 0 &&
	       (st.f_bavail == 0 || st.f_favail == 0);
}

void fb_rootfs_unmount(const struct fb_spec_root *root)
{
	if (!keeps(root))
		return;
	if (umount2(FB_ROOTFS_PATH, 0) == 0 && umount2(UPPER, 0) == 0)
		return;
	/* somebody still holds it: what was written is safe all the same */
	sync();
	(void)mount(NULL, UPPER, NULL, MS_REMOUNT | MS_RDONLY, NULL);
}
