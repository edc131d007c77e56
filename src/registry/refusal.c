/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/refusal.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "oci/json.h"

static void copy(const json_t *object, const char *key, char *out, size_t size)
{
	const char *text = json_string_value(json_object_get(object, key));

	if (text)
		(void)snprintf(out, size, "%s", text);
	/* never half of a UTF-8 sequence */
	if (text && strlen(text) >= size)
		for (size_t n = size - 1; n > 0 && (out[n - 1] & 0x80); n--)
			out[n - 1] = '\0';
}

void fb_refusal_parse(const char *body, size_t len, struct fb_refusal *ret)
{
	FB_JSON json_t *root = NULL;
	const json_t *first;

	memset(ret, 0, sizeof(*ret));
	if (len == 0 || fb_json_load(body, len, "error", &root, NULL) < 0)
		return;
	first = json_array_get(json_object_get(root, "errors"), 0);
	if (first) {
		copy(first, "code", ret->code, sizeof(ret->code));
		copy(first, "message", ret->message, sizeof(ret->message));
		return;
	}
	copy(root, "error", ret->code, sizeof(ret->code));
	copy(root, "error_description", ret->message, sizeof(ret->message));
	if (!ret->message[0]) /* Docker Hub's token service */
		copy(root, "details", ret->message, sizeof(ret->message));
	if (!ret->message[0])
		copy(root, "message", ret->message, sizeof(ret->message));
}

const char *fb_refusal_text(const struct fb_refusal *refusal, char out[300])
{
	const char *text =
		refusal->message[0] ? refusal->message : refusal->code;

	(void)snprintf(out, 300, text[0] ? " (%s)" : "%s", text);
	return out;
}
