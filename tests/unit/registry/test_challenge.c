/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/challenge.h"

#include <errno.h>
#include <stdlib.h>

#include "base/str.h"
#include "tap.h"

static const struct {
	const char *text;
	bool basic, bearer;
	const char *realm, *service, *scope, *error;
} good[] = {
	{ "Basic realm=\"x\"", true, false, "", "", "", "" },
	{ "basic", true, false, "", "", "", "" },
	{ "Bearer realm=\"https://auth.docker.io/token\","
	  "service=\"registry.docker.io\","
	  "scope=\"repository:library/alpine:pull\"",
	  false, true, "https://auth.docker.io/token", "registry.docker.io",
	  "repository:library/alpine:pull", "" },
	{ "bEARER REALM=\"http://h/\" , Service = token ,error=\"invalid_token\"",
	  false, true, "http://h/", "token", "", "invalid_token" },
	{ "Basic realm=\"a, Bearer realm=b\", Bearer realm=\"http://h/\"", true,
	  true, "http://h/", "", "", "" },
	{ "Bearer realm=\"http://first/\", Bearer realm=\"http://second/\"",
	  false, true, "http://first/", "", "", "" },
	{ "Negotiate, Basic", true, false, "", "", "", "" },
	{ "Negotiate YWJjZA==, Basic realm=\"x\"", true, false, "", "", "",
	  "" },
	{ "Digest realm=\"d\", qop=\"auth, auth-int\", Basic", true, false, "",
	  "", "", "" },
	{ ", , Basic realm=\"x\", ,", true, false, "", "", "", "" },
	{ "Bearer realm=\"h\\\"\\\\t\"", false, true, "h\"\\t", "", "", "" },
	{ "Bearer realm=\"http://h/\",scope=\"a b c\"", false, true,
	  "http://h/", "", "a b c", "" },
};

static const char *const malformed[] = {
	"Bearer",
	"Bearer service=\"x\"",
	"Bearer realm=\"\"",
	"Bearer realm=\"http://h/",
	"Bearer realm=\"http://h/\" service=\"x\"",
	"Bearer realm=\"a\",realm=\"b\"",
	"Bearer realm=\"a\\",
	"Bearer realm=\"a\nb\"",
	"Bearer realm=\"a\x80\"",
	"Bearer realm=http://h/",
	"Bearer realm=,service=x",
	"Bearer realm",
	"realm=\"x\"",
	"=",
	"Basic\x01",
	"Basic/x",
	"Basic realm=\"x\" y",
	"\"Basic\"",
};

static void test_tables(void)
{
	struct fb_challenge c;

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		TAP_INT(fb_challenge_parse(good[i].text, &c, NULL), 0,
			"parsed: %s", good[i].text);
		TAP_OK(c.basic == good[i].basic && c.bearer == good[i].bearer,
		       "schemes");
		TAP_STR(c.realm, good[i].realm, "realm");
		TAP_STR(c.service, good[i].service, "service");
		TAP_STR(c.scope, good[i].scope, "scope");
		TAP_STR(c.error, good[i].error, "error");
	}
	for (size_t i = 0; i < sizeof(malformed) / sizeof(malformed[0]); i++)
		TAP_INT(fb_challenge_parse(malformed[i], &c, NULL), -EBADMSG,
			"malformed, number %zu", i);
}

static void test_other_schemes(void)
{
	struct fb_challenge c = { .realm = "untouched" };

	TAP_INT(fb_challenge_parse("", &c, NULL), -EOPNOTSUPP, "nothing");
	TAP_INT(fb_challenge_parse("Negotiate", &c, NULL), -EOPNOTSUPP,
		"only Negotiate");
	TAP_INT(fb_challenge_parse("Digest realm=\"x\", nonce=\"y\"", &c, NULL),
		-EOPNOTSUPP, "only Digest");
	TAP_STR(c.realm, "untouched", "the output is written on success only");
}

static void test_bounds(void)
{
	FB_STR struct fb_str list = FB_STR_INIT(4096);
	char *text = malloc(FB_CHALLENGE_TEXT_MAX + 2);
	struct fb_challenge c;

	if (!text)
		abort();
	memset(text, 'a', FB_CHALLENGE_TEXT_MAX + 1);
	text[FB_CHALLENGE_TEXT_MAX + 1] = '\0';
	TAP_INT(fb_challenge_parse(text, &c, NULL), -EBADMSG, "over 16 KiB");
	(void)snprintf(text, 4096, "Bearer realm=\"%02500d\"", 1);
	TAP_INT(fb_challenge_parse(text, &c, NULL), -EBADMSG,
		"a realm of 2500 bytes");
	for (int i = 0; i < 17; i++)
		(void)fb_str_puts(&list, "Basic, ");
	TAP_INT(fb_challenge_parse(list.buf, &c, NULL), -EBADMSG,
		"17 challenges");
	fb_str_truncate(&list, 0);
	(void)fb_str_puts(&list, "Basic realm=x");
	for (int i = 0; i < 40; i++)
		(void)fb_str_puts(&list, ", a=b");
	TAP_INT(fb_challenge_parse(list.buf, &c, NULL), -EBADMSG,
		"41 parameters");
	free(text);
}

int main(void)
{
	test_tables();
	test_other_schemes();
	test_bounds();
	return tap_done();
}
