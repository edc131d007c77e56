/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/json.h"

#include <errno.h>

/*
 * jansson takes some fifty bytes of memory for "[],", and nests 2048 levels:
 * both are bounded by what stands outside strings, before it sees the text.
 */
static int check_shape(const char *text, size_t len, const char *what,
		       struct fb_err *err)
{
	size_t depth = 0, values = 0;
	bool string = false;

	for (size_t i = 0; i < len; i++) {
		if (string && text[i] == '\\')
			i++;
		else if (text[i] == '"')
			string = !string;
		else if (string)
			continue;
		else if (text[i] == '{' || text[i] == '[')
			depth++, values++;
		else if (text[i] == ',')
			values++;
		else if ((text[i] == '}' || text[i] == ']') && depth > 0)
			depth--;
		if (depth > FB_JSON_DEPTH_MAX)
			return fb_err_set(err, -EBADMSG,
					  "parse %s: nested over %d levels",
					  what, FB_JSON_DEPTH_MAX);
		if (values > FB_JSON_VALUES_MAX)
			return fb_err_set(err, -E2BIG,
					  "parse %s: over %d values", what,
					  FB_JSON_VALUES_MAX);
	}
	return 0;
}

int fb_json_load(const char *text, size_t len, const char *what, json_t **ret,
		 struct fb_err *err)
{
	FB_JSON json_t *json = NULL;
	json_error_t where;
	int r = check_shape(text, len, what, err);

	if (r < 0)
		return r;
	json = json_loadb(text, len, JSON_REJECT_DUPLICATES, &where);
	if (!json)
		return fb_err_set(err, -EBADMSG, "parse %s: line %d: %s", what,
				  where.line, where.text);
	if (!json_is_object(json))
		return fb_err_set(err, -EBADMSG, "parse %s: not an object",
				  what);
	*ret = json;
	json = NULL;
	return 0;
}

int fb_json_string(const json_t *object, const char *key, const char **ret,
		   struct fb_err *err)
{
	const json_t *value = json_object_get(object, key);

	if (value && !json_is_null(value) && !json_is_string(value))
		return fb_err_set(err, -EBADMSG, "'%s' is not a string", key);
	*ret = json_string_value(value); /* NULL for anything else */
	return 0;
}
