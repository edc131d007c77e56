/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_GUEST_USER_H
#define FB_GUEST_USER_H

#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"

#define FB_USER_GROUPS_MAX 1024
#define FB_USER_HOME_MAX 4096
/* Most bytes of passwd and of group that are read */
#define FB_USER_FILE_MAX 16777216u

/**
 * struct fb_user - Who a process runs as
 * @groups: Supplementary ones, the primary one first; @group_count of them
 * @home:   From passwd; "/" where it has none
 */
struct fb_user {
	uid_t uid;
	gid_t gid;
	size_t group_count;
	gid_t groups[FB_USER_GROUPS_MAX];
	char home[FB_USER_HOME_MAX];
};

/**
 * struct fb_user_files - Contents of the image's files, NUL-terminated
 * @passwd: "" where there is none; likewise @group
 */
struct fb_user_files {
	const char *passwd;
	const char *group;
};

/**
 * fb_user_resolve() - docker's "name|uid[:group|gid]"
 * @text:  NULL or "" = root
 * @files: Where names are looked up (borrowed)
 * @ret:   Written on success only
 *
 * The first matching line counts.  A number is always an id, known or not; it
 * finds its home and groups by its passwd entry.  Supplementary groups come from
 * group's member lists, unless a group was named.
 *
 * Return: 0; -ENOENT no such name; -ERANGE; with docker's words.
 */
int fb_user_resolve(const char *text, const struct fb_user_files *files,
		    struct fb_user *ret, struct fb_err *err);

#endif
