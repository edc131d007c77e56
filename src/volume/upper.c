/* SPDX-License-Identifier: Apache-2.0 */
#include "volume/upper.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/spawn.h"
#include "base/str.h"

/* Raised when the options of mkfs change, so that old templates are not used */
#define TEMPLATE_VERSION 2
#define NAME_SIZE 64

char *fb_upper_find_mkfs(void)
{
	/* an ordinary user's PATH often lacks the sbin folders */
	static const char *const places[] = { "mkfs.ext4",
					      "/usr/sbin/mkfs.ext4",
					      "/sbin/mkfs.ext4" };
	char *found = NULL;

	for (size_t i = 0; i < FB_ARRAY_SIZE(places) && !found; i++)
		found = fb_find_program(places[i]);
	return found;
}

static int wait_for_mkfs(pid_t pid, int errors_fd, struct fb_err *err)
{
	char text[512];
	ssize_t n = fb_read_full(errors_fd, text, sizeof(text) - 1);
	int status, r = fb_spawn_wait(pid, &status);

	if (r < 0)
		return fb_err_set(err, r, "wait for mkfs.ext4: %m");
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	text[n > 0 ? n : 0] = '\0';
	text[strcspn(text, "\n")] = '\0';
	return fb_err_set(err, -EIO, "mkfs.ext4 failed: %s",
			  text[0] ? text : "no message");
}

/*
 * Nothing is left to be done at the first mount (lazy_itable_init=0: the guest
 * would otherwise write zeroes into the sparse file), no reserve for root, and
 * a journal of the least size, since the disk is a container's.  Block groups
 * begin uninitialised and all metadata lie together, without copies of the
 * superblock: what there is to copy for a container is 48 KiB in 4 extents, for
 * 1 TiB 1 MiB in 4 (before: 408 KiB in 24; 44 MiB in 1056).
 */
static int run_mkfs(int fd, struct fb_err *err)
{
	FB_FREE char *mkfs = fb_upper_find_mkfs();
	FB_FD int errors_r = -EBADF, errors_w = -EBADF;
	char *const argv[] = {
		(char[]){ "mkfs.ext4" },
		(char[]){ "-q" },
		(char[]){ "-F" },
		(char[]){ "-b" },
		(char[]){ "4096" },
		(char[]){ "-m" },
		(char[]){ "0" },
		(char[]){ "-J" },
		(char[]){ "size=4" },
		(char[]){ "-O" },
		(char[]){ "^resize_inode,^huge_file,^metadata_csum,uninit_bg,"
			  "sparse_super2" },
		(char[]){ "-E" },
		(char[]){ "lazy_itable_init=0,lazy_journal_init=1,nodiscard,"
			  "root_owner=0:0,packed_meta_blocks=1,"
			  "num_backup_sb=0" },
		(char[]){ "/proc/self/fd/7" },
		NULL
	};
	struct fb_spawn spec = { .argv = argv, .die_with_parent = true };
	struct fb_spawn_fd fds[2];
	int pipe_fds[2], r;
	pid_t pid;

	if (!mkfs)
		return fb_err_hint(
			err, fb_err_set(err, -ENOENT, "mkfs.ext4 not found"),
			"install it: apt install e2fsprogs; or use "
			"--ephemeral");
	if (pipe2(pipe_fds, O_CLOEXEC) < 0)
		return fb_err_set(err, -errno, "start mkfs.ext4: %m");
	errors_r = pipe_fds[0];
	errors_w = pipe_fds[1];
	fds[0] = (struct fb_spawn_fd){ fd, 7 };
	fds[1] = (struct fb_spawn_fd){ errors_w, 2 };
	spec.path = mkfs;
	spec.fds = fds;
	spec.fd_count = 2;
	r = fb_spawn(&spec, &pid, NULL, err);
	errors_w = fb_close(errors_w);
	return r < 0 ? r : wait_for_mkfs(pid, errors_r, err);
}

