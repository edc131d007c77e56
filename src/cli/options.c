/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Theory of operation.  The table's rows say where in the flags struct a value
 * goes and how it is read.  The parser walks argv once: a word that is no option
 * is kept (or ends the options), "--name[=value]" and "-abc[=]value" are looked
 * up, and one function, set_value(), stores whatever an option was given.
 */
#include "cli/options.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "oci/process.h"

struct parser {
	const struct fb_option *options;
	int argc;
	char *const *argv;
	int next; /* index in argv of what is read next */
	void *flags;
	bool help;
};

static void *member(const struct fb_option *o, void *flags)
{
	return (char *)flags + o->offset;
}

static const struct fb_option *find_long(const struct fb_option *options,
					 const char *name, size_t len)
{
	for (; options && options->kind != FB_OPTION_KIND_END; options++)
		if (strlen(options->name) == len &&
		    !strncmp(options->name, name, len))
			return options;
	return NULL;
}

static const struct fb_option *find_letter(const struct fb_option *options,
					   char letter)
{
	for (; options && options->kind != FB_OPTION_KIND_END; options++)
		if (options->letter == letter)
			return options;
	return NULL;
}

static bool takes_value(const struct fb_option *o)
{
	return o->kind != FB_OPTION_KIND_FLAG &&
	       o->kind != FB_OPTION_KIND_COUNT;
}

/* what Go's strconv.ParseBool takes */
static int parse_bool(const char *text, bool *ret)
{
	static const char *const yes[] = { "1", "t", "T", "true", "TRUE",
					   "True" };
	static const char *const no[] = { "0", "f", "F", "false", "FALSE",
					  "False" };

	for (size_t i = 0; i < FB_ARRAY_SIZE(yes); i++) {
		if (!strcmp(text, yes[i]) || !strcmp(text, no[i])) {
			*ret = !strcmp(text, yes[i]);
			return 0;
		}
	}
	return -EINVAL;
}

static int parse_uint(const char *text, uint64_t *ret)
{
	size_t len = strlen(text);

	if (len == 0 || len > 19 || strspn(text, "0123456789") != len)
		return -EINVAL;
	*ret = strtoull(text, NULL, 10);
	return 0;
}

static int bad_value(const struct fb_option *o, const char *value,
		     const char *why, struct fb_err *err)
{
	char names[80];

	if (o->letter)
		(void)snprintf(names, sizeof(names), "-%c, --%s", o->letter,
			       o->name);
	else
		(void)snprintf(names, sizeof(names), "--%s", o->name);
	return fb_err_set(err, -EINVAL,
			  "invalid argument \"%s\" for \"%s\" flag: %s", value,
			  names, why);
}

static int set_number(const struct fb_option *o, void *flags, const char *value,
		      struct fb_err *err)
{
	struct fb_option_number number = { .given = true };
	struct fb_err why = { 0 };
	int r;

	if (o->kind == FB_OPTION_KIND_BYTES)
		r = fb_bytes_parse(value, &number.value, &why);
	else
		r = parse_uint(value, &number.value);
	if (r < 0)
		return bad_value(o, value,
				 why.msg[0] ? why.msg : "not a whole number",
				 err);
	*(struct fb_option_number *)member(o, flags) = number;
	return 0;
}

/* @value is NULL for a flag that stands alone */
static int set_value(const struct fb_option *o, void *flags, const char *value,
		     struct fb_err *err)
{
	bool on = true;
	int r;

	switch (o->kind) {
	case FB_OPTION_KIND_FLAG:
		if (value && parse_bool(value, &on) < 0)
			return bad_value(o, value, "not true or false", err);
		*(bool *)member(o, flags) = on;
		return 0;
	case FB_OPTION_KIND_COUNT:
		if (value && parse_bool(value, &on) < 0)
			return bad_value(o, value, "not true or false", err);
		*(unsigned int *)member(o, flags) += on;
		return 0;
	case FB_OPTION_KIND_STRING:
		*(const char **)member(o, flags) = value;
		return 0;
	case FB_OPTION_KIND_LIST:
		r = fb_strv_add(member(o, flags), value);
		return r < 0 ? fb_err_set(err, r, "read --%s: %m", o->name) : 0;
	case FB_OPTION_KIND_UINT:
	case FB_OPTION_KIND_BYTES:
		return set_number(o, flags, value, err);
	case FB_OPTION_KIND_END:
		break;
	}
	return fb_err_set(err, -EINVAL, "unknown flag");
}

static int parse_long(struct parser *p, const char *word, struct fb_err *err)
{
	const char *name = word + 2, *eq = strchrnul(name, '=');
	const struct fb_option *o =
		find_long(p->options, name, (size_t)(eq - name));

	if (!o && !strcmp(name, "help")) {
		p->help = true;
		return 0;
	}
	if (!o)
		return fb_err_set(err, -EINVAL, "unknown flag: --%.*s",
				  (int)(eq - name), name);
	if (*eq)
		return set_value(o, p->flags, eq + 1, err);
	if (!takes_value(o))
		return set_value(o, p->flags, NULL, err);
	if (p->next >= p->argc)
		return fb_err_set(err, -EINVAL, "flag needs an argument: --%s",
				  o->name);
	return set_value(o, p->flags, p->argv[p->next++], err);
}

