/* SPDX-License-Identifier: Apache-2.0 */
/* The functions of templates: docker's, and Go's own that people use. */
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/template_node.h"

#define TEXT_MAX ((size_t)16 << 20)

/* How a call's arguments were read; -EINVAL is turned into a message */
struct request {
	const struct fb_template_call *call;
	struct fb_str out;
	json_t *value;
};

static const json_t *arg(const struct request *rq, size_t i)
{
	return i < rq->call->count ? rq->call->args[i] : NULL;
}

/* A text, or NULL */
static const char *text_arg(const struct request *rq, size_t i)
{
	return json_string_value(arg(rq, i));
}

static int int_arg(const struct request *rq, size_t i, int *ret)
{
	const json_t *value = arg(rq, i);
	json_int_t n = json_integer_value(value);

	if (!json_is_integer(value) || n < INT_MIN || n > INT_MAX)
		return -EINVAL;
	*ret = (int)n;
	return 0;
}

static int give(struct request *rq, json_t *value)
{
	rq->value = value;
	return value ? 0 : -ENOMEM;
}

static int give_text(struct request *rq, const char *text, size_t len)
{
	/* not cut within a character */
	while (len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80)
		len--;
	return give(rq, json_stringn(text, len));
}

static int give_out(struct request *rq)
{
	return rq->out.err ? rq->out.err
			   : give(rq, json_stringn(fb_str_cstr(&rq->out),
						   rq->out.len));
}

static int do_and_or(struct request *rq)
{
	/* the caller has stopped at the one that decides */
	rq->value = json_incref(rq->call->args[rq->call->count - 1]);
	return 0;
}

static int do_not(struct request *rq)
{
	return give(rq, json_boolean(!fb_value_true(arg(rq, 0))));
}

/* Return: 0, @ret under, at or over 0; -EINVAL not of one kind */
static int compare(const json_t *a, const json_t *b, int *ret)
{
	if (json_is_string(a) && json_is_string(b))
		*ret = strcmp(json_string_value(a), json_string_value(b));
	else if (json_is_integer(a) && json_is_integer(b))
		*ret = (json_integer_value(a) > json_integer_value(b)) -
		       (json_integer_value(a) < json_integer_value(b));
	else if (json_is_number(a) && json_is_number(b))
		*ret = (json_number_value(a) > json_number_value(b)) -
		       (json_number_value(a) < json_number_value(b));
	else if (json_is_boolean(a) && json_is_boolean(b))
		*ret = json_is_true(a) != json_is_true(b);
	else if (!a || !b || json_is_null(a) || json_is_null(b))
		*ret = !((!a || json_is_null(a)) && (!b || json_is_null(b)));
	else
		return -EINVAL;
	return 0;
}

/* eq takes several: is the first one any of the others? */
static int do_eq(struct request *rq)
{
	bool equal = false;
	int order;

	for (size_t i = 1; i < rq->call->count && !equal; i++) {
		if (compare(arg(rq, 0), arg(rq, i), &order) < 0)
			return -EINVAL;
		equal = order == 0;
	}
	return give(rq, json_boolean(equal));
}

static int do_ne(struct request *rq)
{
	int order;

	if (compare(arg(rq, 0), arg(rq, 1), &order) < 0)
		return -EINVAL;
	return give(rq, json_boolean(order != 0));
}

/* lt, le, gt, ge */
static int do_order(struct request *rq)
{
	const char *name = rq->call->name;
	int order;

	if (json_is_boolean(arg(rq, 0)) ||
	    compare(arg(rq, 0), arg(rq, 1), &order) < 0)
		return -EINVAL;
	if (order == 0)
		return give(rq, json_boolean(name[1] == 'e'));
	return give(rq, json_boolean((order < 0) == (name[0] == 'l')));
}

static int do_len(struct request *rq)
{
	const json_t *value = arg(rq, 0);
	size_t len = json_is_string(value)   ? json_string_length(value)
		     : json_is_object(value) ? json_object_size(value)
					     : json_array_size(value);

	if (json_is_number(value) || json_is_boolean(value))
		return -EINVAL;
	return give(rq, json_integer((json_int_t)len));
}

