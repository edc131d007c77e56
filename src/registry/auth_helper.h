/* SPDX-License-Identifier: Apache-2.0 */
/* docker-credential-<name>: programs that keep secrets. */
#ifndef FB_REGISTRY_AUTH_HELPER_H
#define FB_REGISTRY_AUTH_HELPER_H

#include "base/err.h"
#include "registry/credential.h"

/**
 * fb_auth_helper_get() - Ask a credential helper
 * @helper: Suffix of the program's name, already checked
 * @key:    Server that it is asked for; travels on its standard input
 * @ret:    Written on success only
 *
 * Return: 0; -ENOENT it knows nothing about @key; -ETIMEDOUT after a minute
 * (it may be asking the user for a passphrase); -EIO it failed; -EBADMSG.
 */
int fb_auth_helper_get(const char *helper, const char *key,
		       struct fb_credential *ret, struct fb_err *err);

/**
 * fb_auth_helper_change() - Have a credential helper keep or forget a secret
 * @verb:  "store" or "erase"
 * @input: What it gets on its standard input: an object, or a key
 *
 * Return: 0; -ENOENT nothing to forget; -ETIMEDOUT; -EIO it failed.
 */
int fb_auth_helper_change(const char *helper, const char *verb,
			  const char *input, struct fb_err *err);

#endif
