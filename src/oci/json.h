/* SPDX-License-Identifier: Apache-2.0 */
/* Foreign JSON, bounded before it is parsed. */
#ifndef FB_OCI_JSON_H
#define FB_OCI_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define FB_JSON_DEPTH_MAX 32
#define FB_JSON_VALUES_MAX 262144

static inline void fb_cleanup_json(json_t **json)
{
	json_decref(*json);
}

/** FB_JSON - `FB_JSON json_t *json = NULL;` is released at the end of its scope */
#define FB_JSON __attribute__((cleanup(fb_cleanup_json)))

/**
 * fb_json_load() - Parse a JSON object from a stranger
 * @text: Bytes (borrowed)
 * @len:  Count, checked by the caller against its own maximum
 * @what: "manifest", … for the error's text
 * @ret:  Object (returned); written on success only
 *
 * Refuses duplicate keys, NUL in strings, invalid UTF-8, nesting over
 * FB_JSON_DEPTH_MAX, and anything but white space behind the object.
 *
 * Return: 0; -EBADMSG malformed or no object; -E2BIG over FB_JSON_VALUES_MAX
 * values.
 */
int fb_json_load(const char *text, size_t len, const char *what, json_t **ret,
		 struct fb_err *err);

/**
 * fb_json_string() - A string member
 * @object: Where (borrowed)
 * @key:    Which
 * @ret:    The string (borrowed), or NULL where it is missing or null
 *
 * Return: 0; -EBADMSG another type.
 */
int fb_json_string(const json_t *object, const char *key, const char **ret,
		   struct fb_err *err);

#endif