static int do_index(struct request *rq)
{
	json_t *value = rq->call->args[0];

	for (size_t i = 1; i < rq->call->count; i++) {
		json_t *next;
		int at;

		if (text_arg(rq, i)) {
			next = json_object_get(value, text_arg(rq, i));
			/* a key that a map lacks is empty, as with Go */
			if (!next && (json_is_object(value) ||
				      json_is_null(value) || !value))
				return give(rq, json_string(""));
		} else if (int_arg(rq, i, &at) == 0 && json_is_array(value)) {
			next = at < 0 ? NULL
				      : json_array_get(value, (size_t)at);
			if (!next)
				return -ERANGE;
		} else {
			return -EINVAL;
		}
		if (!next)
			return -EINVAL;
		value = next;
	}
	return give(rq, json_incref(value));
}

static int do_slice(struct request *rq)
{
	const json_t *value = arg(rq, 0);
	size_t len = json_is_string(value) ? json_string_length(value)
					   : json_array_size(value);
	int from = 0, to = len > INT_MAX ? INT_MAX : (int)len;
	json_t *part;

	if ((!json_is_string(value) && !json_is_array(value)) ||
	    (rq->call->count > 1 && int_arg(rq, 1, &from) < 0) ||
	    (rq->call->count > 2 && int_arg(rq, 2, &to) < 0))
		return -EINVAL;
	if (from < 0 || from > to || (size_t)to > len)
		return -ERANGE;
	if (json_is_string(value))
		return give_text(rq, json_string_value(value) + from,
				 (size_t)(to - from));
	part = json_array();
	for (int i = from; part && i < to; i++)
		(void)json_array_append(part, json_array_get(value, (size_t)i));
	return give(rq, part);
}

/* print puts a space between two that are no texts, println always */
static int do_print(struct request *rq)
{
	bool line = !strcmp(rq->call->name, "println");

	for (size_t i = 0; i < rq->call->count; i++) {
		if (i > 0 &&
		    (line || (!text_arg(rq, i - 1) && !text_arg(rq, i))))
			fb_str_putc(&rq->out, ' ');
		fb_value_print(arg(rq, i), &rq->out);
	}
	if (line)
		fb_str_putc(&rq->out, '\n');
	return give_out(rq);
}

/* One of printf's verbs, between its "%" and its letter */
struct verb {
	bool left, zero, plus;
	int width;
	int precision; /* -1: none */
	char letter;
};

static const char *parse_verb(const char *p, struct verb *ret)
{
	struct verb v = { .precision = -1 };
	char *end;

	for (; *p && strchr("-0+ #", *p); p++) {
		v.left |= *p == '-';
		v.zero |= *p == '0';
		v.plus |= *p == '+';
	}
	v.width = (int)strtoul(p, &end, 10);
	p = end;
	if (*p == '.') {
		v.precision = (int)strtoul(p + 1, &end, 10);
		p = end;
	}
	v.letter = *p;
	*ret = v;
	return *p && v.width >= 0 && v.width < 4096 && v.precision < 4096
		       ? p + 1
		       : NULL;
}

static size_t count_chars(const char *text, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++)
		n += ((unsigned char)text[i] & 0xc0) != 0x80;
	return n;
}

static void put_padded(struct fb_str *out, const struct verb *v,
		       const struct fb_str *text)
{
	const char *at = fb_str_cstr(text);
	size_t len = text->len, chars, want = (size_t)v->width;

	if (v->precision >= 0 && strchr("sqv", v->letter))
		while (count_chars(at, len) > (size_t)v->precision)
			len--;
	chars = count_chars(at, len);
	if (v->zero && !v->left && *at == '-' && chars < want) {
		fb_str_putc(out, '-');
		at++;
		len--;
	}
	for (; !v->left && chars < want; chars++)
		fb_str_putc(out, v->zero ? '0' : ' ');
	fb_str_append(out, at, len);
	for (; chars < want; chars++)
		fb_str_putc(out, ' ');
}

static void put_json(const json_t *value, struct fb_str *out)
{
	FB_FREE char *text =
		value ? json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY)
		      : strdup("null");

	if (text)
		fb_str_puts(out, text);
	else
		out->err = out->err ? out->err : -ENOMEM;
}

