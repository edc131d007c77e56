/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/template.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define WORDS_MAX 4

static const struct {
	const char *name;
	enum fb_template_verb verb;
	bool has_arg;
} verbs[] = {
	{ "print", FB_TEMPLATE_PRINT, false },
	{ "json", FB_TEMPLATE_JSON, false },
	{ "upper", FB_TEMPLATE_UPPER, false },
	{ "lower", FB_TEMPLATE_LOWER, false },
	{ "len", FB_TEMPLATE_LEN, false },
	{ "join", FB_TEMPLATE_JOIN, true },
	{ "index", FB_TEMPLATE_INDEX, true },
};

/* Appends a part. @text and @arg (or NULL) are taken, also on failure */
static int add_part(struct fb_template *tpl, enum fb_template_verb verb,
		    char *text, char *arg, struct fb_err *err)
{
	struct fb_template_part *grown = NULL;
	int r = tpl->count < FB_TEMPLATE_PARTS_MAX ? 0 : -E2BIG;

	if (r == 0)
		grown = reallocarray(tpl->parts, tpl->count + 1,
				     sizeof(*grown));
	if (grown)
		tpl->parts = grown;
	if (!grown || !text) {
		free(text);
		free(arg);
		r = r < 0 ? r : -ENOMEM;
		return fb_err_set(err, r, "template parsing error: %m");
	}
	grown[tpl->count++] = (struct fb_template_part){ verb, text, arg };
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

static bool is_path(const char *text)
{
	size_t len = strlen(text);

	if (text[0] != '.')
		return false;
	for (size_t i = 1; i < len; i++)
		if (!isalnum((unsigned char)text[i]) && text[i] != '_' &&
		    (text[i] != '.' || text[i - 1] == '.'))
			return false;
	return len == 1 || text[len - 1] != '.';
}

/* The words of an action; a quoted one keeps its first quote as a mark */
struct words {
	char *v[WORDS_MAX];
	size_t count;
};

static void cleanup_words(struct words *w)
{
	for (size_t i = 0; i < w->count; i++)
		free(w->v[i]);
}

/* Length of the word at @text: "quoted", a pipe, or up to white space */
static size_t word_length(const char *text, const char *end)
{
	size_t n = 0, rest = (size_t)(end - text);

	if (text[0] == '"' || text[0] == '`') {
		for (n = 1; n < rest && text[n] != text[0]; n++)
			;
		return n < rest ? n + 1 : 0;
	}
	if (text[0] == '|')
		return 1;
	while (n < rest && !isspace((unsigned char)text[n]) && text[n] != '|')
		n++;
	return n;
}

static int split_words(const char *text, const char *end, struct words *w)
{
	size_t n;

	for (; text < end; text += n) {
		n = 1;
		if (isspace((unsigned char)*text))
			continue;
		n = word_length(text, end);
		if (n == 0 || w->count == WORDS_MAX)
			return -EINVAL;
		/* without the closing quote */
		w->v[w->count] =
			strndup(text, *text == '"' || *text == '`' ? n - 1 : n);
		if (!w->v[w->count])
			return -ENOMEM;
		w->count++;
	}
	return 0;
}

/* Index in verbs[]; -1 */
static int find_verb(const char *name)
{
	for (size_t i = 0; i < FB_ARRAY_SIZE(verbs); i++)
		if (!strcmp(verbs[i].name, name))
			return (int)i;
	return -1;
}

static bool is_argument(const char *word)
{
	return word[0] == '"' || word[0] == '`' ||
	       (word[0] && strspn(word, "0123456789") == strlen(word));
}

/* "path | verb" means "verb path" */
static void turn_pipe(struct words *w)
{
	char *path;

	if (w->count != 3 || strcmp(w->v[1], "|"))
		return;
	path = w->v[0];
	free(w->v[1]);
	w->v[0] = w->v[2];
	w->v[1] = path;
	w->count = 2;
}

static int parse_action(struct fb_template *tpl, const char *text,
			const char *end, struct fb_err *err)
{
	__attribute__((cleanup(cleanup_words))) struct words w = { 0 };
	const char *path, *arg = NULL;
	int r = split_words(text, end, &w), verb = 0;

	turn_pipe(&w);
	if (r == 0 && w.count > 0 && w.v[0][0] != '.') {
		verb = find_verb(w.v[0]);
		if (verb < 0)
			return fb_err_set(err, -EINVAL,
					  "template parsing error: function "
					  "\"%s\" not defined",
					  w.v[0]);
	}
	path = r == 0 && w.count > 0 ? w.v[w.v[0][0] != '.' && w.count > 1]
				     : "";
	if (verbs[verb].has_arg && w.count == 3)
		arg = w.v[2];
	if (r < 0 || !is_path(path) || verbs[verb].has_arg != (arg != NULL) ||
	    (arg && !is_argument(arg)) ||
	    w.count != 1u + (w.v[0][0] != '.') + (arg != NULL))
		return fb_err_set(
			err, r < 0 ? r : -EINVAL,
			"template parsing error: can't read '{{%.*s}}'",
			(int)(end - text), text);
	return add_part(tpl, verbs[verb].verb, strdup(path),
			arg ? strdup(arg) : NULL, err);
}

static int parse_parts(struct fb_template *tpl, const char *text,
		       struct fb_err *err)
{
	const char *open, *close;
	int r = 0;

	while (r == 0 && *text) {
		open = strstr(text, "{{");
		if (open != text) {
			close = open ? open : text + strlen(text);
			r = add_part(tpl, FB_TEMPLATE_LITERAL,
				     strndup(text, (size_t)(close - text)),
				     NULL, err);
			if (r == 0)
				unescape(tpl->parts[tpl->count - 1].text);
			text = close;
			continue;
		}
		close = strstr(open, "}}");
		if (!close)
			return fb_err_set(err, -EINVAL,
					  "template parsing error: unclosed "
					  "action in '%s'",
					  text);
		r = parse_action(tpl, open + 2, close, err);
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
	for (size_t i = 0; i < tpl->count; i++) {
		free(tpl->parts[i].text);
		free(tpl->parts[i].arg);
	}
	free(tpl->parts);
	*tpl = (struct fb_template){ 0 };
}
