/* SPDX-License-Identifier: Apache-2.0 */
#include "terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

#ifndef TIOCGPTPEER /* musl has not got it */
#define TIOCGPTPEER _IO('T', 0x41)
#endif

int fb_terminal_open(int terminals, struct fb_guest_winsize size,
		     struct fb_terminal *ret, struct fb_err *err)
{
	FB_FD int master = openat(terminals, "ptmx",
				  O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
	const int unlock = 0;
	unsigned int number;
	int slave;

	if (master < 0 || ioctl(master, TIOCSPTLCK, &unlock) < 0 ||
	    ioctl(master, (int)TIOCGPTN, &number) < 0)
		return fb_err_set(err, -errno, "open a terminal: %m");
	slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (slave < 0)
		return fb_err_set(err, -errno, "open a terminal: %m");
	if (size.rows)
		fb_terminal_resize(master, size);
	*ret = (struct fb_terminal){ .master = FB_TAKE_FD(master),
				     .slave = slave,
				     .number = number };
	return 0;
}

void fb_terminal_resize(int master, struct fb_guest_winsize size)
{
	const struct winsize ws = { .ws_row = size.rows, .ws_col = size.cols };

	(void)ioctl(master, TIOCSWINSZ, &ws);
}

int fb_terminal_enter(const struct fb_terminal *terminal, struct fb_err *err)
{
	char path[32];

	if (ioctl(terminal->slave, TIOCSCTTY, 0) < 0)
		return fb_err_set(err, -errno, "take the terminal: %m");
	(void)snprintf(path, sizeof(path), "/dev/pts/%u", terminal->number);
	if (mknod("/dev/console", S_IFREG | 0600, 0) < 0 ||
	    mount(path, "/dev/console", NULL, MS_BIND, NULL) < 0)
		return fb_err_set(err, -errno, "mount '/dev/console': %m");
	return 0;
}
