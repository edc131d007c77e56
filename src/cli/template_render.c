/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Walks the tree.  Values that an expression gives are owned by whoever asked
 * for it; NULL is Go's "<no value>".
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/template_node.h"
#include "oci/json.h"

#define VARIABLES_MAX 32u
/* A template is not the place for a long computation */
#define STEPS_MAX (1u << 22)

/**
 * struct render - A template being filled
 * @variables: "$" first; values are owned
 * @count:     Of @variables
 * @steps:     Parts filled so far
 */
struct render {
	struct fb_str *out;
	struct fb_err *err;
	bool heading;
	unsigned int steps;
	size_t count;
	struct {
		const char *name;
		json_t *value;
	} variables[VARIABLES_MAX];
};

/* What a list of parts ended with */
enum jump { JUMP_NONE, JUMP_BREAK, JUMP_CONTINUE };

static json_t *own(const json_t *value)
{
	return json_incref((json_t *)(uintptr_t)value);
}

static void forget_variables(struct render *rd, size_t from)
{
	while (rd->count > from)
		json_decref(rd->variables[--rd->count].value);
}

static int set_variable(struct render *rd, const char *name, json_t *value,
			bool assign)
{
	for (size_t i = rd->count; assign && i > 0; i--) {
		if (strcmp(rd->variables[i - 1].name, name))
			continue;
		json_decref(rd->variables[i - 1].value);
		rd->variables[i - 1].value = json_incref(value);
		return 0;
	}
	if (assign)
		return fb_err_set(rd->err, -EINVAL,
				  "template: undefined variable \"%s\"", name);
	if (rd->count == VARIABLES_MAX)
		return fb_err_set(rd->err, -E2BIG,
				  "template: over %u variables", VARIABLES_MAX);
	rd->variables[rd->count].name = name;
	rd->variables[rd->count++].value = json_incref(value);
	return 0;
}

/* Follow ".A.B" from @value. @ret is borrowed from it */
static int follow(struct render *rd, const json_t *value, const char *path,
		  const json_t **ret)
{
	const char *name = path, *end;
	char parent[64] = "";
	size_t len;

	while (name[0] == '.' && name[1]) {
		end = strchrnul(++name, '.');
		len = (size_t)(end - name);
		if (fb_value_field(value, name, len, parent, &value) < 0)
			return fb_err_set(rd->err, -EINVAL,
					  "template: can't evaluate field "
					  "'%.*s' in '%s'",
					  (int)len, name, path);
		(void)snprintf(parent, sizeof(parent), "%.*s", (int)len, name);
		name = end;
	}
	*ret = value;
	return 0;
}

static int eval_pipe(struct render *rd, const struct fb_template_node *pipe,
		     const json_t *dot, json_t **ret);

static int eval_variable(struct render *rd, const struct fb_template_node *node,
			 json_t **ret)
{
	const json_t *found = NULL;
	int r;

	for (size_t i = rd->count; i > 0; i--) {
		if (strcmp(rd->variables[i - 1].name, node->text))
			continue;
		r = follow(rd, rd->variables[i - 1].value, node->path, &found);
		*ret = own(found);
		return r;
	}
	return fb_err_set(rd->err, -EINVAL,
			  "template: undefined variable \"%s\"", node->text);
}

static int eval_word(struct render *rd, const struct fb_template_node *node,
		     const json_t *dot, json_t **ret)
{
	FB_JSON json_t *base = NULL;
	const json_t *found = NULL;
	int r = 0;

	*ret = NULL;
	if (node->kind == FB_NODE_VARIABLE)
		return eval_variable(rd, node, ret);
	if (node->kind == FB_NODE_LITERAL) {
		*ret = own(node->literal);
		return 0;
	}
	if (node->child) {
		r = eval_pipe(rd, node->child, dot, &base);
		dot = base;
	}
	if (r == 0)
		r = follow(rd, dot, node->text, &found);
	if (r == 0)
		*ret = own(found);
	return r;
}

/* "and" and "or" look no further than they must. */
static bool is_decided(const char *name, const json_t *value)
{
	if (!strcmp(name, "and"))
		return !fb_value_true(value);
	return !strcmp(name, "or") && fb_value_true(value);
}

