/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/mountopt.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>

/** struct word - An option that is a flag; @clear: it takes the flag away */
struct word {
	const char *name;
	unsigned long flag;
	bool clear;
};

static const struct word words[] = {
	{ "async", MS_SYNCHRONOUS, true },
	{ "atime", MS_NOATIME, true },
	{ "dev", MS_NODEV, true },
	{ "diratime", MS_NODIRATIME, true },
	{ "dirsync", MS_DIRSYNC, false },
	{ "exec", MS_NOEXEC, true },
	{ "noatime", MS_NOATIME, false },
	{ "nodev", MS_NODEV, false },
	{ "nodiratime", MS_NODIRATIME, false },
	{ "noexec", MS_NOEXEC, false },
	{ "norelatime", MS_RELATIME, true },
	{ "nostrictatime", MS_STRICTATIME, true },
	{ "nosuid", MS_NOSUID, false },
	{ "relatime", MS_RELATIME, false },
	{ "ro", MS_RDONLY, false },
	{ "rw", MS_RDONLY, true },
	{ "strictatime", MS_STRICTATIME, false },
	{ "suid", MS_NOSUID, true },
	{ "sync", MS_SYNCHRONOUS, false },
};

static const char *const keys[] = { "size", "mode",	 "uid",
				    "gid",  "nr_inodes", "nr_blocks" };

static bool is_name(const char *name, const char *text, size_t len)
{
	return strlen(name) == len && memcmp(name, text, len) == 0;
}

/* digits, octal ones for a mode; a unit where it is an amount */
static bool is_value(const char *key, const char *value, size_t len)
{
	bool mode = strcmp(key, "mode") == 0;
	bool id = strcmp(key, "uid") == 0 || strcmp(key, "gid") == 0;
	size_t digits = 0;

	while (digits < len && isdigit((unsigned char)value[digits]) &&
	       !(mode && value[digits] > '7'))
		digits++;
	if (digits == 0)
		return false;
	if (digits == len)
		return true;
	if (mode || id || digits + 1 != len)
		return false;
	return strchr("kKmMgGtT", value[digits]) ||
	       (value[digits] == '%' && strcmp(key, "size") == 0);
}

static int apply(const char *text, size_t len, struct fb_mountopt *opt)
{
	const char *equals = memchr(text, '=', len);
	size_t used = strlen(opt->data);

	for (size_t i = 0; !equals && i < sizeof(words) / sizeof(*words); i++) {
		if (!is_name(words[i].name, text, len))
			continue;
		if (words[i].clear)
			opt->flags &= ~words[i].flag;
		else
			opt->flags |= words[i].flag;
		return 0;
	}
	for (size_t i = 0; equals && i < sizeof(keys) / sizeof(*keys); i++) {
		size_t key = (size_t)(equals - text);

		if (!is_name(keys[i], text, key) ||
		    !is_value(keys[i], equals + 1, len - key - 1))
			continue;
		if (used + 1 + len >= sizeof(opt->data))
			return -E2BIG;
		(void)snprintf(opt->data + used, sizeof(opt->data) - used,
			       "%s%.*s", used ? "," : "", (int)len, text);
		return 0;
	}
	return -EINVAL;
}

int fb_mountopt_parse_tmpfs(const char *text, struct fb_mountopt *ret,
			    struct fb_err *err)
{
	struct fb_mountopt opt = { .flags = MS_NOEXEC | MS_NOSUID | MS_NODEV };

	while (*text) {
		size_t len = strcspn(text, ",");
		size_t shown = len < 256 ? len : 256;

		if (len > 0 && apply(text, len, &opt) < 0)
			return fb_err_set(err, -EINVAL,
					  "invalid tmpfs option \"%.*s\"",
					  (int)shown, text);
		text += len;
		text += *text == ',';
	}
	*ret = opt;
	return 0;
}
