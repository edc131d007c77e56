/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_GUEST_EXEC_H
#define FB_GUEST_EXEC_H

#include "flamebox/guest_abi.h"

/**
 * struct fb_failure - Why the entrypoint does not run; the EXIT frame's content
 * @record: In the machine's byte order
 * @text:   What a user reads
 */
struct fb_failure {
	struct fb_guest_exit record;
	char text[FB_GUEST_TEXT_MAX + 1];
};

/** fb_failure_set() - Fill in. Return: @code */
int fb_failure_set(struct fb_failure *f, enum fb_guest_exit_kind kind, int code,
		   const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/**
 * fb_exec() - Become the program, found as docker finds it
 * @argv: NULL-terminated, at least one
 * @envp: NULL-terminated; its PATH is searched for a name without a slash
 * @ret:  Why not, in docker's words
 *
 * Return: only on failure, a negative errno.
 */
int fb_exec(char *const *argv, char *const *envp, struct fb_failure *ret);

#endif
