/* SPDX-License-Identifier: Apache-2.0 */
/* A token service's reply, and the error bodies of it and of registries */
#include <stdlib.h>
#include <string.h>

#include "registry/refusal.h"
#include "registry/token.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *json = (const char *)data;
	struct fb_refusal refusal;
	char *token = NULL, text[300];
	uint32_t expires_s = 0;

	if (fb_token_reply_parse(json, size, &token, &expires_s, NULL) == 0) {
		/* it goes into a header as it is */
		if (!*token || strpbrk(token, " \r\n\t") || expires_s == 0)
			abort();
		fb_secret_free(token);
	}
	fb_refusal_parse(json, size, &refusal);
	(void)fb_refusal_text(&refusal, text);
	return 0;
}
