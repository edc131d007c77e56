/* SPDX-License-Identifier: Apache-2.0 */
/* Landlock: what of the file system a VMM may open. */
#ifndef FB_MACHINE_SANDBOX_H
#define FB_MACHINE_SANDBOX_H

#include <stdbool.h>

/** fb_sandbox_available() - Whether this kernel enforces Landlock */
bool fb_sandbox_available(void);

/**
 * fb_sandbox_apply() - Close the file system to this process but for some paths
 * @readable: NULL-terminated paths that may be read and executed; missing ones
 *            are passed over; NULL = none
 * @writable: NULL-terminated paths that may be read and written, or NULL
 *
 * Open descriptors are not touched.  Async-signal-safe: for the child between
 * fork() and exec().  Where the kernel has no Landlock, nothing happens.
 *
 * Return: 0; a negative errno.
 */
int fb_sandbox_apply(char *const *readable, char *const *writable);

#endif
