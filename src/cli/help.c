/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/help.h"

#include <errno.h>
#include <string.h>

#define WORD_MAX 32
#define SLIPS_MAX 2
#define DETAILS_COLUMNS 80

static void put_usage(const struct fb_command *command, struct fb_str *out)
{
	fb_str_printf(out, "Usage:  flamebox %s%s%s%s\n", command->name,
		      command->options ? " [OPTIONS]" : "",
		      command->usage[0] ? " " : "", command->usage);
}

/* paragraphs are separated by newlines, however many, in the table's text */
static void put_paragraphs(const char *text, struct fb_str *out)
{
	size_t column = 0, word;

	while (*text) {
		if (*text == '\n') {
			fb_str_puts(out, "\n\n");
			column = 0;
			text += strspn(text, "\n");
			continue;
		}
		word = strcspn(text, " \n");
		if (column && column + 1 + word > DETAILS_COLUMNS) {
			fb_str_putc(out, '\n');
			column = 0;
		}
		fb_str_printf(out, "%s%.*s", column ? " " : "", (int)word,
			      text);
		column += word + (column ? 1 : 0);
		text += word;
		text += strspn(text, " ");
	}
	fb_str_putc(out, '\n');
}

void fb_help_command(const struct fb_command *command, struct fb_str *out)
{
	put_usage(command, out);
	fb_str_printf(out, "\n%s\n", command->summary);
	if (command->details) {
		fb_str_putc(out, '\n');
		put_paragraphs(command->details, out);
	}
	if (command->options) {
		fb_str_puts(out, "\nOptions:\n");
		fb_options_help(command->options, out);
	}
}

void fb_help_program(struct fb_str *out)
{
	size_t widest = 0;

	fb_str_puts(out,
		    "Usage:  flamebox [OPTIONS] COMMAND\n\n"
		    "Run container images in microVMs\n\nCommands:\n");
	for (size_t i = 0; fb_commands[i]; i++)
		if (strlen(fb_commands[i]->name) > widest)
			widest = strlen(fb_commands[i]->name);
	for (size_t i = 0; fb_commands[i]; i++)
		if (!fb_commands[i]->hidden)
			fb_str_printf(out, "  %-*s   %s\n", (int)widest,
				      fb_commands[i]->name,
				      fb_commands[i]->summary);
	fb_str_puts(out, "\nGlobal Options:\n");
	fb_options_help(fb_global_options, out);
	fb_str_puts(out,
		    "\nRun 'flamebox COMMAND --help' for more information "
		    "on a command.\n");
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Levenshtein's distance; words over WORD_MAX are far from everything */
static size_t distance(const char *a, const char *b)
{
	size_t row[WORD_MAX + 1], la = strlen(a), lb = strlen(b);

	if (la > WORD_MAX || lb > WORD_MAX)
		return WORD_MAX;
	for (size_t j = 0; j <= lb; j++)
		row[j] = j;
	for (size_t i = 1; i <= la; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= lb; j++) {
			size_t replaced = diagonal + (a[i - 1] != b[j - 1]);

			diagonal = row[j];
			row[j] = least(replaced, least(row[j], row[j - 1]) + 1);
		}
	}
	return row[lb];
}

const struct fb_command *fb_help_suggest(const char *word)
{
	const struct fb_command *best = NULL;
	/* two slips in a word of three would make anything of it */
	size_t near = least(SLIPS_MAX + 1, (strlen(word) + 1) / 2 + 1);

	for (size_t i = 0; fb_commands[i]; i++) {
		size_t d = distance(word, fb_commands[i]->name);

		if (!fb_commands[i]->hidden && d < near) {
			near = d;
			best = fb_commands[i];
		}
	}
	return best;
}

int fb_help_unknown(const char *word, struct fb_err *err)
{
	const struct fb_command *near = fb_help_suggest(word);
	int r = fb_err_set(err, -EINVAL, "unknown command: flamebox %.200s",
			   word);

	if (near)
		return fb_err_hint(err, r,
				   "did you mean '%s'? See 'flamebox --help'",
				   near->name);
	return fb_err_hint(err, r, "see 'flamebox --help'");
}

static int help_run(struct fb_cli *cli, const struct fb_call *call,
		    struct fb_err *err)
{
	FB_STR struct fb_str text = FB_STR_INIT(FB_HELP_MAX);
	const struct fb_command *command = NULL;

	if (call->arg_count) {
		command = fb_command_find(call->args[0]);
		if (!command)
			return fb_help_unknown(call->args[0], err);
		fb_help_command(command, &text);
	} else {
		fb_help_program(&text);
	}
	if (text.err)
		return fb_err_set(err, text.err, "help: %m");
	(void)fputs(fb_str_cstr(&text), cli->out);
	return 0;
}

const struct fb_command fb_cmd_help = {
	.name = "help",
	.usage = "[COMMAND]",
	.summary = "Show how a command is used",
	.max_args = 1,
	.bare = true,
	.run = help_run,
};

static void dump_options(const char *command, const struct fb_option *o,
			 FILE *out)
{
	for (; o && o->kind != FB_OPTION_KIND_END; o++) {
		(void)fprintf(out, "%s\t--%s\t", command, o->name);
		if (o->letter)
			(void)fprintf(out, "-%c", o->letter);
		(void)fprintf(out, "\t%s\n", o->value ? o->value : "");
	}
}

/* "COMMAND<tab>--long<tab>-l<tab>value"; of global options COMMAND is empty */
static int help_dump_run(struct fb_cli *cli, const struct fb_call *call,
			 struct fb_err *err)
{
	(void)call;
	(void)err;
	dump_options("", fb_global_options, cli->out);
	for (size_t i = 0; fb_commands[i]; i++) {
		if (fb_commands[i]->hidden)
			continue;
		(void)fprintf(cli->out, "%s\t\t\t\n", fb_commands[i]->name);
		dump_options(fb_commands[i]->name, fb_commands[i]->options,
			     cli->out);
	}
	return 0;
}

const struct fb_command fb_cmd_help_dump = {
	.name = "help-dump",
	.usage = "",
	.summary = "Print the tables, for the manual's check and completion",
	.hidden = true,
	.bare = true,
	.run = help_dump_run,
};
