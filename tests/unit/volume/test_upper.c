/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/path.h"
#include "base/spawn.h"
#include "tap.h"
#include "volume/upper.h"

#define MIB (1ull << 20)

static char folder[] = "/tmp/fb-test-upper-XXXXXX";
static int templates = -EBADF, disks = -EBADF;

/* Return: entries of a folder, its own two not counted */
static size_t count_entries(int dir_fd)
{
	int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	FB_DIR DIR *dir = fdopendir(fd);
	size_t n = 0;

	while (dir && readdir(dir))
		n++;
	return n - 2;
}

static uint64_t allocated(int dir_fd, const char *name)
{
	struct stat st;

	if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return UINT64_MAX;
	return (uint64_t)st.st_blocks * 512;
}

/* Return: exit status of @script with the disk as $1, 255 = none */
static int shell(const char *script, const char *name)
{
	char path[128];
	char *const argv[] = { (char[]){ "sh" },
			       (char[]){ "-c" },
			       strdup(script),
			       (char[]){ "sh" },
			       path,
			       NULL };
	struct fb_spawn spec = { .path = "/bin/sh", .argv = argv };
	int status = -1;
	pid_t pid;

	(void)snprintf(path, sizeof(path), "%s/disks/%s", folder, name);
	if (fb_spawn(&spec, &pid, NULL, NULL) == 0)
		(void)fb_spawn_wait(pid, &status);
	free(argv[2]);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

static int create(const char *name, uint64_t size, struct fb_err *err)
{
	FB_FD int fd = -EBADF;

	return fb_upper_create(templates, disks, name, size, &fd, err);
}

static void test_content(void)
{
	struct fb_err err = { 0 };
	FB_FD int fd = -EBADF;
	struct stat st;

	TAP_INT(fb_upper_create(templates, disks, "a", 8 * 1024 * MIB, &fd,
				&err),
		0, "create 8 GiB: %s", err.msg);
	if (fstat(fd, &st) < 0)
		st.st_size = -1;
	TAP_INT(st.st_size, 8ll << 30, "as large as asked for");
	TAP_INT(st.st_mode & 0777, 0600, "for us alone");
	TAP_OK(allocated(disks, "a") < 16 * MIB, "and sparse: %llu kB on disk",
	       (unsigned long long)allocated(disks, "a") >> 10);
	TAP_INT(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDWR, "open to be written");
	TAP_OK(fcntl(fd, F_GETFD) & FD_CLOEXEC, "and close-on-exec");
	TAP_INT(shell("e2fsck -fn \"$1\" > /dev/null 2>&1", "a"), 0,
		"e2fsck finds nothing");
	TAP_INT(shell("[ $(dumpe2fs -h \"$1\" 2> /dev/null | "
		      "sed -n 's/^Reserved block count: *//p') = 0 ]",
		      "a"),
		0, "nothing is held back for root");
	TAP_INT(shell("[ $(debugfs -R 'ls -p /' \"$1\" 2> /dev/null | "
		      "grep -c '/0/0/') -ge 2 ]",
		      "a"),
		0, "its root belongs to root");
}

static void test_template(void)
{
	struct stat before, after;
	struct dirent *entry;
	FB_DIR DIR *dir = NULL;
	char name[300] = "";

	TAP_INT(count_entries(templates), 1, "one template is kept");
	dir = fdopendir(
		openat(templates, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	while (dir && (entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			(void)snprintf(name, sizeof(name), "%s", entry->d_name);
	if (fstatat(templates, name, &before, 0) < 0)
		before = (struct stat){ 0 };
	TAP_INT(create("b", 8 * 1024 * MIB, NULL), 0, "the same size again");
	if (fstatat(templates, name, &after, 0) < 0)
		after = (struct stat){ 1 };
	TAP_OK(before.st_ino == after.st_ino &&
		       before.st_mtim.tv_nsec == after.st_mtim.tv_nsec &&
		       count_entries(templates) == 1,
	       "takes the same template");
	TAP_INT(create("c", 64 * MIB + 1, NULL), 0, "another size");
	TAP_INT(count_entries(templates), 2, "has a template of its own");
	TAP_INT(create("d", 65 * MIB, NULL), 0, "sizes are rounded up to MiB");
	TAP_INT(count_entries(templates), 2, "and then share it");
}

/* what is written to one copy is seen by no other */
static void test_apart(void)
{
	FB_FD int fd = openat(disks, "a", O_RDWR | O_CLOEXEC);
	char junk[4096];

	memset(junk, 0xee, sizeof(junk));
	for (uint64_t at = 0; at < 4 * MIB; at += sizeof(junk))
		(void)fb_pwrite_full(fd, junk, sizeof(junk), at);
	TAP_OK(shell("e2fsck -fn \"$1\" > /dev/null 2>&1", "a") != 0,
	       "a disk that was written over is broken");
	TAP_INT(shell("e2fsck -fn \"$1\" > /dev/null 2>&1", "b"), 0,
		"its sister is not");
	TAP_INT(create("e", 8 * 1024 * MIB, NULL), 0, "nor is a new one");
	TAP_INT(shell("e2fsck -fn \"$1\" > /dev/null 2>&1", "e"), 0, "really");
}

static void test_limits(void)
{
	size_t had = count_entries(disks);
	struct fb_err err = { 0 };

	TAP_INT(create("x", FB_UPPER_SIZE_MIN - 1, &err), -ERANGE, "too small");
	TAP_OK(strstr(err.msg, "32m to 16t"), "with the limits: %s", err.msg);
	TAP_INT(create("x", FB_UPPER_SIZE_MAX + 1, NULL), -ERANGE, "too large");
	TAP_INT(create("x", UINT64_MAX, NULL), -ERANGE, "far too large");
	TAP_INT(create("x", 0, NULL), -ERANGE, "nothing");
	TAP_INT(create("a", 64 * MIB, &err), -EEXIST, "a name that is taken");
	TAP_INT(count_entries(disks), had, "nothing was left");
	TAP_INT(create("least", FB_UPPER_SIZE_MIN, NULL), 0, "the least size");
	TAP_INT(shell("e2fsck -fn \"$1\" > /dev/null 2>&1", "least"), 0,
		"is a file system");
}

/* several that want the first disk of a size at once */
static void test_concurrent(void)
{
	enum { COUNT = 4 };
	size_t had = count_entries(templates);
	int status, failed = 0;
	pid_t pids[COUNT];
	char name[16];

	for (int i = 0; i < COUNT; i++) {
		(void)snprintf(name, sizeof(name), "race%d", i);
		pids[i] = fork();
		if (pids[i] == 0)
			_exit(create(name, 128 * MIB, NULL) ? 1 : 0);
	}
	for (int i = 0; i < COUNT; i++)
		if (waitpid(pids[i], &status, 0) < 0 || status != 0)
			failed++;
	TAP_INT(failed, 0, "%d at once get a disk", COUNT);
	TAP_INT(count_entries(templates), had + 1, "and leave one template");
	for (int i = 0; i < COUNT; i++) {
		(void)snprintf(name, sizeof(name), "race%d", i);
		if (shell("e2fsck -fn \"$1\" > /dev/null 2>&1", name) != 0)
			failed++;
	}
	TAP_INT(failed, 0, "each is a file system");
}

/* Return: exit status of a child that creates a disk with @limit_bytes a file */
static int create_with_limit(const char *name, uint64_t size,
			     rlim_t limit_bytes)
{
	struct rlimit limit = { limit_bytes, limit_bytes };
	struct fb_err err = { 0 };
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		(void)signal(SIGXFSZ, SIG_IGN);
		(void)setrlimit(RLIMIT_FSIZE, &limit);
		_exit(create(name, size, &err) < 0 && err.msg[0] ? 0 : 1);
	}
	(void)waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

static void test_failures(void)
{
	FB_FREE char *mkfs = NULL;
	struct fb_err err = { 0 };
	size_t had_disks = count_entries(disks);
	size_t had_templates = count_entries(templates);

	TAP_INT(create_with_limit("y", 256 * MIB, 1 << 20), 0,
		"where the file can't grow that is an error");
	TAP_INT(count_entries(templates), had_templates, "no template is left");
	TAP_INT(create_with_limit("y", 128 * MIB, 1 << 20), 0,
		"also while a template is copied");
	TAP_INT(count_entries(disks), had_disks, "and no disk");
	(void)setenv("PATH", folder, 1);
	mkfs = fb_upper_find_mkfs();
	TAP_OK(mkfs != NULL, "mkfs.ext4 is found with an ordinary user's PATH");
	TAP_INT(fb_upper_create(-EBADF, disks, "y", 64 * MIB, &(int){ 0 },
				&err),
		-EBADF, "no folder of templates");
	TAP_INT(count_entries(disks), had_disks, "nothing is left");
}

int main(void)
{
	FB_FREE char *mkfs = fb_upper_find_mkfs();

	if (!mkfs) {
		tap_skip("mkfs.ext4 is not installed");
		return tap_done();
	}
	(void)setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin", 1);
	if (!mkdtemp(folder) || chdir(folder) < 0 ||
	    mkdir("templates", 0700) < 0 || mkdir("disks", 0700) < 0)
		return 2;
	templates = open("templates", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	disks = open("disks", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	test_content();
	test_template();
	test_apart();
	test_limits();
	test_concurrent();
	test_failures();
	(void)fb_close(templates);
	(void)fb_close(disks);
	if (chdir("/") < 0 || fb_rmtree_at(AT_FDCWD, folder) < 0)
		return 2;
	return tap_done();
}
