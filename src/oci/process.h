/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Image config and the user's wishes → what runs.  The shape follows the OCI
 * runtime-spec's `process`, so that a runtime bundle can fill it as well.
 */
#ifndef FB_OCI_PROCESS_H
#define FB_OCI_PROCESS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "oci/manifest.h"

/**
 * struct fb_rlimit - One resource limit
 * @name: Linux' name in lower case, without RLIMIT_ ("nofile")
 * @soft: UINT64_MAX = unlimited
 * @hard: Likewise
 */
struct fb_rlimit {
	char name[16];
	uint64_t soft;
	uint64_t hard;
};

#define FB_RLIMITS_MAX 16

/**
 * struct fb_process - What runs, as the guest gets it
 * @args: NULL-terminated, at least one
 * @env:  NULL-terminated "NAME=value"; PATH, HOSTNAME, HOME (and TERM with a
 *        terminal) are there as docker sets them; HOME only where it was given:
 *        the guest fills it from the image's passwd otherwise
 * @cwd:  Absolute
 * @user: "", "name", "uid", "name:group", "uid:gid" – resolved in the guest
 * @stop_signal: Number, SIGTERM where nothing says otherwise
 */
struct fb_process {
	char **args;
	char **env;
	char *cwd;
	char *user;
	bool terminal;
	int stop_signal;
	struct fb_rlimit rlimits[FB_RLIMITS_MAX];
	unsigned int rlimit_count;
};

/**
 * struct fb_process_flags - What the command line asks for; NULL = not given
 * @entrypoint:   --entrypoint; "" resets the image's
 * @args:         Words after IMAGE, NULL-terminated; NULL where none
 * @env:          "NAME=value", or "NAME" to take the image's away (made by
 *                fb_env_add() and fb_env_file_parse(), in the order given)
 */
struct fb_process_flags {
	const char *entrypoint;
	char *const *args;
	char *const *env;
	const char *cwd;
	const char *user;
	const char *hostname;
	const char *stop_signal;
	bool terminal;
	const struct fb_rlimit *rlimits;
	unsigned int rlimit_count;
};

/**
 * fb_process_merge() - Docker's rules in one place
 * @config: The image's (borrowed)
 * @flags:  The user's (borrowed)
 * @ret:    Release with fb_process_release(); written on success only
 *
 * --entrypoint drops the image's CMD; words replace CMD; neither gives -EINVAL
 * "no command specified".  A user's variable replaces the image's, a later one
 * an earlier one.  An empty @cwd, @user or @stop_signal counts as not given; an
 * image's own bad stop signal is SIGTERM.  Of two values for a limit the later
 * one counts.
 *
 * Return: 0; -EINVAL with docker's reason; -ENOMEM.
 */
int fb_process_merge(const struct fb_image_config *config,
		     const struct fb_process_flags *flags,
		     struct fb_process *ret, struct fb_err *err);
void fb_process_release(struct fb_process *process);

/** fb_signal_parse() - "TERM", "SIGTERM", "15", "RTMIN+3". Return: number; -EINVAL */
int fb_signal_parse(const char *text);

/** fb_rlimit_parse() - docker's "nofile=1024[:2048]", "core=-1". Return: 0; -EINVAL */
int fb_rlimit_parse(const char *text, struct fb_rlimit *ret,
		    struct fb_err *err);

/** fb_bytes_parse() - docker's "64m", "1.5g", "8GiB", "1024". Return: 0; -EINVAL; -ERANGE */
int fb_bytes_parse(const char *text, uint64_t *ret_bytes, struct fb_err *err);

#endif
