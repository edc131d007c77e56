/* SPDX-License-Identifier: Apache-2.0 */
/* A buffer that several threads look at, and that returns to its owner after. */
#ifndef FB_ROOTFS_HOLD_H
#define FB_ROOTFS_HOLD_H

#include <stdatomic.h>

/**
 * struct fb_hold - Embedded in a buffer
 * @refs:    Who looks at it
 * @release: Called by whoever was the last, on his thread
 */
struct fb_hold {
	atomic_uint refs;
	void (*release)(struct fb_hold *hold);
};

static inline void fb_hold_get(struct fb_hold *hold)
{
	atomic_fetch_add_explicit(&hold->refs, 1, memory_order_relaxed);
}

static inline void fb_hold_put(struct fb_hold *hold)
{
	if (atomic_fetch_sub_explicit(&hold->refs, 1, memory_order_acq_rel) ==
	    1)
		hold->release(hold);
}

#endif
