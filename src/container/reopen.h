/* SPDX-License-Identifier: Apache-2.0 */
/* Non-blocking access to a standard stream that is shared with others. */
#ifndef FB_CONTAINER_REOPEN_H
#define FB_CONTAINER_REOPEN_H

/**
 * fb_reopen_nonblock() - Open a pipe or a terminal once more, non-blocking
 * @fd:   Open descriptor (borrowed, unchanged)
 * @mode: O_RDONLY or O_WRONLY
 *
 * O_NONBLOCK belongs to the open file, which we share with the shell and whoever
 * else inherited it, so it must not be set on @fd itself.
 *
 * Return: descriptor (returned); -EBADF where there is no second way in: another
 * user's pipe, a socket, a file, a pseudo terminal's master.
 */
int fb_reopen_nonblock(int fd, int mode);

#endif
