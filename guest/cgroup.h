/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_GUEST_CGROUP_H
#define FB_GUEST_CGROUP_H

#include <stdbool.h>

#include "base/err.h"
#include "wire/spec.h"

/**
 * fb_cgroup_make() - A control group for the container, where it has limits
 * @spec: For its limits (borrowed)
 *
 * Return: descriptor of its folder (returned); -ENODATA where there is nothing
 * to limit; another negative errno.
 */
int fb_cgroup_make(const struct fb_guest_spec *spec, struct fb_err *err);

/** fb_cgroup_oom() - Has the kernel killed anything for want of memory? */
bool fb_cgroup_oom(void);

#endif
