/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Theory of operation.  The rules for an image are those of policy.json's most
 * exact scope and one more for each key of --require-signature; all must hold.  A
 * rule about signatures holds when one of its keys has signed a payload that
 * names one of the image's digests and a fitting name.  The image's manifest is
 * bound to its index by digest, so a signature of either will do.
 *
 * Signatures are fetched once, and only where a rule asks for them; what cannot be
 * fetched, read or understood counts as none.
 */
#include "image/trust.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/io.h"
#include "base/pubkey.h"
#include "image/outgoing.h"
#include "registry/base64.h"
#include "registry/signatures.h"

#define SYSTEM_FILE "/etc/containers/policy.json"

void fb_trust_release(struct fb_trust *trust)
{
	fb_policy_release(&trust->policy);
	free(trust->path);
	fb_strv_release(&trust->required);
	*trust = (struct fb_trust){ 0 };
}

/* Return: 0; -ENOENT not there; another negative errno */
static int read_policy(const char *path, struct fb_trust *trust,
		       struct fb_err *err)
{
	FB_FREE char *text = NULL;
	size_t len = 0;
	int r = fb_read_file_at(AT_FDCWD, path, FB_POLICY_JSON_MAX, &text,
				&len);

	if (r == -ENOENT)
		return r;
	if (r < 0)
		return fb_err_set(err, r, "read '%s': %s", path, strerror(-r));
	r = fb_policy_parse(text, len, &trust->policy, err);
	if (r < 0)
		return fb_err_wrap(err, r, "'%s'", path);
	trust->path = strdup(path);
	trust->has_policy = true;
	return trust->path ? 0 : fb_err_set(err, -ENOMEM, "policy: %m");
}

static int find_policy(struct fb_trust *trust, struct fb_err *err)
{
	const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
	FB_FREE char *path = NULL;
	int r = 0;

	if (config && config[0] == '/')
		r = asprintf(&path, "%s/containers/policy.json", config);
	else if (home && home[0] == '/')
		r = asprintf(&path, "%s/.config/containers/policy.json", home);
	if (r < 0) {
		path = NULL;
		return fb_err_set(err, -ENOMEM, "policy: %m");
	}
	r = path ? read_policy(path, trust, err) : -ENOENT;
	if (r == -ENOENT)
		r = read_policy(SYSTEM_FILE, trust, err);
	return r == -ENOENT ? 0 : r;
}

int fb_trust_load(const char *const *required, struct fb_trust *ret,
		  struct fb_err *err)
{
	struct fb_trust trust = { 0 };
	int r = 0;

	for (; required && *required && r == 0; required++)
		r = fb_strv_add(&trust.required, *required);
	if (r < 0)
		(void)fb_err_set(err, r, "policy: %m");
	if (r == 0)
		r = find_policy(&trust, err);
	if (r < 0) {
		fb_trust_release(&trust);
		return r;
	}
	*ret = trust;
	return 0;
}

/**
 * struct check - One image being checked
 * @fetched: @signatures are there
 */
struct check {
	const struct fb_image_context *ctx;
	struct fb_registry *registry;
	struct fb_registry *own;
	const struct fb_registry_options *options;
	const struct fb_reference *ref;
	const struct fb_digest *digests;
	size_t count;
	bool fetched;
	struct fb_signatures signatures;
};

static int fetch(struct check *c, struct fb_err *err)
{
	int r = 0;

	if (c->fetched || !c->ref)
		return 0;
	if (!c->registry) {
		r = fb_image_registry_open(c->ctx, c->ref->domain, c->options,
					   &c->own, err);
		c->registry = c->own;
	}
	for (size_t i = 0; i < c->count && r == 0; i++)
		r = fb_registry_get_signatures(c->registry, c->ref,
					       &c->digests[i], &c->signatures,
					       err);
	c->fetched = r == 0;
	return r < 0 ? fb_err_wrap(err, r, "signatures") : 0;
}

static bool is_about(const struct check *c, const struct fb_policy_rule *rule,
		     const struct fb_signature *s)
{
	struct fb_signature_payload payload;

	if (fb_signature_payload_parse(s->payload, s->payload_len, &payload,
				       NULL) < 0 ||
	    !fb_policy_identity_matches(rule, payload.reference, c->ref))
		return false;
	for (size_t i = 0; i < c->count; i++)
		if (fb_digest_equal(&payload.digest, &c->digests[i]))
			return true;
	return false;
}

static bool has_signed(const struct check *c, const struct fb_policy_rule *rule,
		       const struct fb_pubkey *key)
{
	for (size_t i = 0; i < c->signatures.count; i++) {
		const struct fb_signature *s = &c->signatures.v[i];

		if (fb_pubkey_verify(key, s->payload, s->payload_len, s->sig,
				     s->sig_len) == 0 &&
		    is_about(c, rule, s))
			return true;
	}
	return false;
}

