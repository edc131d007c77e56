/* SPDX-License-Identifier: Apache-2.0 */
/* JSON values as Go's templates see them. */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cli/template_node.h"

#define PRINT_DEPTH_MAX 64

static void print_at(const json_t *value, struct fb_str *out,
		     unsigned int depth);

static void print_object(const json_t *value, struct fb_str *out,
			 unsigned int depth)
{
	json_t *object = (json_t *)(uintptr_t)value; /* jansson's iterators */
	const char *between = "", *key;
	json_t *item;

	/* an empty one in another is Go's struct{}: ports, volumes */
	if (depth > 0 && json_object_size(value) == 0) {
		fb_str_puts(out, "{}");
		return;
	}
	fb_str_puts(out, "map[");
	json_object_foreach(object, key, item)
	{
		fb_str_printf(out, "%s%s:", between, key);
		print_at(item, out, depth + 1);
		between = " ";
	}
	fb_str_putc(out, ']');
}

static void print_at(const json_t *value, struct fb_str *out,
		     unsigned int depth)
{
	if (depth > PRINT_DEPTH_MAX || json_is_null(value))
		fb_str_puts(out, "<nil>");
	else if (!value)
		fb_str_puts(out, "<no value>");
	else if (json_is_string(value))
		fb_str_append(out, json_string_value(value),
			      json_string_length(value));
	else if (json_is_integer(value))
		fb_str_printf(out, "%" JSON_INTEGER_FORMAT,
			      json_integer_value(value));
	else if (json_is_real(value))
		fb_str_printf(out, "%g", json_real_value(value));
	else if (json_is_boolean(value))
		fb_str_puts(out, json_is_true(value) ? "true" : "false");
	else if (json_is_object(value))
		print_object(value, out, depth);
	else {
		fb_str_putc(out, '[');
		for (size_t i = 0; i < json_array_size(value); i++) {
			if (i)
				fb_str_putc(out, ' ');
			print_at(json_array_get(value, i), out, depth + 1);
		}
		fb_str_putc(out, ']');
	}
}

void fb_value_print(const json_t *value, struct fb_str *out)
{
	print_at(value, out, 0);
}

bool fb_value_true(const json_t *value)
{
	if (json_is_string(value))
		return json_string_length(value) > 0;
	if (json_is_number(value))
		return json_number_value(value) != 0;
	if (json_is_array(value))
		return json_array_size(value) > 0;
	if (json_is_object(value))
		return json_object_size(value) > 0;
	return json_is_true(value);
}

/* Go's maps: what they lack is no mistake in the template */
static bool is_map(const char *field)
{
	static const char *const names[] = { "Labels",	     "Annotations",
					     "ExposedPorts", "Volumes",
					     "Ports",	     "Networks" };

	for (size_t i = 0; i < FB_ARRAY_SIZE(names); i++)
		if (!strcmp(field, names[i]))
			return true;
	return false;
}

int fb_value_field(const json_t *value, const char *name, size_t len,
		   const char *parent, const json_t **ret)
{
	json_t *object = (json_t *)(uintptr_t)value; /* jansson's iterators */
	const char *key;
	json_t *item;

	*ret = NULL;
	if (!json_is_object(value))
		return value && !(json_is_null(value) && is_map(parent))
			       ? -ENOENT
			       : 0;
	json_object_foreach(object, key, item)
	{
		if (strlen(key) == len && !memcmp(key, name, len)) {
			*ret = item;
			return 0;
		}
	}
	if (is_map(parent))
		return 0;
	/* Go's fields have names of their own: .ID is docker's "Id",
	 * .Descriptor.MediaType its "mediaType" */
	json_object_foreach(object, key, item)
	{
		if (strlen(key) == len && !strncasecmp(key, name, len)) {
			*ret = item;
			return 0;
		}
	}
	return -ENOENT;
}
