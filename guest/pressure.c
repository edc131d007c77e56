/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The end of thrashing.
 *
 * Without swap, a machine short of memory evicts the pages of its programs and
 * reads them back from the image, for minutes or for ever: the OOM killer waits
 * for reclaim to fail, and it never does.  The kernel's stall accounting (PSI)
 * sees it: everything that could run waits for memory.  A program that streams
 * files larger than memory is not stalled like that, since what it evicts is
 * not read again.
 *
 * init itself stays able to act: its pages are the initramfs', never evicted.
 */
#include "pressure.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"

/* microseconds: of a window, so much with everybody stalled */
#define TRIGGER "full 3500000 5000000"

int fb_pressure_watch(void)
{
	FB_FD int fd =
		open("/proc/pressure/memory", O_RDWR | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0 ||
	    write(fd, TRIGGER, sizeof(TRIGGER)) != (ssize_t)sizeof(TRIGGER))
		return -1;
	return FB_TAKE_FD(fd);
}

void fb_pressure_relieve(void)
{
	FB_FD int fd = open("/proc/sysrq-trigger", O_WRONLY | O_CLOEXEC);

	if (fd >= 0)
		(void)!write(fd, "f", 1);
}
