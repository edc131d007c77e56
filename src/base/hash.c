/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hash.h"

#include <errno.h>
#include <openssl/evp.h>

struct fb_hash {
	EVP_MD_CTX *ctx;
	const EVP_MD *md;
};

static const EVP_MD *hash_md(enum fb_hash_kind kind)
{
	return kind == FB_HASH_SHA512 ? EVP_sha512() : EVP_sha256();
}

size_t fb_hash_size(enum fb_hash_kind kind)
{
	return kind == FB_HASH_SHA512 ? 64 : 32;
}

struct fb_hash *fb_hash_new(enum fb_hash_kind kind)
{
	struct fb_hash *h = calloc(1, sizeof(*h));

	if (!h)
		return NULL;
	h->md = hash_md(kind);
	h->ctx = EVP_MD_CTX_new();
	if (!h->ctx || EVP_DigestInit_ex(h->ctx, h->md, NULL) != 1) {
		fb_hash_free(h);
		return NULL;
	}
	return h;
}

int fb_hash_update(struct fb_hash *h, const void *data, size_t len)
{
	return EVP_DigestUpdate(h->ctx, data, len) == 1 ? 0 : -EIO;
}

int fb_hash_final(struct fb_hash *h, uint8_t *out)
{
	if (EVP_DigestFinal_ex(h->ctx, out, NULL) != 1)
		return -EIO;
	return EVP_DigestInit_ex(h->ctx, h->md, NULL) == 1 ? 0 : -EIO;
}

void fb_hash_free(struct fb_hash *h)
{
	if (!h)
		return;
	EVP_MD_CTX_free(h->ctx);
	free(h);
}

int fb_sha256(const void *data, size_t len, uint8_t out[32])
{
	return EVP_Digest(data, len, out, NULL, EVP_sha256(), NULL) == 1 ? 0
									 : -EIO;
}
