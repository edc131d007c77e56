/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Theory of operation.  The rules for an image are those of policy.json's most
 * exact scope and one more for each key of --require-signature; all must hold.  A
 * rule about signatures holds when one of its keys has signed a payload that
 * names one of the image's digests and a fitting name.  The image's manifest is
 * bound to its index by digest, so a signature of either will do.
 *
 * Signatures are fetched once, and only where a rule asks for them; what cannot be
 * fetched, read or understood counts as none (trust_signed.c).  What was found good
 * is remembered with the image, bound to the keys' bytes, so that it need not be
 * asked for again; a signature that is withdrawn later is not noticed before the
 * next pull.
 *
 * What a file or folder brought is remembered likewise: podman asks the policy
 * about a place once, when an image comes from there, and so do we; but the policy
 * may have changed since, so the place is judged anew each time.
 */
#include "image/trust.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/io.h"
#include "image/trust_signed.h"

/* a fact: "from oci-archive:/path" */
#define FROM "from "

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

static int check_rule(struct fb_trust_check *c,
		      const struct fb_policy_rule *rule, struct fb_err *err)
{
	switch (rule->kind) {
	case FB_POLICY_ACCEPT:
		return 0;
	case FB_POLICY_SIGNED:
		return fb_trust_signed(c, rule, err);
	case FB_POLICY_UNSUPPORTED:
		return fb_err_set(err, -EOPNOTSUPP,
				  "it asks for a kind of signature that is not "
				  "supported (GPG, Fulcio, Rekor)");
	case FB_POLICY_REJECT:
	default:
		return fb_err_set(err, -EPERM, "images of it are rejected");
	}
}

static int check_scope(struct fb_trust_check *c, const struct fb_trust *trust,
		       const struct fb_policy_scope *scope, struct fb_err *err)
{
	int r = 0;

	for (size_t i = 0; i < scope->rule_count && r == 0; i++)
		r = check_rule(c, &scope->rules[i], err);
	return r < 0 ? fb_err_wrap(err, r, "'%s', scope '%s'", trust->path,
				   scope->name)
		     : 0;
}

static const struct fb_policy_scope *scope_of_fact(const struct fb_trust *trust,
						   const char *fact)
{
	const char *colon = strchr(fact, ':');
	enum fb_transport transport;
	char name[32];

	if (strncmp(fact, FROM, strlen(FROM)) != 0 || !colon)
		return NULL;
	fact += strlen(FROM);
	(void)snprintf(name, sizeof(name), "%.*s", (int)(colon - fact), fact);
	return fb_transport_parse(name, &transport) == 0
		       ? fb_policy_lookup_path(&trust->policy, transport,
					       colon + 1)
		       : NULL;
}

/* One good place is enough: the bytes are the same wherever they come from */
static bool came_from_good_place(const struct fb_trust *trust,
				 const struct fb_strv *facts)
{
	const struct fb_trust_subject nobody = { 0 };
	struct fb_trust_check nothing = { .what = &nobody };

	for (size_t i = 0; facts && i < facts->count; i++) {
		const struct fb_policy_scope *scope =
			scope_of_fact(trust, facts->v[i]);

		if (scope && check_scope(&nothing, trust, scope, NULL) == 0)
			return true;
	}
	return false;
}

static int check_policy(struct fb_trust_check *c, const struct fb_trust *trust,
			struct fb_err *err)
{
	const struct fb_reference *ref = c->what->ref;

	if (came_from_good_place(trust, c->what->facts))
		return 0;
	return check_scope(c, trust,
			   ref ? fb_policy_lookup(&trust->policy, ref)
			       : &trust->policy.fallback,
			   err);
}

static int check_required(struct fb_trust_check *c, const char *path,
			  struct fb_err *err)
{
	struct fb_policy_rule rule = { .kind = FB_POLICY_SIGNED,
				       .identity = FB_IDENTITY_ANY };
	int r = fb_strv_add(&rule.key_paths, path);

	r = r < 0 ? fb_err_set(err, r, "policy: %m")
		  : fb_trust_signed(c, &rule, err);
	fb_strv_release(&rule.key_paths);
	return r;
}

int fb_trust_check(const struct fb_image_context *ctx,
		   const struct fb_trust *trust,
		   const struct fb_trust_subject *subject,
		   struct fb_strv *ret_facts, struct fb_err *err)
{
	struct fb_trust_check c = { .ctx = ctx,
				    .what = subject,
				    .found = ret_facts };
	int r = 0;

	if (!trust)
		return 0;
	if (trust->has_policy)
		r = check_policy(&c, trust, err);
	for (size_t i = 0; i < trust->required.count && r == 0; i++)
		r = check_required(&c, trust->required.v[i], err);
	fb_trust_check_release(&c);
	return r < 0 ? fb_err_wrap(err, r, "not trusted") : 0;
}

static char *place_fact(enum fb_transport transport, const char *path)
{
	FB_FREE char *full = strcmp(path, "-") ? realpath(path, NULL) : NULL;
	char *fact = NULL;

	if (asprintf(&fact, FROM "%s:%s", fb_transport_name(transport),
		     full ? full : "") < 0)
		return NULL;
	return fact;
}

int fb_trust_check_file(const struct fb_trust *trust,
			enum fb_transport transport, const char *path,
			char **ret_fact, struct fb_err *err)
{
	const struct fb_trust_subject nobody = { 0 };
	struct fb_trust_check nothing = { .what = &nobody };
	FB_FREE char *fact = place_fact(transport, path);
	int r = 0;

	if (!fact)
		return fb_err_set(err, -ENOMEM, "policy: %m");
	if (trust && trust->has_policy)
		r = check_scope(&nothing, trust, scope_of_fact(trust, fact),
				err);
	for (size_t i = 0; trust && i < trust->required.count && r == 0; i++)
		r = check_required(&nothing, trust->required.v[i], err);
	fb_trust_check_release(&nothing);
	if (r < 0)
		return fb_err_wrap(err, r, "not trusted");
	if (ret_fact)
		*ret_fact = FB_TAKE_PTR(fact);
	return 0;
}
