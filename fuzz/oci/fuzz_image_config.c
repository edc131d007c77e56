/* SPDX-License-Identifier: Apache-2.0 */
/* A foreign image config, and the process that comes of it. */
#include "oci/manifest.h"
#include "oci/process.h"
#include "text.h"

static void check_process(const struct fb_process *p)
{
	FUZZ_CHECK(p->args[0]);
	FUZZ_CHECK(p->cwd[0] == '/' && !strstr(p->cwd, "//") &&
		   !strstr(p->cwd, "/../"));
	FUZZ_CHECK(p->stop_signal >= 1 && p->stop_signal <= 64);
	for (char **e = p->env; *e; e++)
		FUZZ_CHECK(strchr(*e, '='));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fb_process_flags flags = { .hostname = "h", .terminal = true };
	struct fb_image_config config;
	struct fb_process process;
	struct fb_err err = { 0 };

	if (fb_image_config_parse((const char *)data, size, &config, &err) <
	    0) {
		FUZZ_CHECK(err.code < 0 && err.msg[0]);
		return 0;
	}
	if (fb_process_merge(&config, &flags, &process, &err) == 0) {
		check_process(&process);
		fb_process_release(&process);
	}
	fb_image_config_release(&config);
	return 0;
}
