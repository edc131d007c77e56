/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "oci/policy.h"
#include "tap.h"

#define ACCEPT "[{\"type\":\"insecureAcceptAnything\"}]"
#define REJECT "[{\"type\":\"reject\"}]"
#define SIGNED "[{\"type\":\"sigstoreSigned\",\"keyPath\":\"/k.pub\"}]"

static const char *const scoped =
	"{\"default\":" REJECT
	",\"transports\":{\"docker\":{"
	"\"docker.io/library/alpine:3\":" ACCEPT
	","
	"\"docker.io/library/alpine\":" SIGNED
	","
	"\"docker.io/library\":" ACCEPT
	","
	"\"h.example:5000\":" SIGNED
	","
	"\"*.example\":" ACCEPT
	"},"
	"\"docker-archive\":{\"\":" ACCEPT
	"},"
	"\"oci\":{\"/a/b\":" ACCEPT ",\"/a/b/c\":" SIGNED
	"},\"atomic\":{\"x\":" ACCEPT "}}}";

static void test_scopes(void)
{
	static const struct {
		const char *ref;
		const char *scope;
	} cases[] = {
		{ "alpine:3", "docker.io/library/alpine:3" },
		{ "alpine:4", "docker.io/library/alpine" },
		{ "alpine", "docker.io/library/alpine" },
		{ "alpine2", "docker.io/library" },
		{ "library2/x", "default" },
		{ "h.example:5000/a/b", "h.example:5000" },
		{ "h.example/a/b", "*.example" },
		{ "a.b.example:1/a", "*.example" },
		{ "example.com/a", "default" },
	};
	struct fb_policy policy = { 0 };

	TAP_INT(fb_policy_parse(scoped, strlen(scoped), &policy, NULL), 0,
		"parsed");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fb_reference ref;

		(void)fb_reference_parse(cases[i].ref, &ref, NULL);
		TAP_STR(fb_policy_lookup(&policy, &ref)->name, cases[i].scope,
			"scope of %s", cases[i].ref);
	}
	fb_policy_release(&policy);
}

static void test_paths(void)
{
	static const struct {
		enum fb_transport transport;
		const char *path;
		const char *scope;
	} cases[] = {
		{ FB_TRANSPORT_OCI, "/a/b/c", "/a/b/c" },
		{ FB_TRANSPORT_OCI, "/a/b/c/d/e", "/a/b/c" },
		{ FB_TRANSPORT_OCI, "/a/b/cd", "/a/b" },
		{ FB_TRANSPORT_OCI, "/a/b", "/a/b" },
		{ FB_TRANSPORT_OCI, "/a/bc", "default" },
		{ FB_TRANSPORT_OCI, "/", "default" },
		{ FB_TRANSPORT_OCI, "", "default" },
		{ FB_TRANSPORT_OCI, "a/b", "default" },
		{ FB_TRANSPORT_OCI_ARCHIVE, "/a/b", "default" },
		{ FB_TRANSPORT_DOCKER_ARCHIVE, "/a/b", "" },
		{ FB_TRANSPORT_DOCKER_ARCHIVE, "", "" },
		{ FB_TRANSPORT_TARBALL, "/a/b", "default" },
	};
	struct fb_policy policy = { 0 };
	enum fb_transport transport;

	(void)fb_policy_parse(scoped, strlen(scoped), &policy, NULL);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		TAP_STR(fb_policy_lookup_path(&policy, cases[i].transport,
					      cases[i].path)
				->name,
			cases[i].scope, "scope of %s:%s",
			fb_transport_name(cases[i].transport), cases[i].path);
	fb_policy_release(&policy);
	TAP_INT(fb_transport_parse("oci-archive", &transport), 0, "a name");
	TAP_INT(transport, FB_TRANSPORT_OCI_ARCHIVE, "is that transport's");
	TAP_INT(fb_transport_parse("dir", &transport), -EINVAL, "no name");
}

static void test_rules(void)
{
	const char *json =
		"{\"default\":[{\"type\":\"sigstoreSigned\","
		"\"keyPaths\":[\"/a\",\"/b\"],\"keyData\":\"QUJD\","
		"\"signedIdentity\":{\"type\":\"exactRepository\","
		"\"dockerRepository\":\"h.example/x\"}},"
		"{\"type\":\"signedBy\",\"keyType\":\"GPGKeys\","
		"\"keyPath\":\"/gpg\"},"
		"{\"type\":\"signedBy\",\"keyType\":\"sigstoreKeys\","
		"\"keyPath\":\"/c\"}]}";
	struct fb_policy p = { 0 };

	TAP_INT(fb_policy_parse(json, strlen(json), &p, NULL), 0, "two rules");
	TAP_INT(p.fallback.rule_count, 3, "all");
	TAP_INT(p.fallback.rules[2].kind, FB_POLICY_SIGNED,
		"signedBy a public key");
	TAP_INT(p.fallback.rules[0].kind, FB_POLICY_SIGNED, "signed");
	TAP_INT(p.fallback.rules[0].key_paths.count, 2, "paths");
	TAP_STR(p.fallback.rules[0].keys.v[0], "QUJD", "a key's text");
	TAP_INT(p.fallback.rules[0].identity, FB_IDENTITY_EXACT_REPOSITORY,
		"identity");
	TAP_STR(p.fallback.rules[0].identity_name, "h.example/x", "its name");
	TAP_INT(p.fallback.rules[1].kind, FB_POLICY_UNSUPPORTED,
		"GPG is known to be not supported");
	fb_policy_release(&p);
}

