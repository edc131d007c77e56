/* SPDX-License-Identifier: Apache-2.0 */
/* What a template is made of.  Private to template*.c. */
#ifndef FB_CLI_TEMPLATE_NODE_H
#define FB_CLI_TEMPLATE_NODE_H

#include <stdbool.h>

#include "cli/template.h"

/**
 * enum fb_template_kind - What a node is
 *
 * From FB_NODE_PIPE on they stand within actions.
 */
enum fb_template_kind {
	FB_NODE_TEXT,
	FB_NODE_ACTION,
	FB_NODE_IF,
	FB_NODE_RANGE,
	FB_NODE_WITH,
	FB_NODE_BREAK,
	FB_NODE_CONTINUE,
	FB_NODE_PIPE,
	FB_NODE_COMMAND,
	FB_NODE_FIELD,
	FB_NODE_VARIABLE,
	FB_NODE_LITERAL,
	FB_NODE_FUNCTION,
};

/**
 * struct fb_template_node - One of them
 * @kind:      What it is
 * @next:      Behind it: text and actions, commands of a pipe, words of a command
 * @child:     Pipe of an action; first command; first word; what stands in the
 *             parentheses before a field
 * @body:      Of if, range, with
 * @otherwise: Of the same: behind else
 * @text:      Literal text; path of a field, ".", ".A.B"; name of a variable or a
 *             function
 * @path:      Behind a variable's name: "", ".A.B"
 * @literal:   Value of a literal
 * @declare:   Variables that a pipe sets, or NULL
 * @assign:    It sets those that are there, with "="
 * @owned:     Chain of all nodes
 */
struct fb_template_node {
	enum fb_template_kind kind;
	struct fb_template_node *next;
	struct fb_template_node *child;
	struct fb_template_node *body;
	struct fb_template_node *otherwise;
	char *text;
	char *path;
	json_t *literal;
	char *declare[2];
	bool assign;
	struct fb_template_node *owned;
};

/**
 * enum fb_token_kind - What stands in an action
 */
enum fb_token_kind {
	FB_TOKEN_END,
	FB_TOKEN_FIELD,
	FB_TOKEN_VARIABLE,
	FB_TOKEN_WORD,
	FB_TOKEN_LITERAL,
	FB_TOKEN_OPEN,
	FB_TOKEN_CLOSE,
	FB_TOKEN_PIPE,
	FB_TOKEN_DECLARE,
	FB_TOKEN_ASSIGN,
	FB_TOKEN_COMMA,
};

/**
 * struct fb_lexer - Reads an action word by word
 * @p, @end: What is left
 * @kind:    Of the word at hand
 * @at:      That word, with the fields behind a variable or a parenthesis
 * @len:     Of @at
 * @literal: Of FB_TOKEN_LITERAL (owned until taken)
 */
struct fb_lexer {
	const char *p;
	const char *end;
	enum fb_token_kind kind;
	const char *at;
	size_t len;
	json_t *literal;
};

/** fb_lexer_next() - Read one word. Return: 0; -EINVAL; -ENOMEM */
int fb_lexer_next(struct fb_lexer *lexer);

/** fb_lexer_release() - Free a literal that was not taken */
void fb_lexer_release(struct fb_lexer *lexer);

/**
 * fb_action_end() - Where an action's "}}" stands, outside of quotes
 * @text: Behind its "{{"
 *
 * Return: the "}}"; NULL there is none.
 */
const char *fb_action_end(const char *text);

/** fb_value_print() - Append a value as Go prints it; NULL is "<no value>" */
void fb_value_print(const json_t *value, struct fb_str *out);

/** fb_value_true() - What Go's "if" thinks of it */
bool fb_value_true(const json_t *value);

/**
 * fb_value_field() - A member by a field's name
 * @value: Object, or NULL (borrowed)
 * @name:  As the template has it; another case will do where that one is missing
 * @len:   Of @name
 * @ret:   Member (borrowed), or NULL: a map's missing key
 * @parent: Name of the field that @value is, or ""
 *
 * Return: 0; -ENOENT.
 */
int fb_value_field(const json_t *value, const char *name, size_t len,
		   const char *parent, const json_t **ret);

/**
 * struct fb_template_call - A function's call
 * @name:    Function
 * @args:    Values (borrowed); NULL = no value
 * @count:   Of @args
 * @heading: It is a table's heading that is shown
 */
struct fb_template_call {
	const char *name;
	json_t *const *args;
	size_t count;
	bool heading;
};

#define FB_TEMPLATE_ARGS_MAX 16

/** fb_template_function_known() - Is there a function of that name? */
bool fb_template_function_known(const char *name);

/**
 * fb_template_function() - Call one
 * @ret: Value (returned)
 *
 * Return: 0; -EINVAL what it does not take; -E2BIG; -ENOMEM.
 */
int fb_template_function(const struct fb_template_call *call, json_t **ret,
			 struct fb_err *err);

#endif
