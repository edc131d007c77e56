/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keeping and forgetting log-ins, in the files that docker and podman read.
 * A file is replaced as a whole, mode 0600, with everything else in it kept;
 * two processes at once lose nothing of each other.
 */
#ifndef FB_REGISTRY_AUTH_STORE_H
#define FB_REGISTRY_AUTH_STORE_H

#include <stdbool.h>

#include "base/err.h"
#include "registry/credential.h"

/**
 * fb_auth_store_put() - Keep a log-in for a registry
 * @path:       config.json or auth.json; made, with its folder, where missing
 * @host:       As in struct fb_reference's domain
 * @credential: User name and password, or an identity token (borrowed)
 * @ret_plain:  Whether the secret stands in the file itself; may be NULL
 *
 * Where the file names a credential helper for @host (credHelpers, credsStore)
 * the secret goes there and the file gets only docker's mark of it.
 *
 * Return: 0; -EINVAL a colon in the user name; -EBADMSG the file is malformed (and
 * left alone); -EIO the helper failed; another negative errno.
 */
int fb_auth_store_put(const char *path, const char *host,
		      const struct fb_credential *credential, bool *ret_plain,
		      struct fb_err *err);

/**
 * fb_auth_store_remove() - Forget a registry's log-in
 * @ret_removed: Whether there was one
 *
 * Entries of single repositories ("host/path") stay.
 *
 * Return: as fb_auth_store_put().
 */
int fb_auth_store_remove(const char *path, const char *host, bool *ret_removed,
			 struct fb_err *err);

#endif
