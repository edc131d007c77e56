/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command table, and the one street that every command walks: global
 * flags, configuration, the command's own flags, the command, its error, its
 * exit status.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/help.h"
#include "cli/report.h"
#include "store/store.h"

/* docker's status for a command line that can't be read */
#define STATUS_USAGE 125

struct global_flags {
	const char *root;
	const char *config;
	unsigned int verbose;
	bool version;
};

static const struct fb_option global_options[] = {
	FB_OPTION_STRING(struct global_flags, root, 0, "root", "folder",
			 "Where images and containers are kept "
			 "(FLAMEBOX_ROOT)"),
	FB_OPTION_STRING(struct global_flags, config, 0, "config", "file",
			 "Configuration file, JSON"),
	FB_OPTION_COUNT(struct global_flags, verbose, 'v', "verbose",
			"Say what is cleaned up and chosen; twice: more"),
	FB_OPTION_FLAG(struct global_flags, version, 0, "version",
		       "Show the version"),
	FB_OPTION_END,
};

static const struct fb_command *const commands[] = {
	&fb_cmd_convert, &fb_cmd_doctor, &fb_cmd_images, &fb_cmd_inspect,
	&fb_cmd_load,	 &fb_cmd_ps,	 &fb_cmd_pull,	 &fb_cmd_rm,
	&fb_cmd_rmi,	 &fb_cmd_run,	 &fb_cmd_tag,	 &fb_cmd_version,
	NULL,
};

static void emit_log(void *ctx, enum fb_log_level level, const char *line)
{
	struct fb_cli *cli = ctx;

	(void)fflush(cli->out);
	(void)fprintf(cli->err, "flamebox: %s%s\n",
		      level == FB_LOG_WARN ? "warning: " : "", line);
}

static int resolve_roots(struct fb_cli *cli, struct fb_err *err)
{
	struct fb_store_roots roots = { 0 };
	int r = fb_store_roots_resolve(cli->root, &roots, err);

	if (r < 0)
		return r;
	cli->state_dir = roots.state;
	cli->run_dir = roots.run;
	return 0;
}

int fb_cli_store(struct fb_cli *cli, struct fb_store **ret, struct fb_err *err)
{
	struct fb_store_roots roots = { .state = cli->state_dir,
					.run = cli->run_dir };
	int r = 0;

	if (!cli->store)
		r = fb_store_open(&roots, &cli->log, &cli->store, err);
	if (r == 0)
		*ret = cli->store;
	return r;
}

static int check_arg_count(const struct fb_command *command, size_t count,
			   struct fb_err *err)
{
	const char *words = "requires";
	char want[64];

	if (count >= command->min_args && count <= command->max_args)
		return 0;
	if (command->max_args == 0)
		(void)snprintf(want, sizeof(want), "accepts no arguments");
	else if (command->min_args == command->max_args)
		(void)snprintf(want, sizeof(want), "%s %zu argument%s", words,
			       command->min_args,
			       command->min_args == 1 ? "" : "s");
	else if (count < command->min_args)
		(void)snprintf(want, sizeof(want), "%s at least %zu argument%s",
			       words, command->min_args,
			       command->min_args == 1 ? "" : "s");
	else
		(void)snprintf(want, sizeof(want), "%s at most %zu argument%s",
			       words, command->max_args,
			       command->max_args == 1 ? "" : "s");
	return fb_err_hint(err,
			   fb_err_set(err, -EINVAL, "'%s' %s", command->name,
				      want),
			   "see 'flamebox %s --help'", command->name);
}

static int run_command(struct fb_cli *cli, const struct fb_command *command,
		       void *flags, const struct fb_parsed *parsed)
{
	struct fb_call call = { .flags = flags, .args = parsed->args,
				.arg_count = parsed->arg_count };
	struct fb_err err = { 0 };
	int failed = command->fail_status ? command->fail_status : 1;
	int r;

	if (parsed->help) {
		fb_help_command(command, cli->out);
		return 0;
	}
	if (check_arg_count(command, parsed->arg_count, &err) < 0) {
		fb_report(cli, &err);
		return failed;
	}
	r = command->run(cli, &call, &err);
	if (r < 0) {
		err.code = r;
		fb_report(cli, &err);
		return failed;
	}
	return r;
}

