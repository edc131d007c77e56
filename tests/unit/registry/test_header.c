/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/header.h"

#include <errno.h>

#include "base/cleanup.h"
#include "tap.h"

static void test_content_range(void)
{
	static const char *const bad[] = {
		"",
		"bytes",
		"bytes ",
		"bytes 0-9",
		"bytes 0-9/",
		"bytes 9-0/10",
		"bytes 0-10/10",
		"bytes 0-9/10 ",
		"bytes 0-9/10,",
		"bytes */10",
		"bytes -9/10",
		"bytes 0-/10",
		"bytes=0-9/10",
		"items 0-9/10",
		"bytes 0 - 9/10",
		"bytes +0-9/10",
		"bytes 0-18446744073709551616/*",
		"bytes 0-9/0x10",
	};
	struct fb_content_range cr = { .first = 77 };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		TAP_INT(fb_content_range_parse(bad[i], &cr), -EBADMSG,
			"malformed: '%s'", bad[i]);
	TAP_INT(cr.first, 77, "the output is written on success only");
	TAP_INT(fb_content_range_parse("bytes 5-9/10", &cr), 0, "a range");
	TAP_OK(cr.first == 5 && cr.last == 9 && cr.total_bytes == 10, "of 10");
	TAP_INT(fb_content_range_parse("BYTES  0-0/*", &cr), 0, "no total");
	TAP_OK(cr.first == 0 && cr.last == 0 && cr.total_bytes == UINT64_MAX,
	       "one byte");
	TAP_INT(fb_content_range_parse(
			"bytes 18446744073709551614-18446744073709551614/*",
			&cr),
		0, "the largest");
}

static void test_retry_after(void)
{
	static const char *const bad[] = {
		"",
		"-1",
		"1.5",
		"1 s",
		"soon",
		"99999999999999999999",
		"Sun, 06 Nov 1994 08:49:37",
		"Sun, 06 Nov 1994 08:49:37 UTC",
		"Sun, 06 ovD 1994 08:49:37 GMT",
		"Sun, 32 Nov 1994 08:49:37 GMT",
		"Sun, 06 Nov 1994 24:49:37 GMT",
		"Sunday, 06-Nov-94 08:49:37 GMT",
		"Sun Nov  6 08:49:37 1994",
	};
	const char *date = "Sun, 06 Nov 1994 08:49:37 GMT";
	uint64_t s = 77;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		TAP_INT(fb_retry_after_parse(bad[i], 0, &s), -EBADMSG,
			"malformed: '%s'", bad[i]);
	TAP_INT(s, 77, "the output is written on success only");
	TAP_OK(fb_retry_after_parse("120", 0, &s) == 0 && s == 120, "seconds");
	TAP_OK(fb_retry_after_parse(date, 784111777 - 30, &s) == 0 && s == 30,
	       "a date ahead");
	TAP_OK(fb_retry_after_parse(date, 784111777 + 30, &s) == 0 && s == 0,
	       "a date that is past");
}

static void test_media_type(void)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "application/json", "application/json" },
		{ " Application/JSON ; charset=utf-8", "application/json" },
		{ "application/vnd.oci.image.index.v1+json",
		  "application/vnd.oci.image.index.v1+json" },
		{ "", "" },
		{ "json", "" },
		{ "application/json, text/html", "" },
		{ "application/json x", "" },
		{ "a/b\n", "" },
	};
	char out[256], longest[400];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		TAP_STR(fb_media_type_parse(cases[i].text, out), cases[i].want,
			"'%s'", cases[i].text);
	(void)snprintf(longest, sizeof(longest), "a/%0300d", 1);
	TAP_STR(fb_media_type_parse(longest, out), "", "300 bytes");
}

static void test_upload_ranges(void)
{
	static const struct {
		const char *text;
		int want;
		uint64_t bytes;
	} cases[] = {
		{ "0-0", 0, 0 },
		{ "0-1023", 0, 1024 },
		{ "bytes=0-9", 0, 10 },
		{ "1-9", -EBADMSG, 0 },
		{ "0-", -EBADMSG, 0 },
		{ "0-9x", -EBADMSG, 0 },
		{ "0-18446744073709551615", -EBADMSG, 0 },
		{ "", -EBADMSG, 0 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t bytes = 0;

		TAP_INT(fb_upload_range_parse(cases[i].text, &bytes),
			cases[i].want, "upload range '%s'", cases[i].text);
		TAP_INT(bytes, cases[i].bytes, "its bytes");
	}
}

static void test_links(void)
{
	static const struct {
		const char *text;
		int want;
		const char *next;
	} cases[] = {
		{ "</v2/a?n=1>; rel=\"next\"", 0, "/v2/a?n=1" },
		{ "<https://h/x>; rel=next", 0, "https://h/x" },
		{ "</a>; rel=\"prev\", </b>; rel=\"next\"", 0, "/b" },
		{ "</a>; title=\"x, <y>; rel=next\"; rel=prev", -ENOENT, NULL },
		{ "</a>; rel=\"prev\"", -ENOENT, NULL },
		{ "", -ENOENT, NULL },
		{ "/a; rel=next", -EBADMSG, NULL },
		{ "</a; rel=next", -EBADMSG, NULL },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		FB_FREE char *next = NULL;

		TAP_INT(fb_link_next_parse(cases[i].text, &next), cases[i].want,
			"link '%s'", cases[i].text);
		TAP_STR(next, cases[i].next, "its target");
	}
}

int main(void)
{
	test_content_range();
	test_retry_after();
	test_media_type();
	test_upload_ranges();
	test_links();
	return tap_done();
}
