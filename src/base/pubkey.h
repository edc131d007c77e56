/* SPDX-License-Identifier: Apache-2.0 */
/* Signatures by public key: ECDSA, Ed25519, RSA (PKCS #1 v1.5), with SHA-256. */
#ifndef FB_BASE_PUBKEY_H
#define FB_BASE_PUBKEY_H

#include <stddef.h>

#include "base/cleanup.h"
#include "base/err.h"

#define FB_PUBKEY_PEM_MAX 65536

struct fb_pubkey; /* opaque */

/**
 * fb_pubkey_parse() - Read a public key
 * @pem: "BEGIN PUBLIC KEY" (borrowed)
 * @len: At most FB_PUBKEY_PEM_MAX
 * @ret: Key (returned)
 *
 * Return: 0; -EBADMSG no public key; -EOPNOTSUPP another kind, RSA under 2048 bits.
 */
int fb_pubkey_parse(const char *pem, size_t len, struct fb_pubkey **ret,
		    struct fb_err *err);

/**
 * fb_pubkey_verify() - Did the key's owner sign this?
 * @data: @len bytes (borrowed)
 * @sig:  DER for ECDSA; raw otherwise (borrowed)
 *
 * Return: 0 yes; -EKEYREJECTED no; -ENOMEM.
 */
int fb_pubkey_verify(const struct fb_pubkey *key, const void *data, size_t len,
		     const void *sig, size_t sig_len);

/** fb_pubkey_free() - NULL is fine */
void fb_pubkey_free(struct fb_pubkey *key);

static inline void fb_cleanup_pubkey(struct fb_pubkey **key)
{
	fb_pubkey_free(*key);
}

#define FB_PUBKEY __attribute__((cleanup(fb_cleanup_pubkey)))

#endif
