/* SPDX-License-Identifier: Apache-2.0 */
/* --help, made from the tables that the parser reads. */
#ifndef FB_CLI_HELP_H
#define FB_CLI_HELP_H

#include <stdio.h>

#include "cli/cli.h"

/** fb_help_command() - `flamebox COMMAND --help` */
void fb_help_command(const struct fb_command *command, FILE *out);

/** fb_help_overview() - `flamebox --help`; @commands is NULL-terminated */
void fb_help_overview(const struct fb_command *const *commands,
		      const struct fb_option *globals, FILE *out);

/**
 * fb_help_dump() - The tables as lines, for the completion and the manual's test
 *
 * "COMMAND<tab>--long<tab>-l<tab>value"; global options have COMMAND "".
 */
void fb_help_dump(const struct fb_command *const *commands,
		  const struct fb_option *globals, FILE *out);

/** fb_help_nearest() - The command that @name may have meant, or NULL */
const char *fb_help_nearest(const struct fb_command *const *commands,
			    const char *name);

#endif
