/* SPDX-License-Identifier: Apache-2.0 */
/* The user's terminal: raw while a container has it, as it was afterwards. */
#ifndef FB_CONTAINER_TERMINAL_H
#define FB_CONTAINER_TERMINAL_H

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <termios.h>

#include "base/err.h"
#include "flamebox/guest_abi.h"

#define FB_TERMINAL_CRASHES 6

/**
 * struct fb_terminal - A terminal in raw mode
 * @fd:    The terminal (borrowed), or -EBADF
 * @saved: What it was set to
 * @raw:   What it is set to
 * @crash: Dispositions that were replaced
 */
struct fb_terminal {
	int fd;
	struct termios saved;
	struct termios raw;
	struct sigaction crash[FB_TERMINAL_CRASHES];
};

#define FB_TERMINAL_INIT ((struct fb_terminal){ .fd = -EBADF })

/**
 * fb_terminal_raw() - Switch to raw mode
 * @fd:  A terminal
 * @ret: Undo with fb_terminal_restore(); at most one at a time in a process
 *
 * Should this process crash meanwhile (SIGSEGV, SIGABRT, …), the terminal is
 * restored before it dies.  After SIGKILL nobody can: `stty sane`.
 *
 * Return: 0; a negative errno.
 */
int fb_terminal_raw(int fd, struct fb_terminal *ret, struct fb_err *err);

/** fb_terminal_again() - Raw once more, after somebody stopped and continued us */
void fb_terminal_again(const struct fb_terminal *terminal);

/** fb_terminal_restore() - Put the settings back; can be repeated */
void fb_terminal_restore(struct fb_terminal *terminal);

/**
 * fb_terminal_size() - Rows and columns of the user's terminal
 *
 * That of the first standard stream that is one: output, input, error.
 *
 * Return: 0, 0 where none is.
 */
struct fb_guest_winsize fb_terminal_size(void);

#endif
