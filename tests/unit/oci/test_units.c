/* SPDX-License-Identifier: Apache-2.0 */
/* Signals, ulimits and sizes; texts are docker's. */
#include <errno.h>
#include <signal.h>
#include <string.h>

#include "base/cleanup.h"
#include "oci/process.h"
#include "tap.h"

static void test_signals(void)
{
	static const struct {
		const char *text;
		int number;
	} cases[] = {
		{ "TERM", 15 },
		{ "SIGTERM", 15 },
		{ "sigterm", 15 },
		{ "term", 15 },
		{ "15", 15 },
		{ "1", 1 },
		{ "64", 64 },
		{ "KILL", 9 },
		{ "SIGHUP", 1 },
		{ "INT", 2 },
		{ "QUIT", 3 },
		{ "USR1", 10 },
		{ "USR2", 12 },
		{ "WINCH", 28 },
		{ "CHLD", 17 },
		{ "CLD", 17 },
		{ "IOT", 6 },
		{ "POLL", 29 },
		{ "STKFLT", 16 },
		{ "PWR", 30 },
		{ "SYS", 31 },
		{ "RTMIN", 34 },
		{ "SIGRTMIN", 34 },
		{ "RTMIN+3", 37 },
		{ "SIGRTMIN+15", 49 },
		{ "RTMAX", 64 },
		{ "RTMAX-14", 50 },
		{ "", -EINVAL },
		{ "0", -EINVAL },
		{ "65", -EINVAL },
		{ "-1", -EINVAL },
		{ "+9", -EINVAL },
		{ "9x", -EINVAL },
		{ "SIG", -EINVAL },
		{ "SIG9", -EINVAL },
		{ "NOSUCH", -EINVAL },
		{ "RTMIN-1", -EINVAL },
		{ "RTMIN+", -EINVAL },
		{ "RTMIN+31", -EINVAL },
		{ "RTMAX-31", -EINVAL },
		{ "RTMIN+999", -EINVAL },
		{ "99999999999", -EINVAL },
		{ "TERM ", -EINVAL },
	};

	for (size_t i = 0; i < FB_ARRAY_SIZE(cases); i++)
		TAP_INT(fb_signal_parse(cases[i].text), cases[i].number,
			"signal '%s'", cases[i].text);
}

#define UNLIMITED UINT64_MAX
#define ORDER "ulimit soft limit must be less than or equal to hard limit: "

static void test_good_limits(void)
{
	static const struct {
		const char *text;
		const char *name;
		uint64_t soft, hard;
	} cases[] = {
		{ "nofile=1024", "nofile", 1024, 1024 },
		{ "nofile=1024:2048", "nofile", 1024, 2048 },
		{ "nofile=0:0", "nofile", 0, 0 },
		{ "core=-1", "core", UNLIMITED, UNLIMITED },
		{ "core=0:-1", "core", 0, UNLIMITED },
		{ "memlock=-1:-1", "memlock", UNLIMITED, UNLIMITED },
		{ "sigpending=9223372036854775807", "sigpending", INT64_MAX,
		  INT64_MAX },
		{ "rttime=5", "rttime", 5, 5 },
	};
	struct fb_rlimit l;

	for (size_t i = 0; i < FB_ARRAY_SIZE(cases); i++)
		TAP_OK(fb_rlimit_parse(cases[i].text, &l, NULL) == 0 &&
			       !strcmp(l.name, cases[i].name) &&
			       l.soft == cases[i].soft &&
			       l.hard == cases[i].hard,
		       "ulimit '%s'", cases[i].text);
}

static void test_bad_limits(void)
{
	static const char *const cases[][2] = {
		{ "nofile", "invalid ulimit argument: nofile" },
		{ "", "invalid ulimit argument: " },
		{ "=1", "invalid ulimit type: " },
		{ "foo=3", "invalid ulimit type: foo" },
		{ "as=1", "invalid ulimit type: as" },
		{ "NOFILE=1", "invalid ulimit type: NOFILE" },
		{ "averyveryverylongname=1",
		  "invalid ulimit type: averyveryverylongname" },
		{ "nofile=", "parsing \"\": invalid syntax" },
		{ "nofile=a", "parsing \"a\": invalid syntax" },
		{ "nofile=1k", "parsing \"1k\": invalid syntax" },
		{ "nofile=-2", "parsing \"-2\": invalid syntax" },
		{ "nofile=1:", "parsing \"\": invalid syntax" },
		{ "nofile=99999999999999999999",
		  "parsing \"99999999999999999999\": value out of range" },
		{ "nofile=9223372036854775808",
		  "parsing \"9223372036854775808\": value out of range" },
		{ "nofile=1:2:3",
		  "too many limit value arguments - 1:2:3, can only have up "
		  "to two, `soft[:hard]`" },
		{ "nofile=2:1", ORDER "2 > 1" },
		{ "nofile=-1:5", ORDER "soft: -1 (unlimited), hard: 5" },
	};
	struct fb_rlimit l;

	for (size_t i = 0; i < FB_ARRAY_SIZE(cases); i++) {
		struct fb_err err = { 0 };

		TAP_INT(fb_rlimit_parse(cases[i][0], &l, &err), -EINVAL,
			"refuses ulimit '%s'", cases[i][0]);
		TAP_STR(err.msg, cases[i][1], "says why");
	}
}

