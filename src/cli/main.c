/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The way of one call: global flags → command → its options and words →
 * context → the command's function → one line for its error → exit status.
 *
 * Exit statuses are docker's: 0; 1 for a failure, an unknown command or a wrong
 * number of words; 125 for a bad flag; what a command says otherwise.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>

#include "cli/alias.h"
#include "cli/cli.h"
#include "cli/help.h"
#include "cli/report.h"

#define EXIT_BAD_FLAG 125

/* one a line, so that two new ones do not collide */
/* clang-format off */
const struct fb_command *const fb_commands[] = {
	&fb_cmd_convert,
	&fb_cmd_copy,
	&fb_cmd_df,
	&fb_cmd_doctor,
	&fb_cmd_help,
	&fb_cmd_help_dump,
	&fb_cmd_history,
	&fb_cmd_images,
	&fb_cmd_inspect,
	&fb_cmd_load,
	&fb_cmd_login,
	&fb_cmd_logout,
	&fb_cmd_pause,
	&fb_cmd_prune,
	&fb_cmd_ps,
	&fb_cmd_pull,
	&fb_cmd_push,
	&fb_cmd_rm,
	&fb_cmd_rmi,
	&fb_cmd_run,
	&fb_cmd_save,
	&fb_cmd_tag,
	&fb_cmd_unpause,
	&fb_cmd_verify,
	&fb_cmd_version,
	NULL,
};
/* clang-format on */

const struct fb_option fb_global_options[] = {
	FB_OPTION_STRING(struct fb_global_flags, config, 0, "config", "file",
			 "Configuration file (JSON)"),
	FB_OPTION_STRING(struct fb_global_flags, root, 0, "root", "dir",
			 "Folder of all state; FLAMEBOX_ROOT sets it as well"),
	FB_OPTION_COUNT(struct fb_global_flags, verbose, 'v', "verbose",
			"Say what is chosen and cleaned up; -vv says more"),
	FB_OPTION_FLAG(struct fb_global_flags, version, 0, "version",
		       "Print the version and end"),
	FB_OPTION_END,
};

const struct fb_command *fb_command_find(const char *name)
{
	for (size_t i = 0; fb_commands[i]; i++)
		if (!strcmp(fb_commands[i]->name, name))
			return fb_commands[i];
	return NULL;
}

/* A standard stream that is closed would be the next file that is opened */
static int open_standard_streams(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDWR);
		if (fd < 0)
			return -errno;
	} while (fd <= STDERR_FILENO);
	(void)close(fd);
	return 0;
}

static int fail(struct fb_cli *cli, const struct fb_err *err, int status)
{
	fb_report(cli, err);
	return status;
}

static int bad_flag(struct fb_cli *cli, const char *command, struct fb_err *err)
{
	(void)fb_err_hint(err, 0, "see 'flamebox%s%s --help'",
			  command ? " " : "", command ? command : "");
	return fail(cli, err, EXIT_BAD_FLAG);
}

static int print_help(struct fb_cli *cli, const struct fb_command *command)
{
	FB_STR struct fb_str text = FB_STR_INIT(FB_HELP_MAX);

	if (command)
		fb_help_command(command, &text);
	else
		fb_help_program(&text);
	(void)fputs(fb_str_cstr(&text), cli->out);
	return 0;
}

/* docker's words. Return: 0, or an exit status after a report */
static int check_words(struct fb_cli *cli, const struct fb_command *c,
		       size_t count)
{
	struct fb_err err = { 0 };
	size_t want = count < c->min_args ? c->min_args : c->max_args;
	const char *bound = c->min_args == c->max_args ? ""
			    : count < c->min_args      ? "at least "
						       : "at most ";

	if (count >= c->min_args && count <= c->max_args)
		return 0;
	if (c->max_args == 0)
		(void)fb_err_set(&err, -EINVAL,
				 "'flamebox %s' accepts no arguments", c->name);
	else
		(void)fb_err_set(&err, -EINVAL,
				 "'flamebox %s' requires %s%zu argument%s",
				 c->name, bound, want, want == 1 ? "" : "s");
	(void)fb_err_hint(&err, 0, "see 'flamebox %s --help'", c->name);
	return fail(cli, &err, 1);
}

