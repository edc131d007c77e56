/* SPDX-License-Identifier: Apache-2.0 */
/* What a progress display writes to a terminal, to a file, and not at all. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "cli/progress.h"
#include "tap.h"

/* what was written to the other end so far; never blocks */
static const char *written(int fd)
{
	static char text[4096];
	ssize_t n = read(fd, text, sizeof(text) - 1);

	text[n > 0 ? n : 0] = '\0';
	return text;
}

static FILE *open_terminal(int *ret_master)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
	struct winsize size = { .ws_row = 24, .ws_col = 41 };
	char name[64];
	int slave;

	if (master < 0 || grantpt(master) < 0 || unlockpt(master) < 0 ||
	    ptsname_r(master, name, sizeof(name)) != 0)
		return NULL;
	slave = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (slave < 0 || ioctl(slave, TIOCSWINSZ, &size) < 0)
		return NULL;
	*ret_master = master;
	return fdopen(slave, "w");
}

static void test_terminal(void)
{
	FB_FD int master = -EBADF;
	FB_FILE FILE *out = open_terminal(&master);
	struct fb_progress_line p;
	const char *text;

	if (!out) {
		tap_skip("no pseudo-terminal here");
		return;
	}
	fb_progress_start(&p, out, false);
	fb_progress_clear(&p);
	TAP_STR(written(master), "", "nothing was drawn, nothing to clear");
	fb_progress_show(&p, "layer 1", 500000, 2000000);
	TAP_STR(written(master), "\rlayer 1  500kB of 2MB\033[K",
		"a line that can be redrawn");
	p.last_ms = fb_now_ms();
	fb_progress_show(&p, "layer 1", 600000, 2000000);
	TAP_STR(written(master), "", "not at once again");
	p.last_ms -= 1000;
	fb_progress_show(&p, "layer 1", 1000000, 0);
	TAP_STR(written(master), "\rlayer 1  1MB\033[K", "without a total");
	p.last_ms -= 1000;
	fb_progress_show(&p,
			 "a step whose name is longer than this terminal is "
			 "wide",
			 0, 0);
	text = written(master);
	TAP_INT(strlen(text), 40 + strlen("\r\033[K"),
		"cut, so that it does not wrap");
	fb_progress_clear(&p);
	TAP_STR(written(master), "\r\033[K", "cleared");
	fb_progress_clear(&p);
	TAP_STR(written(master), "", "once");
}

static FILE *open_pipe(int *ret_read)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) < 0)
		return NULL;
	*ret_read = fds[0];
	return fdopen(fds[1], "w");
}

static void test_plain(void)
{
	FB_FD int fd = -EBADF;
	FB_FILE FILE *out = open_pipe(&fd);
	struct fb_progress_line p;

	if (!out) {
		TAP_OK(false, "a pipe");
		return;
	}
	fb_progress_start(&p, out, false);
	fb_progress_show(&p, "layer 1", 5, 10);
	TAP_STR(written(fd), "", "a quick step is not told");
	p.start_ms -= 5000;
	fb_progress_show(&p, "layer 1", 5, 10);
	TAP_STR(written(fd), "layer 1  5B of 10B\n",
		"a slow one is, as a line");
	p.last_ms = fb_now_ms();
	fb_progress_show(&p, "layer 1", 6, 10);
	TAP_STR(written(fd), "", "now and then");
	p.last_ms -= 10000;
	fb_progress_show(&p, "layer 2", 0, 0);
	TAP_STR(written(fd), "layer 2\n", "again later");
	fb_progress_clear(&p);
	TAP_STR(written(fd), "", "nothing to clear");
}

static void test_quiet(void)
{
	FB_FD int fd = -EBADF;
	FB_FILE FILE *out = open_pipe(&fd);
	struct fb_progress_line p;

	if (!out) {
		TAP_OK(false, "a pipe");
		return;
	}
	fb_progress_start(&p, out, true);
	p.start_ms -= 5000;
	fb_progress_show(&p, "layer 1", 5, 10);
	fb_progress_clear(&p);
	TAP_STR(written(fd), "", "quiet is quiet");
	p = (struct fb_progress_line){ 0 };
	fb_progress_show(&p, "layer 1", 5, 10);
	fb_progress_clear(&p);
	TAP_OK(true, "one that was never started does nothing");
}

int main(void)
{
	test_terminal();
	test_plain();
	test_quiet();
	return tap_done();
}
