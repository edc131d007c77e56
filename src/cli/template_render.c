/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/template.h"

#include <ctype.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define PRINT_DEPTH_MAX 64

static void print_go(const json_t *value, struct fb_str *out,
		     unsigned int depth);

static void print_go_object(const json_t *value, struct fb_str *out,
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
		print_go(item, out, depth + 1);
		between = " ";
	}
	fb_str_putc(out, ']');
}

static void print_go(const json_t *value, struct fb_str *out,
		     unsigned int depth)
{
	if (depth > PRINT_DEPTH_MAX || !value || json_is_null(value))
		fb_str_puts(out, "<nil>");
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
		print_go_object(value, out, depth);
	else {
		fb_str_putc(out, '[');
		for (size_t i = 0; i < json_array_size(value); i++) {
			if (i)
				fb_str_putc(out, ' ');
			print_go(json_array_get(value, i), out, depth + 1);
		}
		fb_str_putc(out, ']');
	}
}

static void print_json(const json_t *value, struct fb_str *out)
{
	FB_FREE char *text =
		value ? json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY)
		      : strdup("null");

	if (text)
		fb_str_puts(out, text);
	else
		out->err = out->err ? out->err : -ENOMEM;
}

static void print_case(const json_t *value, struct fb_str *out,
		       int (*convert)(int))
{
	size_t from = out->len;

	print_go(value, out, 0);
	for (size_t i = from; !out->err && i < out->len; i++)
		out->buf[i] = (char)convert((unsigned char)out->buf[i]);
}

static void print_len(const json_t *value, struct fb_str *out)
{
	size_t len = json_is_string(value)   ? json_string_length(value)
		     : json_is_object(value) ? json_object_size(value)
					     : json_array_size(value);

	fb_str_printf(out, "%zu", len);
}

static void print_join(const json_t *value, const char *separator,
		       struct fb_str *out)
{
	for (size_t i = 0; i < json_array_size(value); i++) {
		if (i)
			fb_str_puts(out, separator);
		print_go(json_array_get(value, i), out, 0);
	}
}

/* @arg is a number, or a key behind its quote */
static int print_index(const json_t *value, const char *arg, struct fb_str *out,
		       struct fb_err *err)
{
	const json_t *item;

	if (arg[0] == '"' || arg[0] == '`') {
		/* a key that a map lacks is empty, as with Go */
		item = json_object_get(value, arg + 1);
		if (item)
			print_go(item, out, 0);
		return 0;
	}
	item = strlen(arg) < 10 ? json_array_get(value, (size_t)atoi(arg))
				: NULL;
	if (!item)
		return fb_err_set(err, -EINVAL,
				  "template: index out of range: %s", arg);
	print_go(item, out, 0);
	return 0;
}

static int find_value(const json_t *value, const char *path, const json_t **ret,
		      struct fb_err *err)
{
	const char *name = path + 1, *end;
	const json_t *next;
	FB_FREE char *key = NULL;

	while (*name) {
		end = strchrnul(name, '.');
		free(key);
		key = strndup(name, (size_t)(end - name));
		if (!key)
			return fb_err_set(err, -ENOMEM, "fill template: %m");
		next = json_object_get(value, key);
		/* what docker's JSON writes in small letters has another name in Go:
		 * .Descriptor.MediaType is "mediaType" */
		if (!next) {
			key[0] = (char)tolower((unsigned char)key[0]);
			next = json_object_get(value, key);
		}
		if (!next)
			return fb_err_set(
				err, -EINVAL,
				"template: can't evaluate field '%.*s' "
				"in '%s'",
				(int)(end - name), name, path);
		value = next;
		name = *end ? end + 1 : end;
	}
	*ret = value;
	return 0;
}

static int render_part(const struct fb_template_part *part, const json_t *value,
		       struct fb_str *out, struct fb_err *err)
{
	const json_t *found = NULL;
	int r;

	if (part->verb == FB_TEMPLATE_LITERAL)
		return fb_str_puts(out, part->text);
	r = find_value(value, part->text, &found, err);
	if (r < 0)
		return r;
	switch (part->verb) {
	case FB_TEMPLATE_JSON:
		print_json(found, out);
		break;
	case FB_TEMPLATE_UPPER:
		print_case(found, out, toupper);
		break;
	case FB_TEMPLATE_LOWER:
		print_case(found, out, tolower);
		break;
	case FB_TEMPLATE_LEN:
		print_len(found, out);
		break;
	case FB_TEMPLATE_JOIN:
		print_join(found,
			   part->arg +
				   (part->arg[0] == '"' || part->arg[0] == '`'),
			   out);
		break;
	case FB_TEMPLATE_INDEX:
		return print_index(found, part->arg, out, err);
	case FB_TEMPLATE_LITERAL:
	case FB_TEMPLATE_PRINT:
		print_go(found, out, 0);
		break;
	}
	return 0;
}

int fb_template_render(const struct fb_template *tpl, const json_t *value,
		       struct fb_str *out, struct fb_err *err)
{
	int r;

	for (size_t i = 0; i < tpl->count; i++) {
		r = render_part(&tpl->parts[i], value, out, err);
		if (r < 0)
			return r;
	}
	return out->err ? fb_err_set(err, out->err, "fill template: %m") : 0;
}