static void test_sizes(void)
{
	static const struct {
		const char *text;
		uint64_t bytes;
	} cases[] = {
		{ "0", 0 },
		{ "1024", 1024 },
		{ "1b", 1 },
		{ "1B", 1 },
		{ "1k", 1024 },
		{ "1K", 1024 },
		{ "1kb", 1024 },
		{ "1KiB", 1024 },
		{ "64m", 64ull << 20 },
		{ "1.5g", 3ull << 29 },
		{ "8GiB", 8ull << 30 },
		{ "1 g", 1ull << 30 },
		{ "1.m", 1ull << 20 },
		{ ".5m", 1ull << 19 },
		{ "0.1k", 102 },
		{ "1TB", 1ull << 40 },
		{ "7p", 7ull << 50 },
		{ "1.9", 1 },
		{ "9223372036854775807", INT64_MAX },
		{ "1.0000000000000000000000000000000001k", 1024 },
		/* floating point would round this one up */
		{ "9007199254740993", 9007199254740993u },
		{ "0.99999999999999999999k", 1023 },
	};
	uint64_t n;

	for (size_t i = 0; i < FB_ARRAY_SIZE(cases); i++) {
		n = 12345;
		TAP_INT(fb_bytes_parse(cases[i].text, &n, NULL), 0,
			"takes '%s'", cases[i].text);
		TAP_INT(n, cases[i].bytes, "'%s'", cases[i].text);
	}
}

static void test_bad_sizes(void)
{
	static const struct {
		const char *text;
		int code;
		const char *reason;
	} cases[] = {
		{ "", -EINVAL, "invalid size: ''" },
		{ "m", -EINVAL, "invalid size: 'm'" },
		{ "foo", -EINVAL, "invalid size: 'foo'" },
		{ "-1", -EINVAL, "invalid size: '-1'" },
		{ ".", -EINVAL, "invalid size: '.'" },
		{ "1.5.5", -EINVAL, "invalid size: '1.5.5'" },
		{ " 1", -EINVAL, "invalid size: ' 1'" },
		{ "1kx", -EINVAL, "invalid suffix: 'kx'" },
		{ "1kbb", -EINVAL, "invalid suffix: 'kbb'" },
		{ "1kibb", -EINVAL, "invalid suffix: 'kibb'" },
		{ "1xb", -EINVAL, "invalid suffix: 'xb'" },
		{ "1bb", -EINVAL, "invalid suffix: 'bb'" },
		{ "1e3", -EINVAL, "invalid suffix: 'e3'" },
		{ "1  g", -EINVAL, "invalid suffix: ' g'" },
		{ "0x10", -EINVAL, "invalid suffix: 'x10'" },
		{ "9223372036854775808", -ERANGE, "is too large" },
		{ "8192p", -ERANGE, "is too large" },
		{ "99999999p", -ERANGE, "is too large" },
		{ "99999999999999999999999", -ERANGE, "is too large" },
	};

	for (size_t i = 0; i < FB_ARRAY_SIZE(cases); i++) {
		struct fb_err err = { 0 };
		uint64_t n = 7;

		TAP_INT(fb_bytes_parse(cases[i].text, &n, &err), cases[i].code,
			"refuses '%s'", cases[i].text);
		TAP_OK(strstr(err.msg, cases[i].reason), "says why: %s",
		       err.msg);
		TAP_INT(n, 7, "leaves the output");
	}
}

int main(void)
{
	test_signals();
	test_good_limits();
	test_bad_limits();
	test_sizes();
	test_bad_sizes();
	return tap_done();
}
