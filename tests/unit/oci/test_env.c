/* SPDX-License-Identifier: Apache-2.0 */
/* -e, --env-file and their merge, as docker 28 reads them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "oci/env.h"
#include "tap.h"

static const char *lookup(void *ctx, const char *name)
{
	(void)ctx;
	if (!strcmp(name, "HOME"))
		return "/home/u";
	return !strcmp(name, "EMPTY") ? "" : NULL;
}

static const struct fb_env_host host = { .lookup = lookup };

/* "A=1|B=2", for comparison */
static const char *joined(const struct fb_strv *v)
{
	static char text[8192];

	text[0] = '\0';
	for (size_t i = 0; i < v->count; i++)
		(void)snprintf(text + strlen(text), sizeof(text) - strlen(text),
			       "%s%s", i ? "|" : "", v->v[i]);
	return text;
}

static void test_add(void)
{
	static const char *const good[][2] = {
		{ "A=1", "A=1" },
		{ "A=", "A=" },
		{ "A==b=", "A==b=" },
		{ "A= x ", "A= x " },
		{ "A=a\nb", "A=a\nb" },
		{ "HOME", "HOME=/home/u" },
		{ "EMPTY", "EMPTY=" },
		{ "NOWHERE", "NOWHERE" },
		{ "HOME=", "HOME=" },
		{ "a b=c", "a b=c" },
		{ "A=\xff\xfe", "A=\xff\xfe" },
	};
	static const char *const bad[][2] = {
		{ "", "invalid environment variable: " },
		{ "=", "invalid environment variable: =" },
		{ "=x", "invalid environment variable: =x" },
	};

	for (size_t i = 0; i < FB_ARRAY_SIZE(good); i++) {
		FB_STRV struct fb_strv env = { 0 };

		TAP_INT(fb_env_add(good[i][0], &host, &env, NULL), 0,
			"-e case %zu", i);
		TAP_STR(joined(&env), good[i][1], "-e case %zu", i);
	}
	for (size_t i = 0; i < FB_ARRAY_SIZE(bad); i++) {
		FB_STRV struct fb_strv env = { 0 };
		struct fb_err err = { 0 };

		TAP_INT(fb_env_add(bad[i][0], &host, &env, &err), -EINVAL,
			"refuses -e '%s'", bad[i][0]);
		TAP_STR(err.msg, bad[i][1], "says why");
		TAP_INT(env.count, 0, "adds nothing");
	}
}

static void test_file(void)
{
	static const char *const good[][2] = {
		{ "", "" },
		{ "\n\n\r\n", "" },
		{ "A=1", "A=1" },
		{ "A=1\nB=2\n", "A=1|B=2" },
		{ "A=1\r\nB=2\r\n", "A=1|B=2" },
		{ "\xef\xbb\xbf"
		  "A=1",
		  "A=1" },
		/* only at the very beginning it is a mark */
		{ "A=1\n\xef\xbb\xbf"
		  "B=2",
		  "A=1|\xef\xbb\xbf"
		  "B=2" },
		{ "# note\n  # note\nA=1 # no note\n", "A=1 # no note" },
		{ "  A=1", "A=1" },
		{ "\t\v A=1", "A=1" },
		{ "A= 1 ", "A= 1 " },
		{ "A=\"q\"", "A=\"q\"" },
		{ "A=b=c", "A=b=c" },
		{ "A=", "A=" },
		{ "A=a b\tc", "A=a b\tc" },
		{ "HOME", "HOME=/home/u" },
		{ "  HOME\n", "HOME=/home/u" },
		{ "EMPTY", "EMPTY=" },
		{ "NOWHERE\nA=1", "A=1" },
		{ "A=1\nA=2", "A=1|A=2" },
		{ "A=\xff", "A=\xff" },
		{ "\xc2\xa0"
		  "A=1",
		  "A=1" },
	};
	static const char *const bad[][2] = {
		{ "A=1\nB C=2\n",
		  "line 2: variable 'B C' contains whitespaces" },
		{ "A =1", "line 1: variable 'A ' contains whitespaces" },
		{ "A\tB", "line 1: variable 'A?B' contains whitespaces" },
		{ "HOME ", "line 1: variable 'HOME ' contains whitespaces" },
		{ "\n\n=x", "line 3: no variable name on line '=x'" },
	};

	for (size_t i = 0; i < FB_ARRAY_SIZE(good); i++) {
		FB_STRV struct fb_strv env = { 0 };

		TAP_INT(fb_env_file_parse(good[i][0], strlen(good[i][0]), &host,
					  &env, NULL),
			0, "file %zu", i);
		TAP_STR(joined(&env), good[i][1], "file %zu", i);
	}
	for (size_t i = 0; i < FB_ARRAY_SIZE(bad); i++) {
		FB_STRV struct fb_strv env = { 0 };
		struct fb_err err = { 0 };

		TAP_INT(fb_env_file_parse(bad[i][0], strlen(bad[i][0]), &host,
					  &env, &err),
			-EINVAL, "refuses file %zu", i);
		TAP_STR(err.msg, bad[i][1], "says why");
	}
}

