/* SPDX-License-Identifier: Apache-2.0 */
/* The processes below another one. */
#ifndef FB_CONTAINER_FAMILY_H
#define FB_CONTAINER_FAMILY_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/** struct fb_family_member - @pidfd is owned; @pid and @parent are for /proc */
struct fb_family_member {
	pid_t pid;
	pid_t parent;
	int pidfd;
};

/** struct fb_family - Children, their children, and so on; not the head itself */
struct fb_family {
	struct fb_family_member *v;
	size_t count;
};

/**
 * fb_family_find() - Everything that descends from a process now
 * @head: Its pid
 * @ret:  Release with fb_family_release(); written on success only
 *
 * In whatever PID namespaces they are.  Each is held by a pidfd, opened before it was
 * looked at.
 *
 * Return: 0, also where there is nobody; a negative errno.
 */
int fb_family_find(pid_t head, struct fb_family *ret);

void fb_family_release(struct fb_family *family);

#define FB_FAMILY __attribute__((cleanup(fb_family_release)))

/** fb_family_signal() - To each that still lives. Return: 0; the first negative errno */
int fb_family_signal(const struct fb_family *family, int sig);

/** fb_family_stands() - There are some, and every thread of each is stopped */
bool fb_family_stands(const struct fb_family *family);

#endif
