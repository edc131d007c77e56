/* SPDX-License-Identifier: Apache-2.0 */
/* A digest has one way to be written. */
#include "oci/digest.h"
#include "text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);
	char out[FB_DIGEST_TEXT_MAX];
	struct fb_digest d;
	struct fb_err err = { 0 };

	if (fb_digest_parse(text, &d, &err) == 0)
		FUZZ_CHECK(!strcmp(fb_digest_format(&d, out), text));
	else
		FUZZ_CHECK(err.code < 0 && err.msg[0]);
	free(text);
	return 0;
}