static void test_file_limits(void)
{
	static char big[FB_ENV_FILE_MAX + 1];
	FB_STRV struct fb_strv env = { 0 };

	TAP_INT(fb_env_file_parse("A=1\nB=\0x", 8, &host, &env, NULL), -EINVAL,
		"refuses a NUL byte");
	memset(big, 'x', sizeof(big));
	big[1] = '=';
	TAP_INT(fb_env_file_parse(big, sizeof(big), &host, &env, NULL), -E2BIG,
		"refuses 16 MiB and a byte");
	TAP_INT(fb_env_file_parse(big, sizeof(big) - 1, &host, &env, NULL), 0,
		"takes a line of 16 MiB");
}

static void test_merge(void)
{
	char *const image[] = {
		(char[]){ "PATH=/image" }, (char[]){ "A=image" },
		(char[]){ "B=image" },	   (char[]){ "A=image2" },
		(char[]){ "C=image" },	   NULL
	};
	char *const own[] = { (char[]){ "PATH=/own" }, (char[]){ "TERM=own" },
			      NULL };
	char *const user[] = { (char[]){ "Z=user" },
			       (char[]){ "B=user" },
			       (char[]){ "Z=user2" },
			       (char[]){ "C" },
			       (char[]){ "AA=user" },
			       (char[]){ "TERM" },
			       NULL };
	const struct fb_env_list lists[] = {
		{ own, 0 }, { user, 2 }, { image, 1 }, { NULL, 3 }
	};
	FB_STRV struct fb_strv env = { 0 }, none = { 0 };

	TAP_INT(fb_env_merge(lists, FB_ARRAY_SIZE(lists), &env), 0, "merges");
	TAP_STR(joined(&env), "PATH=/image|Z=user2|B=user|AA=user|A=image2",
		"by rank, in place, taken away");
	TAP_INT(fb_env_merge(lists, 0, &none), 0, "nothing at all");
	TAP_INT(none.count, 0, "stays empty");
}

/* a quadratic merge would take this test minutes */
static void test_merge_many(void)
{
	enum { COUNT = 200000 };
	FB_STRV struct fb_strv many = { 0 }, env = { 0 };
	struct fb_env_list lists[2];

	for (int i = 0; i < COUNT; i++)
		(void)fb_strv_addf(&many, "VARIABLE_%06d=%d", i, i);
	lists[0] = (struct fb_env_list){ many.v, 0 };
	lists[1] = lists[0];
	TAP_INT(fb_env_merge(lists, 2, &env), 0, "merges many");
	TAP_INT(env.count, COUNT, "each once");
	TAP_STR(env.v[COUNT - 1], many.v[COUNT - 1], "in order");
}

int main(void)
{
	test_add();
	test_file();
	test_file_limits();
	test_merge();
	test_merge_many();
	return tap_done();
}
