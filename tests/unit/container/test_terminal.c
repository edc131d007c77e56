/* SPDX-License-Identifier: Apache-2.0 */
/* The terminal: raw in a session, resized with ours, restored whatever happens. */
#include <errno.h>
#include <fcntl.h>
#include <pty.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "container/reopen.h"
#include "container/terminal.h"
#include "played.h"
#include "tap.h"

static bool is_raw(int fd)
{
	struct termios t;

	return tcgetattr(fd, &t) == 0 && !(t.c_lflag & (ICANON | ECHO | ISIG));
}

static void until_raw(int fd)
{
	for (int i = 0; i < 1000 && !is_raw(fd); i++)
		(void)usleep(10000);
}

static void put_started(struct played *p)
{
	played_put(p, FB_GUEST_STARTED, 0, NULL, 0);
}

static void test_session(int tty)
{
	struct played_how how = {
		.options = { .stdin_open = true,
			     .terminal = true,
			     .raw = true,
			     .sig_proxy = true },
		.stdin_fd = tty,
	};
	struct winsize ws = { .ws_row = 11, .ws_col = 22 };
	struct fb_frame f;
	struct played p;

	(void)ioctl(tty, TIOCSWINSZ, &ws);
	TAP_OK(!is_raw(tty), "not raw before");
	played_start(&p, &how);
	until_raw(tty);
	TAP_OK(is_raw(tty), "raw in the session");
	put_started(&p);
	TAP_INT(played_get(&p, &f), FB_GUEST_RESIZE, "its size is told");
	TAP_INT(fb_frame_winsize(&f).rows, 11, "rows");
	TAP_INT(fb_frame_winsize(&f).cols, 22, "columns");
	ws.ws_row = 33;
	(void)ioctl(tty, TIOCSWINSZ, &ws);
	(void)kill(p.pid, SIGWINCH);
	TAP_INT(played_get(&p, &f), FB_GUEST_RESIZE, "and each change of it");
	TAP_INT(fb_frame_winsize(&f).rows, 33, "rows");
	TAP_OK(!(fcntl(tty, F_GETFL) & O_NONBLOCK), "left blocking");
	played_hang_up(&p);
	TAP_INT(played_end(&p), 0, "it ends");
	TAP_OK(!is_raw(tty), "restored");
}

static void test_crash(int tty, int sig)
{
	struct played_how how = {
		.options = { .terminal = true, .raw = true },
		.stdin_fd = tty,
	};
	struct played p;
	int status;

	played_start(&p, &how);
	until_raw(tty);
	TAP_OK(is_raw(tty), "raw");
	(void)kill(p.pid, sig);
	status = played_end(&p);
	TAP_OK(WIFSIGNALED(status) && WTERMSIG(status) == sig,
	       "a crash is still one: %s", strsignal(sig));
	TAP_OK(!is_raw(tty), "but the terminal is restored");
}

static void test_abort(int tty)
{
	struct played_how how = {
		.options = { .terminal = true, .raw = true },
		.stdin_fd = tty,
	};
	struct played p;

	played_start(&p, &how);
	until_raw(tty);
	(void)kill(p.pid, SIGTERM);
	TAP_INT(played_end(&p), 0, "a signal ends it");
	TAP_OK(!is_raw(tty), "restored");
}

/* the window is closed: the command hears of it, then the session ends */
static void test_hang_up(void)
{
	struct played_how how = {
		.options = { .stdin_open = true,
			     .terminal = true,
			     .raw = true,
			     .sig_proxy = true },
	};
	bool hup = false, eof = false;
	struct fb_frame f;
	struct played p;
	int master, tty;

	if (openpty(&master, &tty, NULL, NULL, NULL) < 0)
		exit(1);
	how.stdin_fd = tty;
	played_start(&p, &how);
	until_raw(tty);
	put_started(&p);
	(void)close(tty);
	(void)close(master);
	while (!(hup && eof) && played_get(&p, &f)) {
		if (f.type == FB_GUEST_SIGNAL)
			hup = fb_frame_u32(&f) == SIGHUP;
		eof = eof || f.type == FB_GUEST_EOF;
	}
	TAP_OK(hup, "the command gets SIGHUP");
	TAP_OK(eof, "and the end of its input");
	TAP_INT(played_end(&p), 0, "one that stays is given up");
	TAP_INT(p.shared->seen.aborted_by, SIGHUP, "as if by SIGHUP");
}

static void test_reopen(int master, int tty)
{
	FB_FD int again = fb_reopen_nonblock(tty, O_WRONLY);
	FB_FD int file = open("/dev/null", O_WRONLY | O_CLOEXEC);

	TAP_OK(again >= 0, "a terminal can be opened again");
	TAP_OK((fcntl(again, F_GETFL) & O_NONBLOCK) &&
		       !(fcntl(tty, F_GETFL) & O_NONBLOCK),
	       "without a change to what others see");
	TAP_INT(fb_reopen_nonblock(master, O_WRONLY), -EBADF,
		"its master can't: that would be another terminal");
	TAP_INT(fb_reopen_nonblock(file, O_WRONLY), -EBADF,
		"no need for a file");
	TAP_INT(fb_reopen_nonblock(999, O_WRONLY), -EBADF, "not open");
}

int main(void)
{
	int master, tty;
	struct fb_err err = { 0 };
	struct fb_terminal t = FB_TERMINAL_INIT;
	FB_FD int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (openpty(&master, &tty, NULL, NULL, NULL) < 0) {
		tap_skip("no pseudo terminals here");
		return tap_done();
	}
	test_session(tty);
	test_crash(tty, SIGSEGV);
	test_crash(tty, SIGABRT);
	test_abort(tty);
	test_reopen(master, tty);
	test_hang_up();
	TAP_INT(fb_terminal_raw(null, &t, &err), -ENOTTY, "not a terminal");
	fb_terminal_restore(&t);
	(void)close(master);
	(void)close(tty);
	return tap_done();
}