static int copy_range(int from, int to, uint64_t offset, uint64_t end)
{
	loff_t in = (loff_t)offset, out = (loff_t)offset;
	FB_FREE char *buf = NULL;
	ssize_t n = 1;
	int r = 0;

	while ((uint64_t)in < end && n > 0)
		n = copy_file_range(from, &in, to, &out, end - (uint64_t)in, 0);
	if (n >= 0 || (errno != EXDEV && errno != EOPNOTSUPP &&
		       errno != ENOSYS && errno != EINVAL))
		return n < 0 ? -errno : 0;
	buf = malloc(1u << 20);
	if (!buf)
		return -ENOMEM;
	while ((uint64_t)in < end && r == 0) {
		n = fb_pread_full(from, buf,
				  end - (uint64_t)in < 1u << 20
					  ? (size_t)(end - (uint64_t)in)
					  : 1u << 20,
				  (uint64_t)in);
		if (n <= 0)
			return (int)n;
		r = fb_pwrite_full(to, buf, (size_t)n, (uint64_t)in);
		in += n;
	}
	return r;
}

/* what is data in @from goes to the same place in @to; holes stay holes */
static int copy_sparse(int from, int to, uint64_t size)
{
	off_t data = 0, hole;
	int r = 0;

	if (ioctl(to, FICLONE, from) == 0)
		return 0;
	if (ftruncate(to, (off_t)size) < 0)
		return -errno;
	while (r == 0) {
		data = lseek(from, data, SEEK_DATA);
		if (data < 0)
			return errno == ENXIO ? 0 : -errno;
		hole = lseek(from, data, SEEK_HOLE);
		if (hole < 0)
			return -errno;
		r = copy_range(from, to, (uint64_t)data, (uint64_t)hole);
		data = hole;
	}
	return r;
}

/* a file without a name: it is gone with this process, however that ends */
static int open_unnamed(int dir_fd)
{
	int fd = openat(dir_fd, ".", O_RDWR | O_TMPFILE | O_CLOEXEC, 0600);

	return fd < 0 ? -errno : fd;
}

static int publish(int fd, int dir_fd, const char *name)
{
	char path[32];

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (fsync(fd) < 0 ||
	    (linkat(AT_FDCWD, path, dir_fd, name, AT_SYMLINK_FOLLOW) < 0 &&
	     errno != EEXIST)) /* another process was faster: it is the same */
		return -errno;
	return 0;
}

/* mkfs preallocates: only a sparse copy of what it makes is kept */
static int make_template(int dir_fd, const char *name, uint64_t size,
			 int *ret_fd, struct fb_err *err)
{
	FB_FD int scratch = open_unnamed(dir_fd);
	FB_FD int fd = open_unnamed(dir_fd);
	int r = scratch < 0 ? scratch : fd;

	if (r < 0 || ftruncate(scratch, (off_t)size) < 0)
		return fb_err_set(err, r < 0 ? r : -errno,
				  "make an empty file system: %m");
	r = run_mkfs(scratch, err);
	if (r < 0)
		return r;
	r = copy_sparse(scratch, fd, size);
	if (r == 0)
		r = publish(fd, dir_fd, name);
	if (r < 0)
		return fb_err_set(err, r, "publish '%s': %m", name);
	*ret_fd = FB_TAKE_FD(fd);
	return 0;
}

static int open_template(int dir_fd, uint64_t size, int *ret_fd,
			 struct fb_err *err)
{
	char name[NAME_SIZE];
	int fd;

	(void)snprintf(name, sizeof(name), "ext4-%llu-v%d.img",
		       (unsigned long long)size, TEMPLATE_VERSION);
	fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return make_template(dir_fd, name, size, ret_fd, err);
	if (fd < 0)
		return fb_err_set(err, -errno, "open '%s': %m", name);
	*ret_fd = fd;
	return 0;
}

int fb_upper_create(int templates_fd, int dir_fd, const char *name,
		    uint64_t size_bytes, int *ret_fd, struct fb_err *err)
{
	FB_FD int template = -EBADF, fd = -EBADF;
	uint64_t size;
	int r;

	if (size_bytes < FB_UPPER_SIZE_MIN || size_bytes > FB_UPPER_SIZE_MAX)
		return fb_err_set(err, -ERANGE,
				  "storage size of %llu bytes is outside 32m "
				  "to 16t",
				  (unsigned long long)size_bytes);
	size = (size_bytes + 0xfffff) & ~0xfffffull;
	r = open_template(templates_fd, size, &template, err);
	if (r < 0)
		return fb_err_wrap(err, r, "writable disk");
	fd = openat(dir_fd, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return fb_err_set(err, -errno, "create '%s': %m", name);
	r = copy_sparse(template, fd, size);
	if (r < 0) {
		(void)unlinkat(dir_fd, name, 0);
		return fb_err_set(err, r, "copy an empty file system: %m");
	}
	*ret_fd = FB_TAKE_FD(fd);
	return 0;
}
