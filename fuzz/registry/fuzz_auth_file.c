/* SPDX-License-Identifier: Apache-2.0 */
/* docker's config.json, podman's auth.json, a credential helper's reply */
#include <stdlib.h>
#include <string.h>

#include "registry/auth_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void look(const char *json, size_t size, const char *host,
		 const char *repository)
{
	struct fb_auth_found found = { 0 };
	struct fb_err err = { 0 };

	if (size > FB_AUTH_FILE_MAX ||
	    fb_auth_file_lookup(json, size, host, repository, &found, &err) < 0)
		return;
	if (strchr(found.helper, '/'))
		abort();
	fb_auth_found_release(&found);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *json = (const char *)data;
	struct fb_credential c = { 0 };
	struct fb_strv headers = { 0 };

	look(json, size, "docker.io", "library/alpine");
	look(json, size, "h:5000", "team/app");
	if (fb_helper_reply_parse(json, size, &c, NULL) == 0) {
		if (!c.identity_token && !(c.username && c.password))
			abort();
		fb_credential_release(&c);
	}
	if (size <= FB_AUTH_FILE_MAX &&
	    fb_auth_file_headers(json, size, &headers, NULL) == 0)
		for (size_t i = 0; i < headers.count; i++)
			if (strpbrk(headers.v[i], "\r\n"))
				abort();
	fb_strv_release(&headers);
	return 0;
}
