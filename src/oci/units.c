/* SPDX-License-Identifier: Apache-2.0 */
/* Signals, resource limits and sizes as docker's users write them. */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "oci/process.h"

/* of the guest, which is Linux on x86-64 or arm64: the same numbers */
static const struct {
	const char *name;
	int number;
} signals[] = {
	{ "ABRT", 6 },	{ "ALRM", 14 }, { "BUS", 7 },	  { "CHLD", 17 },
	{ "CLD", 17 },	{ "CONT", 18 }, { "FPE", 8 },	  { "HUP", 1 },
	{ "ILL", 4 },	{ "INT", 2 },	{ "IO", 29 },	  { "IOT", 6 },
	{ "KILL", 9 },	{ "PIPE", 13 }, { "POLL", 29 },	  { "PROF", 27 },
	{ "PWR", 30 },	{ "QUIT", 3 },	{ "SEGV", 11 },	  { "STKFLT", 16 },
	{ "STOP", 19 }, { "SYS", 31 },	{ "TERM", 15 },	  { "TRAP", 5 },
	{ "TSTP", 20 }, { "TTIN", 21 }, { "TTOU", 22 },	  { "URG", 23 },
	{ "USR1", 10 }, { "USR2", 12 }, { "VTALRM", 26 }, { "WINCH", 28 },
	{ "XCPU", 24 }, { "XFSZ", 25 },
};

#define RT_MIN 34
#define RT_MAX 64

static int realtime_signal(const char *name)
{
	int base = !strncasecmp(name, "RTMIN", 5)   ? RT_MIN
		   : !strncasecmp(name, "RTMAX", 5) ? RT_MAX
						    : 0;
	const char *rest = name + 5;
	int number;

	if (!base)
		return -EINVAL;
	if (!*rest)
		return base;
	if ((base == RT_MIN && *rest != '+') ||
	    (base == RT_MAX && *rest != '-'))
		return -EINVAL;
	if (strspn(rest + 1, "0123456789") != strlen(rest + 1) || !rest[1] ||
	    strlen(rest + 1) > 2)
		return -EINVAL;
	number = base + (base == RT_MIN ? 1 : -1) * atoi(rest + 1);
	return number >= RT_MIN && number <= RT_MAX ? number : -EINVAL;
}

int fb_signal_parse(const char *text)
{
	size_t len = strlen(text);

	if (len > 0 && len <= 3 && strspn(text, "0123456789") == len) {
		int number = atoi(text);

		return number >= 1 && number <= RT_MAX ? number : -EINVAL;
	}
	if (!strncasecmp(text, "SIG", 3))
		text += 3;
	for (size_t i = 0; i < FB_ARRAY_SIZE(signals); i++)
		if (!strcasecmp(text, signals[i].name))
			return signals[i].number;
	return realtime_signal(text);
}

static const char *const limit_names[] = {
	"core",	   "cpu",      "data",	 "fsize",      "locks",
	"memlock", "msgqueue", "nice",	 "nofile",     "nproc",
	"rss",	   "rtprio",   "rttime", "sigpending", "stack",
};

/* A number as Go's ParseInt reads it; -1 is "unlimited" */
static int limit_value(const char *text, size_t len, uint64_t *ret,
		       struct fb_err *err)
{
	const char *reason = "invalid syntax";
	uint64_t n = 0;
	size_t i;

	if (len == 2 && !memcmp(text, "-1", 2)) {
		*ret = UINT64_MAX;
		return 0;
	}
	for (i = 0; i < len && isdigit((unsigned char)text[i]); i++)
		if (__builtin_mul_overflow(n, 10u, &n) ||
		    __builtin_add_overflow(n, (uint64_t)(text[i] - '0'), &n) ||
		    n > INT64_MAX) {
			reason = "value out of range";
			break;
		}
	if (len > 0 && i == len) {
		*ret = n;
		return 0;
	}
	return fb_err_set(err, -EINVAL, "parsing \"%.*s\": %s",
			  (int)(len > 100 ? 100 : len), text, reason);
}

static bool is_limit_name(const char *name)
{
	for (size_t i = 0; i < FB_ARRAY_SIZE(limit_names); i++)
		if (!strcmp(name, limit_names[i]))
			return true;
	return false;
}

static int limit_values(const char *text, struct fb_rlimit *limit,
			struct fb_err *err)
{
	const char *colon = strchrnul(text, ':');
	int r = 0;

