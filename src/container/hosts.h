/* SPDX-License-Identifier: Apache-2.0 */
/* The container's /etc/hosts. Pure. */
#ifndef FB_CONTAINER_HOSTS_H
#define FB_CONTAINER_HOSTS_H

#include "base/err.h"
#include "base/str.h"

#define FB_HOSTS_MAX (1u << 20)

/**
 * fb_hosts_render() - Append the text of /etc/hosts
 * @extra:    --add-host, "name:address" or "name=address", NULL-terminated, or
 *            NULL; the address "host-gateway" means @gateway
 * @gateway:  Text of the host's address as the guest sees it, or NULL
 * @address:  The container's own address, or NULL without a network
 * @hostname: Its name
 *
 * Return: 0; -EINVAL bad entry, docker's text; -ENOMEM; -E2BIG.
 */
int fb_hosts_render(char *const *extra, const char *gateway,
		    const char *address, const char *hostname,
		    struct fb_str *out, struct fb_err *err);

#endif
