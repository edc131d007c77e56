/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_GUEST_TERMINAL_H
#define FB_GUEST_TERMINAL_H

#include "base/err.h"
#include "flamebox/guest_abi.h"

/**
 * struct fb_terminal - A pair of terminal ends
 * @master: init's; nonblocking
 * @slave:  The process'
 * @number: N of /dev/pts/N
 */
struct fb_terminal {
	int master;
	int slave;
	unsigned int number;
};

/**
 * fb_terminal_open() - Make a terminal
 * @terminals: From fb_mounts_open_terminals() (borrowed)
 * @size:      First size; rows 0 = leave it unknown
 * @ret:       Both ends (returned)
 *
 * Return: 0; negative errno.
 */
int fb_terminal_open(int terminals, struct fb_guest_winsize size,
		     struct fb_terminal *ret, struct fb_err *err);

/** fb_terminal_resize() - Tell it its size; the foreground gets SIGWINCH */
void fb_terminal_resize(int master, struct fb_guest_winsize size);

/**
 * fb_terminal_enter() - Make it the calling process' controlling terminal
 *
 * The caller leads a session and sees the container's /dev, in which the
 * terminal becomes /dev/console too, as under docker.
 *
 * Return: 0; negative errno.
 */
int fb_terminal_enter(const struct fb_terminal *terminal, struct fb_err *err);

#endif
