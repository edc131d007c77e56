/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SHA-2 over a stream, by OpenSSL's EVP (which uses the CPU's SHA extensions).
 * Host only: the guest does not link it.
 */
#ifndef FB_BASE_HASH_H
#define FB_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

enum fb_hash_kind {
	FB_HASH_SHA256,
	FB_HASH_SHA512,
};

#define FB_HASH_SIZE_MAX 64

/** fb_hash_size() - Bytes of a digest of this kind: 32 or 64 */
size_t fb_hash_size(enum fb_hash_kind kind);

struct fb_hash; /* opaque */

/** fb_hash_new() - Start a digest. Return: object (returned), NULL out of memory */
struct fb_hash *fb_hash_new(enum fb_hash_kind kind);

/** fb_hash_update() - Feed bytes. Return: 0; -EIO where the library failed */
int fb_hash_update(struct fb_hash *h, const void *data, size_t len);

/**
 * fb_hash_final() - End and restart
 * @h:   Digest object; afterwards as new
 * @out: fb_hash_size() bytes
 *
 * Return: 0; -EIO where the library failed.
 */
int fb_hash_final(struct fb_hash *h, uint8_t *out);

/** fb_hash_free() - Free; NULL is fine */
void fb_hash_free(struct fb_hash *h);

static inline void fb_cleanup_hash(struct fb_hash **h)
{
	fb_hash_free(*h);
}

/** FB_HASH - `FB_HASH struct fb_hash *h = …;` frees itself */
#define FB_HASH FB_CLEANUP(fb_cleanup_hash)

/** fb_sha256() - One buffer at once. Return: 0; -EIO */
int fb_sha256(const void *data, size_t len, uint8_t out[32]);

#endif
