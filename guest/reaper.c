/* SPDX-License-Identifier: Apache-2.0 */
#include "reaper.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void let_go(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	for (int fd = 0; fd <= 2 && null >= 0; fd++)
		(void)dup2(null, fd);
	(void)syscall(SYS_close_range, 3u, ~0u, 0u);
}

/* Return: the exit status to end with, or -1 while @child lives */
static int reap(pid_t child)
{
	int status, result = -1;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid != child)
			continue;
		result = WIFSIGNALED(status) ? 128 + WTERMSIG(status)
					     : WEXITSTATUS(status);
	}
	return result;
}

_Noreturn void fb_reaper_run(pid_t child)
{
	siginfo_t info;
	sigset_t all;
	int status = -1;

	/* blocked signals reach even a PID 1 that has no handler for them */
	(void)sigfillset(&all);
	(void)sigprocmask(SIG_BLOCK, &all, NULL);
	(void)prctl(PR_SET_NAME, "init");
	let_go();
	status = reap(child);
	while (status < 0) {
		if (sigwaitinfo(&all, &info) < 0)
			continue;
		if (info.si_signo == SIGCHLD)
			status = reap(child);
		else if (info.si_signo != SIGTTIN && info.si_signo != SIGTTOU)
			(void)kill(child, info.si_signo);
	}
	_exit(status);
}

void fb_reaper_detach(bool terminal)
{
	(void)setpgid(0, 0);
	if (!terminal)
		return;
	/* from the background this asks for SIGTTOU */
	(void)signal(SIGTTOU, SIG_IGN);
	(void)tcsetpgrp(0, getpgrp());
	(void)signal(SIGTTOU, SIG_DFL);
}
