/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which version a Firecracker is: by running it once, and by a remembered answer
 * for as long as the file is the same.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/program.h"
#include "base/str.h"
#include "machine/firecracker.h"

#define CACHE_FILE "firecracker"
#define CACHE_MAX 512
#define ANSWER_MAX 512

unsigned int fb_firecracker_parse_version(const char *text)
{
	unsigned int major, minor;

	if (sscanf(text, "Firecracker v%3u.%3u", &major, &minor) != 2)
		return 0;
	return FB_ENGINE_VERSION(major, minor);
}

/* what changes when the program is another one */
static int cache_key(const char *program, struct fb_str *key)
{
	struct stat st;

	if (stat(program, &st) < 0)
		return -errno;
	return fb_str_printf(key, "1 %llx:%llx %lld %lld.%09ld\n",
			     (unsigned long long)st.st_dev,
			     (unsigned long long)st.st_ino,
			     (long long)st.st_size,
			     (long long)st.st_ctim.tv_sec, st.st_ctim.tv_nsec);
}

static unsigned int remembered(int dir_fd, const struct fb_str *key)
{
	FB_FREE char *text = NULL;

	if (dir_fd < 0 ||
	    fb_read_file_at(dir_fd, CACHE_FILE, CACHE_MAX, &text, NULL) < 0)
		return 0;
	if (strncmp(text, fb_str_cstr(key), key->len))
		return 0;
	return fb_firecracker_parse_version(text + key->len);
}

static int judge(unsigned int version, struct fb_err *err)
{
	int r;

	if (version >= FB_FIRECRACKER_OLDEST)
		return 0;
	r = fb_err_set(err, -EOPNOTSUPP,
		       "Firecracker %u.%u is too old: 1.10 is the oldest that "
		       "works",
		       version / 1000, version % 1000);
	return fb_err_hint(err, r,
			   "scripts/install-firecracker gets a newer one");
}

int fb_firecracker_version(const char *program, int cache_dir_fd,
			   unsigned int *ret, struct fb_err *err)
{
	FB_STR struct fb_str text = FB_STR_INIT(CACHE_MAX);
	char answer[ANSWER_MAX];
	unsigned int version;
	int r = cache_key(program, &text);

	if (r < 0)
		return fb_err_set(err, r, "ask '%s': %m", program);
	version = remembered(cache_dir_fd, &text);
	if (!version) {
		r = fb_program_ask(program, "--version", answer, sizeof(answer),
				   err);
		if (r < 0)
			return r;
		version = fb_firecracker_parse_version(answer);
		if (!version)
			return fb_err_set(err, -EBADMSG,
					  "'%s' is no Firecracker: it says "
					  "'%.40s'",
					  program, answer);
		/* one that can't be written only costs the next question */
		if (cache_dir_fd >= 0 &&
		    fb_str_printf(&text, "Firecracker v%u.%u\n", version / 1000,
				  version % 1000) == 0)
			(void)fb_replace_file_at(cache_dir_fd, CACHE_FILE,
						 text.buf, text.len, 0600);
	}
	r = judge(version, err);
	if (r == 0)
		*ret = version;
	return r;
}
