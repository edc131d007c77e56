/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Theory of operation.  The jailer closes every descriptor above 2, gives its VMM a
 * root folder, and with --new-pid-ns leaves it behind as somebody else's child.  So
 * it gets surroundings that end with it, whatever is killed:
 *
 *	monitor
 *	└─ warden	first process of a PID namespace, tied to the monitor;
 *	   │		mount, network, IPC and host name namespaces of its own
 *	   ├─ jailer	ends when the VMM runs
 *	   └─ VMM	in the PID and mount namespaces that the jailer makes
 *
 * The warden dies with the monitor, and the kernel kills everything in its
 * namespace with it.  It gives the VMM's end on as its own.
 *
 * The jailer's base folder is a tmpfs that only this mount namespace sees, over the
 * machine's folder.  In the root folder below it the files that the VMM was given
 * are bound where it looks for them: at /proc/self/fd/N, N being the number that
 * they have without a jailer (there is no procfs in there).  So one configuration
 * serves both, nothing is copied, and nothing has to be taken down: the mounts go
 * with the namespace.  The sources are cloned before the namespace is changed,
 * because the kernel binds nothing across that.
 */
#include "machine/jail.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/path.h"

/* what the headers of older distributions lack; numbers of the kernel's ABI */
#define TREE_CLONE 1u	       /* OPEN_TREE_CLONE */
#define MOVE_FROM_FD 4u	       /* MOVE_MOUNT_F_EMPTY_PATH */
#define MOUNT_READ_ONLY 0x1ull /* MOUNT_ATTR_RDONLY */
#define MOUNT_NO_SUID 0x2ull
#define MOUNT_NO_DEVICES 0x4ull
#define MOUNT_NO_PROGRAMS 0x8ull
#ifndef SYS_mount_setattr
#define SYS_mount_setattr 442
#endif

#define PATHS_MAX 4096
#define FD_FOLDER "proc/self/fd"
/* the VMM's program, which the jailer copies, and some texts */
#define TMPFS_OPTIONS "mode=0711,size=128m,nr_inodes=512"
#define SIGNALED 128
/* fb_spawn() gives no number beyond */
#define FDS_END 512u

struct attributes {
	uint64_t set;
	uint64_t clear;
	uint64_t propagation;
	uint64_t user_ns;
};

/* The network's namespace is not tried: it takes as long as all the others, and is
 * forbidden nowhere where these are allowed. */
static int try_surroundings(void)
{
	int tree = (int)syscall(SYS_open_tree, AT_FDCWD, "/",
				TREE_CLONE | O_CLOEXEC);

	if (tree < 0 ||
	    unshare(CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS) <
		    0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("flamebox", "/", "tmpfs", MS_NOSUID, TMPFS_OPTIONS) < 0 ||
	    syscall(SYS_move_mount, tree, "", AT_FDCWD, "/", MOVE_FROM_FD) < 0)
		return -errno;
	return 0;
}

int fb_jail_try(void)
{
	pid_t pid = fork();
	int status;

	if (pid < 0)
		return -errno;
	if (pid == 0)
		_exit(-try_surroundings() & 0xff);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return WIFEXITED(status) ? -WEXITSTATUS(status) : -EPERM;
}

static bool is_listed(const struct fb_strv *paths, int fd)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/" FD_FOLDER "/%d", fd);
	for (size_t i = 0; i < paths->count; i++)
		if (!strcmp(paths->v[i], path))
			return true;
	return false;
}

/* Return: a detached mount of what @fd is; -EINVAL it is nothing of the kind */
static int clone_tree(const struct fb_plan_process *p, int fd)
{
	struct attributes a = {
		.set = MOUNT_NO_SUID | MOUNT_NO_DEVICES | MOUNT_NO_PROGRAMS,
	};
	int tree = (int)syscall(SYS_open_tree, fd, "",
				AT_EMPTY_PATH | TREE_CLONE | O_CLOEXEC);

	if (tree < 0)
		return -errno;
	if (!is_listed(&p->writable, fd) && !is_listed(&p->sockets, fd))
		a.set |= MOUNT_READ_ONLY;
	/* a second line of defence: kernels before 5.12 lack it */
	(void)syscall(SYS_mount_setattr, tree, "", AT_EMPTY_PATH, &a,
		      sizeof(a));
	return tree;
}

/* pipes and sockets can't be bound: they are standard streams, which stay open */
static int clone_trees(const struct fb_plan_process *p, int *trees)
{
	for (size_t i = 0; i < p->fd_count; i++) {
		trees[i] = clone_tree(p, p->fds[i].to);
		if (trees[i] < 0 && trees[i] != -EINVAL)
			return trees[i];
	}
	return 0;
}

/* from our root: in another mount namespace it would be from the host's */
static int find_base(const struct fb_plan_process *p, char path[PATHS_MAX])
{
	char link[64];
	ssize_t n;

	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", p->jail_fd);
	n = readlink(link, path, PATHS_MAX - 1);
	if (n < 0)
		return -errno;
	path[n] = '\0';
	return 0;
}

/* Return: 0, and this process is in the base folder */
static int make_base(const char *path)
{
	if (mount("flamebox", path, "tmpfs", MS_NOSUID, TMPFS_OPTIONS) < 0 ||
	    chdir(path) < 0)
		return -errno;
	return 0;
}

