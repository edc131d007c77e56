/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/auth_file.h"

#include <errno.h>

#include "tap.h"

/* "user:pass", "u:p:q", "nocolon", ":x", and "user:pass" with NULs behind it */
#define USER_PASS "dXNlcjpwYXNz"
#define COLONS "dTpwOnE="
#define NO_COLON "bm9jb2xvbg=="
#define NO_USER "Ong="
#define PADDED "dXNlcjpwYXNzAAA="

static int look(const char *json, const char *host, const char *repository,
		struct fb_auth_found *found)
{
	return fb_auth_file_lookup(json, strlen(json), host, repository, found,
				   NULL);
}

static void expect(const char *json, const char *host, const char *repository,
		   const char *username, const char *what)
{
	struct fb_auth_found found = { 0 };
	int r = look(json, host, repository, &found);

	if (username)
		TAP_OK(r == 0 && found.credential.username &&
			       strcmp(found.credential.username, username) == 0,
		       "%s: '%s'", what, username);
	else
		TAP_INT(r, -ENOENT, "%s: nothing", what);
	fb_auth_found_release(&found);
}

static void test_docker_keys(void)
{
	const char *hub =
		"{\"auths\":{\"https://index.docker.io/v1/\":{"
		"\"auth\":\"" USER_PASS "\"}}}";
	static const char *const names[] = { "docker.io", "index.docker.io",
					     "https://registry-1.docker.io",
					     "https://index.docker.io/v1/" };
	char json[256];

	expect(hub, "docker.io", "library/alpine", "user", "docker's key");
	expect(hub, "docker.io.evil", "library/alpine", NULL, "another host");
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		(void)snprintf(json, sizeof(json),
			       "{\"auths\":{\"%s\":{\"auth\":\"%s\"}}}",
			       names[i], USER_PASS);
		expect(json, "docker.io", "library/alpine", "user", names[i]);
	}
	expect("{\"auths\":{\"https://h:5000\":{\"auth\":\"" USER_PASS "\"}}}",
	       "h:5000", "a", "user", "a URL with a port");
	expect("{\"auths\":{\"h:5000\":{\"auth\":\"" USER_PASS "\"}}}", "h",
	       "a", NULL, "another port");
	expect("{\"auths\":{\"h/v2/\":{\"auth\":\"" USER_PASS "\"}}}", "h", "a",
	       "user", "an API's path");
}

static void test_scoped_keys(void)
{
	const char *json =
		"{\"auths\":{"
		"\"h\":{\"username\":\"host\",\"password\":\"p\"},"
		"\"https://h/v1/\":{\"username\":\"url\",\"password\":\"p\"},"
		"\"h/team\":{\"username\":\"team\",\"password\":\"p\"},"
		"\"h/team/app/\":{\"username\":\"app\",\"password\":\"p\"}}}";

	expect(json, "h", "other", "host", "the host goes before a URL");
	expect(json, "h", "team/x", "team", "a name space");
	expect(json, "h", "team/app", "app", "the repository itself");
	expect(json, "h", "team/app/deeper", "app", "below it");
	expect(json, "h", "teammate", "host", "not a part of a name");
	expect(json, "i", "team", NULL, "another host");
}

static void test_entries(void)
{
	struct fb_auth_found found = { 0 };

	TAP_INT(look("{\"auths\":{\"h\":{\"auth\":\"" COLONS "\"}}}", "h", "a",
		     &found),
		0, "a password with a colon");
	TAP_STR(found.credential.password, "p:q", "is whole");
	fb_auth_found_release(&found);
	TAP_INT(look("{\"auths\":{\"h\":{\"auth\":\"" PADDED "\"}}}", "h", "a",
		     &found),
		0, "NULs behind a password");
	TAP_STR(found.credential.password, "pass", "are cut off");
	fb_auth_found_release(&found);
	TAP_INT(look("{\"auths\":{\"h\":{\"identitytoken\":\"t\"}}}", "h", "a",
		     &found),
		0, "an identity token");
	TAP_STR(found.credential.identity_token, "t", "alone");
	fb_auth_found_release(&found);
	TAP_INT(look("{\"auths\":{\"h\":{}}}", "h", "a", &found), -ENOENT,
		"an empty entry is none");
	TAP_INT(look("{\"auths\":{\"h\":{\"auth\":\"\"}}}", "h", "a", &found),
		-ENOENT, "nor is an empty auth");
	TAP_INT(look("{}", "h", "a", &found), -ENOENT, "no auths");
	TAP_INT(look("{\"auths\":[]}", "h", "a", &found), -ENOENT,
		"auths of another type");
}