/* @piped: the last argument, where there is one */
static int eval_function(struct render *rd, const struct fb_template_node *name,
			 const json_t *dot, json_t *const *piped, json_t **ret)
{
	json_t *args[FB_TEMPLATE_ARGS_MAX] = { NULL };
	struct fb_template_call call = { .name = name->text,
					 .args = args,
					 .heading = rd->heading };
	const struct fb_template_node *word = name->next;
	bool decided = false;
	int r = 0;

	for (; word && r == 0 && !decided; word = word->next) {
		if (call.count + 1 >= FB_TEMPLATE_ARGS_MAX)
			r = fb_err_set(rd->err, -E2BIG,
				       "template: too many arguments for %s",
				       name->text);
		else if (word->kind == FB_NODE_FUNCTION)
			r = eval_function(rd, word, dot, NULL,
					  &args[call.count]);
		else
			r = eval_word(rd, word, dot, &args[call.count]);
		if (r == 0)
			decided = is_decided(name->text, args[call.count++]);
	}
	if (r == 0 && piped && !decided)
		args[call.count++] = json_incref(*piped);
	if (r == 0)
		r = fb_template_function(&call, ret, rd->err);
	for (size_t i = 0; i < FB_TEMPLATE_ARGS_MAX; i++)
		json_decref(args[i]);
	return r;
}

static int eval_pipe(struct render *rd, const struct fb_template_node *pipe,
		     const json_t *dot, json_t **ret)
{
	const struct fb_template_node *command = pipe->child;
	FB_JSON json_t *value = NULL;
	int r = 0;

	for (; command && r == 0; command = command->next) {
		FB_JSON json_t *before = FB_TAKE_PTR(value);

		if (command->child->kind == FB_NODE_FUNCTION)
			r = eval_function(rd, command->child, dot,
					  command == pipe->child ? NULL
								 : &before,
					  &value);
		else
			r = eval_word(rd, command->child, dot, &value);
	}
	if (r == 0)
		*ret = FB_TAKE_PTR(value);
	return r;
}

static int render_list(struct render *rd, const struct fb_template_node *node,
		       const json_t *dot, enum jump *jump);

static int render_action(struct render *rd, const struct fb_template_node *node,
			 const json_t *dot)
{
	FB_JSON json_t *value = NULL;
	const struct fb_template_node *pipe = node->child;
	int r = eval_pipe(rd, pipe, dot, &value);

	if (r < 0)
		return r;
	if (pipe->declare[0])
		return set_variable(rd, pipe->declare[0], value, pipe->assign);
	fb_value_print(value, rd->out);
	return 0;
}

/* if and with */
static int render_choice(struct render *rd, const struct fb_template_node *node,
			 const json_t *dot, enum jump *jump)
{
	FB_JSON json_t *value = NULL;
	const struct fb_template_node *pipe = node->child;
	size_t scope = rd->count;
	int r = eval_pipe(rd, pipe, dot, &value);

	if (r == 0 && pipe->declare[0])
		r = set_variable(rd, pipe->declare[0], value, pipe->assign);
	if (r == 0 && fb_value_true(value))
		r = render_list(rd, node->body,
				node->kind == FB_NODE_WITH ? value : dot, jump);
	else if (r == 0)
		r = render_list(rd, node->otherwise, dot, jump);
	forget_variables(rd, scope);
	return r;
}

/* One round: "$i, $e :=" are set to @key (NULL: the index @i) and @item */
static int render_round(struct render *rd, const struct fb_template_node *node,
			const char *key, size_t i, const json_t *item,
			enum jump *jump)
{
	char *const *names = node->child->declare;
	FB_JSON json_t *index =
		key ? json_string(key) : json_integer((json_int_t)i);
	FB_JSON json_t *value = own(item);
	size_t scope = rd->count;
	int r = 0;

