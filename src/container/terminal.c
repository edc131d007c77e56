/* SPDX-License-Identifier: Apache-2.0 */
#include "container/terminal.h"

#include <errno.h>
#include <sys/ioctl.h>

int fb_terminal_raw(int fd, struct fb_terminal *ret, struct fb_err *err)
{
	struct termios raw;

	if (tcgetattr(fd, &raw) < 0)
		return fb_err_set(err, -errno, "read terminal settings: %m");
	ret->saved = raw;
	cfmakeraw(&raw);
	if (tcsetattr(fd, TCSADRAIN, &raw) < 0)
		return fb_err_set(err, -errno, "set the terminal: %m");
	ret->fd = fd;
	return 0;
}

void fb_terminal_restore(struct fb_terminal *terminal)
{
	if (terminal->fd >= 0)
		(void)tcsetattr(terminal->fd, TCSADRAIN, &terminal->saved);
	terminal->fd = -EBADF;
}

struct fb_guest_winsize fb_terminal_size(int fd)
{
	struct fb_guest_winsize size = { 0 };
	struct winsize ws;

	if (ioctl(fd, TIOCGWINSZ, &ws) == 0) {
		size.rows = ws.ws_row;
		size.cols = ws.ws_col;
	}
	return size;
}
