/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/help.h"

#include <string.h>

#define HELP_MAX 65536
#define NAME_MAX_LEN 32

static void put_options(const struct fb_option *options, const char *title,
			FILE *out)
{
	FB_STR struct fb_str text = FB_STR_INIT(HELP_MAX);

	if (!options || options->kind == FB_OPTION_KIND_END)
		return;
	fb_options_help(options, &text);
	(void)fprintf(out, "\n%s:\n%s", title, fb_str_cstr(&text));
}

void fb_help_command(const struct fb_command *command, FILE *out)
{
	(void)fprintf(out, "Usage:  flamebox %s%s%s%s\n\n%s\n", command->name,
		      command->options ? " [OPTIONS]" : "",
		      command->usage[0] ? " " : "", command->usage,
		      command->summary);
	if (command->details)
		(void)fprintf(out, "\n%s\n", command->details);
	put_options(command->options, "Options", out);
}

void fb_help_overview(const struct fb_command *const *commands,
		      const struct fb_option *globals, FILE *out)
{
	(void)fputs("Usage:  flamebox [OPTIONS] COMMAND [ARG...]\n\n"
		    "Run OCI images in microVMs\n\nCommands:\n",
		    out);
	for (; *commands; commands++)
		if (!(*commands)->hidden)
			(void)fprintf(out, "  %-10s %s\n", (*commands)->name,
				      (*commands)->summary);
	put_options(globals, "Options", out);
	(void)fputs("\nRun 'flamebox COMMAND --help' for more on a command.\n",
		    out);
}

static void dump_options(const char *command, const struct fb_option *o,
			 FILE *out)
{
	char letter[3] = "-";

	for (; o && o->kind != FB_OPTION_KIND_END; o++) {
		letter[1] = o->letter;
		(void)fprintf(out, "%s\t--%s\t%s\t%s\n", command, o->name,
			      o->letter ? letter : "", o->value ? o->value : "");
	}
}

void fb_help_dump(const struct fb_command *const *commands,
		  const struct fb_option *globals, FILE *out)
{
	dump_options("", globals, out);
	for (; *commands; commands++) {
		(void)fprintf(out, "%s\t\t\t\n", (*commands)->name);
		dump_options((*commands)->name, (*commands)->options, out);
	}
}

/* Levenshtein distance over short names */
static size_t distance(const char *a, const char *b)
{
	size_t row[NAME_MAX_LEN + 1], before, keep;
	size_t lb = strlen(b);

	if (lb > NAME_MAX_LEN)
		return lb;
	for (size_t j = 0; j <= lb; j++)
		row[j] = j;
	for (size_t i = 1; *a; a++, i++) {
		before = row[0];
		row[0] = i;
		for (size_t j = 1; j <= lb; j++) {
			keep = row[j];
			row[j] = before + (*a != b[j - 1]);
			if (row[j - 1] + 1 < row[j])
				row[j] = row[j - 1] + 1;
			if (keep + 1 < row[j])
				row[j] = keep + 1;
			before = keep;
		}
	}
	return row[lb];
}

const char *fb_help_nearest(const struct fb_command *const *commands,
			    const char *name)
{
	const char *best = NULL;
	size_t best_distance = 3, d;

	for (; *commands; commands++) {
		d = distance(name, (*commands)->name);
		if (!(*commands)->hidden && d < best_distance) {
			best_distance = d;
			best = (*commands)->name;
		}
	}
	return best;
}
