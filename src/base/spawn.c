/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Theory of operation.  fork(), then in the child: move the wanted descriptors
 * out of the way (>= FD_PARK), mark everything close-on-exec, put each where it
 * belongs, drop ids, run the caller's hook, exec.  A close-on-exec
 * pipe carries the errno of whatever failed; end of file on it means that exec
 * has succeeded.
 */
#include "base/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/close_range.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/path.h"

#define FDS_MAX 64
#define FD_PARK 512 /* below the usual soft limit of 1024 */

struct child_error {
	int code;
	char step[24];
};

static void reset_signals(void)
{
	struct sigaction sa = { .sa_handler = SIG_DFL };
	sigset_t none;

	for (int sig = 1; sig < NSIG; sig++)
		(void)sigaction(sig, &sa, NULL);
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

static int park_fds(const struct fb_spawn *spec, int *parked, int *report)
{
	for (size_t i = 0; i < spec->fd_count; i++) {
		parked[i] = fcntl(spec->fds[i].from, F_DUPFD_CLOEXEC, FD_PARK);
		if (parked[i] < 0)
			return -errno;
	}
	*report = fcntl(*report, F_DUPFD_CLOEXEC, FD_PARK);
	return *report < 0 ? -errno : 0;
}

static int open_dev_null_on_std(void)
{
	int fd = open("/dev/null", O_RDWR);

	if (fd < 0)
		return -errno;
	for (int std = 0; std <= 2; std++)
		if (dup2(fd, std) < 0)
			return -errno;
	if (fd > 2)
		(void)close(fd);
	return 0;
}

static int place_fds(const struct fb_spawn *spec, const int *parked)
{
	if (syscall(SYS_close_range, 0u, ~0u, CLOSE_RANGE_CLOEXEC) < 0)
		return -errno;
	if (open_dev_null_on_std() < 0)
		return -errno;
	for (size_t i = 0; i < spec->fd_count; i++)
		if (dup2(parked[i], spec->fds[i].to) < 0)
			return -errno;
	return 0;
}

static int drop_ids(const struct fb_spawn *spec)
{
	if (setgroups(0, NULL) < 0 && errno != EPERM)
		return -errno;
	if (setresgid(spec->gid, spec->gid, spec->gid) < 0 ||
	    setresuid(spec->uid, spec->uid, spec->uid) < 0)
		return -errno;
	return 0;
}

/* from inside a PID namespace a parent outside has no number; its end of the pipe
 * tells whether it lives */
static bool parent_lives(const struct fb_spawn *spec, pid_t parent, int report)
{
	struct pollfd p = { .fd = report };

	if (!spec->new_pid_namespace)
		return getppid() == parent;
	return poll(&p, 1, 0) >= 0 && !(p.revents & POLLERR);
}

static int tie_to_parent(const struct fb_spawn *spec, pid_t parent, int report)
{
	/* after the ids: changing them clears this setting */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		return -errno;
	return parent_lives(spec, parent, report) ? 0 : -ESRCH;
}

static int join_namespaces(const struct fb_spawn *spec)
{
	for (size_t i = 0; i < spec->namespace_count; i++)
		if (setns(spec->namespaces[i], 0) < 0)
			return -errno;
	return 0;
}

static int child_steps(const struct fb_spawn *spec, pid_t parent, int *report,
		       const char **step)
{
	int parked[FDS_MAX], r;

	*step = "signals";
	reset_signals();
	*step = "namespaces";
	r = join_namespaces(spec);
	if (r < 0)
		return r;
	*step = "descriptors";
	r = park_fds(spec, parked, report);
	if (r == 0)
		r = place_fds(spec, parked);
	if (r < 0)
		return r;
	*step = "session";
	if (spec->new_session && setsid() < 0)
		return -errno;
	*step = "ids";
	if (spec->drop_ids && (r = drop_ids(spec)) < 0)
		return r;
	*step = "parent";
	if (spec->die_with_parent &&
	    (r = tie_to_parent(spec, parent, *report)) < 0)
		return r;
	*step = "sandbox";
	if (spec->prepare && (r = spec->prepare(spec->prepare_ctx)) < 0)
		return r;
	*step = "";
	if (spec->envp)
		execve(spec->path, spec->argv, spec->envp);
	else
		execv(spec->path, spec->argv);
	return -errno;
}

static void child_main(const struct fb_spawn *spec, pid_t parent, int report)
	__attribute__((noreturn));

static void child_main(const struct fb_spawn *spec, pid_t parent, int report)
{
	const char *step = "";
	struct child_error ce = { .code = child_steps(spec, parent, &report,
						      &step) };

	strncpy(ce.step, step, sizeof(ce.step) - 1);
	(void)fb_write_full(report, &ce, sizeof(ce));
	_exit(127);
}

static int read_report(int fd, pid_t pid, const char *path, struct fb_err *err)
{
	struct child_error ce;
	ssize_t n = fb_read_full(fd, &ce, sizeof(ce));
	int status;

	if (n == 0)
		return 0;
	(void)fb_spawn_wait(pid, &status);
	if (n != (ssize_t)sizeof(ce))
		return fb_err_set(err, -EIO, "start '%s': no report", path);
	ce.step[sizeof(ce.step) - 1] = '\0';
	return fb_err_set(err, ce.code, "start '%s': %s%s%m", path, ce.step,
			  ce.step[0] ? ": " : "");
}

static pid_t fork_child(const struct fb_spawn *spec)
{
	if (!spec->new_pid_namespace)
		return fork();
	return (pid_t)syscall(SYS_clone, CLONE_NEWPID | SIGCHLD, NULL, NULL,
			      NULL, NULL);
}

int fb_spawn(const struct fb_spawn *spec, pid_t *ret_pid, int *ret_pidfd,
	     struct fb_err *err)
{
	FB_FREE char *found = fb_find_program(spec->path);
	FB_FD int report_r = -EBADF, report_w = -EBADF, pidfd = -EBADF;
	struct fb_spawn resolved = *spec;
	pid_t parent = getpid(), pid;
	int pipe_fds[2], r;

	if (!found)
		return fb_err_set(err, -ENOENT, "start '%s': not found",
				  spec->path);
	if (spec->fd_count > FDS_MAX || pipe2(pipe_fds, O_CLOEXEC) < 0)
		return fb_err_set(err,
				  spec->fd_count > FDS_MAX ? -E2BIG : -errno,
				  "start '%s': %m", found);
	report_r = pipe_fds[0];
	report_w = pipe_fds[1];
	resolved.path = found;
	pid = fork_child(spec);
	if (pid < 0)
		return fb_err_set(err, -errno, "start '%s': fork: %m", found);
	if (pid == 0)
		child_main(&resolved, parent, report_w);
	report_w = fb_close(report_w);
	r = read_report(report_r, pid, found, err);
	if (r < 0)
		return r;
	pidfd = (int)syscall(SYS_pidfd_open, pid, 0u);
	if (pidfd >= 0)
		(void)fb_set_cloexec(pidfd, true);
	if (ret_pidfd && pidfd < 0) {
		r = -errno;
		(void)kill(pid, SIGKILL);
		(void)fb_spawn_wait(pid, &pipe_fds[0]);
		return fb_err_set(err, r, "watch '%s': %m", found);
	}
	*ret_pid = pid;
	if (ret_pidfd)
		*ret_pidfd = FB_TAKE_FD(pidfd);
	return 0;
}

int fb_spawn_wait(pid_t pid, int *ret_status)
{
	while (waitpid(pid, ret_status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return 0;
}

static int is_executable(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode) &&
	       access(path, X_OK) == 0;
}

char *fb_find_program(const char *name)
{
	const char *path = getenv("PATH"), *end;
	FB_FREE char *dir = NULL;
	char *candidate;

	if (strchr(name, '/'))
		return is_executable(name) ? strdup(name) : NULL;
	if (!path)
		path = "/usr/local/bin:/usr/bin:/bin";
	for (; *path; path = *end ? end + 1 : end) {
		end = strchrnul(path, ':');
		free(dir);
		dir = strndup(path, (size_t)(end - path));
		candidate = dir ? fb_path_join(dir[0] ? dir : ".", name) : NULL;
		if (!candidate)
			return NULL;
		if (is_executable(candidate))
			return candidate;
		free(candidate);
	}
	return NULL;
}
