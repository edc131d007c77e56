/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every command is, and what it is handed.
 *
 * A command is a row in main's table: its options, its words, and a function.
 * Before that function runs, main has read the global flags, the configuration
 * file and the command's own options; afterwards main prints its error, on one
 * line, and turns it into an exit status.  So a command neither looks at argv
 * nor exits, and there is one place that words an error.
 */
#ifndef FB_CLI_CLI_H
#define FB_CLI_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/err.h"
#include "base/log.h"
#include "cli/config.h"
#include "cli/options.h"
#include "cli/progress.h"
#include "store/store.h"

/**
 * struct fb_cli - One run of the program
 * @out:        Where results go; checked for write errors by main at the end
 * @err:        Where errors, warnings and progress go
 * @log:        For the libraries: warnings always, -v info, -vv debug
 * @config:     The configuration file's contents
 * @roots:      Where the state lives, by --root, FLAMEBOX_ROOT or the default
 * @progress:   The display that stands on @err now, or NULL
 * @json_events: Messages are events, too: --progress json
 * @store:      Opened at first use by fb_cli_store(); closed by main
 */
struct fb_cli {
	FILE *out;
	FILE *err;
	struct fb_log log;
	struct fb_config config;
	struct fb_store_roots roots;
	struct fb_progress_line *progress;
	bool json_events;
	struct fb_store *store;
};

/**
 * struct fb_call - One call of a command
 * @flags:     Its flags struct, filled; valid until the function returns
 * @args:      Its words, NULL-terminated (borrowed)
 * @arg_count: Between the command's min_args and max_args
 */
struct fb_call {
	const void *flags;
	char *const *args;
	size_t arg_count;
};

#define FB_ARGS_UNLIMITED SIZE_MAX

/**
 * struct fb_command - One row of the command table
 * @name:       "run"
 * @usage:      Its words as --help shows them, "IMAGE [COMMAND] [ARG...]"
 * @summary:    One line, for the list of commands and the top of its --help
 * @details:    Further paragraphs for --help, or NULL
 * @options:    Table, or NULL
 * @flags_size: sizeof its flags struct, 0 where it has none
 * @min_args:   Fewest words
 * @max_args:   Most words, or FB_ARGS_UNLIMITED
 * @stop_at_first_word: Options end at the first word
 * @hidden:     Not listed
 * @bare:       Needs neither the configuration file nor the state (version)
 * @fail_status: Exit status of an error from @run; 0 means 1 (run has 125)
 * @run:        Does it. Return: an exit status >= 0 (0 … 255), or a negative
 *              errno with @err filled, which main prints
 */
struct fb_command {
	const char *name;
	const char *usage;
	const char *summary;
	const char *details;
	const struct fb_option *options;
	size_t flags_size;
	size_t min_args;
	size_t max_args;
	bool stop_at_first_word;
	bool hidden;
	bool bare;
	int fail_status;
	int (*run)(struct fb_cli *cli, const struct fb_call *call,
		   struct fb_err *err);
};

/* one file a command: cmd_<name>.c */
extern const struct fb_command fb_cmd_convert;
extern const struct fb_command fb_cmd_copy;
extern const struct fb_command fb_cmd_df;
extern const struct fb_command fb_cmd_doctor;
extern const struct fb_command fb_cmd_help;
extern const struct fb_command fb_cmd_help_dump;
extern const struct fb_command fb_cmd_history;
extern const struct fb_command fb_cmd_images;
extern const struct fb_command fb_cmd_inspect;
extern const struct fb_command fb_cmd_load;
extern const struct fb_command fb_cmd_login;
extern const struct fb_command fb_cmd_logout;
extern const struct fb_command fb_cmd_pause;
extern const struct fb_command fb_cmd_prune;
extern const struct fb_command fb_cmd_ps;
extern const struct fb_command fb_cmd_pull;
extern const struct fb_command fb_cmd_push;
extern const struct fb_command fb_cmd_rm;
extern const struct fb_command fb_cmd_rmi;
extern const struct fb_command fb_cmd_run;
extern const struct fb_command fb_cmd_save;
extern const struct fb_command fb_cmd_tag;
extern const struct fb_command fb_cmd_unpause;
extern const struct fb_command fb_cmd_verify;
extern const struct fb_command fb_cmd_version;

/** fb_commands - All of them, sorted by name, ended by NULL */
extern const struct fb_command *const fb_commands[];

/** fb_command_find() - By name. Return: row (borrowed); NULL */
const struct fb_command *fb_command_find(const char *name);

/** struct fb_global_flags - What may stand before the command */
struct fb_global_flags {
	const char *root;
	const char *config;
	unsigned int verbose;
	bool version;
};

extern const struct fb_option fb_global_options[];

/**
 * fb_cli_setup() - Fill the context before a command runs
 * @cli:   Written; release with fb_cli_release(), also after a failure
 * @flags: Global flags (borrowed for as long as @cli lives)
 * @bare:  Leave configuration and state alone
 *
 * Return: 0; -ENOENT, -EINVAL a bad configuration file; -ENOMEM.
 */
int fb_cli_setup(struct fb_cli *cli, const struct fb_global_flags *flags,
		 bool bare, struct fb_err *err);

/** fb_cli_release() - Close the store, free what fb_cli_setup() made */
void fb_cli_release(struct fb_cli *cli);

/**
 * fb_cli_store() - The store, opened at first use and rid of what died
 * @cli: Context; owns the store
 * @ret: Borrowed from @cli
 *
 * Return: 0 or a negative errno.
 */
int fb_cli_store(struct fb_cli *cli, struct fb_store **ret, struct fb_err *err);

#endif
