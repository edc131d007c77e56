/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What `doctor` finds out: can this host run a container, how well, and for
 * each lack the line that mends it.  Data; cmd_doctor.c renders it.
 */
#ifndef FB_CLI_DOCTOR_H
#define FB_CLI_DOCTOR_H

#include <stdbool.h>
#include <stddef.h>

#include "cli/cli.h"

#define FB_DOCTOR_CHECKS_MAX 32

enum fb_doctor_status {
	FB_DOCTOR_OK,
	FB_DOCTOR_WARNING, /* it works, but worse than it could */
	FB_DOCTOR_MISSING, /* without it no container runs */
	FB_DOCTOR_STATUS_COUNT,
};

/** fb_doctor_status_name() - "ok", "warning", "missing" */
const char *fb_doctor_status_name(enum fb_doctor_status status);

/**
 * struct fb_doctor_check - One finding
 * @name:   What was looked at, a literal
 * @detail: What was found, one line
 * @fix:    What mends it, one line, or ""
 */
struct fb_doctor_check {
	const char *name;
	enum fb_doctor_status status;
	char detail[512];
	char fix[320];
};

struct fb_doctor_report {
	struct fb_doctor_check checks[FB_DOCTOR_CHECKS_MAX];
	size_t count;
};

/**
 * fb_doctor_examine() - Look at everything
 * @cli: Context; the state's folders are made where they are missing
 * @ret: Always filled in
 *
 * Nothing is taken from a cache: the accelerator is probed again.
 */
void fb_doctor_examine(struct fb_cli *cli, struct fb_doctor_report *ret);

/** fb_doctor_healthy() - Nothing is FB_DOCTOR_MISSING */
bool fb_doctor_healthy(const struct fb_doctor_report *report);

#endif
