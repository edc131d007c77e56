/* SPDX-License-Identifier: Apache-2.0 */
#include "container/terminal.h"

#include <stdint.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/cleanup.h"

static const int crashes[FB_TERMINAL_CRASHES] = { SIGSEGV, SIGBUS,  SIGILL,
						  SIGFPE,  SIGABRT, SIGTRAP };

/* a signal handler has no other way to what it needs */
static const struct fb_terminal *volatile in_use;

static void restore_and_die(int sig)
{
	const struct fb_terminal *t = in_use;

	if (t)
		(void)tcsetattr(t->fd, TCSANOW, &t->saved);
	/* the default disposition is back (SA_RESETHAND) */
	(void)raise(sig);
}

static void guard_crashes(struct fb_terminal *t)
{
	struct sigaction sa = { .sa_handler = restore_and_die,
				.sa_flags = (int)(SA_RESETHAND | SA_NODEFER) };

	in_use = t;
	for (size_t i = 0; i < FB_ARRAY_SIZE(crashes); i++)
		(void)sigaction(crashes[i], &sa, &t->crash[i]);
}

int fb_terminal_raw(int fd, struct fb_terminal *ret, struct fb_err *err)
{
	if (tcgetattr(fd, &ret->saved) < 0)
		return fb_err_set(err, -errno, "read terminal settings: %m");
	ret->raw = ret->saved;
	cfmakeraw(&ret->raw);
	if (tcsetattr(fd, TCSANOW, &ret->raw) < 0)
		return fb_err_set(err, -errno, "set the terminal: %m");
	ret->fd = fd;
	guard_crashes(ret);
	return 0;
}

void fb_terminal_again(const struct fb_terminal *t)
{
	if (t->fd >= 0)
		(void)tcsetattr(t->fd, TCSANOW, &t->raw);
}

void fb_terminal_restore(struct fb_terminal *t)
{
	if (t->fd < 0)
		return;
	(void)tcsetattr(t->fd, TCSANOW, &t->saved);
	for (size_t i = 0; i < FB_ARRAY_SIZE(crashes); i++)
		(void)sigaction(crashes[i], &t->crash[i], NULL);
	in_use = NULL;
	t->fd = -EBADF;
}

struct fb_guest_winsize fb_terminal_size(void)
{
	static const int order[] = { STDOUT_FILENO, STDIN_FILENO,
				     STDERR_FILENO };
	struct winsize ws;

	for (size_t i = 0; i < FB_ARRAY_SIZE(order); i++)
		if (ioctl(order[i], TIOCGWINSZ, &ws) == 0)
			return (struct fb_guest_winsize){ ws.ws_row,
							  ws.ws_col };
	return (struct fb_guest_winsize){ 0, 0 };
}
