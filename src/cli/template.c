/* SPDX-License-Identifier: Apache-2.0 */
/* Templates are read by recursive descent; what is read is a tree of nodes. */
#include "cli/template.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "cli/template_node.h"

#define DEPTH_MAX 32u
#define ERROR "template parsing error: "

/**
 * struct parser - A template being read
 * @p:     What is left of the text
 * @trim:  White space before @p's text goes: the action had "-}}"
 * @lexer: In the action at hand
 * @begin, @end: That action, for messages
 * @loops: Ranges around
 */
struct parser {
	struct fb_template tpl;
	const char *p;
	bool trim;
	struct fb_lexer lexer;
	const char *begin;
	const char *end;
	unsigned int depth;
	unsigned int loops;
	struct fb_err *err;
};

/* What ended a list of parts */
enum list_end { LIST_TEXT, LIST_END, LIST_ELSE };

static int refuse(struct parser *ps, const char *why)
{
	return fb_err_set(ps->err, -EINVAL, ERROR "%s in '{{%.*s}}'", why,
			  (int)(ps->end - ps->begin), ps->begin);
}

static int out_of_memory(struct parser *ps)
{
	return fb_err_set(ps->err, -ENOMEM, ERROR "%s", strerror(ENOMEM));
}

static struct fb_template_node *new_node(struct parser *ps,
					 enum fb_template_kind kind)
{
	struct fb_template_node *node;

	if (ps->tpl.count >= FB_TEMPLATE_NODES_MAX) {
		(void)fb_err_set(ps->err, -E2BIG, ERROR "over %d parts",
				 FB_TEMPLATE_NODES_MAX);
		return NULL;
	}
	node = calloc(1, sizeof(*node));
	if (!node) {
		(void)out_of_memory(ps);
		return NULL;
	}
	node->kind = kind;
	node->owned = ps->tpl.all;
	ps->tpl.all = node;
	ps->tpl.count++;
	return node;
}

static int code_of(const struct parser *ps)
{
	return ps->err && ps->err->code ? ps->err->code : -ENOMEM;
}

static int advance(struct parser *ps)
{
	int r = fb_lexer_next(&ps->lexer);

	return r < 0 ? refuse(ps, "can't read a word") : 0;
}

static bool word_is(const struct parser *ps, const char *word)
{
	const struct fb_lexer *lx = &ps->lexer;

	return lx->kind == FB_TOKEN_WORD && strlen(word) == lx->len &&
	       !memcmp(lx->at, word, lx->len);
}

static int keep_text(struct parser *ps, char **slot, const char *at, size_t len)
{
	*slot = strndup(at, len);
	return *slot ? 0 : out_of_memory(ps);
}

static int parse_pipe(struct parser *ps, struct fb_template_node **ret);

/* "(…)", perhaps with fields of what it gives behind it */
static int parse_parentheses(struct parser *ps, struct fb_template_node *node)
{
	int r = ++ps->depth > DEPTH_MAX ? refuse(ps, "too deep") : advance(ps);

	if (r == 0)
		r = parse_pipe(ps, &node->child);
	if (r < 0)
		return r;
	ps->depth--;
	if (ps->lexer.kind != FB_TOKEN_CLOSE)
		return refuse(ps, "unclosed left paren");
	return keep_text(ps, &node->text, ps->lexer.at + 1, ps->lexer.len - 1);
}

static int parse_function(struct parser *ps, struct fb_template_node *node)
{
	int r = keep_text(ps, &node->text, ps->lexer.at, ps->lexer.len);

	if (r < 0)
		return r;
	return fb_template_function_known(node->text)
		       ? 0
		       : fb_err_set(ps->err, -EINVAL,
				    ERROR "function \"%s\" not defined",
				    node->text);
}

static int parse_variable(struct parser *ps, struct fb_template_node *node)
{
	const char *at = ps->lexer.at;
	const char *dot = memchr(at, '.', ps->lexer.len);
	size_t name = dot ? (size_t)(dot - at) : ps->lexer.len;
	int r = keep_text(ps, &node->text, at, name);

	return r < 0 ? r
		     : keep_text(ps, &node->path, at + name,
				 ps->lexer.len - name);
}

