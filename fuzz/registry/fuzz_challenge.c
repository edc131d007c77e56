/* SPDX-License-Identifier: Apache-2.0 */
/* WWW-Authenticate, and the token request that it leads to */
#include <stdlib.h>
#include <string.h>

#include "registry/challenge.h"
#include "registry/token.h"
#include "registry/url.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct fb_credential none;
	char *text = malloc(size + 1);
	struct fb_token_request req = { 0 };
	struct fb_challenge c;
	struct fb_origin origin;

	if (!text)
		abort();
	memcpy(text, data, size);
	text[size] = '\0';
	if (fb_challenge_parse(text, &c, NULL) == 0 && c.bearer) {
		if (!c.realm[0])
			abort();
		if (fb_token_request_build(&c, "a/b", &none, &req, NULL) == 0) {
			/* what is sent is a URL, and to whom the realm says */
			if (fb_origin_parse(req.url, &origin, NULL) < 0)
				abort();
			fb_token_request_release(&req);
		}
	}
	free(text);
	return 0;
}
