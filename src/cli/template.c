/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/template.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define PRINT_DEPTH_MAX 64

static const struct {
	const char *name;
	enum fb_template_verb verb;
} verbs[] = {
	{ "json", FB_TEMPLATE_JSON },
	{ "upper", FB_TEMPLATE_UPPER },
	{ "lower", FB_TEMPLATE_LOWER },
	{ "len", FB_TEMPLATE_LEN },
};

static int add_part(struct fb_template *tpl, enum fb_template_verb verb,
		    const char *text, size_t len, struct fb_err *err)
{
	struct fb_template_part *grown;

	if (tpl->count >= FB_TEMPLATE_PARTS_MAX)
		return fb_err_set(err, -E2BIG,
				  "template parsing error: too many parts");
	grown = reallocarray(tpl->parts, tpl->count + 1, sizeof(*grown));
	if (!grown)
		return fb_err_set(err, -ENOMEM, "parse template: %m");
	tpl->parts = grown;
	grown[tpl->count].verb = verb;
	grown[tpl->count].text = strndup(text, len);
	if (!grown[tpl->count].text)
		return fb_err_set(err, -ENOMEM, "parse template: %m");
	tpl->count++;
	return 0;
}

/* "\t" and "\n" typed in a shell's single quotes */
static void unescape(char *text)
{
	char *to = text;

	for (const char *from = text; *from; from++) {
		if (from[0] == '\\' && (from[1] == 't' || from[1] == 'n')) {
			from++;
			*to++ = *from == 't' ? '\t' : '\n';
		} else {
			*to++ = *from;
		}
	}
	*to = '\0';
}

static bool is_path(const char *text, size_t len)
{
	if (len == 0 || text[0] != '.')
		return false;
	for (size_t i = 1; i < len; i++)
		if (!isalnum((unsigned char)text[i]) && text[i] != '_' &&
		    (text[i] != '.' || text[i - 1] == '.'))
			return false;
	return len == 1 || text[len - 1] != '.';
}

static int parse_action(struct fb_template *tpl, const char *text, size_t len,
			struct fb_err *err)
{
	enum fb_template_verb verb = FB_TEMPLATE_PRINT;
	size_t word;

	while (len > 0 && isspace((unsigned char)text[0]))
		text++, len--;
	while (len > 0 && isspace((unsigned char)text[len - 1]))
		len--;
	if (len > 0 && text[0] != '.') {
		word = strcspn(text, " \t.}");
		for (size_t i = 0; i < FB_ARRAY_SIZE(verbs); i++)
			if (strlen(verbs[i].name) == word &&
			    !strncmp(text, verbs[i].name, word))
				verb = verbs[i].verb;
		if (verb == FB_TEMPLATE_PRINT)
			return fb_err_set(err, -EINVAL,
					  "template parsing error: function "
					  "\"%.*s\" not defined",
					  (int)(word < len ? word : len), text);
		text += word;
		len -= word;
		while (len > 0 && isspace((unsigned char)text[0]))
			text++, len--;
	}
	if (!is_path(text, len))
		return fb_err_set(err, -EINVAL,
				  "template parsing error: unexpected '%.*s'",
				  (int)len, text);
	return add_part(tpl, verb, text, len, err);
}

static int parse_parts(struct fb_template *tpl, const char *text,
		       struct fb_err *err)
{
	const char *open, *close;
	int r = 0;

	while (r == 0 && *text) {
		open = strstr(text, "{{");
		if (open != text) {
			r = add_part(tpl, FB_TEMPLATE_LITERAL, text,
				     open ? (size_t)(open - text)
					  : strlen(text),
				     err);
			if (r == 0)
				unescape(tpl->parts[tpl->count - 1].text);
			if (!open)
				break;
			text = open;
			continue;
		}
		close = strstr(open, "}}");
		if (!close)
			return fb_err_set(err, -EINVAL,
					  "template parsing error: unclosed "
					  "action in '%s'",
					  text);
		r = parse_action(tpl, open + 2, (size_t)(close - open - 2),
				 err);
		text = close + 2;
	}
	return r;
}

int fb_template_parse(const char *text, struct fb_template *ret,
		      struct fb_err *err)
{
	FB_TEMPLATE struct fb_template tpl = { 0 };
	int r;

	if (strlen(text) > FB_TEMPLATE_TEXT_MAX)
		return fb_err_set(err, -E2BIG,
				  "template parsing error: over %d bytes",
				  FB_TEMPLATE_TEXT_MAX);
	r = parse_parts(&tpl, text, err);
	if (r < 0)
		return r;
	*ret = tpl;
	tpl = (struct fb_template){ 0 };
	return 0;
}

void fb_template_release(struct fb_template *tpl)
{
	for (size_t i = 0; i < tpl->count; i++)
		free(tpl->parts[i].text);
	free(tpl->parts);
	*tpl = (struct fb_template){ 0 };
}

static void print_go(const json_t *value, struct fb_str *out,
		     unsigned int depth);

static void print_go_object(const json_t *value, struct fb_str *out,
			    unsigned int depth)
{
	json_t *object = (json_t *)(uintptr_t)value; /* jansson's iterators */
	const char *between = "", *key;
	json_t *item;

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
		if (!next)
			return fb_err_set(err, -EINVAL,
					  "template: can't evaluate field '%s' "
					  "in '%s'",
					  key, path);
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
