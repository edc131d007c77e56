/* SPDX-License-Identifier: Apache-2.0 */
/* What a user types: signals, ulimits, sizes, environment files. */
#include "oci/env.h"
#include "oci/process.h"
#include "text.h"

static const char *lookup(void *ctx, const char *name)
{
	(void)ctx;
	return name[0] == 'H' ? "host" : NULL;
}

static void environment(const char *text, size_t len)
{
	const struct fb_env_host host = { .lookup = lookup };
	FB_STRV struct fb_strv env = { 0 }, merged = { 0 };
	struct fb_env_list lists[1];
	struct fb_err err = { 0 };

	if (fb_env_file_parse(text, len, &host, &env, &err) < 0)
		FUZZ_CHECK(err.code < 0 && err.msg[0]);
	for (size_t i = 0; i < env.count; i++)
		FUZZ_CHECK(env.v[i][0] && env.v[i][0] != '=' &&
			   strchr(env.v[i], '='));
	lists[0] = (struct fb_env_list){ env.v, 0 };
	FUZZ_CHECK(fb_env_merge(lists, 1, &merged) == 0);
	FUZZ_CHECK(merged.count <= env.count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);
	struct fb_rlimit limit;
	uint64_t bytes;
	int number = fb_signal_parse(text);

	FUZZ_CHECK(number < 0 || (number >= 1 && number <= 64));
	if (fb_rlimit_parse(text, &limit, NULL) == 0)
		FUZZ_CHECK(limit.name[0] && limit.soft <= limit.hard);
	if (fb_bytes_parse(text, &bytes, NULL) == 0)
		FUZZ_CHECK(bytes <= INT64_MAX);
	environment((const char *)data, size);
	free(text);
	return 0;
}
