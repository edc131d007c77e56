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
	"\"Empty\":[],\"Deep\":{\"A\":{\"B\":\"deep\"}},\"Labels\":{\"a\":\"1\"},\"Float\":1.5}";

static const char *const templates[][2] = {
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
	{ "{{len .List}}{{len .Map}}{{len .Id}}{{len .Empty}}", "2230" },
	{ "{{join .List \", \"}}", "a, b c" },
	{ "{{join .List `|`}}", "a|b c" },
	{ "{{join .Empty \",\"}}", "" },
	{ "{{index .List 1}}", "b c" },
	{ "{{index .Map \"x.y\"}}", "z" },
	{ "{{index .Map \"nope\"}}", "" },
	{ "{{ index .Deep \"A\" \"B\" }}", "deep" },
	/* fields by Go's names, literals, variables, parentheses */
	{ "{{.ID}} {{.deep.a.b}}", "abc deep" },
	{ "{{\"q\\\"t\\n\"}}{{`r\\n`}}{{5}}{{-2}}{{1.5}}{{true}}",
	  "q\"t\nr\\n5-21.5true" },
	{ "{{$x := .Id}}{{$x}}{{$x = .Size}}{{$x}} {{$.Id}} {{$.Map.k}}",
	  "abc5 abc v" },
	{ "{{(index .List 0)}}{{(index .Deep \"A\").B}}{{len (split .Id \"b\")}}",
	  "adeep2" },
	{ "{{ .Id | upper | printf \"%5s|%-5s|\" \"x\" }}", "    x|ABC  |" },
	/* docker's functions */
	{ "{{split .Id \"b\"}} {{join (split \"a/b/c\" \"/\") \".\"}}",
	  "[a c] a.b.c" },
	{ "{{title \"ab cd\"}}|{{pad .Id 1 2}}|{{pad \"\" 1 2}}|",
	  "Ab Cd| abc  ||" },
	{ "{{truncate .Id 2}}{{truncate .Id 9}}{{truncate \"\xc3\xa4\" 1}}",
	  "ababc" },
	{ "{{slice .Id 1}}{{slice .Id 0 2}}{{slice .List 1 2}}", "bcab[b c]" },
	{ "{{print .Id .Size}} {{print 1 2}}{{println .Id 5}}",
	  "abc5 1 2abc 5\n" },
	{ "{{printf \"%s %v %q %d %x %05d %t %% %.2s %.1f\" .Id .Id .Id "
	  ".Size 255 42 true .Id 2.25}}",
	  "abc abc \"abc\" 5 ff 00042 true % ab 2.2" },
	{ "{{printf \"%d %s\" .Id 1}}{{printf \"%s\"}}",
	  "%!d(string=abc) %!s(int=1)%!s(MISSING)" },
	/* Go's */
	{ "{{and .On .Id}} {{and .Off .Nope}} {{or .Off .Id}} {{or .On "
	  ".Nope}} {{not .On}}",
	  "abc false abc true false" },
	{ "{{eq .Size 5}}{{eq .Id \"x\" \"abc\"}}{{ne .Id \"abc\"}}"
	  "{{lt .Size 6}}{{ge .Size 6}}{{le .Size 5}}{{gt .Id \"aa\"}}",
	  "truetruefalsetruefalsetruetrue" },
	/* actions */
	{ "{{if .On}}y{{else}}n{{end}}{{if .Off}}y{{else}}n{{end}}", "yn" },
	{ "{{if .Empty}}a{{else if .None}}b{{else if .Id}}c{{else}}d{{end}}",
	  "c" },
	{ "{{if and .On (eq (len .List) 2)}}two{{end}}", "two" },
	{ "{{range .List}}<{{.}}>{{end}}{{range .Empty}}x{{else}}none{{end}}"
	  "{{range .None}}x{{end}}",
	  "<a><b c>none" },
	{ "{{range $i, $e := .List}}{{$i}}={{$e}};{{$.Id}} {{end}}",
	  "0=a;abc 1=b c;abc " },
	{ "{{range $k, $v := .Map}}{{$k}}={{$v}} {{end}}", "k=v x.y=z " },
	{ "{{range $v := .List}}{{$v}}{{end}}{{range 3}}{{.}}{{end}}",
	  "ab c012" },
	{ "{{range .List}}{{println .}}{{end}}", "a\nb c\n" },
	{ "{{range 9}}{{if eq . 2}}{{continue}}{{end}}{{if eq . "
	  "4}}{{break}}{{end}}{{.}}{{end}}",
	  "013" },
	{ "{{with .Deep.A}}{{.B}}{{end}}{{with .None}}x{{else}}no{{end}}"
	  "{{with $y := .Id}}{{$y}}{{end}}",
	  "deepnoabc" },
	{ "a {{- .Id -}} b{{/* nothing }} */}}c{{- /* x */ -}} d", "aabcbcd" },
	{ "{{.Labels.a}} {{.Labels.b}} {{if .Labels.b}}y{{end}}",
	  "1 <no value> " },
	{ "a\\tb\\nc", "a\tb\nc" },
	{ "a\\\\t", "a\\\t" },
	{ "} {", "} {" },
};

