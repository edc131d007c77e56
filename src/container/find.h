/* SPDX-License-Identifier: Apache-2.0 */
/* Whose process is a container's monitor? */
#ifndef FB_CONTAINER_FIND_H
#define FB_CONTAINER_FIND_H

#include <sys/types.h>

/**
 * fb_monitor_find() - The process that sees a container through
 * @dir_fd:  The container's folder (borrowed)
 * @ret_pid: Its pid, or NULL; written on success only
 *
 * Return: pidfd (returned); -ESRCH there is none; another negative errno.
 */
int fb_monitor_find(int dir_fd, pid_t *ret_pid);

#endif
