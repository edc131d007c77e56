/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What surrounds a jailer, with a shell in its place: what it sees, what of it is
 * seen outside, and whose end is told.  Takes root's rights; skipped without.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/io.h"
#include "base/path.h"
#include "machine/jail.h"
#include "tap.h"

#define FOLDER 24
#define READABLE 27
#define WRITABLE 30
#define TEXT 64

#define DIR_TEMPLATE "/tmp/fb-jail-XXXXXX"

struct fixture {
	char dir[sizeof(DIR_TEMPLATE)];
	int folder;
	int readable;
	int writable;
};

static void set_up(struct fixture *f)
{
	memcpy(f->dir, DIR_TEMPLATE, sizeof(f->dir));
	if (!mkdtemp(f->dir) || chdir(f->dir) < 0 || mkdir("vmm", 0700) < 0)
		abort();
	f->folder = open("vmm", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fb_write_file_at(AT_FDCWD, "image", "image\n", 6, 0644) < 0 ||
	    fb_write_file_at(AT_FDCWD, "disk", "disk\n", 5, 0600) < 0)
		abort();
	f->readable = open("image", O_RDONLY | O_CLOEXEC);
	f->writable = open("disk", O_RDWR | O_CLOEXEC);
}

static void tear_down(struct fixture *f)
{
	(void)fb_close(f->folder);
	(void)fb_close(f->readable);
	(void)fb_close(f->writable);
	if (chdir("/") < 0 || fb_rmtree_at(AT_FDCWD, f->dir) < 0)
		abort();
}

/* a shell in the jailer's place; @out takes its output */
static void fill(struct fb_plan *plan, const struct fixture *f, int out,
		 const char *script)
{
	struct fb_plan_process *p =
		fb_plan_add_process(plan, "shell", "/bin/sh");

	if (!p)
		abort();
	(void)fb_strv_add(&p->argv, "sh");
	(void)fb_strv_add(&p->argv, "-c");
	(void)fb_strv_add(&p->argv, script);
	p->jail = strdup("firecracker/x/root");
	p->jail_fd = FOLDER;
	p->fds[p->fd_count++] = (struct fb_spawn_fd){ f->folder, FOLDER };
	p->fds[p->fd_count++] = (struct fb_spawn_fd){ f->readable, READABLE };
	p->fds[p->fd_count++] = (struct fb_spawn_fd){ f->writable, WRITABLE };
	p->fds[p->fd_count++] = (struct fb_spawn_fd){ out, 1 };
	(void)fb_plan_give_text(p, TEXT, strdup("{}\n"));
	(void)fb_strv_add(&p->sockets, "/proc/self/fd/24");
	(void)fb_strv_add(&p->writable, "/proc/self/fd/30");
}

/* Return: status of the jail, as the monitor sees it; what was said in @said */
static int run(const struct fixture *f, const char *script, char *said,
	       size_t size)
{
	FB_PLAN struct fb_plan plan = { 0 };
	FB_FD int from = -EBADF, to = -EBADF, pidfd = -EBADF;
	struct fb_err err = { 0 };
	int fds[2], status = -1, r;
	ssize_t n;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) < 0)
		abort();
	from = fds[0];
	to = fds[1];
	fill(&plan, f, to, script);
	r = fb_plan_spawn(&plan.processes[0], &pid, &pidfd, &err);
	to = fb_close(to);
	said[0] = '\0';
	TAP_INT(r, 0, "start: %s", err.msg);
	if (r < 0)
		return -1;
	n = fb_read_full(from, said, size - 1);
	said[n > 0 ? n : 0] = '\0';
	(void)fb_spawn_wait(pid, &status);
	return fb_jail_status(status);
}

static void test_sight(const struct fixture *f)
{
	char said[4096];
	struct stat st;
	int status = run(f,
			 "cd firecracker/x/root/proc/self/fd || exit 9\n"
			 "ls | tr '\\n' ' '\n"
			 "cat 27 30 64\n"
			 "(echo no >27) 2>/dev/null || echo kept\n"
			 "echo new >30 && touch 24/socket\n"
			 "exit 3",
			 said, sizeof(said));

	TAP_OK(WIFEXITED(status) && WEXITSTATUS(status) == 3, "its status");
	TAP_STR(said, "24 27 30 64 image\ndisk\n{}\nkept\n",
		"its files, at their numbers, and no more than it may");
	TAP_OK(fstat(f->writable, &st) == 0 && st.st_size == 4,
	       "what it wrote is in the disk");
	TAP_OK(access("vmm/socket", F_OK) == 0,
	       "what it made in its folder is there");
	TAP_OK(access("vmm/firecracker", F_OK) < 0,
	       "its root folder is nowhere outside");
}

