/* SPDX-License-Identifier: Apache-2.0 */
/* What `login` and `logout` are about: a server, and the file of its log-in. */
#ifndef FB_REGISTRY_LOGIN_H
#define FB_REGISTRY_LOGIN_H

#include "base/err.h"

/**
 * fb_login_server() - The registry that a user names
 * @text: "host", "host:port", a URL of it (only its host counts, as with
 *        docker); NULL = Docker Hub
 * @ret:  As in struct fb_reference's domain
 *
 * Return: 0; -EINVAL no host of a registry.
 */
int fb_login_server(const char *text, char ret[256], struct fb_err *err);

/** fb_login_shown() - How docker names a server. Return: @server, or Docker Hub's URL */
const char *fb_login_shown(const char *server);

/**
 * fb_login_file() - The file that `login` writes
 *
 * The first that is read: $REGISTRY_AUTH_FILE, or docker's config.json.
 *
 * Return: path (returned); NULL with @err set: no HOME, or out of memory.
 */
char *fb_login_file(struct fb_err *err);

#endif
