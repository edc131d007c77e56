/* SPDX-License-Identifier: Apache-2.0 */
/* Signals, resource limits and sizes as docker's users write them. */
#include <ctype.h>
#include <errno.h>
#include <math.h>
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
	{ "ABRT", 6 },	{ "ALRM", 14 },	  { "BUS", 7 },	    { "CHLD", 17 },
	{ "CLD", 17 },	{ "CONT", 18 },	  { "FPE", 8 },	    { "HUP", 1 },
	{ "ILL", 4 },	{ "INT", 2 },	  { "IO", 29 },	    { "IOT", 6 },
	{ "KILL", 9 },	{ "PIPE", 13 },	  { "POLL", 29 },   { "PROF", 27 },
	{ "PWR", 30 },	{ "QUIT", 3 },	  { "SEGV", 11 },   { "STKFLT", 16 },
	{ "STOP", 19 }, { "SYS", 31 },	  { "TERM", 15 },   { "TRAP", 5 },
	{ "TSTP", 20 }, { "TTIN", 21 },	  { "TTOU", 22 },   { "URG", 23 },
	{ "USR1", 10 }, { "USR2", 12 },	  { "VTALRM", 26 }, { "WINCH", 28 },
	{ "XCPU", 24 }, { "XFSZ", 25 },
};

#define RT_MIN 34
#define RT_MAX 64

static int realtime_signal(const char *name)
{
	int base = !strncasecmp(name, "RTMIN", 5) ? RT_MIN :
		   !strncasecmp(name, "RTMAX", 5) ? RT_MAX :
						    0;
	const char *rest = name + 5;
	int number;

	if (!base)
		return -EINVAL;
	if (!*rest)
		return base;
	if ((base == RT_MIN && *rest != '+') || (base == RT_MAX && *rest != '-'))
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
	"as",	   "core",   "cpu",  "data",   "fsize",	     "locks",
	"memlock", "msgqueue", "nice", "nofile", "nproc", "rss",
	"rtprio",  "rttime", "sigpending", "stack",
};

static int limit_value(const char *text, size_t len, uint64_t *ret)
{
	char number[24], *end;

	if (len == 0 || len >= sizeof(number))
		return -EINVAL;
	memcpy(number, text, len);
	number[len] = '\0';
	if (!strcmp(number, "-1") || !strcmp(number, "unlimited")) {
		*ret = UINT64_MAX;
		return 0;
	}
	if (!isdigit((unsigned char)number[0]))
		return -EINVAL;
	errno = 0;
	*ret = strtoull(number, &end, 10);
	return errno || *end ? -EINVAL : 0;
}

static bool is_limit_name(const char *name)
{
	for (size_t i = 0; i < FB_ARRAY_SIZE(limit_names); i++)
		if (!strcmp(name, limit_names[i]))
			return true;
	return false;
}

int fb_rlimit_parse(const char *text, struct fb_rlimit *ret, struct fb_err *err)
{
	const char *eq = strchr(text, '='), *colon;
	struct fb_rlimit limit = { 0 };
	size_t len;
	int r;

	if (!eq)
		return fb_err_set(err, -EINVAL, "invalid ulimit argument: %s",
				  text);
	len = (size_t)(eq - text);
	if (len < sizeof(limit.name))
		memcpy(limit.name, text, len);
	if (len >= sizeof(limit.name) || !is_limit_name(limit.name))
		return fb_err_set(err, -EINVAL, "invalid ulimit type: %.*s",
				  (int)len, text);
	colon = strchrnul(eq + 1, ':');
	r = limit_value(eq + 1, (size_t)(colon - eq - 1), &limit.soft);
	limit.hard = limit.soft;
	if (r == 0 && *colon)
		r = limit_value(colon + 1, strlen(colon + 1), &limit.hard);
	if (r < 0)
		return fb_err_set(err, -EINVAL,
				  "invalid ulimit value in '%s': a number, -1 "
				  "or 'unlimited'",
				  text);
	if (limit.soft > limit.hard)
		return fb_err_set(err, -EINVAL,
				  "ulimit soft limit must be less than or "
				  "equal to hard limit: %s",
				  text);
	*ret = limit;
	return 0;
}

/* go-units' RAMInBytes: a number, a unit letter, "b" or "ib" after it */
int fb_bytes_parse(const char *text, uint64_t *ret_bytes, struct fb_err *err)
{
	static const char units[] = "kmgtpe";
	const char *unit;
	size_t digits = strspn(text, "0123456789.");
	double value, factor = 1;
	char *end = NULL;

	value = digits > 0 && digits < 32 && isdigit((unsigned char)text[0]) ?
			strtod(text, &end) :
			-1;
	if (value < 0 || end != text + digits)
		return fb_err_set(err, -EINVAL, "invalid size: '%s'", text);
	text = end;
	if (*text == ' ')
		text++;
	unit = *text ? strchr(units, tolower((unsigned char)*text)) : NULL;
	if (unit) {
		factor = ldexp(1.0, 10 * ((int)(unit - units) + 1));
		text++;
		if (!strcasecmp(text, "ib") || !strcasecmp(text, "b"))
			text += strlen(text);
	} else if (!strcasecmp(text, "b")) {
		text++;
	}
	if (*text)
		return fb_err_set(err, -EINVAL, "invalid suffix: '%s'", text);
	if (value * factor >= 9223372036854775808.0)
		return fb_err_set(err, -ERANGE, "size is too large");
	*ret_bytes = (uint64_t)(value * factor);
	return 0;
}
