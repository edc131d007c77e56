/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_WIRE_MOUNTOPT_H
#define FB_WIRE_MOUNTOPT_H

#include <stddef.h>

#include "base/err.h"

#define FB_MOUNTOPT_DATA_MAX 256

/**
 * struct fb_mountopt - What mount(2) gets for a tmpfs
 * @flags: MS_*
 * @data:  "size=67108864,mode=1777"
 */
struct fb_mountopt {
	unsigned long flags;
	char data[FB_MOUNTOPT_DATA_MAX];
};

/**
 * fb_mountopt_parse_tmpfs() - docker's --tmpfs options
 * @text: "" or comma-separated: rw ro exec noexec suid nosuid dev nodev sync
 *        async dirsync atime noatime diratime nodiratime
 *        relatime norelatime strictatime nostrictatime, and size= (bytes with
 *        k m g, or a percentage), mode= (octal), uid=, gid=, nr_inodes=,
 *        nr_blocks=
 * @ret:  Written on success only; noexec, nosuid, nodev unless @text says
 *        otherwise, as docker
 *
 * Return: 0; -EINVAL with docker's reason.
 */
int fb_mountopt_parse_tmpfs(const char *text, struct fb_mountopt *ret,
			    struct fb_err *err);

#endif
