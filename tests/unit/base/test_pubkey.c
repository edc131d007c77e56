/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <string.h>

#include "base/pubkey.h"
#include "tap.h"

/* The public half as PEM, and a signature of @text */
static size_t sign(EVP_PKEY *pkey, const char *text, char *pem, size_t pem_size,
		   uint8_t *sig, size_t *sig_len)
{
	bool plain = EVP_PKEY_get_base_id(pkey) == EVP_PKEY_ED25519;
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	BIO *bio = BIO_new(BIO_s_mem());
	int n;

	(void)EVP_DigestSignInit(md, NULL, plain ? NULL : EVP_sha256(), NULL,
				 pkey);
	if (EVP_DigestSign(md, sig, sig_len, (const uint8_t *)text,
			   strlen(text)) != 1)
		*sig_len = 0;
	EVP_MD_CTX_free(md);
	(void)PEM_write_bio_PUBKEY(bio, pkey);
	n = BIO_read(bio, pem, (int)pem_size);
	BIO_free(bio);
	return n > 0 ? (size_t)n : 0;
}

static void test_key(EVP_PKEY *pkey, const char *name)
{
	FB_PUBKEY struct fb_pubkey *key = NULL;
	uint8_t sig[1024];
	size_t sig_len = sizeof(sig), len;
	char pem[2048];

	len = sign(pkey, "signed", pem, sizeof(pem), sig, &sig_len);
	TAP_INT(fb_pubkey_parse(pem, len, &key, NULL), 0, "%s: read", name);
	TAP_INT(fb_pubkey_verify(key, "signed", 6, sig, sig_len), 0,
		"%s: verified", name);
	TAP_INT(fb_pubkey_verify(key, "sighed", 6, sig, sig_len), -EKEYREJECTED,
		"%s: another text", name);
	TAP_INT(fb_pubkey_verify(key, "signed", 6, sig, sig_len - 1),
		-EKEYREJECTED, "%s: a shortened signature", name);
	TAP_INT(fb_pubkey_verify(key, "signed", 6, sig, 0), -EKEYREJECTED,
		"%s: none", name);
	sig[sig_len - 1] ^= 1;
	TAP_INT(fb_pubkey_verify(key, "signed", 6, sig, sig_len), -EKEYREJECTED,
		"%s: a broken one", name);
	EVP_PKEY_free(pkey);
}

static void test_refused(void)
{
	EVP_PKEY *weak = EVP_RSA_gen(1024);
	struct fb_pubkey *key = NULL;
	uint8_t sig[1024];
	size_t sig_len = sizeof(sig), len;
	char pem[2048];

	len = sign(weak, "x", pem, sizeof(pem), sig, &sig_len);
	TAP_INT(fb_pubkey_parse(pem, len, &key, NULL), -EOPNOTSUPP,
		"RSA of 1024 bits");
	EVP_PKEY_free(weak);
	TAP_INT(fb_pubkey_parse("", 0, &key, NULL), -EBADMSG, "nothing");
	TAP_INT(fb_pubkey_parse("-----BEGIN PUBLIC KEY-----\n", 27, &key, NULL),
		-EBADMSG, "a beginning");
	TAP_INT(fb_pubkey_parse(pem, FB_PUBKEY_PEM_MAX + 1, &key, NULL),
		-EBADMSG, "too long");
	fb_pubkey_free(NULL);
}

int main(void)
{
	test_key(EVP_EC_gen("P-256"), "ECDSA");
	test_key(EVP_RSA_gen(2048), "RSA");
	test_key(EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"), "Ed25519");
	test_refused();
	return tap_done();
}
