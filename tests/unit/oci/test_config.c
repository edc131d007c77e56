/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "oci/manifest.h"
#include "tap.h"

#define D1 \
	"sha256:1111111111111111111111111111111111111111111111111111111111111111"
#define ROOTFS "\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"" D1 "\"]}"
#define IMAGE(config) "{" ROOTFS ",\"config\":" config "}"

static const char *joined(char *const *v)
{
	static char text[4096];

	text[0] = '\0';
	for (size_t i = 0; v && v[i]; i++)
		(void)snprintf(text + strlen(text), sizeof(text) - strlen(text),
			       "%s%s", i ? "|" : "", v[i]);
	return text;
}

static void test_whole(void)
{
	static const char json[] =
		"{\"created\":\"2024-01-26T23:44:47.123456789Z\","
		"\"architecture\":\"arm\",\"variant\":\"v6\",\"os\":\"linux\","
		"\"history\":[{\"created_by\":\"x\",\"empty_layer\":true}]," ROOTFS
		",\"config\":{\"User\":\"1000:100\","
		"\"ExposedPorts\":{\"80/tcp\":{},\"53/udp\":{}},"
		"\"Env\":[\"PATH=/bin\",\"A=b=c\",\"E=\"],"
		"\"Entrypoint\":[\"/entry\"],\"Cmd\":[\"a\",\"\"],"
		"\"Volumes\":{\"/data\":{}},\"WorkingDir\":\"/srv\","
		"\"Labels\":{\"k\":\"v=w\",\"e\":\"\"},"
		"\"StopSignal\":\"SIGQUIT\",\"Unknown\":[1,2]}}";
	struct fb_image_config c;
	char out[FB_DIGEST_TEXT_MAX];

	if (!TAP_OK(fb_image_config_parse(json, strlen(json), &c, NULL) == 0,
		    "takes a config"))
		return;
	TAP_STR(c.platform.os, "linux", "system");
	TAP_STR(c.platform.arch, "arm", "architecture");
	TAP_STR(c.platform.variant, "v6", "variant");
	TAP_INT(c.created_s, 1706312687, "creation");
	TAP_INT(c.diff_id_count, 1, "diff_ids");
	TAP_STR(fb_digest_format(&c.diff_ids[0], out), D1, "diff_id");
	TAP_STR(c.user, "1000:100", "user");
	TAP_STR(c.working_dir, "/srv", "folder");
	TAP_STR(c.stop_signal, "SIGQUIT", "signal");
	TAP_STR(joined(c.entrypoint), "/entry", "entrypoint");
	TAP_STR(joined(c.cmd), "a|", "command, with an empty word");
	TAP_STR(joined(c.env), "PATH=/bin|A=b=c|E=", "environment");
	TAP_STR(joined(c.volumes), "/data", "volumes");
	TAP_STR(joined(c.exposed_ports), "80/tcp|53/udp", "ports");
	TAP_STR(joined(c.labels), "k=v=w|e=", "labels");
	fb_image_config_release(&c);
	TAP_OK(!c.env && !c.diff_ids, "released");
}

static void check_empty(const char *json, const char *what)
{
	struct fb_image_config c = { 0 };
	struct fb_err err = { 0 };

	if (!TAP_OK(fb_image_config_parse(json, strlen(json), &c, &err) == 0,
		    "takes %s", what)) {
		printf("# %s\n", err.msg);
		return;
	}
	TAP_OK(!c.entrypoint && !c.cmd, "no entrypoint, no command");
	TAP_OK(c.env && !c.env[0] && c.volumes && !c.volumes[0] &&
		       c.exposed_ports && !c.exposed_ports[0] && c.labels &&
		       !c.labels[0],
	       "lists are empty, not missing");
	TAP_OK(!strcmp(c.user, "") && !strcmp(c.working_dir, "") &&
		       !strcmp(c.stop_signal, "") &&
		       c.created_s == FB_TIME_UNKNOWN,
	       "texts are empty, not missing");
	fb_image_config_release(&c);
}

static void test_empty(void)
{
	struct fb_image_config c;
	static const char lists[] =
		IMAGE("{\"Entrypoint\":[],\"Cmd\":[],\"Env\":[]}");
	static const char words[] =
		IMAGE("{\"Entrypoint\":\"/one word\",\"Cmd\":\"two\"}");

	check_empty("{" ROOTFS "}", "no config at all");
	check_empty(IMAGE("null"), "a null config");
	check_empty(IMAGE("{}"), "an empty config");
	check_empty(IMAGE("{\"User\":null,\"ExposedPorts\":null,\"Env\":null,"
			  "\"Entrypoint\":null,\"Cmd\":null,\"Volumes\":null,"
			  "\"WorkingDir\":null,\"Labels\":null,"
			  "\"StopSignal\":null}"),
		    "a config of nulls");
	TAP_INT(fb_image_config_parse(lists, strlen(lists), &c, NULL), 0,
		"takes empty lists");
	TAP_OK(c.entrypoint && !c.entrypoint[0] && c.cmd && !c.cmd[0],
	       "which are not missing ones");
	fb_image_config_release(&c);
	TAP_INT(fb_image_config_parse(words, strlen(words), &c, NULL), 0,
		"takes a word for a list, as docker does");
	TAP_STR(joined(c.entrypoint), "/one word", "an entrypoint of one");
	TAP_STR(joined(c.cmd), "two", "a command of one");
	fb_image_config_release(&c);
}

