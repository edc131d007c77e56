/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A rule's keys are read first: their bytes, what a signature has to say about the
 * name, and the name, are what a good signature is remembered by.  So another key
 * in the same file, or another rule, is another question.
 */
#include "image/trust_signed.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/hex.h"
#include "base/io.h"
#include "base/pubkey.h"
#include "image/outgoing.h"
#include "registry/base64.h"

#define FACT_MAX (FB_REFERENCE_TEXT_MAX + 256)

void fb_trust_check_release(struct fb_trust_check *c)
{
	fb_signatures_release(&c->signatures);
	fb_registry_close(c->own);
	c->own = NULL;
}

static int fetch(struct fb_trust_check *c, struct fb_err *err)
{
	struct fb_registry *registry = c->what->registry;
	int r = 0;

	if (c->fetched || !c->what->ref)
		return 0;
	if (!registry) {
		if (!c->own)
			r = fb_image_registry_open(c->ctx, c->what->ref->domain,
						   c->what->options, &c->own,
						   err);
		registry = c->own;
	}
	for (size_t i = 0; i < c->what->count && r == 0; i++)
		r = fb_registry_get_signatures(registry, c->what->ref,
					       &c->what->digests[i],
					       &c->signatures, err);
	c->fetched = r == 0;
	return r < 0 ? fb_err_wrap(err, r, "signatures") : 0;
}

static bool is_about(const struct fb_trust_check *c,
		     const struct fb_policy_rule *rule,
		     const struct fb_signature *s)
{
	struct fb_signature_payload payload;

	if (fb_signature_payload_parse(s->payload, s->payload_len, &payload,
				       NULL) < 0 ||
	    !fb_policy_identity_matches(rule, payload.reference, c->what->ref))
		return false;
	for (size_t i = 0; i < c->what->count; i++)
		if (fb_digest_equal(&payload.digest, &c->what->digests[i]))
			return true;
	return false;
}

/**
 * struct keys - A rule's keys
 * @pem:  Texts
 * @from: Where each comes from, for messages
 */
struct keys {
	struct fb_strv pem;
	struct fb_strv from;
};

static void keys_release(struct keys *keys)
{
	fb_strv_release(&keys->pem);
	fb_strv_release(&keys->from);
}

static int read_keys(const struct fb_policy_rule *rule, struct keys *keys,
		     struct fb_err *err)
{
	int r = 0;

	for (size_t i = 0; i < rule->key_paths.count && r == 0; i++) {
		const char *path = rule->key_paths.v[i];
		char *pem = NULL;
		size_t len = 0;

		r = fb_read_file_at(AT_FDCWD, path, FB_PUBKEY_PEM_MAX, &pem,
				    &len);
		if (r < 0)
			return fb_err_set(err, r, "key '%s': %s", path,
					  strerror(-r));
		(void)fb_strv_take_add(&keys->pem, pem);
		r = fb_strv_addf(&keys->from, "key '%s'", path);
	}
	for (size_t i = 0; i < rule->keys.count && r == 0; i++) {
		size_t len = 0;
		char *pem = fb_base64_decode(rule->keys.v[i], &len);

		if (!pem)
			return fb_err_set(err, -EBADMSG,
					  "keyData of the policy: not base64");
		(void)fb_strv_take_add(&keys->pem, pem);
		r = fb_strv_add(&keys->from, "keyData of the policy");
	}
	return r < 0 || keys->pem.err ? fb_err_set(err, -ENOMEM, "policy: %s",
						   strerror(ENOMEM))
				      : 0;
}