static void test_namespaces(const struct fixture *f)
{
	static const char *const names[] = { "net", "pid", "mnt", "ipc",
					     "uts" };
	char said[256], path[32], own[64], script[128];

	for (size_t i = 0; i < FB_ARRAY_SIZE(names); i++) {
		ssize_t n;

		(void)snprintf(path, sizeof(path), "/proc/self/ns/%s",
			       names[i]);
		n = readlink(path, own, sizeof(own) - 1);
		own[n > 0 ? n : 0] = '\0';
		(void)snprintf(script, sizeof(script), "readlink %s", path);
		(void)run(f, script, said, sizeof(said));
		said[strcspn(said, "\n")] = '\0';
		TAP_OK(said[0] && strcmp(said, own) != 0,
		       "a namespace of its own: '%s' here, '%s' there", own,
		       said);
	}
}

static void test_status(const struct fixture *f)
{
	char said[64];
	int status;

	status = run(f, "(sleep 0.2; exit 148) & exit 0", said, sizeof(said));
	TAP_OK(WIFEXITED(status) && WEXITSTATUS(status) == 148,
	       "who is left behind is waited for, its status counts");
	status = run(f, "sh -c 'kill -9 $$' & exit 0", said, sizeof(said));
	TAP_OK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL,
	       "an end by a signal is told as one");
	status = run(f, "exit 7", said, sizeof(said));
	TAP_OK(WIFEXITED(status) && WEXITSTATUS(status) == 7,
	       "a jailer that fails is told");
}

static void test_missing(const struct fixture *f)
{
	FB_PLAN struct fb_plan plan = { 0 };
	struct fb_plan_process *p = &plan.processes[0];
	struct fb_err err = { 0 };
	int pidfd = -EBADF;
	pid_t pid;

	fill(&plan, f, 2, "");
	free(p->path);
	p->path = strdup("/etc/passwd");
	TAP_OK(fb_plan_spawn(p, &pid, &pidfd, &err) < 0,
	       "a program that can't be run is an error of the start: %s",
	       err.msg);
}

/* a process that starts a jail and is killed: the jail's pipe ends as well */
static void test_dies_with_parent(const struct fixture *f)
{
	char said[16] = "";
	int fds[2], status;
	pid_t parent;

	if (pipe2(fds, O_CLOEXEC) < 0)
		abort();
	parent = fork();
	if (parent == 0) {
		FB_PLAN struct fb_plan plan = { 0 };
		int pidfd;
		pid_t pid;

		fill(&plan, f, fds[1],
		     "sh -c 'echo up; exec sleep 100' & exit 0");
		if (fb_plan_spawn(&plan.processes[0], &pid, &pidfd, NULL) < 0)
			_exit(1);
		(void)close(fds[1]);
		(void)pause();
		_exit(0);
	}
	(void)close(fds[1]);
	(void)fb_read_full(fds[0], said, 3);
	TAP_STR(said, "up\n", "it runs");
	(void)kill(parent, SIGKILL);
	(void)waitpid(parent, &status, 0);
	TAP_INT(fb_read_full(fds[0], said, sizeof(said)), 0,
		"nothing of it outlives who started it");
	(void)close(fds[0]);
}

static void test_codes(void)
{
	TAP_INT(fb_jail_status(148 << 8), 148 << 8, "Firecracker's own");
	TAP_INT(fb_jail_status(157 << 8), 157 << 8, "the last of these");
	TAP_INT(fb_jail_status((128 + SIGSYS) << 8), SIGSYS, "a signal");
	TAP_INT(fb_jail_status(SIGKILL), SIGKILL, "the whole jail was killed");
	TAP_INT(fb_jail_status(0), 0, "well");
}

/* as a security module does, from a root with all its capabilities */
static int forbid_mounts(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mount, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EACCES),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { FB_ARRAY_SIZE(code), code };

	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

static void test_try(void)
{
	int status = -1;
	pid_t pid;

	TAP_INT(fb_jail_try(), 0, "a jail can be made here");
	pid = fork();
	if (pid == 0)
		_exit(forbid_mounts() < 0 ? 1 : -fb_jail_try());
	(void)waitpid(pid, &status, 0);
	TAP_OK(WIFEXITED(status) && WEXITSTATUS(status) == EACCES,
	       "not where mounts are forbidden");
	pid = fork();
	if (pid == 0)
		_exit(setuid(65534) < 0 ? 1 : -fb_jail_try());
	(void)waitpid(pid, &status, 0);
	TAP_OK(WIFEXITED(status) && WEXITSTATUS(status) == EPERM,
	       "nor without root's rights");
}

static bool has_rights(void)
{
	pid_t pid = geteuid() == 0 ? fork() : -1;
	int status = -1;

	if (pid == 0)
		_exit(unshare(CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET) != 0);
	return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

int main(void)
{
	struct fixture f;

	test_codes();
	if (!has_rights()) {
		tap_skip("namespaces take root's rights");
		return tap_done();
	}
	test_try();
	set_up(&f);
	test_sight(&f);
	test_namespaces(&f);
	test_status(&f);
	test_missing(&f);
	test_dies_with_parent(&f);
	tear_down(&f);
	return tap_done();
}
