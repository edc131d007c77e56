/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/json.h"

#include <errno.h>

/* Brackets outside strings; jansson's own limit is far too deep for us */
static bool too_deep(const char *text, size_t len)
{
	unsigned int depth = 0;
	bool string = false;

	for (size_t i = 0; i < len; i++) {
		if (string) {
			if (text[i] == '\\')
				i++;
			else if (text[i] == '"')
				string = false;
		} else if (text[i] == '"') {
			string = true;
		} else if (text[i] == '{' || text[i] == '[') {
			if (++depth > FB_JSON_DEPTH_MAX)
				return true;
		} else if ((text[i] == '}' || text[i] == ']') && depth > 0) {
			depth--;
		}
	}
	return false;
}

int fb_json_load(const char *text, size_t len, const char *what, json_t **ret,
		 struct fb_err *err)
{
	FB_JSON json_t *json = NULL;
	json_error_t where;

	if (too_deep(text, len))
		return fb_err_set(err, -EBADMSG,
				  "parse %s: nested over %d levels", what,
				  FB_JSON_DEPTH_MAX);
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
