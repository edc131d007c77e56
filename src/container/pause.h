/* SPDX-License-Identifier: Apache-2.0 */
/* Making a container stand still, and go on. */
#ifndef FB_CONTAINER_PAUSE_H
#define FB_CONTAINER_PAUSE_H

#include "base/err.h"
#include "store/container.h"
#include "store/store.h"

/**
 * fb_container_pause() - Stop every process of its machine where it is
 * @entry: Which, as it was found (borrowed)
 *
 * When this returns no instruction of the guest is run, whatever the engine.  What the
 * guest sent before may still be on its way to its client.  A container that is killed
 * while it stands ends as any other.
 *
 * Return: 0; -EINVAL it does not run, or stands already, in docker's words; -EPERM
 * another user's; -ETIMEDOUT; a negative errno, it runs on then.
 */
int fb_container_pause(struct fb_store *store,
		       const struct fb_container_entry *entry,
		       struct fb_err *err);

/**
 * fb_container_unpause() - Let it go on
 *
 * Return: 0; -EINVAL it does not stand, in docker's words; a negative errno.
 */
int fb_container_unpause(struct fb_store *store,
			 const struct fb_container_entry *entry,
			 struct fb_err *err);

#endif