/* Return: 1 a key of a file has signed; 0 not; negative errno */
static int try_file(const struct check *c, const struct fb_policy_rule *rule,
		    const char *path, struct fb_err *err)
{
	FB_PUBKEY struct fb_pubkey *key = NULL;
	FB_FREE char *pem = NULL;
	size_t len = 0;
	int r = fb_read_file_at(AT_FDCWD, path, FB_PUBKEY_PEM_MAX, &pem, &len);

	if (r < 0)
		return fb_err_set(err, r, "key '%s': %s", path, strerror(-r));
	r = fb_pubkey_parse(pem, len, &key, err);
	if (r < 0)
		return fb_err_wrap(err, r, "key '%s'", path);
	return has_signed(c, rule, key);
}

static int try_text(const struct check *c, const struct fb_policy_rule *rule,
		    const char *base64, struct fb_err *err)
{
	FB_PUBKEY struct fb_pubkey *key = NULL;
	size_t len = 0;
	FB_FREE char *pem = fb_base64_decode(base64, &len);
	int r = pem ? fb_pubkey_parse(pem, len, &key, err)
		    : fb_err_set(err, -EBADMSG, "not base64");

	if (r < 0)
		return fb_err_wrap(err, r, "keyData of the policy");
	return has_signed(c, rule, key);
}

static int check_signed(struct check *c, const struct fb_policy_rule *rule,
			struct fb_err *err)
{
	int r = fetch(c, err);

	for (size_t i = 0; i < rule->key_paths.count && r == 0; i++)
		r = try_file(c, rule, rule->key_paths.v[i], err);
	for (size_t i = 0; i < rule->keys.count && r == 0; i++)
		r = try_text(c, rule, rule->keys.v[i], err);
	if (r != 0)
		return r < 0 ? r : 0;
	r = fb_err_set(err, -EKEYREJECTED,
		       c->signatures.count
			       ? "none of its %zu signatures is by %s%s%s"
			       : "it has no signature%.0zu that is asked for: "
				 "by %s%s%s",
		       c->signatures.count,
		       rule->key_paths.count ? "key '" : "a key of the policy",
		       rule->key_paths.count ? rule->key_paths.v[0] : "",
		       rule->key_paths.count ? "' and about it" : "");
	return fb_err_hint(err, r, "sign it with cosign sign --key");
}

static int check_rule(struct check *c, const struct fb_policy_rule *rule,
		      struct fb_err *err)
{
	switch (rule->kind) {
	case FB_POLICY_ACCEPT:
		return 0;
	case FB_POLICY_SIGNED:
		return check_signed(c, rule, err);
	case FB_POLICY_UNSUPPORTED:
		return fb_err_set(err, -EOPNOTSUPP,
				  "it asks for a kind of signature that is not "
				  "supported (GPG, Fulcio, Rekor)");
	case FB_POLICY_REJECT:
	default:
		return fb_err_set(err, -EPERM, "images of it are rejected");
	}
}

static int check_policy(struct check *c, const struct fb_trust *trust,
			struct fb_err *err)
{
	const struct fb_policy_scope *scope =
		c->ref ? fb_policy_lookup(&trust->policy, c->ref)
		       : &trust->policy.fallback;
	int r = 0;

	for (size_t i = 0; i < scope->rule_count && r == 0; i++)
		r = check_rule(c, &scope->rules[i], err);
	return r < 0 ? fb_err_wrap(err, r, "'%s', scope '%s'", trust->path,
				   scope->name)
		     : 0;
}

static int check_required(struct check *c, const char *path, struct fb_err *err)
{
	struct fb_policy_rule rule = { .kind = FB_POLICY_SIGNED,
				       .identity = FB_IDENTITY_ANY };
	int r = fb_strv_add(&rule.key_paths, path);

	r = r < 0 ? fb_err_set(err, r, "policy: %m")
		  : check_signed(c, &rule, err);
	fb_strv_release(&rule.key_paths);
	return r;
}

int fb_trust_check(const struct fb_image_context *ctx,
		   const struct fb_trust *trust, struct fb_registry *registry,
		   const struct fb_registry_options *options,
		   const struct fb_reference *ref,
		   const struct fb_digest *digests, size_t count,
		   struct fb_err *err)
{
	struct check c = { .ctx = ctx,
			   .registry = registry,
			   .options = options,
			   .ref = ref,
			   .digests = digests,
			   .count = count };
	int r = 0;

	if (!trust)
		return 0;
	if (trust->has_policy)
		r = check_policy(&c, trust, err);
	for (size_t i = 0; i < trust->required.count && r == 0; i++)
		r = check_required(&c, trust->required.v[i], err);
	fb_signatures_release(&c.signatures);
	fb_registry_close(c.own);
	return r < 0 ? fb_err_wrap(err, r, "not trusted") : 0;
}
