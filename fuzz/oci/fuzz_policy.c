/* SPDX-License-Identifier: Apache-2.0 */
/* policy.json, and what a signature says */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "oci/policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void look(const struct fb_policy *policy, const char *text)
{
	const struct fb_policy_scope *scope;
	struct fb_reference ref;

	if (fb_reference_parse(text, &ref, NULL) < 0)
		abort();
	scope = fb_policy_lookup(policy, &ref);
	/* no rules would be a permission that nobody has given */
	if (!scope || scope->rule_count == 0)
		abort();
	for (int i = 0; i <= FB_TRANSPORT_TARBALL; i++)
		if (fb_policy_lookup_path(policy, (enum fb_transport)i, "/a/b")
			    ->rule_count == 0)
			abort();
	for (size_t i = 0; i < scope->rule_count; i++)
		if (scope->rules[i].kind == FB_POLICY_SIGNED &&
		    scope->rules[i].key_paths.count +
				    scope->rules[i].keys.count ==
			    0)
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *json = (const char *)data;
	struct fb_signature_payload payload;
	struct fb_policy policy = { 0 };

	if (fb_policy_parse(json, size, &policy, NULL) == 0) {
		look(&policy, "alpine:3");
		look(&policy, "h.example:5000/a/b");
		fb_policy_release(&policy);
	}
	if (fb_signature_payload_parse(json, size, &payload, NULL) == 0 &&
	    !payload.digest.set)
		abort();
	return 0;
}
