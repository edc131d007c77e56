/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/url.h"

#include <errno.h>

#include "tap.h"

static const struct {
	const char *url;
	bool https;
	const char *host;
	unsigned int port;
	const char *path;
} good[] = {
	{ "https://registry-1.docker.io", true, "registry-1.docker.io", 443,
	  "" },
	{ "HTTP://LocalHost:5000/v2/", false, "localhost", 5000, "/v2/" },
	{ "https://[::1]:443/x?y=z", true, "[::1]", 443, "/x?y=z" },
	{ "http://127.0.0.1?q", false, "127.0.0.1", 80, "?q" },
	{ "https://under_score.example/a:b@c", true, "under_score.example", 443,
	  "/a:b@c" },
};

static const char *const bad[] = {
	"",
	"https://",
	"https:///path",
	"ftp://host/",
	"file:///etc/passwd",
	"//host/",
	"https:host",
	"https://user@host/",
	"https://user:password@host/",
	"https://host\\@other/",
	"https://host:/",
	"https://host:0/",
	"https://host:65536/",
	"https://host:99999999999999999999/",
	"https://host:80x/",
	"https://host name/",
	"https://host/a b",
	"https://host/\n",
	"https://host/\x80",
	"https://host#fragment",
	"https://h%6fst/",
	"https://[::1/",
	"https://[]/",
	"https://[::1%25lo]/",
	"https://host,other/",
};

static void test_origins(void)
{
	struct fb_origin o;
	const char *path;

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		TAP_INT(fb_origin_parse(good[i].url, &o, &path), 0, "%s",
			good[i].url);
		TAP_OK(o.https == good[i].https, "scheme");
		TAP_STR(o.host, good[i].host, "host");
		TAP_INT(o.port, good[i].port, "port");
		TAP_STR(path, good[i].path, "path");
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		TAP_INT(fb_origin_parse(bad[i], &o, NULL), -EINVAL,
			"refused, number %zu", i);
}

static void test_equal(void)
{
	struct fb_origin a, b;

	TAP_OK(fb_origin_parse("https://h/", &a, NULL) == 0 &&
		       fb_origin_parse("https://H:443/x", &b, NULL) == 0 &&
		       fb_origin_equal(&a, &b),
	       "case and the usual port do not matter");
	TAP_OK(fb_origin_parse("http://h:443/", &b, NULL) == 0 &&
		       !fb_origin_equal(&a, &b),
	       "the scheme does");
	TAP_OK(fb_origin_parse("https://h:444/", &b, NULL) == 0 &&
		       !fb_origin_equal(&a, &b),
	       "the port does");
	TAP_OK(fb_origin_parse("https://h.evil/", &b, NULL) == 0 &&
		       !fb_origin_equal(&a, &b),
	       "the whole host does");
}

static void test_loopback(void)
{
	static const char *const yes[] = { "localhost", "a.localhost",
					   "127.0.0.1", "127.255.0.3",
					   "[::1]",	"::1" };
	static const char *const no[] = { "localhost.example",
					  "128.0.0.1",
					  "127.0.0.1.example",
					  "127.1",
					  "[::2]",
					  "notlocalhost",
					  "",
					  "0.0.0.0" };

	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++)
		TAP_OK(fb_host_is_loopback(yes[i]), "loopback: %s", yes[i]);
	for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++)
		TAP_OK(!fb_host_is_loopback(no[i]), "not: '%s'", no[i]);
}

static const struct {
	const char *rule, *host;
	uint16_t port;
	bool match;
} rules[] = {
	{ "host", "host", 5000, true },
	{ "HOST:5000", "host", 5000, true },
	{ "host:5001", "host", 5000, false },
	{ "hos", "host", 5000, false },
	{ "10.0.0.0/8", "10.1.2.3", 80, true },
	{ "10.0.0.0/8", "11.1.2.3", 80, false },
	{ "10.0.0.0/8", "host", 80, false },
	{ "192.168.4.0/22", "192.168.7.255", 80, true },
	{ "192.168.4.0/22", "192.168.8.0", 80, false },
	{ "0.0.0.0/0", "1.2.3.4", 80, true },
	{ "1.2.3.4/32", "1.2.3.4", 80, true },
	{ "fd00::/8", "[fd12::1]", 80, true },
	{ "fd00::/8", "[fe80::1]", 80, false },
	{ "fd00::/129", "[fd00::1]", 80, false },
	{ "10.0.0.0/33", "10.0.0.0", 80, false },
	{ "10.0.0.0/", "10.0.0.0", 80, false },
	{ "10.0.0.0/8x", "10.0.0.0", 80, false },
	{ "/8", "10.0.0.0", 80, false },
};

static void test_rules(void)
{
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		TAP_OK(fb_host_matches(rules[i].rule, rules[i].host,
				       rules[i].port) == rules[i].match,
		       "%s %s %s", rules[i].rule,
		       rules[i].match ? "matches" : "does not match",
		       rules[i].host);
}

static void test_query(void)
{
	FB_STR struct fb_str url = FB_STR_INIT(64);
	char shown[FB_URL_HOST_MAX + 64];

	(void)fb_str_puts(&url, "https://h/t");
	TAP_INT(fb_url_add_query(&url, "a", "b c&d=\xc3\xa9"), 0, "first");
	TAP_INT(fb_url_add_query(&url, "e", "~-._"), 0, "second");
	TAP_STR(fb_str_cstr(&url), "https://h/t?a=b%20c%26d%3D%C3%A9&e=~-._",
		"escaped");
	TAP_STR(fb_url_show(fb_str_cstr(&url), shown, sizeof(shown)),
		"https://h/t", "shown without its query");
	TAP_INT(fb_url_add_query(&url, "long", "0123456789012345678901234567"),
		-E2BIG, "over its maximum");
	fb_str_truncate(&url, 0);
	(void)fb_str_puts(&url, "https://h/t?");
	(void)fb_url_add_query(&url, "a", "b");
	TAP_STR(fb_str_cstr(&url), "https://h/t?a=b",
		"an empty query is there");
}

static void test_resolve(void)
{
	static const struct {
		const char *base;
		const char *location;
		const char *want;
	} cases[] = {
		{ "https://h/v2/a/uploads/", "/v2/a/uploads/1?s=2",
		  "https://h/v2/a/uploads/1?s=2" },
		{ "https://h:1/v2/a?x=/y", "http://i:2/z#f", "http://i:2/z" },
		{ "https://h/v2/a", "//i/b", "https://i/b" },
		{ "https://h/v2/a?x=1", "?y=2", "https://h/v2/a?y=2" },
		{ "https://h/v2/a?x=1", "b?t=c:d", "https://h/v2/b?t=c:d" },
		{ "https://h", "b", "https://h/b" },
		{ "https://h?x", "/b", "https://h/b" },
		{ "https://h/a", "file:///etc/passwd", "file:///etc/passwd" },
		{ "https://h/a", "", "https://h/" },
		{ "nothing", "/b", NULL },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		FB_FREE char *got =
			fb_url_resolve(cases[i].base, cases[i].location);

		TAP_STR(got, cases[i].want, "'%s' at '%s'", cases[i].location,
			cases[i].base);
	}
}

int main(void)
{
	test_origins();
	test_equal();
	test_loopback();
	test_rules();
	test_query();
	test_resolve();
	return tap_done();
}
