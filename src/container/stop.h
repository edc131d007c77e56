/* SPDX-License-Identifier: Apache-2.0 */
/* Ending a container from outside. */
#ifndef FB_CONTAINER_STOP_H
#define FB_CONTAINER_STOP_H

#include "base/err.h"
#include "store/store.h"

/**
 * fb_container_kill() - End a container's machine, now, and wait for it
 * @id: Full id
 *
 * Its monitor is told to end, which it does with an exit record; one that does
 * not within some seconds is killed, and its machine with it.
 *
 * Return: 0, also where it does not run; -ENOENT no such container; -EBUSY it is
 * being prepared, there is no machine yet; -EPERM another user's; -ETIMEDOUT.
 */
int fb_container_kill(struct fb_store *store, const char *id,
		      struct fb_err *err);

#endif