static void format_one(struct fb_str *out, const struct verb *v,
		       const json_t *value)
{
	FB_STR struct fb_str text = FB_STR_INIT(TEXT_MAX);
	bool number = json_is_integer(value);
	long long n = (long long)json_integer_value(value);

	if (v->letter == 'q' && json_is_string(value))
		put_json(value, &text);
	else if (v->letter == 'x' && number)
		fb_str_printf(&text, "%llx", n);
	else if (v->letter == 'X' && number)
		fb_str_printf(&text, "%llX", n);
	else if (v->letter == 'o' && number)
		fb_str_printf(&text, "%llo", n);
	else if (v->letter == 'd' && number)
		fb_str_printf(&text, v->plus ? "%+lld" : "%lld", n);
	else if (v->letter == 'f' && json_is_number(value))
		fb_str_printf(&text, "%.*f",
			      v->precision < 0 ? 6 : v->precision,
			      json_number_value(value));
	else if (v->letter == 'v' || (v->letter == 's' && !number) ||
		 (v->letter == 't' && json_is_boolean(value)))
		fb_value_print(value, &text);
	else { /* Go's words for a verb that does not fit */
		fb_str_printf(&text, "%%!%c(", v->letter);
		fb_str_puts(&text, number ? "int=" : "string=");
		fb_value_print(value, &text);
		fb_str_putc(&text, ')');
	}
	put_padded(out, v, &text);
}

static int do_printf(struct request *rq)
{
	const char *p = text_arg(rq, 0);
	size_t next = 1;
	struct verb v;

	if (!p)
		return -EINVAL;
	while (*p) {
		if (*p != '%') {
			fb_str_putc(&rq->out, *p++);
			continue;
		}
		p = parse_verb(p + 1, &v);
		if (!p)
			return -EINVAL;
		if (v.letter == '%')
			fb_str_putc(&rq->out, '%');
		else if (next < rq->call->count)
			format_one(&rq->out, &v, arg(rq, next++));
		else
			fb_str_printf(&rq->out, "%%!%c(MISSING)", v.letter);
	}
	return give_out(rq);
}

static int do_json(struct request *rq)
{
	put_json(arg(rq, 0), &rq->out);
	return give_out(rq);
}

static int do_join(struct request *rq)
{
	const json_t *list = arg(rq, 0);
	const char *separator = text_arg(rq, 1);

	if (!separator || (list && !json_is_array(list) && !json_is_null(list)))
		return -EINVAL;
	for (size_t i = 0; i < json_array_size(list); i++) {
		if (i)
			fb_str_puts(&rq->out, separator);
		fb_value_print(json_array_get(list, i), &rq->out);
	}
	return give_out(rq);
}

static int do_split(struct request *rq)
{
	const char *text = text_arg(rq, 0), *by = text_arg(rq, 1), *hit;
	json_t *list = json_array();

	rq->value = list;
	if (!text || !by)
		return -EINVAL;
	while (*text) {
		if (*by) {
			hit = strstr(text, by);
		} else { /* into its characters */
			hit = text + 1;
			while (((unsigned char)*hit & 0xc0) == 0x80)
				hit++;
			hit = *hit ? hit : NULL;
		}
		if (!hit)
			break;
		(void)json_array_append_new(
			list, json_stringn(text, (size_t)(hit - text)));
		text = hit + strlen(by);
	}
	if (*text || *by)
		(void)json_array_append_new(list, json_string(text));
	return list ? 0 : -ENOMEM;
}

/* upper, lower, title; of a value that is no text as it prints */
static int do_case(struct request *rq)
{
	char how = rq->call->name[0];
	bool start = true;

	fb_value_print(arg(rq, 0), &rq->out);
	for (size_t i = 0; !rq->out.err && i < rq->out.len; i++) {
		unsigned char c = (unsigned char)rq->out.buf[i];

		if (how == 'u' || (how == 't' && start))
			c = (unsigned char)toupper(c);
		else if (how == 'l')
			c = (unsigned char)tolower(c);
		start = !isalnum(c) && c != '_' && c != '\'' && c < 0x80;
		rq->out.buf[i] = (char)c;
	}
	return give_out(rq);
}