static void test_times(void)
{
	static const struct {
		const char *text;
		int64_t seconds;
	} cases[] = {
		{ "1970-01-01T00:00:01Z", 1 },
		{ "2024-02-29T12:00:00Z", 1709208000 },
		{ "2024-02-29T12:00:00.5Z", 1709208000 },
		{ "2024-02-29T14:00:00+02:00", 1709208000 },
		{ "2024-02-29T06:30:00.123-05:30", 1709208000 },
		{ "2038-01-19T03:14:08Z", 2147483648 },
		{ "1970-01-01T00:00:00Z", 0 },
		{ "0001-01-01T00:00:00Z", FB_TIME_UNKNOWN },
		{ "1969-12-31T23:59:59Z", FB_TIME_UNKNOWN },
		{ "2024-02-30T99:00:00Z", FB_TIME_UNKNOWN },
		{ "yesterday", FB_TIME_UNKNOWN },
		{ "", FB_TIME_UNKNOWN },
	};

	for (size_t i = 0; i < FB_ARRAY_SIZE(cases); i++) {
		struct fb_image_config c;
		FB_FREE char *json = NULL;

		if (asprintf(&json, "{\"created\":\"%s\"," ROOTFS "}",
			     cases[i].text) < 0)
			abort();
		TAP_INT(fb_image_config_parse(json, strlen(json), &c, NULL), 0,
			"takes the time '%s'", cases[i].text);
		TAP_INT(c.created_s, cases[i].seconds, "time '%s'",
			cases[i].text);
		fb_image_config_release(&c);
	}
}

static void test_bad(void)
{
	static const char *const cases[][2] = {
		{ "", "line 1" },
		{ "[]", "not an object" },
		{ "{\"config\":[]," ROOTFS "}", "'config' is not an object" },
		{ "{}", "no 'rootfs'" },
		{ "{\"rootfs\":5}", "no 'rootfs'" },
		{ "{\"rootfs\":{\"type\":\"layers\",\"diff_ids\":{}}}",
		  "'diff_ids' is not a list" },
		{ "{\"rootfs\":{\"diff_ids\":[5]}}", "diff_id 1" },
		{ "{\"rootfs\":{\"diff_ids\":[\"" D1 "\",\"sha256:0\"]}}",
		  "diff_id 2" },
		{ "{\"rootfs\":{\"type\":\"tar\",\"diff_ids\":[]}}",
		  "rootfs is of type 'tar'" },
		{ "{\"os\":5," ROOTFS "}", "'os' is not a string" },
		{ "{\"created\":5," ROOTFS "}", "'created' is not a string" },
		{ IMAGE("{\"User\":5}"), "'User' is not a string" },
		{ IMAGE("{\"Env\":\"A=b\"}"), "'Env' is not a list" },
		{ IMAGE("{\"Env\":[5]}"), "'Env' holds something else" },
		{ IMAGE("{\"Env\":[null]}"), "'Env' holds something else" },
		{ IMAGE("{\"Cmd\":{}}"), "'Cmd' is not a list" },
		{ IMAGE("{\"Cmd\":[[\"a\"]]}"), "'Cmd' holds something else" },
		{ IMAGE("{\"Cmd\":[\"a\\u0000b\"]}"), "line 1" },
		{ IMAGE("{\"Cmd\":[\"\xff\"]}"), "unable to decode byte" },
		{ IMAGE("{\"Labels\":[\"a\"]}"), "'Labels' is not an object" },
		{ IMAGE("{\"Labels\":{\"a\":1}}"),
		  "'Labels' holds something else" },
		{ IMAGE("{\"Volumes\":[\"/a\"]}"),
		  "'Volumes' is not an object" },
	};

	for (size_t i = 0; i < FB_ARRAY_SIZE(cases); i++) {
		struct fb_image_config c = { .created_s = 77 };
		struct fb_err err = { 0 };

		TAP_INT(fb_image_config_parse(cases[i][0], strlen(cases[i][0]),
					      &c, &err),
			-EBADMSG, "refuses config %zu", i);
		TAP_OK(strstr(err.msg, cases[i][1]), "says why: %s", err.msg);
		TAP_INT(c.created_s, 77, "leaves the output");
	}
}

static int parse_many(const char *head, const char *item, size_t count,
		      const char *tail)
{
	FB_STR struct fb_str s = FB_STR_INIT(1u << 26);
	struct fb_image_config c = { 0 };
	int r;

	fb_str_puts(&s, head);
	for (size_t i = 0; i < count; i++)
		fb_str_printf(&s, "%s%s", i ? "," : "", item);
	fb_str_puts(&s, tail);
	r = fb_image_config_parse(fb_str_cstr(&s), s.len, &c, NULL);
	fb_image_config_release(&c);
	return r;
}

static void test_limits(void)
{
	const char *env = "{" ROOTFS ",\"config\":{\"Env\":[";
	const char *ids = "{\"rootfs\":{\"diff_ids\":[";

	TAP_INT(parse_many(ids, "\"" D1 "\"", FB_LAYERS_MAX, "]}}"), 0,
		"as many layers as may be");
	TAP_INT(parse_many(ids, "\"" D1 "\"", FB_LAYERS_MAX + 1, "]}}"), -E2BIG,
		"one more");
	TAP_INT(parse_many(env, "\"A=1\"", 65536, "]}}"), 0, "65536 variables");
	TAP_INT(parse_many(env, "\"A=1\"", 65537, "]}}"), -E2BIG, "one more");
	TAP_INT(parse_many("{\"x\":\"", "y", 5u << 20, "\"}"), -E2BIG,
		"not ten megabytes");
}

int main(void)
{
	test_whole();
	test_empty();
	test_times();
	test_bad();
	test_limits();
	return tap_done();
}
