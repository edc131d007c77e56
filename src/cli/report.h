/* SPDX-License-Identifier: Apache-2.0 */
/* The one way in which an error reaches the user. */
#ifndef FB_CLI_REPORT_H
#define FB_CLI_REPORT_H

#include "cli/cli.h"

/**
 * fb_report() - Print an error: "flamebox: <text>; <what to do next>"
 * @cli: Context; a progress line is taken off the terminal first
 * @err: Error (borrowed)
 *
 * Exactly one line on @cli->err, after what was printed so far.  For a command that goes on after an error
 * (rmi A B); otherwise a command just returns it.
 */
void fb_report(struct fb_cli *cli, const struct fb_err *err);

#endif
