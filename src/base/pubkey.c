/* SPDX-License-Identifier: Apache-2.0 */
#include "base/pubkey.h"

#include <errno.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdbool.h>
#include <stdlib.h>

#define RSA_BITS_MIN 2048

struct fb_pubkey {
	EVP_PKEY *pkey;
};

/* A key never asks for a passphrase */
static int no_passphrase(char *buf, int size, int writing, void *ctx)
{
	(void)buf;
	(void)size;
	(void)writing;
	(void)ctx;
	return 0;
}

int fb_pubkey_parse(const char *pem, size_t len, struct fb_pubkey **ret,
		    struct fb_err *err)
{
	struct fb_pubkey *key;
	EVP_PKEY *pkey = NULL;
	BIO *bio;
	int id;

	if (len > FB_PUBKEY_PEM_MAX)
		return fb_err_set(err, -EBADMSG, "a key of over 64 KiB");
	bio = BIO_new_mem_buf(pem, (int)len);
	if (bio)
		pkey = PEM_read_bio_PUBKEY(bio, NULL, no_passphrase, NULL);
	BIO_free(bio);
	ERR_clear_error();
	if (!pkey)
		return fb_err_set(err, -EBADMSG, "it is no public key in PEM");
	id = EVP_PKEY_get_base_id(pkey);
	key = calloc(1, sizeof(*key));
	if (!key ||
	    (id != EVP_PKEY_EC && id != EVP_PKEY_ED25519 &&
	     (id != EVP_PKEY_RSA || EVP_PKEY_get_bits(pkey) < RSA_BITS_MIN))) {
		EVP_PKEY_free(pkey);
		free(key);
		return fb_err_set(err, key ? -EOPNOTSUPP : -ENOMEM,
				  "the key is neither ECDSA, Ed25519 nor RSA "
				  "of at least 2048 bits");
	}
	key->pkey = pkey;
	*ret = key;
	return 0;
}

int fb_pubkey_verify(const struct fb_pubkey *key, const void *data, size_t len,
		     const void *sig, size_t sig_len)
{
	bool plain = EVP_PKEY_get_base_id(key->pkey) == EVP_PKEY_ED25519;
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	int r = -EKEYREJECTED;

	if (!md)
		return -ENOMEM;
	if (EVP_DigestVerifyInit(md, NULL, plain ? NULL : EVP_sha256(), NULL,
				 key->pkey) == 1 &&
	    EVP_DigestVerify(md, sig, sig_len, data, len) == 1)
		r = 0;
	EVP_MD_CTX_free(md);
	ERR_clear_error();
	return r;
}

void fb_pubkey_free(struct fb_pubkey *key)
{
	if (key)
		EVP_PKEY_free(key->pkey);
	free(key);
}