static void test_templates(void)
{
	json_t *value = from(value_text);

	for (size_t i = 0; i < FB_ARRAY_SIZE(templates); i++) {
		FB_TEMPLATE struct fb_template tpl = { 0 };
		FB_STR struct fb_str out = FB_STR_INIT(4096);
		struct fb_err err = { 0 };

		if (!TAP_OK(fb_template_parse(templates[i][0], &tpl, &err) ==
					    0 &&
				    fb_template_render(&tpl, value, &out,
						       &err) == 0,
			    "template '%s'", templates[i][0]))
			printf("# %s\n", err.msg);
		TAP_STR(fb_str_cstr(&out), templates[i][1], "'%s'",
			templates[i][0]);
	}
	json_decref(value);
}

static void test_bad_templates(void)
{
	static const char *const cases[][2] = {
		{ "{{", "unclosed action" },
		{ "{{.Id", "unclosed action" },
		{ "{{.Id}", "unclosed action" },
		{ "{{}}", "missing value for command in '{{}}'" },
		{ "{{Id}}", "function \"Id\" not defined" },
		{ "{{foo .Id}}", "function \"foo\" not defined" },
		{ "{{template \"x\"}}", "function \"template\" not defined" },
		{ "{{.Id .Size}}", "arguments for what is no function" },
		{ "{{..}}", "arguments for what is no function" },
		{ "{{.A..B}}", "arguments for what is no function" },
		{ "{{.Id | .Size}}", "a pipe to what is no function" },
		{ "{{.Id |}}", "missing value for command" },
		{ "{{json}}", "wrong number of arguments for json: 0" },
		{ "{{json .Id 5}}", "wrong number of arguments for json: 2" },
		{ "{{join .List}}", "wrong number of arguments for join: 1" },
		{ "{{join .Id \",\"}}", "join: can't take that value" },
		{ "{{upper .List \"}}", "unclosed action" },
		{ "{{index .List x}}", "function \"x\" not defined" },
		{ "{{(.Id}}", "unclosed left paren" },
		{ "{{.Id)}}", "unexpected text" },
		{ "{{range .List}}", "unexpected EOF" },
		{ "{{if .Id}}{{else}}", "expected end" },
		{ "{{if .Id}}{{else}}{{else}}{{end}}", "expected end" },
		{ "{{end}}", "unexpected text" },
		{ "{{else}}", "unexpected text" },
		{ "{{break}}", "outside of range" },
		{ "{{range .Id}}{{end}}", "range can't iterate" },
		{ "{{$x}}", "undefined variable \"$x\"" },
		{ "{{if .On}}{{$x := 1}}{{end}}{{$x}}", "undefined variable" },
		{ "{{$x = 1}}", "undefined variable" },
		{ "{{truncate .Id -1}}", "truncate: out of range" },
		{ "{{slice .Id 2 9}}", "slice: out of range" },
		{ "{{lt .Id 5}}", "lt: can't take that value" },
		{ "{{5x}}", "can't read a word" },
		{ "{{.Id : .Size}}", "can't read a word" },
		{ "{{.Nope}}", "can't evaluate field 'Nope'" },
		{ "{{.Id.Nope}}", "can't evaluate field 'Nope'" },
		{ "{{index .List 2}}", "index: out of range" },
		{ "{{index .List 99999999999}}", "index: can't take" },
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
		/* functions leave a heading as it is */
		{ "table {{upper .Name}}\\t{{truncate .Size 1}}",
		  "NAME     SIZE\nA        1\nL\xc3\xa4NGER   2\n" },
		{ "table {{if eq .Size \"1B\"}}one{{else}}{{.Name}}{{end}}",
		  "NAME\none\nl\xc3\xa4nger\n" },
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
	TAP_STR(fb_format_ago(-1, 1700000000, out), "N/A", "never");
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
