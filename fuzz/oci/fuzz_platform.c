/* SPDX-License-Identifier: Apache-2.0 */
/* The normal form is a fixed point, and everything runs itself. */
#include "oci/platform.h"
#include "text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);
	struct fb_platform p, again;
	struct fb_err err = { 0 };
	char out[100];

	if (fb_platform_parse(text, &p, &err) == 0) {
		(void)fb_platform_format(&p, out);
		FUZZ_CHECK(fb_platform_parse(out, &again, NULL) == 0);
		FUZZ_CHECK(!memcmp(&p, &again, sizeof(p)));
		FUZZ_CHECK(fb_platform_rank(&p, &again) > 0);
		fb_platform_host(&again);
		(void)fb_platform_rank(&again, &p);
		(void)fb_platform_rank(&p, &again);
	} else {
		FUZZ_CHECK(err.code < 0 && err.msg[0]);
	}
	free(text);
	return 0;
}
