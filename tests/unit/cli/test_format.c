/* SPDX-License-Identifier: Apache-2.0 */
/* Tables, JSON lines, templates, and docker's words for time and size. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/format.h"
#include "cli/template.h"
#include "oci/json.h"
#include "tap.h"

static json_t *from(const char *text)
{
	json_error_t why;
	json_t *json = json_loads(text, 0, &why);

	if (!json)
		printf("# bad test: %s\n", why.text);
	return json;
}

static const char value_text[] =
	"{\"Id\":\"abc\",\"Size\":5,\"On\":true,\"Off\":false,\"None\":null,"
	"\"List\":[\"a\",\"b c\"],\"Map\":{\"k\":\"v\",\"x.y\":\"z\"},"
	"\"Empty\":[],\"Deep\":{\"A\":{\"B\":\"deep\"}},\"Float\":1.5}";

static void test_templates(void)
{
	static const char *const cases[][2] = {
		{ "", "" },
		{ "literal", "literal" },
		{ "{{.Id}}", "abc" },
		{ "{{ .Id }}", "abc" },
		{ "<{{.Id}}:{{.Size}}>", "<abc:5>" },
		{ "{{.On}} {{.Off}} {{.Float}}", "true false 1.5" },
		{ "{{.None}}", "<nil>" },
		{ "{{.List}}", "[a b c]" },
		{ "{{.Map}}", "map[k:v x.y:z]" },
		{ "{{.Map.k}}", "v" },
		{ "{{.Deep.A.B}}", "deep" },
		{ "{{.Empty}}", "[]" },
		{ "{{json .Id}}", "\"abc\"" },
		{ "{{json .List}}", "[\"a\",\"b c\"]" },
		{ "{{json .None}}", "null" },
		{ "{{.Map | json}}", "{\"k\":\"v\",\"x.y\":\"z\"}" },
		{ "{{.Map|json}}", "{\"k\":\"v\",\"x.y\":\"z\"}" },
		{ "{{upper .Id}}{{lower .Id}}", "ABCabc" },
		{ "{{len .List}}{{len .Map}}{{len .Id}}{{len .Empty}}",
		  "2230" },
		{ "{{join .List \", \"}}", "a, b c" },
		{ "{{join .List `|`}}", "a|b c" },
		{ "{{join .Empty \",\"}}", "" },
		{ "{{index .List 1}}", "b c" },
		{ "{{index .Map \"x.y\"}}", "z" },
		{ "{{index .Map \"nope\"}}", "" },
		{ "a\\tb\\nc", "a\tb\nc" },
		{ "a\\\\t", "a\\\t" },
		{ "} {", "} {" },
	};
	json_t *value = from(value_text);

	for (size_t i = 0; i < FB_ARRAY_SIZE(cases); i++) {
		FB_TEMPLATE struct fb_template tpl = { 0 };
		FB_STR struct fb_str out = FB_STR_INIT(4096);
		struct fb_err err = { 0 };

		if (!TAP_OK(fb_template_parse(cases[i][0], &tpl, &err) == 0 &&
				    fb_template_render(&tpl, value, &out,
						       &err) == 0,
			    "template '%s'", cases[i][0]))
			printf("# %s\n", err.msg);
		TAP_STR(fb_str_cstr(&out), cases[i][1], "'%s'", cases[i][0]);
	}
	json_decref(value);
}

static void test_bad_templates(void)
{
	static const char *const cases[][2] = {
		{ "{{", "unclosed action" },
		{ "{{.Id", "unclosed action" },
		{ "{{.Id}", "unclosed action" },
		{ "{{}}", "can't read '{{}}'" },
		{ "{{Id}}", "function \"Id\" not defined" },
		{ "{{foo .Id}}", "function \"foo\" not defined" },
		{ "{{range .List}}", "function \"range\" not defined" },
		{ "{{.Id .Size}}", "can't read" },
		{ "{{..}}", "can't read" },
		{ "{{.A..B}}", "can't read" },
		{ "{{json}}", "can't read" },
		{ "{{json .Id 5}}", "can't read" },
		{ "{{join .List}}", "can't read" },
		{ "{{index .List}}", "can't read" },
		{ "{{index .List x}}", "can't read" },
		{ "{{join .List \"}}", "can't read" },
		{ "{{a b c d e}}", "can't read" },
		{ "{{.Nope}}", "can't evaluate field 'Nope'" },
		{ "{{.Id.Nope}}", "can't evaluate field 'Nope'" },
		{ "{{index .List 2}}", "index out of range: 2" },
		{ "{{index .List 99999999999}}", "index out of range" },
	};
	json_t *value = from(value_text);

	for (size_t i = 0; i < FB_ARRAY_SIZE(cases); i++) {
		FB_TEMPLATE struct fb_template tpl = { 0 };
		FB_STR struct fb_str out = FB_STR_INIT(4096);
		struct fb_err err = { 0 };
		int r = fb_template_parse(cases[i][0], &tpl, &err);

		if (r == 0)
			r = fb_template_render(&tpl, value, &out, &err);
		TAP_INT(r, -EINVAL, "refuses '%s'", cases[i][0]);
		TAP_OK(strstr(err.msg, cases[i][1]), "says why: %s", err.msg);
	}
	json_decref(value);
}

static const struct fb_column columns[] = {
	{ "Name", "NAME", true },
	{ "Hidden", "HIDDEN", false },
	{ "Size", "SIZE", true },
};

/* what fb_format_rows() prints, or NULL; freed by the caller */
static char *printed(const char *format, const char *rows_text, int want_code)
{
	json_t *rows = from(rows_text);
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	struct fb_err err = { 0 };
	int r;

	if (!out)
		abort();
	r = fb_format_rows(format, columns, FB_ARRAY_SIZE(columns), rows, out,
			   &err);
	(void)fclose(out);
	json_decref(rows);
	TAP_INT(r, want_code, "format '%s'", format ? format : "(none)");
	return text;
}

