/* SPDX-License-Identifier: Apache-2.0 */
/* The most exact of a policy's scopes for a place that an image comes from. */
#include <stdio.h>
#include <string.h>

#include "oci/policy.h"

static const struct fb_policy_scope *find(const struct fb_policy *policy,
					  enum fb_transport transport,
					  const char *name, size_t len)
{
	for (size_t i = 0; i < policy->scope_count; i++)
		if (policy->scopes[i].transport == transport &&
		    strlen(policy->scopes[i].name) == len &&
		    memcmp(policy->scopes[i].name, name, len) == 0)
			return &policy->scopes[i];
	return NULL;
}

/* "*.example.com" for "a.b.example.com:5000" as well, the nearest first */
static const struct fb_policy_scope *
find_wildcard(const struct fb_policy *policy, const char *domain)
{
	char name[sizeof(((struct fb_reference *)0)->domain) + 2];
	const struct fb_policy_scope *scope = NULL;
	const char *dot = strchr(domain, '.');

	for (; dot && !scope; dot = strchr(dot + 1, '.')) {
		(void)snprintf(name, sizeof(name), "*%s", dot);
		name[strcspn(name, ":")] = '\0';
		scope = find(policy, FB_TRANSPORT_DOCKER, name, strlen(name));
	}
	return scope;
}

const struct fb_policy_scope *fb_policy_lookup(const struct fb_policy *policy,
					       const struct fb_reference *ref)
{
	char name[FB_REFERENCE_TEXT_MAX];
	const struct fb_policy_scope *scope;
	struct fb_reference one = *ref;
	size_t n;

	if (one.digest.set)
		one.tag[0] = '\0';
	(void)fb_reference_canonical(&one, name);
	scope = find(policy, FB_TRANSPORT_DOCKER, name, strlen(name));
	n = strlen(ref->domain) + 1 + strlen(ref->path);
	while (!scope) {
		scope = find(policy, FB_TRANSPORT_DOCKER, name, n);
		while (n > 0 && name[n - 1] != '/')
			n--;
		if (n == 0)
			break;
		n--;
	}
	if (!scope)
		scope = find_wildcard(policy, ref->domain);
	if (!scope)
		scope = find(policy, FB_TRANSPORT_DOCKER, "", 0);
	return scope ? scope : &policy->fallback;
}

const struct fb_policy_scope *
fb_policy_lookup_path(const struct fb_policy *policy,
		      enum fb_transport transport, const char *path)
{
	const struct fb_policy_scope *scope = NULL;
	size_t n = path[0] == '/' ? strlen(path) : 0;

	while (!scope && n > 0) {
		scope = find(policy, transport, path, n);
		while (n > 0 && path[n - 1] != '/')
			n--;
		n -= n > 0;
	}
	if (!scope)
		scope = find(policy, transport, "", 0);
	return scope ? scope : &policy->fallback;
}
