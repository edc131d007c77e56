/* SPDX-License-Identifier: Apache-2.0 */
/* The user's terminal: raw while a container has it, as it was afterwards. */
#ifndef FB_CONTAINER_TERMINAL_H
#define FB_CONTAINER_TERMINAL_H

#include <errno.h>
#include <stdbool.h>
#include <termios.h>

#include "base/err.h"
#include "flamebox/guest_abi.h"

/**
 * struct fb_terminal - A terminal in raw mode
 * @fd:    The terminal (borrowed), or -EBADF
 * @saved: What it was set to
 */
struct fb_terminal {
	int fd;
	struct termios saved;
};

#define FB_TERMINAL_INIT ((struct fb_terminal){ .fd = -EBADF })

/**
 * fb_terminal_raw() - Switch to raw mode
 * @fd:  A terminal
 * @ret: Undo with fb_terminal_restore()
 *
 * Return: 0; a negative errno.
 */
int fb_terminal_raw(int fd, struct fb_terminal *ret, struct fb_err *err);

/** fb_terminal_restore() - Put the settings back; can be repeated */
void fb_terminal_restore(struct fb_terminal *terminal);

#define FB_TERMINAL __attribute__((cleanup(fb_terminal_restore)))

/** fb_terminal_size() - Rows and columns; 0, 0 where they are not known */
struct fb_guest_winsize fb_terminal_size(int fd);

#endif
