/* SPDX-License-Identifier: Apache-2.0 */
/* What is taken comes back the same from both of its written forms. */
#include "oci/reference.h"
#include "text.h"

static void check_same(const char *text, const struct fb_reference *want)
{
	struct fb_reference again;

	FUZZ_CHECK(strlen(text) < FB_REFERENCE_TEXT_MAX);
	FUZZ_CHECK(fb_reference_parse(text, &again, NULL) == 0);
	FUZZ_CHECK(!memcmp(&again, want, sizeof(again)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);
	char out[FB_REFERENCE_TEXT_MAX];
	struct fb_reference ref;
	struct fb_err err = { 0 };

	if (fb_reference_parse(text, &ref, &err) == 0) {
		FUZZ_CHECK(ref.tag[0] || ref.digest.set);
		check_same(fb_reference_canonical(&ref, out), &ref);
		/* a familiar name of 64 hex digits alone would be an id */
		(void)fb_reference_familiar(&ref, out);
		if (strchr(out, ':') || strchr(out, '/'))
			check_same(out, &ref);
		(void)fb_reference_is_loopback(&ref);
	} else {
		FUZZ_CHECK(err.code < 0 && err.msg[0]);
	}
	free(text);
	return 0;
}
