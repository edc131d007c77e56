/* SPDX-License-Identifier: Apache-2.0 */
/* Questions to the user, some of them without an echo. */
#ifndef FB_CLI_ASK_H
#define FB_CLI_ASK_H

#include "cli/cli.h"

#define FB_ASK_MAX 65536

/** fb_ask_possible() - Somebody sits at standard input */
bool fb_ask_possible(void);

/**
 * fb_ask() - Ask for one line on the terminal
 * @question: "Username: "
 * @secret:   Do not show what is typed
 * @ret:      Without its line end (returned, zero it where secret)
 *
 * Return: 0; -EINTR by ^C; -ENODATA by ^D or the terminal's end; -ENOMEM; -E2BIG.
 */
int fb_ask(struct fb_cli *cli, const char *question, bool secret, char **ret,
	   struct fb_err *err);

/**
 * fb_ask_stdin() - All of standard input as one secret
 * @ret: Without the line end (returned, zero it)
 *
 * Return: 0; -E2BIG over FB_ASK_MAX; -ENOMEM; -EIO.
 */
int fb_ask_stdin(char **ret, struct fb_err *err);

#endif
