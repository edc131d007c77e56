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

#include "oci/process.h"

#define COUNT_MAX 9

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
	static const char *const yes[] = {
		"1", "t", "T", "true", "TRUE", "True"
	};
	static const char *const no[] = { "0",	   "f",	    "F",
					  "false", "FALSE", "False" };

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
	uint64_t n = 0;

	if (!*text || strspn(text, "0123456789") != strlen(text))
		return -EINVAL;
	for (; *text; text++)
		if (__builtin_mul_overflow(n, 10u, &n) ||
		    __builtin_add_overflow(n, (uint64_t)(*text - '0'), &n))
			return -ERANGE;
	*ret = n;
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
			  "invalid argument \"%.200s\" for \"%s\" flag: %s",
			  value, names, why);
}

/* the reason in the words of Go's strconv, which docker shows */
static int unparsable(const struct fb_option *o, const char *value, int code,
		      struct fb_err *err)
{
	char why[280];

	(void)snprintf(why, sizeof(why), "parsing \"%.200s\": %s", value,
		       code == -ERANGE ? "value out of range"
				       : "invalid syntax");
	return bad_value(o, value, why, err);
}

static int set_flag(const struct fb_option *o, void *flags, const char *value,
		    struct fb_err *err)
{
	bool on = true;

	if (value && parse_bool(value, &on) < 0)
		return unparsable(o, value, -EINVAL, err);
	*(bool *)member(o, flags) = on;
	return 0;
}

static int set_count(const struct fb_option *o, void *flags, const char *value,
		     struct fb_err *err)
{
	unsigned int *count = member(o, flags);
	uint64_t n = *count + 1u;
	int r = value ? parse_uint(value, &n) : 0;

	if (r < 0)
		return unparsable(o, value, r, err);
	*count = n > COUNT_MAX ? COUNT_MAX : (unsigned int)n;
	return 0;
}

static int set_number(const struct fb_option *o, void *flags, const char *value,
		      struct fb_err *err)
{
	struct fb_option_number number = { .given = true };
	struct fb_err why = { 0 };
	int r;

	if (o->kind == FB_OPTION_KIND_BYTES) {
		if (fb_bytes_parse(value, &number.value, &why) < 0)
			return bad_value(o, value, why.msg, err);
	} else {
		r = parse_uint(value, &number.value);
		if (r < 0)
			return unparsable(o, value, r, err);
	}
	*(struct fb_option_number *)member(o, flags) = number;
	return 0;
}

/* @value is NULL for a flag that stands alone */
static int set_value(const struct fb_option *o, void *flags, const char *value,
		     struct fb_err *err)
{
	int r;

	switch (o->kind) {
	case FB_OPTION_KIND_FLAG:
		return set_flag(o, flags, value, err);
	case FB_OPTION_KIND_COUNT:
		return set_count(o, flags, value, err);
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

/* the word after an option that wants one; NULL where argv ends */
static const char *next_word(struct parser *p)
{
	return p->next < p->argc ? p->argv[p->next++] : NULL;
}

static int parse_long(struct parser *p, const char *name, struct fb_err *err)
{
	size_t len = strcspn(name, "=");
	const char *value = name[len] ? name + len + 1 : NULL;
	const struct fb_option *o = find_long(p->options, name, len);

	if (!len || name[0] == '-')
		return fb_err_set(err, -EINVAL, "bad flag syntax: --%.200s",
				  name);
	if (!o && len == 4 && !strncmp(name, "help", 4)) {
		p->help = true;
		return 0;
	}
	if (!o)
		return fb_err_set(err, -EINVAL, "unknown flag: --%.*s",
				  (int)(len > 200 ? 200 : len), name);
	if (!value && takes_value(o)) {
		value = next_word(p);
		if (!value)
			return fb_err_set(err, -EINVAL,
					  "flag needs an argument: --%s",
					  o->name);
	}
	return set_value(o, p->flags, value, err);
}

/* The first letter of a bundle. Return: 1 it took the rest as its value; 0 */
static int parse_letter(struct parser *p, const char *word, struct fb_err *err)
{
	const struct fb_option *o = find_letter(p->options, word[0]);
	const char *value = NULL;
	bool rest = o && ((word[1] == '=' && word[2]) ||
			  (takes_value(o) && word[1]));
	int r;

	if (!o && word[0] == 'h') {
		p->help = true;
		return 1;
	}
	if (!o)
		return fb_err_set(err, -EINVAL,
				  "unknown shorthand flag: '%c' in -%.200s",
				  word[0], word);
	if (rest)
		value = word + (word[1] == '=' && word[2] ? 2 : 1);
	else if (takes_value(o))
		value = next_word(p);
	if (!value && takes_value(o))
		return fb_err_set(err, -EINVAL,
				  "flag needs an argument: '%c' in -%.200s",
				  word[0], word);
	r = set_value(o, p->flags, value, err);
	return r < 0 ? r : rest;
}

static int parse_letters(struct parser *p, const char *word, struct fb_err *err)
{
	int r = 0;

	for (; r == 0 && *word; word++)
		r = parse_letter(p, word, err);
	return r < 0 ? r : 0;
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
		r = word[1] == '-' ? parse_long(p, word + 2, err)
				   : parse_letters(p, word + 1, err);
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
	struct parser p = {
		.options = options, .argc = argc, .argv = argv, .flags = flags
	};
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

static void put_help(struct fb_str *out, const struct fb_option *o,
		     size_t column)
{
	FB_STR struct fb_str text = FB_STR_INIT(4096);

	fb_str_printf(&text, "%s%s", o->help,
		      o->initial ? " (default true)" : "");
	put_wrapped(out, fb_str_cstr(&text), column);
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
		put_help(out, o, width + 3);
	}
}
