/* SPDX-License-Identifier: Apache-2.0 */
/* The words of an action. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/template_node.h"

#define STRING_MAX 65536

const char *fb_action_end(const char *text)
{
	const char *start = text + (text[0] == '-');
	char quote = '\0';

	start += strspn(start, " \t\r\n");
	if (start[0] == '/' && start[1] == '*') {
		text = strstr(start + 2, "*/");
		return text ? strstr(text, "}}") : NULL;
	}
	for (; *text; text++) {
		if (quote) {
			if (*text == '\\' && quote != '`' && text[1])
				text++;
			else if (*text == quote)
				quote = '\0';
		} else if (*text == '"' || *text == '`' || *text == '\'') {
			quote = *text;
		} else if (text[0] == '}' && text[1] == '}') {
			return text;
		}
	}
	return NULL;
}

static bool is_name(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

/* ".A.B" at @p. Return: its length; 0 */
static size_t path_length(const char *p, const char *end)
{
	size_t n = 0, rest = (size_t)(end - p);

	while (n + 1 < rest && p[n] == '.' && is_name(p[n + 1])) {
		n++;
		while (n < rest && is_name(p[n]))
			n++;
	}
	return n;
}

static size_t name_length(const char *p, const char *end)
{
	size_t n = 0;

	while (p + n < end && is_name(p[n]))
		n++;
	return n;
}

/* One character of a quoted string. Return: bytes read; 0 malformed */
static size_t unquote_one(const char *p, const char *end, struct fb_str *out)
{
	static const char from[] = "ntrabfv\\\"'";
	static const char to[] = "\n\t\r\a\b\f\v\\\"'";
	const char *hit;

	if (*p != '\\') {
		fb_str_putc(out, *p);
		return *p == '\n' ? 0 : 1;
	}
	if (p + 1 >= end)
		return 0;
	hit = strchr(from, p[1]);
	if (!hit)
		return 0;
	fb_str_putc(out, to[hit - from]);
	return 2;
}

static int lex_string(struct fb_lexer *lx)
{
	FB_STR struct fb_str text = FB_STR_INIT(STRING_MAX);
	const char quote = *lx->p, *p = lx->p + 1;
	size_t n = 1;

	for (; p < lx->end && *p != quote && n > 0; p += n) {
		if (quote == '`')
			fb_str_putc(&text, *p);
		else
			n = unquote_one(p, lx->end, &text);
	}
	if (p >= lx->end || n == 0)
		return -EINVAL;
	if (text.err)
		return text.err;
	lx->literal = json_stringn(fb_str_cstr(&text), text.len);
	lx->kind = FB_TOKEN_LITERAL;
	lx->p = p + 1;
	return lx->literal ? 0 : -EINVAL;
}

static int lex_number(struct fb_lexer *lx)
{
	char text[40];
	size_t n = 1;
	char *end;

	while (lx->p + n < lx->end && (is_name(lx->p[n]) || lx->p[n] == '.'))
		n++;
	if (n >= sizeof(text))
		return -EINVAL;
	memcpy(text, lx->p, n);
	text[n] = '\0';
	errno = 0;
	if (strpbrk(text, ".eE") && !strpbrk(text, "xX"))
		lx->literal = json_real(strtod(text, &end));
	else
		lx->literal = json_integer(strtoll(text, &end, 0));
	lx->kind = FB_TOKEN_LITERAL;
	lx->p += n;
	return !lx->literal || *end || errno ? -EINVAL : 0;
}

static int lex_word(struct fb_lexer *lx)
{
	size_t n = name_length(lx->p, lx->end);

	lx->p += n;
	lx->len = n;
	lx->kind = FB_TOKEN_WORD;
	if (n == 4 && !strncmp(lx->at, "true", n))
		lx->literal = json_true();
	else if (n == 5 && !strncmp(lx->at, "false", n))
		lx->literal = json_false();
	else if (n == 3 && !strncmp(lx->at, "nil", n))
		lx->literal = json_null();
	else
		return n ? 0 : -EINVAL;
	lx->kind = FB_TOKEN_LITERAL;
	return 0;
}

/* @fields: what may follow without a space between */
static int take(struct fb_lexer *lx, enum fb_token_kind kind, size_t len,
		bool fields)
{
	lx->kind = kind;
	lx->p += len;
	if (fields)
		lx->p += path_length(lx->p, lx->end);
	lx->len = (size_t)(lx->p - lx->at);
	return 0;
}

int fb_lexer_next(struct fb_lexer *lx)
{
	while (lx->p < lx->end && isspace((unsigned char)*lx->p))
		lx->p++;
	lx->at = lx->p;
	if (lx->p == lx->end)
		return take(lx, FB_TOKEN_END, 0, false);
	switch (*lx->p) {
	case '(':
		return take(lx, FB_TOKEN_OPEN, 1, false);
	case ')':
		return take(lx, FB_TOKEN_CLOSE, 1, true);
	case '|':
		return take(lx, FB_TOKEN_PIPE, 1, false);
	case ',':
		return take(lx, FB_TOKEN_COMMA, 1, false);
	case '=':
		return take(lx, FB_TOKEN_ASSIGN, 1, false);
	case ':':
		return lx->p + 1 < lx->end && lx->p[1] == '='
			       ? take(lx, FB_TOKEN_DECLARE, 2, false)
			       : -EINVAL;
	case '$':
		return take(lx, FB_TOKEN_VARIABLE,
			    1 + name_length(lx->p + 1, lx->end), true);
	case '.':
		return take(lx, FB_TOKEN_FIELD,
			    path_length(lx->p, lx->end) ? 0 : 1, true);
	case '"':
	case '`':
		return lex_string(lx);
	default:
		return isdigit((unsigned char)*lx->p) || *lx->p == '-' ||
				       *lx->p == '+'
			       ? lex_number(lx)
			       : lex_word(lx);
	}
}

void fb_lexer_release(struct fb_lexer *lx)
{
	json_decref(lx->literal);
	lx->literal = NULL;
}