/* Return: 1 a word; 0 none stands here; negative errno */
static int parse_word(struct parser *ps, struct fb_template_node **ret)
{
	static const int kinds[] = {
		[FB_TOKEN_FIELD] = FB_NODE_FIELD,
		[FB_TOKEN_OPEN] = FB_NODE_FIELD,
		[FB_TOKEN_VARIABLE] = FB_NODE_VARIABLE,
		[FB_TOKEN_WORD] = FB_NODE_FUNCTION,
		[FB_TOKEN_LITERAL] = FB_NODE_LITERAL,
	};
	enum fb_token_kind kind = ps->lexer.kind;
	struct fb_template_node *node;
	int r = 0;

	if ((size_t)kind >= FB_ARRAY_SIZE(kinds) || !kinds[kind])
		return 0;
	node = new_node(ps, (enum fb_template_kind)kinds[kind]);
	if (!node)
		return code_of(ps);
	if (kind == FB_TOKEN_FIELD)
		r = keep_text(ps, &node->text, ps->lexer.at, ps->lexer.len);
	else if (kind == FB_TOKEN_VARIABLE)
		r = parse_variable(ps, node);
	else if (kind == FB_TOKEN_WORD)
		r = parse_function(ps, node);
	else if (kind == FB_TOKEN_LITERAL)
		node->literal = FB_TAKE_PTR(ps->lexer.literal);
	else
		r = parse_parentheses(ps, node);
	if (r == 0)
		r = advance(ps);
	*ret = node;
	return r < 0 ? r : 1;
}

static int parse_command(struct parser *ps, struct fb_template_node **ret)
{
	struct fb_template_node *command = new_node(ps, FB_NODE_COMMAND);
	struct fb_template_node **slot = command ? &command->child : NULL;
	int r = command ? parse_word(ps, slot) : code_of(ps);
	bool function;

	if (r <= 0)
		return r < 0 ? r : refuse(ps, "missing value for command");
	function = (*slot)->kind == FB_NODE_FUNCTION;
	while (r > 0) {
		slot = &(*slot)->next;
		r = parse_word(ps, slot);
		if (r > 0 && !function)
			return refuse(ps, "arguments for what is no function");
	}
	*ret = command;
	return r;
}

/* "$a :=", "$a, $b :=", "$a =". Return: 1 so it is; 0; negative errno */
static int parse_declaration(struct parser *ps, struct fb_template_node *pipe)
{
	struct fb_lexer before = ps->lexer;
	int r = 0;

	if (before.kind != FB_TOKEN_VARIABLE)
		return 0;
	for (int i = 0; i < 2 && r == 0; i++) {
		if (ps->lexer.kind != FB_TOKEN_VARIABLE ||
		    memchr(ps->lexer.at, '.', ps->lexer.len))
			break;
		r = keep_text(ps, &pipe->declare[i], ps->lexer.at,
			      ps->lexer.len);
		if (r == 0)
			r = advance(ps);
		if (r == 0 && (ps->lexer.kind == FB_TOKEN_DECLARE ||
			       ps->lexer.kind == FB_TOKEN_ASSIGN)) {
			pipe->assign = ps->lexer.kind == FB_TOKEN_ASSIGN;
			return advance(ps) < 0 ? -EINVAL : 1;
		}
		if (r == 0 && ps->lexer.kind != FB_TOKEN_COMMA)
			break;
		if (r == 0)
			r = advance(ps);
	}
	if (r < 0)
		return r;
	for (int i = 0; i < 2; i++)
		free(FB_TAKE_PTR(pipe->declare[i]));
	fb_lexer_release(&ps->lexer);
	ps->lexer = before;
	return 0;
}

static int parse_pipe(struct parser *ps, struct fb_template_node **ret)
{
	struct fb_template_node *pipe = new_node(ps, FB_NODE_PIPE), **slot;
	int r = pipe ? parse_declaration(ps, pipe) : code_of(ps);

	if (r < 0)
		return r;
	for (slot = &pipe->child;; slot = &(*slot)->next) {
		r = parse_command(ps, slot);
		if (r < 0)
			return r;
		if (slot != &pipe->child &&
		    (*slot)->child->kind != FB_NODE_FUNCTION)
			return refuse(ps, "a pipe to what is no function");
		if (ps->lexer.kind != FB_TOKEN_PIPE)
			break;
		r = advance(ps);
		if (r < 0)
			return r;
	}
	*ret = pipe;
	return 0;
}

