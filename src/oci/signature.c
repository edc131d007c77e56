/* SPDX-License-Identifier: Apache-2.0 */
/* What a signature says, and whether that is about the image in question */
#include <errno.h>
#include <string.h>

#include "oci/json.h"
#include "oci/policy.h"

#define PAYLOAD_TYPE "cosign container image signature"
#define PAYLOAD_BYTES_MAX (1u << 20)

int fb_signature_payload_parse(const char *json, size_t len,
			       struct fb_signature_payload *ret,
			       struct fb_err *err)
{
	struct fb_signature_payload payload = { 0 };
	FB_JSON json_t *root = NULL;
	const json_t *critical;
	const char *type, *digest, *name;
	int r = len > PAYLOAD_BYTES_MAX
			? fb_err_set(err, -EBADMSG, "over 1 MiB")
			: fb_json_load(json, len, "signature", &root, err);

	if (r < 0)
		return r;
	critical = json_object_get(root, "critical");
	type = json_string_value(json_object_get(critical, "type"));
	digest = json_string_value(json_object_get(
		json_object_get(critical, "image"), "docker-manifest-digest"));
	name = json_string_value(json_object_get(
		json_object_get(critical, "identity"), "docker-reference"));
	if (!type || strcmp(type, PAYLOAD_TYPE) != 0 || !digest || !name ||
	    json_object_size(critical) != 3 ||
	    strlen(name) >= sizeof(payload.reference) ||
	    fb_digest_parse(digest, &payload.digest, NULL) < 0)
		return fb_err_set(err, -EBADMSG,
				  "what was signed is no container image");
	memcpy(payload.reference, name, strlen(name) + 1);
	*ret = payload;
	return 0;
}

static bool same_repository(const struct fb_reference *a,
			    const struct fb_reference *b)
{
	return strcmp(a->domain, b->domain) == 0 &&
	       strcmp(a->path, b->path) == 0;
}

/* cosign signs "host/name" without a tag: that is no exact reference */
static bool has_tag(const char *text)
{
	const char *slash = strrchr(text, '/');

	return strchr(slash ? slash : text, ':') != NULL;
}

static bool same_reference(const char *text, const struct fb_reference *a,
			   const struct fb_reference *b)
{
	return same_repository(a, b) && has_tag(text) && !b->digest.set &&
	       strcmp(a->tag, b->tag) == 0;
}

bool fb_policy_identity_matches(const struct fb_policy_rule *rule,
				const char *signed_as,
				const struct fb_reference *wanted)
{
	struct fb_reference named, expected;

	if (rule->identity == FB_IDENTITY_ANY)
		return true;
	if (fb_reference_parse(signed_as, &named, NULL) < 0)
		return false;
	switch (rule->identity) {
	case FB_IDENTITY_DIGEST_OR_EXACT:
		if (wanted->digest.set)
			return same_repository(&named, wanted);
		return same_reference(signed_as, &named, wanted);
	case FB_IDENTITY_EXACT:
		return same_reference(signed_as, &named, wanted);
	case FB_IDENTITY_REPOSITORY:
		return same_repository(&named, wanted);
	case FB_IDENTITY_EXACT_REFERENCE:
		return fb_reference_parse(rule->identity_name, &expected,
					  NULL) == 0 &&
		       same_reference(signed_as, &named, &expected);
	case FB_IDENTITY_EXACT_REPOSITORY:
		return fb_reference_parse(rule->identity_name, &expected,
					  NULL) == 0 &&
		       same_repository(&named, &expected);
	case FB_IDENTITY_ANY:
	default:
		return false;
	}
}
