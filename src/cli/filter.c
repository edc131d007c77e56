/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/filter.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void fb_filter_release(struct fb_image_filter *filter)
{
	fb_strv_release(&filter->references);
	fb_strv_release(&filter->labels);
	fb_strv_release(&filter->no_labels);
	*filter = (struct fb_image_filter){ 0 };
}

/* Go's durations in seconds: "1h30m", "1.5h" */
static bool parse_duration(const char *text, double *ret)
{
	static const struct {
		const char *name;
		double seconds;
	} units[] = { { "ms", 0.001 }, { "h", 3600 }, { "m", 60 }, { "s", 1 } };
	double total = 0;

	if (!*text)
		return false;
	while (*text) {
		char *end;
		double value;
		size_t i;

		if (strspn(text, "0123456789.") == 0)
			return false;
		value = strtod(text, &end);
		for (i = 0; i < FB_ARRAY_SIZE(units); i++)
			if (!strncmp(end, units[i].name, strlen(units[i].name)))
				break;
		if (i == FB_ARRAY_SIZE(units))
			return false;
		total += value * units[i].seconds;
		text = end + strlen(units[i].name);
	}
	*ret = total;
	return total < 1e15;
}

static bool parse_date(const char *text, int64_t *ret)
{
	static const char *const shapes[] = { "%Y-%m-%dT%H:%M:%S",
					      "%Y-%m-%dT%H:%M", "%Y-%m-%d" };

	for (size_t i = 0; i < FB_ARRAY_SIZE(shapes); i++) {
		struct tm tm = { 0 };
		const char *rest = strptime(text, shapes[i], &tm);
		int hours = 0, minutes = 0, used = 0;
		char sign;

		if (!rest)
			continue;
		if (*rest == '.')
			rest += 1 + strspn(rest + 1, "0123456789");
		*ret = (int64_t)timegm(&tm);
		if (!*rest || !strcmp(rest, "Z"))
			return true;
		if (sscanf(rest, "%c%2d:%2d%n", &sign, &hours, &minutes,
			   &used) == 3 &&
		    (sign == '+' || sign == '-') && !rest[used]) {
			*ret -= (sign == '+' ? 1 : -1) *
				(int64_t)(hours * 3600 + minutes * 60);
			return true;
		}
	}
	return false;
}

int fb_filter_time(const char *text, int64_t now_s, int64_t *ret_s,
		   struct fb_err *err)
{
	double ago;
	int64_t when;
	size_t digits = strspn(text, "0123456789");

	if (digits && !text[digits] && digits < 18)
		when = strtoll(text, NULL, 10);
	else if (parse_duration(text, &ago))
		when = now_s - (int64_t)ago;
	else if (!parse_date(text, &when))
		return fb_err_hint(err,
				   fb_err_set(err, -EINVAL,
					      "invalid filter 'until=%s'",
					      text),
				   "say how long ago (24h), or when "
				   "(2024-05-01T12:00:00Z)");
	*ret_s = when;
	return 0;
}

static int set_dangling(const char *value, struct fb_image_filter *f,
			struct fb_err *err)
{
	static const char *const yes[] = { "1", "true", "t", "True", "TRUE" };
	static const char *const no[] = { "0", "false", "f", "False", "FALSE" };

	for (size_t i = 0; i < FB_ARRAY_SIZE(yes); i++) {
		if (!strcmp(value, yes[i]) || !strcmp(value, no[i])) {
			f->dangling = !strcmp(value, yes[i])
					      ? FB_IMAGE_DANGLING_ONLY
					      : FB_IMAGE_DANGLING_NONE;
			return 0;
		}
	}
	return fb_err_set(err, -EINVAL, "invalid filter 'dangling=%s'", value);
}

static int set_one(const char *key, size_t key_len, const char *value,
		   struct fb_image_filter *f, struct fb_err *err)
{
	static const char *const keys[] = { "until",  "label", "dangling",
					    "before", "since", "reference",
					    "label!" };
	size_t i;

	for (i = 0; i < FB_ARRAY_SIZE(keys); i++)
		if (strlen(keys[i]) == key_len &&
		    !memcmp(keys[i], key, key_len))
			break;
	switch (i) {
	case 0:
		return fb_filter_time(value, time(NULL), &f->until_s, err);
	case 1:
		return fb_strv_add(&f->labels, value);
	case 2:
		return set_dangling(value, f, err);
	case 3:
		f->before = value;
		return 0;
	case 4:
		f->since = value;
		return 0;
	case 5:
		return fb_strv_add(&f->references, value);
	default:
		return fb_strv_add(&f->no_labels, value);
	}
}

static bool is_known(const char *key, size_t len, enum fb_filter_use use)
{
	const char *keys = use == FB_FILTER_PRUNE
				   ? " until label label! "
				   : " until label dangling before since "
				     "reference ";
	char padded[32];

	if (len == 0 || len > sizeof(padded) - 3)
		return false;
	(void)snprintf(padded, sizeof(padded), " %.*s ", (int)len, key);
	return strstr(keys, padded) != NULL;
}

int fb_filter_images(const struct fb_strv *words, enum fb_filter_use use,
		     struct fb_image_filter *ret, struct fb_err *err)
{
	for (size_t i = 0; i < words->count; i++) {
		const char *word = words->v[i], *eq = strchr(word, '=');
		size_t len = eq ? (size_t)(eq - word) : strlen(word);
		int r;

		if (!eq)
			return fb_err_set(err, -EINVAL,
					  "invalid argument \"%s\" for \"-f, "
					  "--filter\" flag: bad format of "
					  "filter (expected name=value)",
					  word);
		if (!is_known(word, len, use))
			return fb_err_set(err, -EINVAL, "invalid filter '%.*s'",
					  (int)len, word);
		r = set_one(word, len, eq + 1, ret, err);
		if (r == -ENOMEM)
			return fb_err_set(err, r, "read filters: %m");
		if (r < 0)
			return r;
	}
	return 0;
}