/* A pipe up to the action's end */
static int parse_whole_pipe(struct parser *ps, struct fb_template_node **ret)
{
	int r = parse_pipe(ps, ret);

	if (r == 0 && ps->lexer.kind != FB_TOKEN_END)
		return refuse(ps, "unexpected text");
	return r;
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

/* The text up to the next action, or to the end */
static int parse_text(struct parser *ps, const char *open,
		      struct fb_template_node **ret)
{
	const char *at = ps->p, *end = open ? open : at + strlen(at);
	struct fb_template_node *node;
	int r;

	ps->p = end;
	if (ps->trim)
		at += strspn(at, " \t\r\n");
	if (open && open[2] == '-' && isspace((unsigned char)open[3]))
		while (end > at && isspace((unsigned char)end[-1]))
			end--;
	if (at >= end)
		return 0;
	node = new_node(ps, FB_NODE_TEXT);
	if (!node)
		return code_of(ps);
	r = keep_text(ps, &node->text, at, (size_t)(end - at));
	if (r == 0)
		unescape(node->text);
	*ret = node;
	return r;
}

/* Set the lexer on the action at @ps->p. Return: 0; 1 a comment; -EINVAL */
static int open_action(struct parser *ps)
{
	const char *at = ps->p + 2, *close = fb_action_end(at), *end = close;

	if (!close)
		return fb_err_set(ps->err, -EINVAL,
				  ERROR "unclosed action in '%s'", ps->p);
	ps->begin = at;
	ps->end = close;
	ps->p = close + 2;
	if (at[0] == '-' && isspace((unsigned char)at[1]))
		at++;
	ps->trim = end - at >= 2 && end[-1] == '-' &&
		   isspace((unsigned char)end[-2]);
	if (ps->trim)
		end--;
	at += strspn(at, " \t\r\n");
	if (end - at >= 4 && at[0] == '/' && at[1] == '*')
		return 1;
	ps->lexer = (struct fb_lexer){ .p = at, .end = end };
	return advance(ps);
}

static int parse_list(struct parser *ps, struct fb_template_node **ret,
		      enum list_end *ret_end);

static int parse_block(struct parser *ps, enum fb_template_kind kind,
		       struct fb_template_node **ret);

/* Behind "else": a list, or another "if" that shares the end */
static int parse_else(struct parser *ps, struct fb_template_node *block)
{
	enum list_end end = LIST_END;
	int r = advance(ps);

	if (r < 0)
		return r;
	if (word_is(ps, "if"))
		return parse_block(ps, FB_NODE_IF, &block->otherwise);
	if (word_is(ps, "with"))
		return parse_block(ps, FB_NODE_WITH, &block->otherwise);
	if (ps->lexer.kind != FB_TOKEN_END)
		return refuse(ps, "unexpected text");
	r = parse_list(ps, &block->otherwise, &end);
	if (r == 0 && end != LIST_END)
		r = refuse(ps, "expected end");
	return r;
}

static int parse_block(struct parser *ps, enum fb_template_kind kind,
		       struct fb_template_node **ret)
{
	struct fb_template_node *block = new_node(ps, kind);
	bool loop = kind == FB_NODE_RANGE;
	enum list_end end = LIST_END;
	int r = block ? 0 : code_of(ps);

	if (r == 0 && ++ps->depth > DEPTH_MAX)
		r = refuse(ps, "too deep");
	if (r == 0)
		r = advance(ps);
	if (r == 0)
		r = parse_whole_pipe(ps, &block->child);
	ps->loops += loop;
	if (r == 0)
		r = parse_list(ps, &block->body, &end);
	ps->loops -= loop;
	if (r == 0 && end == LIST_ELSE)
		r = parse_else(ps, block);
	else if (r == 0 && end != LIST_END)
		r = fb_err_set(ps->err, -EINVAL, ERROR "unexpected EOF");
	ps->depth--;
	*ret = block;
	return r;
}

static int parse_jump(struct parser *ps, enum fb_template_kind kind,
		      struct fb_template_node **ret)
{
	if (ps->loops == 0)
		return refuse(ps, "outside of range");
	if (advance(ps) < 0 || ps->lexer.kind != FB_TOKEN_END)
		return refuse(ps, "unexpected text");
	*ret = new_node(ps, kind);
	return *ret ? 0 : code_of(ps);
}

static int parse_plain_action(struct parser *ps, struct fb_template_node **ret)
{
	struct fb_template_node *action = new_node(ps, FB_NODE_ACTION);

	*ret = action;
	return action ? parse_whole_pipe(ps, &action->child) : code_of(ps);
}

/* Return: 0, @ret_end says whether the list ends; negative errno */
static int parse_action(struct parser *ps, struct fb_template_node **ret,
			enum list_end *ret_end)
{
	int r = open_action(ps);

	if (r != 0)
		return r < 0 ? r : 0;
	if (word_is(ps, "if"))
		return parse_block(ps, FB_NODE_IF, ret);
	if (word_is(ps, "range"))
		return parse_block(ps, FB_NODE_RANGE, ret);
	if (word_is(ps, "with"))
		return parse_block(ps, FB_NODE_WITH, ret);
	if (word_is(ps, "break"))
		return parse_jump(ps, FB_NODE_BREAK, ret);
	if (word_is(ps, "continue"))
		return parse_jump(ps, FB_NODE_CONTINUE, ret);
	if (word_is(ps, "else")) {
		*ret_end = LIST_ELSE;
		return 0;
	}
	if (word_is(ps, "end")) {
		*ret_end = LIST_END;
		return advance(ps) < 0 || ps->lexer.kind != FB_TOKEN_END
			       ? refuse(ps, "unexpected text")
			       : 0;
	}
	return parse_plain_action(ps, ret);
}

/* Parts up to "end", "else" or the text's end */
static int parse_list(struct parser *ps, struct fb_template_node **ret,
		      enum list_end *ret_end)
{
	int r = 0;

	*ret_end = LIST_TEXT;
	while (r == 0 && *ps->p && *ret_end == LIST_TEXT) {
		const char *open = strstr(ps->p, "{{");

		if (open == ps->p) {
			r = parse_action(ps, ret, ret_end);
		} else {
			r = parse_text(ps, open, ret);
			/* trimming goes for the text right behind alone */
			ps->trim = false;
		}
		while (*ret)
			ret = &(*ret)->next;
	}
	return r;
}

int fb_template_parse(const char *text, struct fb_template *ret,
		      struct fb_err *err)
{
	struct fb_err local = { 0 };
	struct parser ps = { .p = text, .err = err ? err : &local };
	struct fb_template_node *first = NULL;
	enum list_end end = LIST_TEXT;
	int r;

	if (strlen(text) > FB_TEMPLATE_TEXT_MAX)
		return fb_err_set(err, -E2BIG, ERROR "over %d bytes",
				  FB_TEMPLATE_TEXT_MAX);
	r = parse_list(&ps, &first, &end);
	if (r == 0 && end != LIST_TEXT)
		r = refuse(&ps, "unexpected text");
	fb_lexer_release(&ps.lexer);
	ps.tpl.first = first;
	if (r < 0) {
		fb_template_release(&ps.tpl);
		return r;
	}
	*ret = ps.tpl;
	return 0;
}

void fb_template_release(struct fb_template *tpl)
{
	struct fb_template_node *node = tpl->all, *next;

	for (; node; node = next) {
		next = node->owned;
		free(node->text);
		free(node->path);
		free(node->declare[0]);
		free(node->declare[1]);
		json_decref(node->literal);
		free(node);
	}
	*tpl = (struct fb_template){ 0 };
}

const struct fb_template_node *
fb_template_plain(const struct fb_template_node *node, const char **ret_text,
		  const char **ret_path)
{
	const struct fb_template_node *pipe = node->child, *word = NULL;

	*ret_text = node->kind == FB_NODE_TEXT ? node->text : NULL;
	*ret_path = NULL;
	if (node->kind == FB_NODE_ACTION && !pipe->declare[0] &&
	    !pipe->child->next)
		word = pipe->child->child;
	if (word && !word->next && word->kind == FB_NODE_FIELD && !word->child)
		*ret_path = word->text;
	return node->next;
}
