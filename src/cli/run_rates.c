/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/run_rates.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "oci/process.h"

static const char *const flags[] = {
	[FB_RATE_READ_BYTES] = "--device-read-bps",
	[FB_RATE_WRITE_BYTES] = "--device-write-bps",
	[FB_RATE_READ_OPERATIONS] = "--device-read-iops",
	[FB_RATE_WRITE_OPERATIONS] = "--device-write-iops",
};
_Static_assert(FB_ARRAY_SIZE(flags) == FB_RATE_COUNT, "a name each");

static bool is_bytes(enum fb_machine_rate kind)
{
	return kind == FB_RATE_READ_BYTES || kind == FB_RATE_WRITE_BYTES;
}

static int bad_rate(const char *word, enum fb_machine_rate kind,
		    struct fb_err *err)
{
	if (is_bytes(kind))
		return fb_err_set(err, -EINVAL,
				  "invalid rate for device: %.200s. The "
				  "correct format is <device-path>:<number>"
				  "[<unit>]. Number must be a positive integer."
				  " Unit is optional and can be kb, mb, or gb",
				  word);
	return fb_err_set(err, -EINVAL,
			  "invalid rate for device: %.200s. The correct format "
			  "is <device-path>:<number>. Number must be a "
			  "positive integer",
			  word);
}

static int parse_rate(const char *word, const char *text,
		      enum fb_machine_rate kind, uint64_t *ret,
		      struct fb_err *err)
{
	uint64_t rate = 0;
	char *end;
	int r = 0;

	if (is_bytes(kind)) {
		r = fb_bytes_parse(text, &rate, NULL);
	} else {
		rate = strtoull(text, &end, 10);
		if (text[0] < '0' || text[0] > '9' || *end)
			r = -EINVAL;
	}
	if (r < 0 || rate > FB_MACHINE_RATE_MAX)
		return bad_rate(word, kind, err);
	*ret = rate;
	return 0;
}

/* Return: number of the disk; -EINVAL */
static int parse_path(const char *word, size_t len, struct fb_err *err)
{
	static const char *const names[] = { "/dev/vda", "/dev/vdb" };

	_Static_assert(FB_ARRAY_SIZE(names) == FB_CONTAINER_DISKS_MAX,
		       "every disk has a name");
	if (!word[len] || len == 0)
		return fb_err_set(err, -EINVAL, "bad format: %.200s", word);
	if (strncmp(word, "/dev/", 5) != 0)
		return fb_err_set(err, -EINVAL,
				  "bad format for device path: %.200s", word);
	for (int i = 0; i < FB_CONTAINER_DISKS_MAX; i++)
		if (strlen(names[i]) == len && !memcmp(names[i], word, len))
			return i;
	return fb_err_hint(err,
			   fb_err_set(err, -EINVAL,
				      "a machine has no disk '%.*s'",
				      len < 200 ? (int)len : 200, word),
			   "/dev/vda is the image, /dev/vdb the writable disk");
}

static int parse_word(const char *word, enum fb_machine_rate kind,
		      uint64_t ret[FB_CONTAINER_DISKS_MAX][FB_RATE_COUNT],
		      struct fb_err *err)
{
	size_t len = strcspn(word, ":");
	int disk = parse_path(word, len, err);
	bool writes =
		kind == FB_RATE_WRITE_BYTES || kind == FB_RATE_WRITE_OPERATIONS;

	if (disk < 0)
		return disk;
	if (disk == 0 && writes)
		return fb_err_hint(err,
				   fb_err_set(err, -EINVAL,
					      "nothing is ever written to "
					      "'/dev/vda'"),
				   "the writable disk is /dev/vdb");
	return parse_rate(word, word + len + 1, kind, &ret[disk][kind], err);
}

int fb_run_rates_parse(const struct fb_strv *words, enum fb_machine_rate kind,
		       uint64_t ret[FB_CONTAINER_DISKS_MAX][FB_RATE_COUNT],
		       struct fb_err *err)
{
	int r = 0;

	for (size_t i = 0; i < words->count && r == 0; i++) {
		r = parse_word(words->v[i], kind, ret, err);
		if (r < 0)
			(void)fb_err_wrap(err, r,
					  "invalid argument \"%.200s\" for "
					  "\"%s\" flag",
					  words->v[i], flags[kind]);
	}
	return r;
}
