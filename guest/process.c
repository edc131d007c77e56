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
	c->go = fb_close(c->go);
	c->terminal.slave = fb_close(c->terminal.slave);
	stdio_close(&c->stdio);
}

/* Tell why, and go; a reader that is gone needs no telling */
_Noreturn static void child(struct fb_container *c, struct fb_process *parent,
			    int report)
{
	struct fb_failure failure = { 0 };

	/* or it would itself keep open what tells it that init gave up */
	parent->go = fb_close(parent->go);
	(void)fb_container_enter(c, &failure);
	(void)fb_write_full(report, &failure, sizeof(failure));
	_exit(127);
}

static int spawn(struct fb_container *c, int cgroup, struct fb_process *p,
		 int report)
{
	struct clone_args args = {
		.flags = NAMESPACES | CLONE_PIDFD,
		.pidfd = (uintptr_t)&p->pidfd,
		.exit_signal = SIGCHLD,
	};
	long pid;

	if (cgroup >= 0) {
		args.flags |= CLONE_INTO_CGROUP;
		args.cgroup = (unsigned int)cgroup;
	}
	pid = syscall(SYS_clone3, &args, sizeof(args));
	if (pid == 0)
		child(c, p, report);
	if (pid < 0)
		return -errno;
	p->pid = (pid_t)pid;
	return 0;
}

static void process_close(struct fb_process *p)
{
	p->pidfd = fb_close(p->pidfd);
	p->go = fb_close(p->go);
	p->report = fb_close(p->report);
	stdio_close(&p->stdio);
}

static int start(struct fb_container *c, int cgroup, struct fb_process *p,
		 struct fb_err *err)
{
	FB_FD int report = -EBADF;
	int r = open_container(c, &p->stdio, err);

	if (r < 0)
		return r;
	r = make_pipe(&p->report, &report);
	if (r == 0)
		r = make_pipe(&c->go, &p->go);
	if (r == 0)
		r = spawn(c, cgroup, p, report);
	return r < 0 ? fb_err_set(err, r, "start the process: %m") : 0;
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
		.go = -EBADF,
		.in_cgroup = cgroup >= 0,
		.trace = trace,
	};
	struct fb_process process = { .pid = -1,
				      .pidfd = -EBADF,
				      .go = -EBADF,
				      .report = -EBADF,
				      .stdio = { -EBADF, -EBADF, -EBADF } };
	struct fb_err err = { 0 };
	int r = start(&c, cgroup, &process, &err);

	container_close(&c);
	if (r < 0) {
		process_close(&process);
		return setup_failed(ret_failure, &err);
	}
	*ret = process;
	return 0;
}

int fb_process_go(struct fb_process *process, struct fb_failure *ret_failure)
{
	ssize_t n;

	/* where it is not there any more, its report says why */
	(void)!write(process->go, "", 1);
	process->go = fb_close(process->go);
	n = fb_read_full(process->report, ret_failure, sizeof(*ret_failure));
	process->report = fb_close(process->report);
	if (n == 0) /* execve() has closed it */
		return 0;
	fb_process_cancel(process);
	if (n != (ssize_t)sizeof(*ret_failure))
		return fb_failure_set(ret_failure, FB_GUEST_SETUP_FAILED, -EIO,
				      "start the process: no report");
	return -(int)ret_failure->record.value;
}

void fb_process_cancel(struct fb_process *process)
{
	process_close(process);
	(void)kill(process->pid, SIGKILL);
	(void)fb_process_wait(process);
}

int fb_process_wait(const struct fb_process *process)
{
	int status = 0;

	while (waitpid(process->pid, &status, 0) < 0 && errno == EINTR)
		;
	return status;
}
