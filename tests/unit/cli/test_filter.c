/* SPDX-License-Identifier: Apache-2.0 */
/* --filter: points in time, keys, what is refused. */
#include <errno.h>

#include "cli/filter.h"
#include "tap.h"

#define NOW 1714564800 /* 2024-05-01T12:00:00Z */

static void test_times(void)
{
	static const struct {
		const char *text;
		int64_t want;
	} cases[] = {
		{ "0", 0 },
		{ "1714564800", NOW },
		{ "10m", NOW - 600 },
		{ "1h30m", NOW - 5400 },
		{ "1.5h", NOW - 5400 },
		{ "24h", NOW - 86400 },
		{ "90s", NOW - 90 },
		{ "1500ms", NOW - 1 },
		{ "2024-05-01", NOW - 43200 },
		{ "2024-05-01T12:00", NOW },
		{ "2024-05-01T12:00:00", NOW },
		{ "2024-05-01T12:00:00Z", NOW },
		{ "2024-05-01T12:00:00.123456789Z", NOW },
		{ "2024-05-01T14:00:00+02:00", NOW },
		{ "2024-05-01T11:30:00-00:30", NOW },
	};
	static const char *const bad[] = { "",
					   "x",
					   "1d",
					   "h",
					   "10mx",
					   "2024-13-01",
					   "2024-05-01T12:00:00X",
					   "-5m",
					   "2024-05-01T12:00:00+2" };

	for (size_t i = 0; i < FB_ARRAY_SIZE(cases); i++) {
		int64_t got = -1;
		struct fb_err err = { 0 };
		int r = fb_filter_time(cases[i].text, NOW, &got, &err);

		TAP_INT(r, 0, "'%s' %s", cases[i].text, err.msg);
		TAP_OK(got == cases[i].want, "is %lld", (long long)got);
	}
	for (size_t i = 0; i < FB_ARRAY_SIZE(bad); i++) {
		int64_t got = -1;

		TAP_INT(fb_filter_time(bad[i], NOW, &got, NULL), -EINVAL,
			"refuses '%s'", bad[i]);
	}
}

static int parse(const char *a, const char *b, enum fb_filter_use use,
		 struct fb_image_filter *ret, struct fb_err *err)
{
	static struct fb_strv words;

	fb_strv_release(&words);
	(void)fb_strv_add(&words, a);
	if (b)
		(void)fb_strv_add(&words, b);
	*ret = (struct fb_image_filter){ 0 };
	return fb_filter_images(&words, use, ret, err);
}

static void test_keys(void)
{
	FB_IMAGE_FILTER struct fb_image_filter f = { 0 };
	struct fb_err err = { 0 };

	TAP_INT(parse("label=a=b", "label=c", FB_FILTER_PRUNE, &f, &err), 0,
		"two labels %s", err.msg);
	TAP_INT(f.labels.count, 2, "are two");
	TAP_STR(f.labels.v[0], "a=b", "the value goes along");
	fb_filter_release(&f);
	TAP_INT(parse("label!=a=b", NULL, FB_FILTER_PRUNE, &f, &err), 0,
		"one that must not be there %s", err.msg);
	TAP_STR(f.no_labels.v ? f.no_labels.v[0] : NULL, "a=b", "which");
	fb_filter_release(&f);
	TAP_INT(parse("label!=a", NULL, FB_FILTER_LIST, &f, &err), -EINVAL,
		"as docker, only with prune: %s", err.msg);
	TAP_INT(parse("before=x", NULL, FB_FILTER_LIST, &f, &err), 0,
		"a listing knows before=");
	TAP_STR(f.before, "x", "its value");
	TAP_INT(parse("before=x", NULL, FB_FILTER_PRUNE, &f, &err), -EINVAL,
		"prune does not: %s", err.msg);
	TAP_INT(parse("dangling=TRUE", NULL, FB_FILTER_LIST, &f, &err), 0,
		"Go's spellings of true");
	TAP_INT(f.dangling, FB_IMAGE_DANGLING_ONLY, "mean it");
	TAP_INT(parse("dangling=yes", NULL, FB_FILTER_LIST, &f, &err), -EINVAL,
		"others don't: %s", err.msg);
	TAP_INT(parse("=x", NULL, FB_FILTER_LIST, &f, &err), -EINVAL, "%s",
		err.msg);
	TAP_INT(parse("label", NULL, FB_FILTER_LIST, &f, &err), -EINVAL, "%s",
		err.msg);
	fb_filter_release(&f);
	(void)parse("until=1", NULL, FB_FILTER_PRUNE, &f, NULL);
	TAP_OK(f.until_s == 1, "until");
}

int main(void)
{
	test_times();
	test_keys();
	return tap_done();
}
