/* SPDX-License-Identifier: Apache-2.0 */
#include "container/reopen.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

/* opening a master once more would make another terminal */
static int is_master(int fd)
{
	unsigned int number;

	return ioctl(fd, TIOCGPTN, &number) == 0;
}

int fb_reopen_nonblock(int fd, int mode)
{
	struct stat st;
	char path[32];
	int again;

	if (fstat(fd, &st) < 0)
		return -EBADF;
	if (!S_ISFIFO(st.st_mode) &&
	    !(S_ISCHR(st.st_mode) && isatty(fd) && !is_master(fd)))
		return -EBADF;
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	again = open(path, mode | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	return again < 0 ? -EBADF : again;
}
