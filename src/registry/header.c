/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/header.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static int parse_number(const char **p, uint64_t *ret)
{
	uint64_t n = 0;
	const char *start = *p;

	for (; **p >= '0' && **p <= '9'; (*p)++)
		if (__builtin_mul_overflow(n, 10u, &n) ||
		    __builtin_add_overflow(n, (uint64_t)(**p - '0'), &n))
			return -ERANGE;
	if (*p == start)
		return -EBADMSG;
	*ret = n;
	return 0;
}

int fb_decimal_parse(const char *text, uint64_t *ret)
{
	uint64_t n;
	int r = parse_number(&text, &n);

	if (r < 0)
		return r;
	if (*text)
		return -EBADMSG;
	*ret = n;
	return 0;
}

int fb_content_range_parse(const char *text, struct fb_content_range *ret)
{
	struct fb_content_range cr = { .total_bytes = UINT64_MAX };

	if (strncasecmp(text, "bytes", 5) != 0 || text[5] != ' ')
		return -EBADMSG;
	text += 5;
	text += strspn(text, " ");
	if (parse_number(&text, &cr.first) < 0 || *text++ != '-' ||
	    parse_number(&text, &cr.last) < 0 || *text++ != '/')
		return -EBADMSG;
	if (strcmp(text, "*") != 0 && fb_decimal_parse(text, &cr.total_bytes))
		return -EBADMSG;
	if (cr.first > cr.last || cr.last >= cr.total_bytes)
		return -EBADMSG;
	*ret = cr;
	return 0;
}

int fb_upload_range_parse(const char *text, uint64_t *ret_bytes)
{
	uint64_t first, last;

	if (strncasecmp(text, "bytes=", 6) == 0)
		text += 6;
	if (parse_number(&text, &first) < 0 || *text++ != '-' ||
	    fb_decimal_parse(text, &last) < 0 || first != 0 ||
	    last == UINT64_MAX)
		return -EBADMSG;
	*ret_bytes = last ? last + 1 : 0;
	return 0;
}

/* Parameters up to the next link, quoted commas included */
static size_t link_params(const char *text)
{
	bool quoted = false;
	size_t n;

	for (n = 0; text[n] && (quoted || text[n] != ','); n++)
		if (text[n] == '"')
			quoted = !quoted;
	return n;
}

static bool is_next(const char *params, size_t len)
{
	bool quoted = false;

	for (size_t i = 0; i + 8 <= len; i++) {
		if (params[i] == '"')
			quoted = !quoted;
		if (quoted)
			continue;
		if (strncasecmp(params + i, "rel=next", 8) == 0 ||
		    (i + 10 <= len &&
		     strncasecmp(params + i, "rel=\"next\"", 10) == 0))
			return true;
	}
	return false;
}

int fb_link_next_parse(const char *text, char **ret)
{
	while (*text) {
		const char *target, *end;
		size_t n;

		text += strspn(text, " \t,");
		if (!*text)
			break;
		if (*text != '<')
			return -EBADMSG;
		target = text + 1;
		end = strchr(target, '>');
		if (!end)
			return -EBADMSG;
		n = link_params(end + 1);
		if (is_next(end + 1, n)) {
			*ret = strndup(target, (size_t)(end - target));
			return *ret ? 0 : -ENOMEM;
		}
		text = end + 1 + n;
	}
	return -ENOENT;
}

static int month_number(const char *name)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	const char *hit = strstr(months, name);

	return hit && (hit - months) % 3 == 0 ? (int)(hit - months) / 3 : -1;
}

/* "Sun, 06 Nov 1994 08:49:37 GMT"; strptime() would depend on the locale */
static int parse_date(const char *text, int64_t *ret_s)
{
	struct tm tm = { 0 };
	char month[4] = "", zone[4] = "";
	int used = 0;

	if (strlen(text) != 29 ||
	    sscanf(text,
		   "%*3[A-Za-z], %2d %3[A-Za-z] %4d %2d:%2d:%2d %3[A-Z]%n",
		   &tm.tm_mday, month, &tm.tm_year, &tm.tm_hour, &tm.tm_min,
		   &tm.tm_sec, zone, &used) != 7 ||
	    used != 29 || strcmp(zone, "GMT") != 0 || strlen(month) != 3)
		return -EBADMSG;
	tm.tm_mon = month_number(month);
	if (tm.tm_mon < 0 || tm.tm_mday < 1 || tm.tm_mday > 31 ||
	    tm.tm_hour < 0 || tm.tm_hour > 23 || tm.tm_min < 0 ||
	    tm.tm_min > 59 || tm.tm_sec < 0 || tm.tm_sec > 60 ||
	    tm.tm_year < 1970)
		return -EBADMSG;
	tm.tm_year -= 1900;
	*ret_s = timegm(&tm);
	return 0;
}

int fb_retry_after_parse(const char *text, int64_t now_s, uint64_t *ret_s)
{
	int64_t when;

	if (fb_decimal_parse(text, ret_s) == 0)
		return 0;
	if (parse_date(text, &when) < 0)
		return -EBADMSG;
	*ret_s = when > now_s ? (uint64_t)(when - now_s) : 0;
	return 0;
}

static bool is_media_type_char(char c)
{
	return isalnum((unsigned char)c) || (c && strchr("!#$&-^_.+/", c));
}

const char *fb_media_type_parse(const char *text, char out[256])
{
	size_t n = 0;
	bool slash = false;

	text += strspn(text, " \t");
	for (; n < 255 && is_media_type_char(text[n]); n++) {
		slash |= text[n] == '/';
		out[n] = (char)tolower((unsigned char)text[n]);
	}
	out[n] = '\0';
	text += n + strspn(text + n, " \t");
	if (!slash || (*text && *text != ';'))
		out[0] = '\0';
	return out;
}