/* "signed HEX NAME": by one of these keys, in the way that this rule wants */
static int make_fact(const struct fb_trust_check *c,
		     const struct fb_policy_rule *rule, const struct keys *keys,
		     char out[FACT_MAX], struct fb_err *err)
{
	FB_HASH struct fb_hash *hash = fb_hash_new(FB_HASH_SHA256);
	char name[FB_REFERENCE_TEXT_MAX] = "", hex[2 * FB_HASH_SIZE_MAX + 1];
	uint8_t sum[FB_HASH_SIZE_MAX], identity = (uint8_t)rule->identity;
	int r = hash ? fb_hash_update(hash, &identity, 1) : -ENOMEM;

	if (r == 0)
		r = fb_hash_update(hash, rule->identity_name,
				   strlen(rule->identity_name) + 1);
	for (size_t i = 0; i < keys->pem.count && r == 0; i++)
		r = fb_hash_update(hash, keys->pem.v[i],
				   strlen(keys->pem.v[i]) + 1);
	if (r == 0)
		r = fb_hash_final(hash, sum);
	if (r < 0)
		return fb_err_set(err, r, "policy: %s", strerror(-r));
	fb_hex_encode(sum, fb_hash_size(FB_HASH_SHA256), hex);
	if (c->what->ref && rule->identity != FB_IDENTITY_ANY)
		(void)fb_reference_canonical(c->what->ref, name);
	(void)snprintf(out, FACT_MAX, "signed %s %s", hex, name);
	return 0;
}

static bool is_known(const struct fb_trust_check *c, const char *fact)
{
	for (size_t i = 0; c->what->facts && i < c->what->facts->count; i++)
		if (strcmp(c->what->facts->v[i], fact) == 0)
			return true;
	return false;
}

/* Return: 1 the key has signed; 0 not; negative errno */
static int has_signed(const struct fb_trust_check *c,
		      const struct fb_policy_rule *rule, const char *pem,
		      struct fb_err *err)
{
	FB_PUBKEY struct fb_pubkey *key = NULL;
	int r = fb_pubkey_parse(pem, strlen(pem), &key, err);

	for (size_t i = 0; r == 0 && i < c->signatures.count; i++) {
		const struct fb_signature *s = &c->signatures.v[i];

		if (fb_pubkey_verify(key, s->payload, s->payload_len, s->sig,
				     s->sig_len) == 0 &&
		    is_about(c, rule, s))
			return 1;
	}
	return r;
}

static int refuse(const struct fb_trust_check *c,
		  const struct fb_policy_rule *rule, struct fb_err *err)
{
	int r = fb_err_set(
		err, -EKEYREJECTED,
		c->signatures.count ? "none of its %zu signatures is by %s%s%s"
				    : "it has no signature%.0zu that is asked "
				      "for: by %s%s%s",
		c->signatures.count,
		rule->key_paths.count ? "key '" : "a key of the policy",
		rule->key_paths.count ? rule->key_paths.v[0] : "",
		rule->key_paths.count ? "' and about it" : "");

	return fb_err_hint(err, r, "sign it with cosign sign --key");
}

static int check(struct fb_trust_check *c, const struct fb_policy_rule *rule,
		 struct keys *keys, struct fb_err *err)
{
	char fact[FACT_MAX];
	int r = read_keys(rule, keys, err);

	if (r == 0)
		r = make_fact(c, rule, keys, fact, err);
	if (r < 0 || is_known(c, fact))
		return r;
	r = fetch(c, err);
	for (size_t i = 0; i < keys->pem.count && r == 0; i++) {
		r = has_signed(c, rule, keys->pem.v[i], err);
		if (r < 0)
			return fb_err_wrap(err, r, "%s", keys->from.v[i]);
	}
	if (r <= 0)
		return r < 0 ? r : refuse(c, rule, err);
	return c->found && fb_strv_add(c->found, fact) < 0
		       ? fb_err_set(err, -ENOMEM, "policy: %m")
		       : 0;
}

int fb_trust_signed(struct fb_trust_check *c, const struct fb_policy_rule *rule,
		    struct fb_err *err)
{
	struct keys keys = { 0 };
	int r = check(c, rule, &keys, err);

	keys_release(&keys);
	return r;
}