	if (*colon && strchr(colon + 1, ':'))
		return fb_err_set(err, -EINVAL,
				  "too many limit value arguments - %.100s, "
				  "can only have up to two, `soft[:hard]`",
				  text);
	if (*colon)
		r = limit_value(colon + 1, strlen(colon + 1), &limit->hard,
				err);
	if (r == 0)
		r = limit_value(text, (size_t)(colon - text), &limit->soft,
				err);
	if (r == 0 && !*colon)
		limit->hard = limit->soft;
	return r;
}

int fb_rlimit_parse(const char *text, struct fb_rlimit *ret, struct fb_err *err)
{
	const char *eq = strchr(text, '=');
	size_t len = eq ? (size_t)(eq - text) : 0;
	struct fb_rlimit limit = { 0 };
	int r;

	if (!eq)
		return fb_err_set(err, -EINVAL,
				  "invalid ulimit argument: %.100s", text);
	if (len < sizeof(limit.name))
		memcpy(limit.name, text, len);
	if (!is_limit_name(limit.name))
		return fb_err_set(err, -EINVAL, "invalid ulimit type: %.*s",
				  (int)(len > 100 ? 100 : len), text);
	r = limit_values(eq + 1, &limit, err);
	if (r < 0)
		return r;
	if (limit.soft == UINT64_MAX && limit.hard != UINT64_MAX)
		return fb_err_set(err, -EINVAL,
				  "ulimit soft limit must be less than or "
				  "equal to hard limit: soft: -1 (unlimited), "
				  "hard: %" PRIu64,
				  limit.hard);
	if (limit.soft > limit.hard)
		return fb_err_set(err, -EINVAL,
				  "ulimit soft limit must be less than or "
				  "equal to hard limit: %" PRIu64 " > %" PRIu64,
				  limit.soft, limit.hard);
	*ret = limit;
	return 0;
}

/*
 * The number in @digits ("1.5") times 2^@shift, rounded down,
 * without floating point: a size is exact.  The fraction counts to 18 digits.
 */
static int scale(const char *digits, size_t len, unsigned int shift,
		 uint64_t *ret)
{
	uint64_t whole = 0, part = 0, parts = 1;
	bool fraction = false;

	for (size_t i = 0; i < len; i++) {
		uint64_t digit = (uint64_t)(digits[i] - '0');

		if (digits[i] == '.') {
			fraction = true;
		} else if (!fraction) {
			if (__builtin_mul_overflow(whole, 10u, &whole) ||
			    __builtin_add_overflow(whole, digit, &whole))
				return -ERANGE;
		} else if (parts < 1000000000000000000u) {
			part = part * 10 + digit;
			parts *= 10;
		}
	}
	if (whole > (uint64_t)INT64_MAX >> shift)
		return -ERANGE;
	*ret = (whole << shift) +
	       (uint64_t)(((unsigned __int128)part << shift) / parts);
	return 0;
}

/* "", "b", "k", "kb", "kib", … Return: power of two; -EINVAL */
static int unit_shift(const char *suffix)
{
	static const char units[] = "kmgtp";
	const char *unit;

	if (!suffix[0] || !strcasecmp(suffix, "b"))
		return 0;
	unit = strchr(units, tolower((unsigned char)suffix[0]));
	if (!unit || (suffix[1] && strcasecmp(suffix + 1, "b") &&
		      strcasecmp(suffix + 1, "ib")))
		return -EINVAL;
	return 10 * ((int)(unit - units) + 1);
}

int fb_bytes_parse(const char *text, uint64_t *ret_bytes, struct fb_err *err)
{
	size_t len = strspn(text, "0123456789."), points = 0;
	const char *suffix = text + len + (text[len] == ' ');
	int shift = unit_shift(suffix);
	uint64_t bytes = 0;

	for (size_t i = 0; i < len; i++)
		points += text[i] == '.';
	if (len == points || points > 1)
		return fb_err_set(err, -EINVAL, "invalid size: '%.100s'", text);
	if (shift < 0)
		return fb_err_set(err, -EINVAL, "invalid suffix: '%.100s'",
				  suffix);
	if (scale(text, len, (unsigned int)shift, &bytes) < 0)
		return fb_err_set(err, -ERANGE, "size '%.100s' is too large",
				  text);
	*ret_bytes = bytes;
	return 0;
}