static void test_malformed(void)
{
	static const char *const bad[] = {
		"",
		"[]",
		"{",
		"{\"auths\":{\"h\":{\"auth\":\"" NO_COLON "\"}}}",
		"{\"auths\":{\"h\":{\"auth\":\"" NO_USER "\"}}}",
		"{\"auths\":{\"h\":{\"auth\":\"dXNlcjpwYXNz=\"}}}",
		"{\"auths\":{\"h\":{\"auth\":\"%%%%\"}}}",
		"{\"auths\":{\"h\":{\"auth\":1}}}",
		"{\"auths\":{\"h\":\"" USER_PASS "\"}}",
		"{\"credsStore\":\"../../bin/sh\"}",
		"{\"credsStore\":\"a b\"}",
		"{\"credHelpers\":{\"h\":\"x/y\"}}",
		"{\"credHelpers\":{\"h\":1}}",
	};
	const char *leak = "{\"auths\":{\"h\":{\"auth\":\"secret!\"}}}";
	struct fb_auth_found found = { 0 };
	struct fb_err err = { 0 };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		TAP_INT(look(bad[i], "h", "a", &found), -EBADMSG,
			"malformed, number %zu", i);
	(void)fb_auth_file_lookup(leak, strlen(leak), "h", "a", &found, &err);
	TAP_OK(err.code && !strstr(err.msg, "secret"), "no value is quoted: %s",
	       err.msg);
}

static void test_helpers(void)
{
	const char *json = "{\"auths\":{\"h\":{\"auth\":\"" USER_PASS
			   "\"}},"
			   "\"credsStore\":\"store\","
			   "\"credHelpers\":{\"g\":\"ecr-login\"}}";
	struct fb_auth_found found = { 0 };

	TAP_INT(look(json, "g", "a", &found), 0, "a helper for a host");
	TAP_STR(found.helper, "ecr-login", "its name");
	TAP_STR(found.helper_key, "g", "its key");
	fb_auth_found_release(&found);
	TAP_INT(look(json, "h", "a", &found), 0, "the store for the others");
	TAP_STR(found.helper, "store", "its name");
	TAP_STR(found.credential.username, "user", "and what the file has");
	fb_auth_found_release(&found);
	TAP_INT(look(json, "docker.io", "library/a", &found), 0, "Docker Hub");
	TAP_STR(found.helper_key, FB_DOCKER_HUB_KEY, "by docker's own key");
	fb_auth_found_release(&found);
}

static void test_helper_reply(void)
{
	struct fb_credential c = { 0 };
	const char *user =
		"{\"ServerURL\":\"h\",\"Username\":\"u\","
		"\"Secret\":\"s\"}";
	const char *token = "{\"Username\":\"<token>\",\"Secret\":\"s\"}";

	TAP_INT(fb_helper_reply_parse(user, strlen(user), &c, NULL), 0, "user");
	TAP_STR(c.username, "u", "name");
	TAP_STR(c.password, "s", "secret");
	fb_credential_release(&c);
	TAP_INT(fb_helper_reply_parse(token, strlen(token), &c, NULL), 0,
		"token");
	TAP_STR(c.username, NULL, "no name");
	TAP_STR(c.identity_token, "s", "identity token");
	fb_credential_release(&c);
	TAP_INT(fb_helper_reply_parse("{\"Username\":\"u\"}", 16, &c, NULL),
		-EBADMSG, "no secret");
	TAP_INT(fb_helper_reply_parse("oops", 4, &c, NULL), -EBADMSG,
		"no JSON");
}

static void test_headers(void)
{
	const char *good =
		"{\"HttpHeaders\":{\"X-A\":\"b c\","
		"\"authorization\":\"no\",\"Host\":\"no\","
		"\"Content-Length\":\"5\",\"X-Empty\":\"\"}}";
	static const char *const bad[] = {
		"{\"HttpHeaders\":{\"X-A\":\"b\\r\\nHost: c\"}}",
		"{\"HttpHeaders\":{\"X A\":\"b\"}}",
		"{\"HttpHeaders\":{\"X:\":\"b\"}}",
		"{\"HttpHeaders\":{\"\":\"b\"}}",
		"{\"HttpHeaders\":{\"X-A\":5}}",
		"oops",
	};
	FB_STRV struct fb_strv v = { 0 };

	TAP_INT(fb_auth_file_headers(good, strlen(good), &v, NULL), 0,
		"headers");
	TAP_INT(v.count, 2, "without those of the client");
	TAP_STR(v.v[0], "X-A: b c", "one");
	TAP_STR(v.v[1], "X-Empty;", "an empty one as libcurl wants it");
	TAP_INT(fb_auth_file_headers("{}", 2, &v, NULL), 0, "none");
	for (size_t i = 0; i < FB_ARRAY_SIZE(bad); i++)
		TAP_INT(fb_auth_file_headers(bad[i], strlen(bad[i]), &v, NULL),
			-EBADMSG, "malformed: %s", bad[i]);
	TAP_INT(v.count, 2, "nothing was added");
}

int main(void)
{
	test_docker_keys();
	test_scoped_keys();
	test_entries();
	test_malformed();
	test_helpers();
	test_helper_reply();
	test_headers();
	return tap_done();
}
