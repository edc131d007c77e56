/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/header.h"

#include <errno.h>

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

int main(void)
{
	test_content_range();
	test_retry_after();
	test_media_type();
	return tap_done();
}
