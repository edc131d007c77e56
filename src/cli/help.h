/* SPDX-License-Identifier: Apache-2.0 */
/* --help, made of the tables that the parser reads. */
#ifndef FB_CLI_HELP_H
#define FB_CLI_HELP_H

#include "base/str.h"
#include "cli/cli.h"

#define FB_HELP_MAX 65536

/** fb_help_program() - Append what `flamebox --help` shows */
void fb_help_program(struct fb_str *out);

/** fb_help_command() - Append what `flamebox COMMAND --help` shows */
void fb_help_command(const struct fb_command *command, struct fb_str *out);

/**
 * fb_help_suggest() - The command that an unknown word may have meant
 *
 * Return: row (borrowed) whose name is at most two slips of the keyboard away;
 * NULL.
 */
const struct fb_command *fb_help_suggest(const char *word);

/**
 * fb_help_unknown() - Say that there is no such command
 *
 * Return: -EINVAL, with text and hint.
 */
int fb_help_unknown(const char *word, struct fb_err *err);

#endif