static void test_rows(void)
{
	static const char rows[] =
		"[{\"Size\":\"1B\",\"Name\":\"a\",\"Hidden\":\"h1\"},"
		"{\"Name\":\"l\xc3\xa4nger\",\"Size\":\"22MB\",\"Hidden\":\"h2\"}]";
	static const struct {
		const char *format;
		const char *want;
	} cases[] = {
		{ NULL, "NAME     SIZE\na        1B\nl\xc3\xa4nger   22MB\n" },
		{ "table",
		  "NAME     SIZE\na        1B\nl\xc3\xa4nger   22MB\n" },
		{ "table {{.Size}}\\t{{.Hidden}}",
		  "SIZE   HIDDEN\n1B     h1\n22MB   h2\n" },
		{ "{{.Name}}={{.Size}}", "a=1B\nl\xc3\xa4nger=22MB\n" },
		{ "json",
		  "{\"Hidden\":\"h1\",\"Name\":\"a\",\"Size\":\"1B\"}\n"
		  "{\"Hidden\":\"h2\",\"Name\":\"l\xc3\xa4nger\","
		  "\"Size\":\"22MB\"}\n" },
		{ "{{json .}}",
		  "{\"Size\":\"1B\",\"Name\":\"a\",\"Hidden\":\"h1\"}\n"
		  "{\"Name\":\"l\xc3\xa4nger\",\"Size\":\"22MB\","
		  "\"Hidden\":\"h2\"}\n" },
	};

	for (size_t i = 0; i < FB_ARRAY_SIZE(cases); i++) {
		FB_FREE char *text = printed(cases[i].format, rows, 0);

		TAP_STR(text, cases[i].want, "rows %zu", i);
	}
}

