/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The part of Go's templates that docker's users type into --format: literals,
 * {{.Field}}, {{.Field.Sub}}, {{json .}}, {{upper .F}}, {{lower .F}},
 * {{len .F}}, {{join .F ","}}, {{index .F 0}}, {{index .F "key"}}, the same
 * with a pipe ({{.F | json}}), and "\t", "\n" as docker reads them.
 */
#ifndef FB_CLI_TEMPLATE_H
#define FB_CLI_TEMPLATE_H

#include <jansson.h>

#include "base/err.h"
#include "base/str.h"

#define FB_TEMPLATE_TEXT_MAX 65536
#define FB_TEMPLATE_PARTS_MAX 256

/**
 * enum fb_template_verb - What is done with a part's value
 */
enum fb_template_verb {
	FB_TEMPLATE_LITERAL,
	FB_TEMPLATE_PRINT,
	FB_TEMPLATE_JSON,
	FB_TEMPLATE_UPPER,
	FB_TEMPLATE_LOWER,
	FB_TEMPLATE_LEN,
	FB_TEMPLATE_JOIN,
	FB_TEMPLATE_INDEX,
};

/**
 * struct fb_template_part - A literal, or a value's place
 * @verb: What to do
 * @text: The literal, or the path: "." or ".Config.Cmd"
 * @arg:  Of join and index, otherwise NULL
 */
struct fb_template_part {
	enum fb_template_verb verb;
	char *text;
	char *arg;
};

struct fb_template {
	struct fb_template_part *parts;
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
 * Return: 0; -EINVAL no such field; -E2BIG; -ENOMEM.
 */
int fb_template_render(const struct fb_template *tpl, const json_t *value,
		       struct fb_str *out, struct fb_err *err);

#endif
