/* SPDX-License-Identifier: Apache-2.0 */
/* Content digests, "sha256:<hex>".  Source: OCI image-spec 1.1 descriptor.md */
#ifndef FB_OCI_DIGEST_H
#define FB_OCI_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/hash.h"

/* "sha512:" + 128 digits + NUL */
#define FB_DIGEST_TEXT_MAX 136

/**
 * struct fb_digest - A digest, plain data
 * @set:  False in an empty one; then the rest is zero
 * @kind: sha256 or sha512
 * @hash: fb_hash_size(@kind) bytes, the rest zero
 */
struct fb_digest {
	bool set;
	enum fb_hash_kind kind;
	uint8_t hash[FB_HASH_SIZE_MAX];
};

/**
 * fb_digest_parse() - Text to digest
 * @text: "sha256:" or "sha512:" and lower-case digits (borrowed)
 * @ret:  Written on success only
 *
 * Return: 0; -EINVAL malformed; -EOPNOTSUPP another algorithm.
 */
int fb_digest_parse(const char *text, struct fb_digest *ret,
		    struct fb_err *err);

/** fb_digest_format() - Digest to text; "" for an empty one. Return: @out */
const char *fb_digest_format(const struct fb_digest *d,
			     char out[FB_DIGEST_TEXT_MAX]);

/** fb_digest_hex() - Only the digits. Return: @out */
const char *fb_digest_hex(const struct fb_digest *d,
			  char out[FB_DIGEST_TEXT_MAX]);

/** fb_digest_kind_name() - "sha256" or "sha512" */
const char *fb_digest_kind_name(enum fb_hash_kind kind);

/** fb_digest_equal() - Same algorithm, same bytes, and set */
bool fb_digest_equal(const struct fb_digest *a, const struct fb_digest *b);

/** fb_digest_of() - SHA-256 digest of a buffer. Return: 0; -EIO */
int fb_digest_of(const void *data, size_t len, struct fb_digest *ret);

#endif
