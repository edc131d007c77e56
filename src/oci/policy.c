/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/policy.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "oci/json.h"

static void scope_release(struct fb_policy_scope *scope)
{
	for (size_t i = 0; i < scope->rule_count; i++) {
		fb_strv_release(&scope->rules[i].key_paths);
		fb_strv_release(&scope->rules[i].keys);
	}
	free(scope->rules);
	free(scope->name);
	*scope = (struct fb_policy_scope){ 0 };
}

void fb_policy_release(struct fb_policy *policy)
{
	for (size_t i = 0; i < policy->scope_count; i++)
		scope_release(&policy->scopes[i]);
	free(policy->scopes);
	scope_release(&policy->fallback);
	*policy = (struct fb_policy){ 0 };
}

static int not_understood(const char *what, struct fb_err *err)
{
	return fb_err_set(err, -EBADMSG, "'%.100s' is not understood", what);
}

/* Only these members; a typing error must not open anything */
static int only(const json_t *object, const char *const *names,
		struct fb_err *err)
{
	const char *key;
	void *iter = json_object_iter((json_t *)(uintptr_t)object);

	if (!json_is_object(object))
		return fb_err_set(err, -EBADMSG, "a requirement is no object");
	for (; iter;
	     iter = json_object_iter_next((json_t *)(uintptr_t)object, iter)) {
		const char *const *name = names;

		key = json_object_iter_key(iter);
		while (*name && strcmp(*name, key) != 0)
			name++;
		if (!*name)
			return not_understood(key, err);
	}
	return 0;
}

static const struct {
	const char *name;
	enum fb_policy_identity identity;
	const char *member; /* that names the identity */
} identities[] = {
	{ "matchRepoDigestOrExact", FB_IDENTITY_DIGEST_OR_EXACT, NULL },
	{ "matchExact", FB_IDENTITY_EXACT, NULL },
	{ "matchRepository", FB_IDENTITY_REPOSITORY, NULL },
	{ "exactReference", FB_IDENTITY_EXACT_REFERENCE, "dockerReference" },
	{ "exactRepository", FB_IDENTITY_EXACT_REPOSITORY, "dockerRepository" },
};

static int take_identity(const json_t *value, struct fb_policy_rule *rule,
			 struct fb_err *err)
{
	const char *type = json_string_value(json_object_get(value, "type"));
	const char *text;
	size_t i = 0;
	int r;

	if (!value)
		return 0;
	while (type && i < FB_ARRAY_SIZE(identities) &&
	       strcmp(type, identities[i].name) != 0)
		i++;
	if (!type || i == FB_ARRAY_SIZE(identities))
		return not_understood(type ? type : "signedIdentity", err);
	r = only(value,
		 (const char *const[]){ "type", identities[i].member, NULL },
		 err);
	if (r < 0)
		return r;
	rule->identity = identities[i].identity;
	if (!identities[i].member)
		return 0;
	text = json_string_value(json_object_get(value, identities[i].member));
	if (!text || !*text || strlen(text) >= sizeof(rule->identity_name))
		return fb_err_set(err, -EBADMSG, "'%s' is missing",
				  identities[i].member);
	memcpy(rule->identity_name, text, strlen(text) + 1);
	return 0;
}

/* @many may be absent; @one as well */
static int take_texts(const json_t *one, const json_t *many,
		      struct fb_strv *ret, struct fb_err *err)
{
	if ((one && !json_is_string(one)) || (many && !json_is_array(many)))
		return fb_err_set(err, -EBADMSG, "a key is no string");
	if (one)
		(void)fb_strv_add(ret, json_string_value(one));
	for (size_t i = 0; i < json_array_size(many); i++) {
		const char *text = json_string_value(json_array_get(many, i));

		if (!text)
			return fb_err_set(err, -EBADMSG, "a key is no string");
		(void)fb_strv_add(ret, text);
	}
	return ret->err ? fb_err_set(err, ret->err, "policy: %m") : 0;
}

static int take_signed(const json_t *json, struct fb_policy_rule *rule,
		       struct fb_err *err)
{
	static const char *const keyless[] = {
		"fulcio",
		"pki",
		"rekorPublicKeyPath",
		"rekorPublicKeyData",
		"rekorPublicKeyPaths",
		"rekorPublicKeyDatas",
	};
	static const char *const names[] = { "type",	       "keyType",
					     "keyPath",	       "keyPaths",
					     "keyData",	       "keyDatas",
					     "signedIdentity", NULL };
	int r;

	rule->kind = FB_POLICY_UNSUPPORTED;
	for (size_t i = 0; i < FB_ARRAY_SIZE(keyless); i++)
		if (json_object_get(json, keyless[i]))
			return 0;
	r = only(json, names, err);
	if (r == 0)
		r = take_texts(json_object_get(json, "keyPath"),
			       json_object_get(json, "keyPaths"),
			       &rule->key_paths, err);
	if (r == 0)
		r = take_texts(json_object_get(json, "keyData"),
			       json_object_get(json, "keyDatas"), &rule->keys,
			       err);
	if (r == 0 && rule->key_paths.count + rule->keys.count == 0)
		r = fb_err_set(err, -EBADMSG, "a signature without a key");
	rule->kind = FB_POLICY_SIGNED;
	return r < 0 ? r
		     : take_identity(json_object_get(json, "signedIdentity"),
				     rule, err);
}

static int take_rule(const json_t *json, struct fb_policy_rule *rule,
		     struct fb_err *err)
{
	const char *type = json_string_value(json_object_get(json, "type"));