	if (names[0] && names[1])
		r = set_variable(rd, names[0], index, node->child->assign);
	if (r == 0 && names[0])
		r = set_variable(rd, names[1] ? names[1] : names[0], value,
				 node->child->assign);
	if (r == 0)
		r = render_list(rd, node->body, value, jump);
	forget_variables(rd, scope);
	if (*jump == JUMP_CONTINUE)
		*jump = JUMP_NONE;
	return r;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Go goes through a map in the order of its keys */
static int range_object(struct render *rd, const struct fb_template_node *node,
			json_t *object, enum jump *jump)
{
	size_t count = json_object_size(object), n = 0;
	FB_FREE const char **keys = calloc(count, sizeof(*keys));
	const char *key;
	json_t *item;
	int r = 0;

	if (!keys)
		return fb_err_set(rd->err, -ENOMEM, "fill template: %m");
	json_object_foreach(object, key, item)
	{
		keys[n++] = key;
	}
	qsort(keys, n, sizeof(*keys), by_name);
	for (size_t i = 0; i < n && r == 0 && *jump == JUMP_NONE; i++)
		r = render_round(rd, node, keys[i], i,
				 json_object_get(object, keys[i]), jump);
	return r;
}

static int range_numbers(struct render *rd, const struct fb_template_node *node,
			 json_int_t count, enum jump *jump)
{
	int r = 0;

	for (json_int_t i = 0; i < count && r == 0 && *jump == JUMP_NONE; i++) {
		FB_JSON json_t *number = json_integer(i);

		r = render_round(rd, node, NULL, (size_t)i, number, jump);
	}
	return r;
}

static int render_range(struct render *rd, const struct fb_template_node *node,
			const json_t *dot, enum jump *outer)
{
	FB_JSON json_t *value = NULL;
	enum jump jump = JUMP_NONE;
	int r = eval_pipe(rd, node->child, dot, &value);

	if (r < 0)
		return r;
	if (value && !json_is_null(value) && !json_is_array(value) &&
	    !json_is_object(value) && !json_is_integer(value))
		return fb_err_set(rd->err, -EINVAL,
				  "template: range can't iterate over it");
	if (!fb_value_true(value))
		return render_list(rd, node->otherwise, dot, outer);
	if (json_is_object(value))
		return range_object(rd, node, value, &jump);
	if (json_is_integer(value))
		return range_numbers(rd, node, json_integer_value(value),
				     &jump);
	for (size_t i = 0;
	     i < json_array_size(value) && r == 0 && jump == JUMP_NONE; i++)
		r = render_round(rd, node, NULL, i, json_array_get(value, i),
				 &jump);
	return r;
}

static int render_list(struct render *rd, const struct fb_template_node *node,
		       const json_t *dot, enum jump *jump)
{
	int r = 0;

	for (; node && r == 0 && *jump == JUMP_NONE; node = node->next) {
		if (++rd->steps > STEPS_MAX)
			return fb_err_set(rd->err, -E2BIG,
					  "template: over %u steps", STEPS_MAX);
		if (node->kind == FB_NODE_TEXT)
			fb_str_puts(rd->out, node->text);
		else if (node->kind == FB_NODE_ACTION)
			r = render_action(rd, node, dot);
		else if (node->kind == FB_NODE_RANGE)
			r = render_range(rd, node, dot, jump);
		else if (node->kind == FB_NODE_BREAK)
			*jump = JUMP_BREAK;
		else if (node->kind == FB_NODE_CONTINUE)
			*jump = JUMP_CONTINUE;
		else
			r = render_choice(rd, node, dot, jump);
		if (r == 0 && rd->out->err)
			r = fb_err_set(rd->err, rd->out->err,
				       "fill template: %s",
				       strerror(-rd->out->err));
	}
	return r;
}

static int render(const struct fb_template *tpl, const json_t *value,
		  bool heading, struct fb_str *out, struct fb_err *err)
{
	struct render rd = { .out = out,
			     .err = err,
			     .heading = heading,
			     .count = 1,
			     .variables = { { "$", own(value) } } };
	enum jump jump = JUMP_NONE;
	int r = render_list(&rd, tpl->first, value, &jump);

	forget_variables(&rd, 0);
	return r;
}

int fb_template_render(const struct fb_template *tpl, const json_t *value,
		       struct fb_str *out, struct fb_err *err)
{
	return render(tpl, value, false, out, err);
}

int fb_template_heading(const struct fb_template *tpl, const json_t *value,
			struct fb_str *out, struct fb_err *err)
{
	return render(tpl, value, true, out, err);
}
