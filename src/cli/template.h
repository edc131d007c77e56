/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Go's templates as docker's users type them into --format: fields and
 * variables, pipelines with parentheses, if, range, with, else, break and
 * continue, docker's functions (json, join, split, lower, upper, title, pad,
 * truncate) beside Go's own (and, or, not, eq …, index, slice, len, print,
 * printf, println), comments and "{{- -}}".  In literal text "\t" and "\n" are
 * what docker reads them as.  Templates that define others are not understood.
 */
#ifndef FB_CLI_TEMPLATE_H
#define FB_CLI_TEMPLATE_H

#include <jansson.h>

#include "base/err.h"
#include "base/str.h"

#define FB_TEMPLATE_TEXT_MAX 65536
#define FB_TEMPLATE_NODES_MAX 4096

struct fb_template_node;

/**
 * struct fb_template - A template that was read
 * @first: What it consists of
 * @all:   Owner of all nodes
 * @count: Of @all
 */
struct fb_template {
	struct fb_template_node *first;
	struct fb_template_node *all;
	size_t count;
};

/**
 * fb_template_parse() - Text to template
 * @text: What the user typed (borrowed)
 * @ret:  Release with fb_template_release(); written on success only
 *
 * Return: 0; -EINVAL "template parsing error: …"; -E2BIG; -ENOMEM.
 */
int fb_template_parse(const char *text, struct fb_template *ret,
		      struct fb_err *err);
void fb_template_release(struct fb_template *tpl);

#define FB_TEMPLATE __attribute__((cleanup(fb_template_release)))

/**
 * fb_template_render() - Append a template filled from a JSON value
 * @tpl:   Template (borrowed)
 * @value: What "." means (borrowed)
 * @out:   Text is appended
 *
 * Values print as Go prints them: [a b], map[k:v], <nil>.
 *
 * Return: 0; -EINVAL no such field, a value that a function does not take;
 * -E2BIG; -ENOMEM.
 */
int fb_template_render(const struct fb_template *tpl, const json_t *value,
		       struct fb_str *out, struct fb_err *err);

/**
 * fb_template_heading() - fb_template_render() for the heading of a table
 * @value: Object of headings (borrowed)
 *
 * Functions that change a text leave a heading as it is, as docker's do.
 */
int fb_template_heading(const struct fb_template *tpl, const json_t *value,
			struct fb_str *out, struct fb_err *err);

/**
 * fb_template_plain() - What a part is where no engine is needed for it
 * @node:     Part of a template (borrowed)
 * @ret_text: The literal text, or NULL
 * @ret_path: A field's path, ".Name", or NULL; neither: it is more than that
 *
 * Return: the next part, or NULL.
 */
const struct fb_template_node *
fb_template_plain(const struct fb_template_node *node, const char **ret_text,
		  const char **ret_path);

#endif