static void test_malformed(void)
{
	static const char *const bad[] = {
		"{}",
		"oops",
		"{\"default\":[]}",
		"{\"default\":{}}",
		"{\"default\":[{}]}",
		"{\"default\":[5]}",
		"{\"default\":[{\"type\":\"accept\"}]}",
		"{\"default\":[{\"type\":\"reject\",\"x\":1}]}",
		"{\"default\":" ACCEPT ",\"transport\":{}}",
		"{\"default\":" ACCEPT ",\"transports\":[]}",
		"{\"default\":" ACCEPT ",\"transports\":{\"docker\":[]}}",
		"{\"default\":" ACCEPT
		",\"transports\":{\"docker\":{\"x\":[]}}}",
		"{\"default\":[{\"type\":\"sigstoreSigned\"}]}",
		"{\"default\":[{\"type\":\"sigstoreSigned\","
		"\"keyPath\":\"/k\",\"keyType\":\"x\"}]}",
		"{\"default\":[{\"type\":\"signedBy\","
		"\"keyType\":\"sigstore\"}]}",
		"{\"default\":[{\"type\":\"sigstoreSigned\",\"keyPath\":5}]}",
		"{\"default\":[{\"type\":\"sigstoreSigned\",\"keyPath\":\"/k\","
		"\"signedIdentity\":{\"type\":\"any\"}}]}",
		"{\"default\":[{\"type\":\"sigstoreSigned\",\"keyPath\":\"/k\","
		"\"signedIdentity\":{\"type\":\"exactReference\"}}]}",
		"{\"default\":[{\"type\":\"sigstoreSigned\",\"keyPath\":\"/k\","
		"\"keypath\":\"/l\"}]}",
	};
	struct fb_policy p = { 0 };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		TAP_INT(fb_policy_parse(bad[i], strlen(bad[i]), &p, NULL),
			-EBADMSG, "refused: %s", bad[i]);
}

#define DIGEST                       \
	"sha256:0123456789abcdef"    \
	"0123456789abcdef0123456789" \
	"abcdef0123456789abcdef"
#define PAYLOAD(type, more)                                             \
	"{\"critical\":{\"identity\":{\"docker-reference\":\"h.x/a\"}," \
	"\"image\":{\"docker-manifest-digest\":\"" DIGEST "\"}," type   \
	"}"                                                             \
	"," more "\"optional\":null}"

static void test_payload(void)
{
	const char *good =
		PAYLOAD("\"type\":\"cosign container image "
			"signature\"",
			"");
	const char *bad[] = {
		PAYLOAD("\"type\":\"atomic container signature\"", ""),
		PAYLOAD("\"type\":\"cosign container image signature\","
			"\"more\":1",
			""),
		"{}",
		"oops",
	};
	struct fb_signature_payload p = { 0 };

	TAP_INT(fb_signature_payload_parse(good, strlen(good), &p, NULL), 0,
		"payload");
	TAP_STR(p.reference, "h.x/a", "its name");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		TAP_INT(fb_signature_payload_parse(bad[i], strlen(bad[i]), &p,
						   NULL),
			-EBADMSG, "no payload: %s", bad[i]);
}

static void test_identities(void)
{
	static const struct {
		enum fb_policy_identity identity;
		const char *name;
		const char *signed_as;
		const char *wanted;
		bool ok;
	} cases[] = {
		{ FB_IDENTITY_DIGEST_OR_EXACT, "", "h.x/a:1", "h.x/a:1", true },
		{ FB_IDENTITY_DIGEST_OR_EXACT, "", "h.x/a:1", "h.x/a:2",
		  false },
		{ FB_IDENTITY_DIGEST_OR_EXACT, "", "h.x/a:1", "h.x/a@" DIGEST,
		  true },
		{ FB_IDENTITY_DIGEST_OR_EXACT, "", "h.x/b:1", "h.x/a@" DIGEST,
		  false },
		{ FB_IDENTITY_DIGEST_OR_EXACT, "", "h.x/a", "h.x/a:latest",
		  false },
		{ FB_IDENTITY_EXACT, "", "h.x/a:1", "h.x/a@" DIGEST, false },
		{ FB_IDENTITY_REPOSITORY, "", "h.x/a", "h.x/a:7", true },
		{ FB_IDENTITY_REPOSITORY, "", "h.x/a", "h.y/a:7", false },
		{ FB_IDENTITY_REPOSITORY, "", "not valid", "h.y/a:7", false },
		{ FB_IDENTITY_EXACT_REFERENCE, "h.x/b:2", "h.x/b:2", "c",
		  true },
		{ FB_IDENTITY_EXACT_REFERENCE, "h.x/b:2", "h.x/b:3", "c",
		  false },
		{ FB_IDENTITY_EXACT_REPOSITORY, "h.x/b", "h.x/b:3", "c", true },
		{ FB_IDENTITY_EXACT_REPOSITORY, "h.x/b", "h.x/c", "c", false },
		{ FB_IDENTITY_ANY, "", "not valid", "c", true },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fb_policy_rule rule = { .identity = cases[i].identity };
		struct fb_reference ref;

		memcpy(rule.identity_name, cases[i].name,
		       strlen(cases[i].name) + 1);
		(void)fb_reference_parse(cases[i].wanted, &ref, NULL);
		TAP_OK(fb_policy_identity_matches(&rule, cases[i].signed_as,
						  &ref) == cases[i].ok,
		       "%s %s %s", cases[i].signed_as,
		       cases[i].ok ? "is" : "is not", cases[i].wanted);
	}
}

int main(void)
{
	test_scopes();
	test_paths();
	test_rules();
	test_malformed();
	test_payload();
	test_identities();
	return tap_done();
}
