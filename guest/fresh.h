/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_GUEST_FRESH_H
#define FB_GUEST_FRESH_H

#include "base/err.h"
#include "wire/spec.h"

/**
 * fb_fresh_apply() - Set the wall clock and reseed the random pool
 *
 * Before anything of the container runs: machines that begin from one saved
 * state would otherwise draw the same numbers.
 *
 * Return: 0; negative errno.
 */
int fb_fresh_apply(const struct fb_guest_spec *spec, struct fb_err *err);

#endif