static void test_no_rows(void)
{
	FB_FREE char *table = printed(NULL, "[]", 0);
	FB_FREE char *json = printed("json", "[]", 0);
	FB_FREE char *bad = printed("{{.Nope", "[]", -EINVAL);
	FB_FREE char *unknown =
		printed("{{.Nope}}", "[{\"Name\":\"a\"}]", -EINVAL);

	TAP_STR(table, "NAME   SIZE\n", "an empty table has its heading");
	TAP_STR(json, "", "no JSON");
	TAP_STR(bad, "", "an error prints nothing");
	TAP_STR(unknown, "", "nor does a late one");
}

static void test_ago(void)
{
	static const struct {
		int64_t seconds;
		const char *want;
	} cases[] = {
		{ -5, "Less than a second ago" },
		{ 0, "Less than a second ago" },
		{ 1, "1 second ago" },
		{ 59, "59 seconds ago" },
		{ 60, "About a minute ago" },
		{ 119, "About a minute ago" },
		{ 120, "2 minutes ago" },
		{ 3599, "59 minutes ago" },
		{ 3600, "About an hour ago" },
		{ 5399, "About an hour ago" },
		{ 5400, "2 hours ago" },
		{ 47 * 3600, "47 hours ago" },
		{ 48 * 3600, "2 days ago" },
		{ 13 * 86400, "13 days ago" },
		{ 14 * 86400, "2 weeks ago" },
		{ 59 * 86400, "8 weeks ago" },
		{ 60 * 86400, "2 months ago" },
		{ 729 * 86400, "24 months ago" },
		{ 730 * 86400, "2 years ago" },
	};
	char out[48];

	for (size_t i = 0; i < FB_ARRAY_SIZE(cases); i++)
		TAP_STR(fb_format_ago(1700000000 - cases[i].seconds, 1700000000,
				      out),
			cases[i].want, "%lld s", (long long)cases[i].seconds);
	TAP_STR(fb_format_ago(0, 1700000000, out), "N/A", "never");
}

static void test_sizes_and_times(void)
{
	static const struct {
		uint64_t bytes;
		const char *want;
	} cases[] = {
		{ 0, "0B" },
		{ 999, "999B" },
		{ 1000, "1kB" },
		{ 1234, "1.23kB" },
		{ 99950, "100kB" },
		{ 999499, "999kB" },
		{ 999500, "1MB" },
		{ 4270000, "4.27MB" },
		{ 1085025, "1.09MB" },
		{ 1620000000, "1.62GB" },
		{ UINT64_MAX, "18.4EB" },
	};
	char out[48];

	for (size_t i = 0; i < FB_ARRAY_SIZE(cases); i++)
		TAP_STR(fb_format_size(cases[i].bytes, out), cases[i].want,
			"%llu bytes", (unsigned long long)cases[i].bytes);
	TAP_STR(fb_format_time(1709208000, out), "2024-02-29T12:00:00Z",
		"RFC 3339");
	TAP_STR(fb_format_time_listed(1709208000, out),
		"2024-02-29 12:00:00 +0000 UTC", "as docker lists it");
}

static void test_values(void)
{
	json_t *values = from("[{\"A\":1},{\"A\":2}]");
	static const char *const cases[][2] = {
		{ NULL,
		  "[\n    {\n        \"A\": 1\n    },\n    {\n        "
		  "\"A\": 2\n    }\n]\n" },
		{ "json", "[{\"A\":1},{\"A\":2}]\n" },
		{ "{{.A}}", "1\n2\n" },
	};

	for (size_t i = 0; i < FB_ARRAY_SIZE(cases); i++) {
		FB_FREE char *text = NULL;
		size_t len = 0;
		FILE *out = open_memstream(&text, &len);

		if (!out)
			abort();
		TAP_INT(fb_format_values(cases[i][0], values, out, NULL), 0,
			"values %zu", i);
		(void)fclose(out);
		TAP_STR(text, cases[i][1], "values %zu", i);
	}
	json_decref(values);
}

int main(void)
{
	test_templates();
	test_bad_templates();
	test_rows();
	test_no_rows();
	test_ago();
	test_sizes_and_times();
	test_values();
	return tap_done();
}
