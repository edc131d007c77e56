/* SPDX-License-Identifier: Apache-2.0 */
/* What can be told of a program: how it is linked, and what it says of itself. */
#ifndef FB_BASE_PROGRAM_H
#define FB_BASE_PROGRAM_H

#include <stddef.h>

#include "base/err.h"

/**
 * fb_program_ask() - Run a program with one argument and read what it prints
 * @program:  Its path, or its name in PATH
 * @argument: "--version"
 * @out:      The beginning of its standard output, always a string
 * @size:     Of @out
 *
 * Its standard error is thrown away and its status ignored: what it printed is the
 * answer.
 *
 * Return: 0; a negative errno, with @out "".
 */
int fb_program_ask(const char *program, const char *argument, char *out,
		   size_t size, struct fb_err *err);

/**
 * fb_program_needs_libraries() - Is a program linked dynamically?
 * @path: 64-bit ELF program
 *
 * Return: 1 or 0; -ENOEXEC it is no such program; another negative errno.
 */
int fb_program_needs_libraries(const char *path);

#endif