static int parse_letters(struct parser *p, const char *word,
			 struct fb_err *err)
{
	const struct fb_option *o;
	int r;

	for (const char *c = word + 1; *c; c++) {
		o = find_letter(p->options, *c);
		if (!o && *c == 'h') {
			p->help = true;
			return 0;
		}
		if (!o)
			return fb_err_set(err, -EINVAL,
					  "unknown shorthand flag: '%c' in %s",
					  *c, word);
		if (c[1] == '=')
			return set_value(o, p->flags, c + 2, err);
		if (takes_value(o)) {
			if (c[1])
				return set_value(o, p->flags, c + 1, err);
			if (p->next >= p->argc)
				return fb_err_set(err, -EINVAL,
						  "flag needs an argument: "
						  "'%c' in %s",
						  *c, word);
			return set_value(o, p->flags, p->argv[p->next++], err);
		}
		r = set_value(o, p->flags, NULL, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int parse_words(struct parser *p, bool stop, struct fb_parsed *parsed,
		       struct fb_err *err)
{
	const char *word;
	bool ended = false;
	int r;

	while (p->next < p->argc && !p->help) {
		word = p->argv[p->next];
		if (ended || word[0] != '-' || !word[1]) {
			parsed->args[parsed->arg_count++] = p->argv[p->next++];
			ended = ended || stop;
			continue;
		}
		p->next++;
		if (!strcmp(word, "--")) {
			ended = true;
			continue;
		}
		r = word[1] == '-' ? parse_long(p, word, err) :
				     parse_letters(p, word, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static void set_defaults(const struct fb_option *o, void *flags)
{
	for (; o && o->kind != FB_OPTION_KIND_END; o++)
		if (o->kind == FB_OPTION_KIND_FLAG)
			*(bool *)member(o, flags) = o->initial;
}

int fb_options_parse(const struct fb_option *options, int argc,
		     char *const *argv, bool stop_at_first_word, void *flags,
		     struct fb_parsed *ret, struct fb_err *err)
{
	struct parser p = { .options = options, .argc = argc, .argv = argv,
			    .flags = flags };
	struct fb_parsed parsed = { 0 };
	int r;

	set_defaults(options, flags);
	parsed.args = calloc((size_t)argc + 1, sizeof(*parsed.args));
	if (!parsed.args)
		return fb_err_set(err, -ENOMEM, "read command line: %m");
	r = parse_words(&p, stop_at_first_word, &parsed, err);
	if (r < 0) {
		fb_parsed_release(&parsed);
		return r;
	}
	parsed.help = p.help;
	*ret = parsed;
	return 0;
}

void fb_options_release(const struct fb_option *options, void *flags)
{
	for (; options && options->kind != FB_OPTION_KIND_END; options++)
		if (options->kind == FB_OPTION_KIND_LIST)
			fb_strv_release(member(options, flags));
}

void fb_parsed_release(struct fb_parsed *parsed)
{
	free(parsed->args);
	*parsed = (struct fb_parsed){ 0 };
}

#define HELP_OPTIONS_MAX 128
#define HELP_WIDTH 80

static int by_name(const void *a, const void *b)
{
	const struct fb_option *const *x = a, *const *y = b;

	return strcmp((*x)->name, (*y)->name);
}

static size_t left_width(const struct fb_option *o)
{
	return 8 + strlen(o->name) + (o->value ? strlen(o->value) + 1 : 0);
}

/* the help text, wrapped behind the column where it begins */
static void put_wrapped(struct fb_str *out, const char *text, size_t column)
{
	size_t room = HELP_WIDTH > column + 20 ? HELP_WIDTH - column : 20;
	size_t len, take;

	while (*text) {
		len = strlen(text);
		take = len;
		if (len > room) {
			take = room;
			while (take > 0 && text[take] != ' ')
				take--;
			if (take == 0)
				take = strcspn(text, " ");
		}
		fb_str_printf(out, "%.*s\n", (int)take, text);
		text += take;
		while (*text == ' ')
			text++;
		if (*text)
			fb_str_printf(out, "%*s", (int)column, "");
	}
}

void fb_options_help(const struct fb_option *options, struct fb_str *out)
{
	const struct fb_option *sorted[HELP_OPTIONS_MAX];
	size_t count = 0, width = 0, w;
	char left[128];

	for (; options && options->kind != FB_OPTION_KIND_END &&
	       count < HELP_OPTIONS_MAX;
	     options++) {
		sorted[count++] = options;
		w = left_width(options);
		width = w > width ? w : width;
	}
	qsort(sorted, count, sizeof(sorted[0]), by_name);
	for (size_t i = 0; i < count; i++) {
		const struct fb_option *o = sorted[i];

		(void)snprintf(left, sizeof(left), "  %c%c%c --%s%s%s",
			       o->letter ? '-' : ' ',
			       o->letter ? o->letter : ' ',
			       o->letter ? ',' : ' ', o->name,
			       o->value ? " " : "", o->value ? o->value : "");
		fb_str_printf(out, "%-*s", (int)width + 3, left);
		put_wrapped(out, o->help, width + 3);
	}
}
