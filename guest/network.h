/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_GUEST_NETWORK_H
#define FB_GUEST_NETWORK_H

#include "base/err.h"
#include "wire/spec.h"

/**
 * fb_network_up() - Loopback, and the interface of the spec
 * @net: What is to be set (borrowed); nothing is asked for or waited for
 *
 * Return: 0; negative errno with step and interface.
 */
int fb_network_up(const struct fb_spec_net *net, struct fb_err *err);

#endif