static int call_command(struct fb_cli *cli, const struct fb_global_flags *g,
			const struct fb_command *c, const struct fb_call *call)
{
	struct fb_err err = { 0 };
	int r = fb_cli_setup(cli, g, c->bare, &err);

	if (r == 0)
		r = c->run(cli, call, &err);
	if (r >= 0)
		return r;
	if (!err.code)
		err.code = r;
	return fail(cli, &err, c->fail_status ? c->fail_status : 1);
}

static int run_command(struct fb_cli *cli, const struct fb_global_flags *g,
		       const struct fb_command *c, int argc, char *const *argv)
{
	FB_FREE void *flags = calloc(1, c->flags_size ? c->flags_size : 1);
	struct fb_parsed parsed = { 0 };
	struct fb_err err = { 0 };
	int status;

	if (!flags ||
	    fb_options_parse(c->options, argc, argv, c->stop_at_first_word,
			     flags, &parsed, &err) < 0) {
		if (!flags)
			(void)fb_err_set(&err, -ENOMEM, "%s: %m", c->name);
		else
			fb_options_release(c->options, flags);
		return bad_flag(cli, c->name, &err);
	}
	if (parsed.help)
		status = print_help(cli, c);
	else
		status = check_words(cli, c, parsed.arg_count);
	if (!parsed.help && status == 0) {
		struct fb_call call = { flags, parsed.args, parsed.arg_count };

		status = call_command(cli, g, c, &call);
	}
	fb_parsed_release(&parsed);
	fb_options_release(c->options, flags);
	return status;
}

static int dispatch(struct fb_cli *cli, int argc, char *const *argv)
{
	struct fb_global_flags flags = { 0 };
	struct fb_parsed parsed = { 0 };
	const struct fb_command *command;
	struct fb_err err = { 0 };
	char **words;
	size_t count;
	int status;

	if (fb_options_parse(fb_global_options, argc, argv, true, &flags,
			     &parsed, &err) < 0)
		return bad_flag(cli, NULL, &err);
	words = parsed.args + 1;
	count = parsed.arg_count ? parsed.arg_count - 1 : 0;
	command = parsed.arg_count ? fb_command_find(parsed.args[0]) : NULL;
	if (!command)
		command = fb_alias_apply(parsed.args, parsed.arg_count, &words,
					 &count);
	if (flags.version)
		command = &fb_cmd_version;
	if (parsed.help || (!command && !parsed.arg_count))
		status = print_help(cli, NULL);
	else if (!command)
		status = fail(cli,
			      (fb_help_unknown(parsed.args[0], &err), &err), 1);
	else if (flags.version)
		status = run_command(cli, &flags, command, 0, NULL);
	else
		status = run_command(cli, &flags, command, (int)count, words);
	fb_parsed_release(&parsed);
	return status;
}

/*
 * A result that could not be written is a failure, also on a full disk.  A
 * reader that went away (| head) knows it already.
 */
static int close_output(struct fb_cli *cli, int status)
{
	struct fb_err err = { 0 };

	if (fflush(cli->out) == 0 && !ferror(cli->out))
		return status;
	if (errno == EPIPE)
		return status ? status : 1;
	(void)fb_err_set(&err, errno ? -errno : -EIO,
			 "write to standard output: %m");
	return fail(cli, &err, status ? status : 1);
}

int main(int argc, char **argv)
{
	struct fb_cli cli = { .out = stdout, .err = stderr };
	int status = open_standard_streams() < 0 ? 1 : 0;

	(void)signal(SIGPIPE, SIG_IGN);
	if (status == 0)
		status = dispatch(&cli, argc - 1, argv + 1);
	status = close_output(&cli, status);
	fb_cli_release(&cli);
	return status;
}
