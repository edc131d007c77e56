/* SPDX-License-Identifier: Apache-2.0 */
/* Content-Range, Retry-After, Content-Type, and the URL of a redirect */
#include <stdlib.h>
#include <string.h>

#include "registry/header.h"
#include "registry/url.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_url(const char *text)
{
	char shown[FB_URL_HOST_MAX + 64];
	struct fb_origin origin;
	const char *path;

	(void)fb_url_show(text, shown, sizeof(shown));
	if (strchr(shown, '?'))
		abort();
	if (fb_origin_parse(text, &origin, &path) < 0)
		return;
	if (!origin.host[0] || origin.port == 0 || strchr(origin.host, '@') ||
	    (*path && *path != '/' && *path != '?'))
		abort();
	(void)fb_host_is_loopback(origin.host);
}

static void check_location(const char *text)
{
	char *url = fb_url_resolve("https://h:1/v2/a?b", text);
	struct fb_origin origin;

	/* what names no host stays with the one that was asked */
	if (url && text[0] == '/' && text[1] != '/' &&
	    fb_origin_parse(url, &origin, NULL) == 0 &&
	    (strcmp(origin.host, "h") != 0 || origin.port != 1))
		abort();
	free(url);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1), type[256];
	struct fb_content_range cr;
	uint64_t seconds;
	char *next = NULL;

	if (!text)
		abort();
	memcpy(text, data, size);
	text[size] = '\0';
	if (fb_content_range_parse(text, &cr) == 0 &&
	    (cr.first > cr.last || cr.last >= cr.total_bytes))
		abort();
	if (fb_upload_range_parse(text, &seconds) == 0 && seconds == 1)
		abort();
	(void)fb_retry_after_parse(text, 1700000000, &seconds);
	(void)fb_media_type_parse(text, type);
	(void)fb_host_matches(text, "10.1.2.3", 5000);
	check_url(text);
	check_location(text);
	if (fb_link_next_parse(text, &next) == 0 && strchr(next, '>'))
		abort();
	free(next);
	free(text);
	return 0;
}
