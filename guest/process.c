/* SPDX-License-Identifier: Apache-2.0 */
#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "container.h"
#include "mounts.h"

#define NAMESPACES (CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC)

static int setup_failed(struct fb_failure *f, const struct fb_err *err)
{
	return fb_failure_set(f, FB_GUEST_SETUP_FAILED, err->code, "%s",
			      err->msg);
}

static void stdio_close(struct fb_stdio *s)
{
	s->input = fb_close(s->input);
	s->output = fb_close(s->output);
	s->error = fb_close(s->error);
}

static int make_pipe(int *ret_read, int *ret_write)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	*ret_read = ends[0];
	*ret_write = ends[1];
	return 0;
}

static int open_pipes(bool with_input, struct fb_stdio *ours,
		      struct fb_stdio *theirs, struct fb_err *err)
{
	int r = make_pipe(&ours->output, &theirs->output);

	if (r == 0)
		r = make_pipe(&ours->error, &theirs->error);
	if (r == 0 && with_input)
		r = make_pipe(&theirs->input, &ours->input);
	if (r == 0)
		r = fb_set_nonblock(ours->output, true);
	if (r == 0)
		r = fb_set_nonblock(ours->error, true);
	if (r == 0 && with_input)
		r = fb_set_nonblock(ours->input, true);
	return r < 0 ? fb_err_set(err, r, "open standard streams: %m") : 0;
}

static int open_stdio(struct fb_container *c, struct fb_stdio *ours,
		      struct fb_err *err)
{
	const struct fb_spec_process *p = &c->spec->process;
	int r;

	if (!p->terminal)
		return open_pipes(p->stdin_open, ours, &c->stdio, err);
	r = fb_terminal_open(c->terminals, p->size, &c->terminal, err);
	if (r < 0)
		return r;
	ours->output = FB_TAKE_FD(c->terminal.master);
	ours->input = fcntl(ours->output, F_DUPFD_CLOEXEC, 3);
	return ours->input < 0 ? fb_err_set(err, -errno, "open a terminal: %m")
			       : 0;
}

static int open_container(struct fb_container *c, struct fb_stdio *ours,
			  struct fb_err *err)
{
	int r = fb_files_make(c->spec, &c->files, err);

	if (r < 0)
		return r;
	c->terminals = fb_mounts_open_terminals(err);
	if (c->terminals < 0)
		return c->terminals;
	return open_stdio(c, ours, err);
}

static void container_close(struct fb_container *c)
{
	fb_files_release(&c->files);
	c->terminals = fb_close(c->terminals);
	c->terminal.slave = fb_close(c->terminal.slave);
	stdio_close(&c->stdio);
}

/* Tell why, and go; a reader that is gone needs no telling */
_Noreturn static void child(const struct fb_container *c, int report)
{
	struct fb_failure failure = { 0 };

	(void)fb_container_enter(c, &failure);
	(void)fb_write_full(report, &failure, sizeof(failure));
	_exit(127);
}

/* Return: 0 when execve() has closed the pipe; otherwise the reason's code */
static int read_report(int report, struct fb_failure *ret)
{
	ssize_t n = fb_read_full(report, ret, sizeof(*ret));

	if (n == 0)
		return 0;
	if (n != (ssize_t)sizeof(*ret))
		return fb_failure_set(ret, FB_GUEST_SETUP_FAILED, -EIO,
				      "start the process: no report");
	return -(int)ret->record.value;
}

static int spawn(const struct fb_container *c, int cgroup,
		 struct fb_process *ret, struct fb_failure *ret_failure)
{
	int pidfd = -EBADF, report = -EBADF, r;
	FB_FD int hear = -EBADF;
	struct clone_args args = {
		.flags = NAMESPACES | CLONE_PIDFD,
		.pidfd = (uintptr_t)&pidfd,
		.exit_signal = SIGCHLD,
	};
	long pid;

	if (cgroup >= 0) {
		args.flags |= CLONE_INTO_CGROUP;
		args.cgroup = (unsigned int)cgroup;
	}
	r = make_pipe(&hear, &report);
	if (r < 0)
		return fb_failure_set(ret_failure, FB_GUEST_SETUP_FAILED, r,
				      "start the process: %m");
	pid = syscall(SYS_clone3, &args, sizeof(args));
	if (pid == 0)
		child(c, report);
	r = pid < 0 ? -errno : 0;
	(void)close(report);
	if (r < 0)
		return fb_failure_set(ret_failure, FB_GUEST_SETUP_FAILED, r,
				      "start the process: %m");
	ret->pid = (pid_t)pid;
	ret->pidfd = pidfd;
	r = read_report(hear, ret_failure);
	if (r < 0) {
		(void)waitpid(ret->pid, NULL, 0);
		ret->pidfd = fb_close(ret->pidfd);
	}
	return r;
}

int fb_process_start(const struct fb_guest_spec *spec, int cgroup,
		     struct fb_trace *trace, struct fb_process *ret,
		     struct fb_failure *ret_failure)
{
	struct fb_container c = {
		.spec = spec,
		.terminals = -EBADF,
		.terminal = { -EBADF, -EBADF, 0 },
		.stdio = { -EBADF, -EBADF, -EBADF },
		.in_cgroup = cgroup >= 0,
		.trace = trace,
	};
	struct fb_process process = { .pid = -1,
				      .pidfd = -EBADF,
				      .stdio = { -EBADF, -EBADF, -EBADF } };
	struct fb_err err = { 0 };
	int r = open_container(&c, &process.stdio, &err);

	if (r < 0)
		(void)setup_failed(ret_failure, &err);
	else
		r = spawn(&c, cgroup, &process, ret_failure);
	container_close(&c);
	if (r < 0)
		stdio_close(&process.stdio);
	else
		*ret = process;
	return r;
}

int fb_process_wait(const struct fb_process *process)
{
	int status = 0;

	while (waitpid(process->pid, &status, 0) < 0 && errno == EINTR)
		;
	return status;
}