static int do_pad(struct request *rq)
{
	const char *text = text_arg(rq, 0);
	int before, after;

	if (!text || int_arg(rq, 1, &before) < 0 || int_arg(rq, 2, &after) < 0)
		return -EINVAL;
	if (before < 0 || after < 0 || before > 4096 || after > 4096)
		return -ERANGE;
	if (*text)
		fb_str_printf(&rq->out, "%*s%s%*s", before, "", text, after,
			      "");
	return give_out(rq);
}

static int do_truncate(struct request *rq)
{
	const char *text = text_arg(rq, 0);
	size_t len;
	int max;

	if (!text || int_arg(rq, 1, &max) < 0)
		return -EINVAL;
	if (max < 0)
		return -ERANGE;
	len = strlen(text);
	return give_text(rq, text, len < (size_t)max ? len : (size_t)max);
}

/**
 * struct function - One of them
 * @least, @most: Arguments
 * @changes:      What it gives is the first argument in another shape: nothing
 *                for a heading
 */
static const struct function {
	const char *name;
	size_t least, most;
	bool changes;
	int (*call)(struct request *rq);
} functions[] = {
	{ "and", 1, FB_TEMPLATE_ARGS_MAX, false, do_and_or },
	{ "eq", 2, FB_TEMPLATE_ARGS_MAX, false, do_eq },
	{ "ge", 2, 2, false, do_order },
	{ "gt", 2, 2, false, do_order },
	{ "index", 1, FB_TEMPLATE_ARGS_MAX, false, do_index },
	{ "join", 2, 2, true, do_join },
	{ "json", 1, 1, true, do_json },
	{ "le", 2, 2, false, do_order },
	{ "len", 1, 1, false, do_len },
	{ "lower", 1, 1, true, do_case },
	{ "lt", 2, 2, false, do_order },
	{ "ne", 2, 2, false, do_ne },
	{ "not", 1, 1, false, do_not },
	{ "or", 1, FB_TEMPLATE_ARGS_MAX, false, do_and_or },
	{ "pad", 3, 3, false, do_pad },
	{ "print", 0, FB_TEMPLATE_ARGS_MAX, false, do_print },
	{ "printf", 1, FB_TEMPLATE_ARGS_MAX, false, do_printf },
	{ "println", 0, FB_TEMPLATE_ARGS_MAX, false, do_print },
	{ "slice", 1, 3, false, do_slice },
	{ "split", 2, 2, false, do_split },
	{ "title", 1, 1, true, do_case },
	{ "truncate", 2, 2, true, do_truncate },
	{ "upper", 1, 1, true, do_case },
};

static const struct function *find(const char *name)
{
	for (size_t i = 0; i < FB_ARRAY_SIZE(functions); i++)
		if (!strcmp(functions[i].name, name))
			return &functions[i];
	return NULL;
}

bool fb_template_function_known(const char *name)
{
	return find(name) != NULL;
}

int fb_template_function(const struct fb_template_call *call, json_t **ret,
			 struct fb_err *err)
{
	const struct function *f = find(call->name);
	struct request rq = { .call = call, .out = FB_STR_INIT(TEXT_MAX) };
	int r;

	if (!f || call->count < f->least || call->count > f->most)
		return fb_err_set(err, -EINVAL,
				  "template: wrong number of arguments for "
				  "%s: %zu",
				  call->name, call->count);
	if (call->heading && f->changes)
		r = give(&rq, json_incref(call->args[0]));
	else
		r = f->call(&rq);
	fb_str_release(&rq.out);
	if (r == 0) {
		*ret = rq.value;
		return 0;
	}
	json_decref(rq.value);
	return fb_err_set(err, r == -ERANGE ? -EINVAL : r,
			  r == -ERANGE	 ? "template: %s: out of range"
			  : r == -ENOMEM ? "template: %s: out of memory"
			  : r == -E2BIG	 ? "template: %s: too long"
					: "template: %s: can't take that value",
			  call->name);
}
