/* SPDX-License-Identifier: Apache-2.0 */
#include "container/client_signals.h"

#include <errno.h>
#include <signal.h>
#include <sys/signalfd.h>

#include "base/cleanup.h"

static const int taken[] = { SIGHUP,  SIGINT,	 SIGQUIT, SIGUSR1,  SIGUSR2,
			     SIGTERM, SIGALRM,	 SIGCONT, SIGWINCH, SIGIO,
			     SIGPWR,  SIGVTALRM, SIGPROF, SIGSTKFLT };

/* what nohup asked for stays so; a background job's SIGINT is still forwarded */
static bool is_hup_ignored(void)
{
	struct sigaction sa;

	return sigaction(SIGHUP, NULL, &sa) == 0 && sa.sa_handler == SIG_IGN;
}

static void fill(sigset_t *set)
{
	sigemptyset(set);
	for (size_t i = 0; i < FB_ARRAY_SIZE(taken); i++)
		sigaddset(set, taken[i]);
	for (int sig = SIGRTMIN; sig <= SIGRTMAX; sig++)
		sigaddset(set, sig);
	if (is_hup_ignored())
		sigdelset(set, SIGHUP);
}

void fb_client_signals_block(void)
{
	sigset_t set;

	fill(&set);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
}

int fb_client_signals_open(void)
{
	sigset_t set;
	int fd;

	fill(&set);
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd < 0 ? -errno : fd;
}

bool fb_client_signal_ends(int sig)
{
	return sig == SIGHUP || sig == SIGINT || sig == SIGQUIT ||
	       sig == SIGTERM;
}