/* @path and what leads to it; others may walk through */
static int make_folders(const char *path)
{
	char part[PATHS_MAX];

	for (const char *at = path; *at;) {
		size_t n = strcspn(at + 1, "/") + 1;

		at += n;
		(void)snprintf(part, sizeof(part), "%.*s", (int)(at - path),
			       path);
		if (mkdir(part, 0711) < 0 && errno != EEXIST)
			return -errno;
	}
	return 0;
}

static int enter_root(const struct fb_plan_process *p)
{
	int r = make_folders(p->jail);

	if (r == 0 && chdir(p->jail) < 0)
		r = -errno;
	if (r == 0)
		r = make_folders(FD_FOLDER);
	return r == 0 && chdir(FD_FOLDER) < 0 ? -errno : r;
}

/* in the folder of descriptors: what @tree holds is there as @number */
static int place_tree(int tree, int number)
{
	FB_FD int file = -EBADF;
	char name[16];
	struct stat st;

	(void)snprintf(name, sizeof(name), "%d", number);
	if (fstat(tree, &st) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode) && mkdir(name, 0711) < 0)
		return -errno;
	if (!S_ISDIR(st.st_mode)) {
		file = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0);
		if (file < 0)
			return -errno;
	}
	if (syscall(SYS_move_mount, tree, "", AT_FDCWD, name, MOVE_FROM_FD) < 0)
		return -errno;
	return 0;
}

static int place_files(const struct fb_plan_process *p, const int *trees)
{
	char name[16];
	int r = 0;

	for (size_t i = 0; i < p->fd_count && r == 0; i++)
		if (trees[i] >= 0)
			r = place_tree(trees[i], p->fds[i].to);
	for (size_t i = 0; i < p->text_count && r == 0; i++) {
		(void)snprintf(name, sizeof(name), "%d", p->texts[i].fd);
		r = fb_replace_file_at(AT_FDCWD, name, p->texts[i].text,
				       strlen(p->texts[i].text), 0444);
	}
	return r;
}

static int make_surroundings(const struct fb_plan_process *p)
{
	/* the network's may be one with a tap, which was joined already */
	int network = p->namespace_count ? 0 : CLONE_NEWNET;
	int trees[FB_PLAN_FDS_MAX], base, r;
	char path[PATHS_MAX];

	r = clone_trees(p, trees);
	if (r == 0)
		r = find_base(p, path);
	if (r < 0)
		return r;
	if (unshare(CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS | network) < 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return -errno;
	r = make_base(path);
	if (r < 0)
		return r;
	base = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (base < 0)
		return -errno;
	r = enter_root(p);
	if (r == 0)
		r = place_files(p, trees);
	if (r == 0 && fchdir(base) < 0)
		r = -errno;
	return r;
}

/* Return: the status of who ended last: the VMM, or a jailer that did not come to it */
static int wait_for_all(void)
{
	int status = 0, last = 0;

	for (;;) {
		if (waitpid(-1, &status, __WALL) > 0)
			last = status;
		else if (errno != EINTR)
			return last;
	}
}

/* Is it a pipe that the VMM was given? */
static bool is_pipe(const struct fb_plan_process *p, unsigned int fd)
{
	struct stat st;

	for (size_t i = 0; i < p->fd_count; i++)
		if (p->fds[i].to == (int)fd)
			return fstat((int)fd, &st) == 0 && S_ISFIFO(st.st_mode);
	return false;
}

/*
 * What was the monitor's, which would not see it end.  Pipes stay: between the jailer,
 * which closes them, and its VMM, which opens them again, somebody must have them
 * open, or the monitor would take that for their end.
 */
static void close_all_but_pipes(const struct fb_plan_process *p)
{
	unsigned int from = 0;

	for (unsigned int fd = 0; fd < FDS_END; fd++) {
		if (!is_pipe(p, fd))
			continue;
		if (fd > from)
			(void)syscall(SYS_close_range, from, fd - 1, 0u);
		from = fd + 1;
	}
	(void)syscall(SYS_close_range, from, ~0u, 0u);
}

static void keep_watch(const struct fb_plan_process *p)
	__attribute__((noreturn));

/* The first process of a PID namespace can't be ended by a signal of its own, so a
 * signal is said as shells do. */
static void keep_watch(const struct fb_plan_process *p)
{
	int status;

	close_all_but_pipes(p);
	status = wait_for_all();
	_exit(WIFSIGNALED(status) ? SIGNALED + WTERMSIG(status)
				  : WEXITSTATUS(status));
}

int fb_jail_enter(const struct fb_plan_process *process)
{
	int r;
	pid_t pid;

	/* not to be taken for a monitor */
	(void)prctl(PR_SET_NAME, "flamebox-jail");
	(void)umask(022);
	r = make_surroundings(process);
	if (r < 0)
		return r;
	pid = fork();
	if (pid < 0)
		return -errno;
	if (pid > 0)
		keep_watch(process);
	return 0;
}

/* Firecracker's own codes go from 148 to 157 */
int fb_jail_status(int status)
{
	int code = WIFEXITED(status) ? WEXITSTATUS(status) : 0;

	if ((code > SIGNALED && code < 148) || (code > 157 && code < 193))
		return code - SIGNALED;
	return status;
}

void fb_jail_remove_cgroups(const struct fb_plan_process *process)
{
	for (size_t i = 0; i < process->cgroups.count; i++)
		(void)fb_rmdir_patiently(process->cgroups.v[i]);
}