static int call_command(struct fb_cli *cli, const struct fb_command *command,
			int argc, char *const *argv)
{
	FB_FREE void *flags = calloc(1, command->flags_size ?
						command->flags_size :
						1);
	struct fb_parsed parsed = { 0 };
	struct fb_err err = { 0 };
	int r, status = STATUS_USAGE;

	if (!flags) {
		fb_err_set(&err, -ENOMEM, "start '%s': %m", command->name);
		fb_report(cli, &err);
		return status;
	}
	r = fb_options_parse(command->options, argc, argv,
			     command->stop_at_first_word, flags, &parsed, &err);
	if (r < 0) {
		fb_err_hint(&err, r, "see 'flamebox %s --help'", command->name);
		fb_report(cli, &err);
	} else {
		status = run_command(cli, command, flags, &parsed);
	}
	fb_parsed_release(&parsed);
	fb_options_release(command->options, flags);
	return status;
}

static const struct fb_command *find_command(const char *name)
{
	for (size_t i = 0; commands[i]; i++)
		if (!strcmp(commands[i]->name, name))
			return commands[i];
	return NULL;
}

static int unknown_command(struct fb_cli *cli, const char *name)
{
	const char *near = fb_help_nearest(commands, name);
	struct fb_err err = { 0 };

	fb_err_set(&err, -EINVAL, "'%s' is not a flamebox command", name);
	if (near)
		fb_err_hint(&err, 0, "did you mean '%s'? See 'flamebox --help'",
			    near);
	else
		fb_err_hint(&err, 0, "see 'flamebox --help'");
	fb_report(cli, &err);
	return 1;
}

static int help(struct fb_cli *cli, const char *topic)
{
	const struct fb_command *command = topic ? find_command(topic) : NULL;

	if (topic && !command)
		return unknown_command(cli, topic);
	if (command)
		fb_help_command(command, cli->out);
	else
		fb_help_overview(commands, global_options, cli->out);
	return 0;
}

static int prepare(struct fb_cli *cli, const struct global_flags *flags,
		   struct fb_err *err)
{
	int r;

	cli->root = flags->root;
	cli->log.level = flags->verbose > 1 ? FB_LOG_DEBUG :
			 flags->verbose	    ? FB_LOG_INFO :
					      FB_LOG_WARN;
	r = fb_config_load(flags->config, &cli->config, err);
	return r < 0 ? r : resolve_roots(cli, err);
}

static int dispatch(struct fb_cli *cli, const struct global_flags *flags,
		    const struct fb_parsed *parsed)
{
	const char *name = parsed->arg_count ? parsed->args[0] : NULL;
	const struct fb_command *command;
	struct fb_err err = { 0 };

	if (flags->version)
		return call_command(cli, &fb_cmd_version, 0, parsed->args);
	if (!name || parsed->help)
		return help(cli, NULL);
	if (!strcmp(name, "help"))
		return help(cli, parsed->arg_count > 1 ? parsed->args[1] :
							 NULL);
	if (!strcmp(name, "help-dump")) {
		fb_help_dump(commands, global_options, cli->out);
		return 0;
	}
	command = find_command(name);
	if (!command)
		return unknown_command(cli, name);
	if (prepare(cli, flags, &err) < 0) {
		fb_report(cli, &err);
		return command->fail_status ? command->fail_status : 1;
	}
	return call_command(cli, command, (int)parsed->arg_count - 1,
			    parsed->args + 1);
}

/* a full disk or a closed pipe behind standard output is a failure */
static int check_output(struct fb_cli *cli, int status)
{
	struct fb_err err = { 0 };
	int failed = ferror(cli->out);

	if ((fflush(cli->out) != 0 || failed) && status == 0) {
		if (errno != EPIPE) {
			fb_err_set(&err, -errno, "write output: %m");
			fb_report(cli, &err);
		}
		return 1;
	}
	return status;
}

int main(int argc, char **argv)
{
	struct fb_cli cli = { .out = stdout, .err = stderr };
	struct global_flags flags = { 0 };
	struct fb_parsed parsed = { 0 };
	struct fb_err err = { 0 };
	int status;

	cli.log = (struct fb_log){ .emit = emit_log, .ctx = &cli };
	(void)signal(SIGPIPE, SIG_IGN);
	if (fb_options_parse(global_options, argc > 0 ? argc - 1 : 0, argv + 1,
			     true, &flags, &parsed, &err) < 0) {
		fb_err_hint(&err, 0, "see 'flamebox --help'");
		fb_report(&cli, &err);
		status = STATUS_USAGE;
	} else {
		status = dispatch(&cli, &flags, &parsed);
	}
	fb_store_close(cli.store);
	fb_config_release(&cli.config);
	free(cli.state_dir);
	free(cli.run_dir);
	fb_parsed_release(&parsed);
	return check_output(&cli, status);
}