	if (!type)
		return fb_err_set(err, -EBADMSG, "a requirement has no type");
	if (strcmp(type, "sigstoreSigned") == 0 &&
	    !json_object_get(json, "keyType"))
		return take_signed(json, rule, err);
	if (strcmp(type, "signedBy") == 0) {
		/* by public keys of sigstore's kind, or by GPG's */
		type = json_string_value(json_object_get(json, "keyType"));
		if (type && strncasecmp(type, "sigstore", 8) == 0)
			return take_signed(json, rule, err);
		rule->kind = FB_POLICY_UNSUPPORTED;
		return 0;
	}
	if (strcmp(type, "insecureAcceptAnything") == 0)
		rule->kind = FB_POLICY_ACCEPT;
	else if (strcmp(type, "reject") == 0)
		rule->kind = FB_POLICY_REJECT;
	else
		return not_understood(type, err);
	return only(json, (const char *const[]){ "type", NULL }, err);
}

static int take_scope(const char *name, const json_t *list,
		      struct fb_policy_scope *scope, struct fb_err *err)
{
	size_t count = json_array_size(list);
	int r = 0;

	if (count == 0)
		return fb_err_set(err, -EBADMSG,
				  "scope '%.100s' has no requirements", name);
	if (count > FB_POLICY_RULES_MAX)
		return fb_err_set(err, -E2BIG, "more than %d requirements",
				  FB_POLICY_RULES_MAX);
	scope->name = strdup(name);
	scope->rules = calloc(count, sizeof(*scope->rules));
	if (!scope->name || !scope->rules)
		return fb_err_set(err, -ENOMEM, "policy: %m");
	scope->rule_count = count;
	for (size_t i = 0; i < count && r == 0; i++)
		r = take_rule(json_array_get(list, i), &scope->rules[i], err);
	return r < 0 ? fb_err_wrap(err, r, "scope '%.100s'", name) : 0;
}

/* What a scope of each transport may be; of transports that are not here nothing comes */
static const struct {
	const char *name;
	bool paths; /* absolute ones; otherwise only "" but for docker */
} transports[] = {
	[FB_TRANSPORT_DOCKER] = { "docker", false },
	[FB_TRANSPORT_DOCKER_ARCHIVE] = { "docker-archive", false },
	[FB_TRANSPORT_OCI] = { "oci", true },
	[FB_TRANSPORT_OCI_ARCHIVE] = { "oci-archive", true },
	[FB_TRANSPORT_TARBALL] = { "tarball", false },
};

const char *fb_transport_name(enum fb_transport transport)
{
	return transports[transport].name;
}

int fb_transport_parse(const char *name, enum fb_transport *ret)
{
	for (size_t i = 0; i < FB_ARRAY_SIZE(transports); i++)
		if (strcmp(name, transports[i].name) == 0) {
			*ret = (enum fb_transport)i;
			return 0;
		}
	return -EINVAL;
}

static int check_scope(enum fb_transport transport, const char *name,
		       struct fb_err *err)
{
	if (!name[0] || transport == FB_TRANSPORT_DOCKER)
		return 0;
	if (!transports[transport].paths)
		return not_understood(name, err);
	if (name[0] != '/' || !name[1])
		return fb_err_set(err, -EBADMSG,
				  "scope '%.100s' is no absolute path", name);
	return 0;
}

static int take_scopes(enum fb_transport transport, json_t *json,
		       struct fb_policy *policy, struct fb_err *err)
{
	struct fb_policy_scope *scope;
	const char *name;
	json_t *list;
	int r = 0;

	if (!json)
		return 0;
	if (!json_is_object(json))
		return fb_err_set(err, -EBADMSG, "'%s' is no object",
				  transports[transport].name);
	if (json_object_size(json) + policy->scope_count > FB_POLICY_SCOPES_MAX)
		return fb_err_set(err, -E2BIG, "more than %d scopes",
				  FB_POLICY_SCOPES_MAX);
	if (!policy->scopes)
		policy->scopes =
			calloc(FB_POLICY_SCOPES_MAX, sizeof(*policy->scopes));
	if (!policy->scopes)
		return fb_err_set(err, -ENOMEM, "policy: %m");
	json_object_foreach(json, name, list)
	{
		scope = &policy->scopes[policy->scope_count++];
		scope->transport = transport;
		r = check_scope(transport, name, err);
		if (r == 0)
			r = take_scope(name, list, scope, err);
		if (r < 0)
			break;
	}
	return r;
}

int fb_policy_parse(const char *json, size_t len, struct fb_policy *ret,
		    struct fb_err *err)
{
	static const char *const names[] = { "default", "transports", NULL };
	struct fb_policy policy = { 0 };
	FB_JSON json_t *root = NULL;
	json_t *listed;
	int r = len > FB_POLICY_JSON_MAX
			? fb_err_set(err, -E2BIG, "over 1 MiB")
			: fb_json_load(json, len, "policy", &root, err);

	if (r == 0)
		r = only(root, names, err);
	if (r < 0)
		return r;
	listed = json_object_get(root, "transports");
	if (listed && !json_is_object(listed))
		r = fb_err_set(err, -EBADMSG, "'transports' is no object");
	if (r == 0)
		r = take_scope("default", json_object_get(root, "default"),
			       &policy.fallback, err);
	for (size_t i = 0; r == 0 && i < FB_ARRAY_SIZE(transports); i++)
		r = take_scopes((enum fb_transport)i,
				json_object_get(listed, transports[i].name),
				&policy, err);
	if (r < 0) {
		fb_policy_release(&policy);
		return r;
	}
	*ret = policy;
	return 0;
}
