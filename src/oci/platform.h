/* SPDX-License-Identifier: Apache-2.0 */
/* os/arch[/variant], normalised and matched as containerd does. */
#ifndef FB_OCI_PLATFORM_H
#define FB_OCI_PLATFORM_H

#include <stdbool.h>

#include "base/err.h"

struct fb_platform {
	char os[32];
	char arch[32];
	char variant[32]; /* "" where there is none */
};

/** fb_platform_host() - linux and this machine's architecture and variant */
void fb_platform_host(struct fb_platform *ret);

/**
 * fb_platform_normalize() - Bring a platform that a stranger wrote to its
 * normal form: lower case, aliases resolved, default variants dropped or filled
 */
void fb_platform_normalize(struct fb_platform *p);

/**
 * fb_platform_parse() - "linux/arm64/v8", "linux/amd64", "arm64", "linux"
 *
 * Aliases (x86_64, aarch64, armhf, …) are normalised; the variant's default
 * (arm64 v8, arm v7) is dropped or filled as containerd's Normalize does.
 *
 * Return: 0; -EINVAL malformed or over 31 bytes a part.
 */
int fb_platform_parse(const char *text, struct fb_platform *ret,
		      struct fb_err *err);

/** fb_platform_format() - "os/arch[/variant]". Return: @out */
const char *fb_platform_format(const struct fb_platform *p, char out[100]);

/**
 * fb_platform_rank() - How well @have (of an index entry) serves @want
 *
 * Return: 0 not at all, otherwise the higher the better (exact variant first,
 * then lower variants in falling order, as containerd's Only() orders them).
 * Unlike there, amd64 does not run 386, nor arm64 arm: the guest's kernel
 * can't.
 */
int fb_platform_rank(const struct fb_platform *want,
		     const struct fb_platform *have);

#endif
