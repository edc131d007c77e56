/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "cli/cli.h"
#include "container/container.h"

static void emit(void *ctx, enum fb_log_level level, const char *line)
{
	struct fb_cli *cli = ctx;

	if (cli->progress)
		fb_progress_clear(cli->progress);
	(void)fflush(cli->out);
	if (cli->json_events)
		fb_progress_message(cli->err,
				    level == FB_LOG_WARN ? "warning" : "info",
				    line);
	else
		(void)fprintf(cli->err, "flamebox: %s%s\n",
			      level == FB_LOG_WARN ? "warning: " : "", line);
}

static enum fb_log_level level_of(unsigned int verbose)
{
	switch (verbose) {
	case 0:
		return FB_LOG_WARN;
	case 1:
		return FB_LOG_INFO;
	default:
		return FB_LOG_DEBUG;
	}
}

int fb_cli_setup(struct fb_cli *cli, const struct fb_global_flags *flags,
		 bool bare, struct fb_err *err)
{
	int r;

	cli->log = (struct fb_log){ .level = level_of(flags->verbose),
				    .emit = emit,
				    .ctx = cli };
	if (bare)
		return 0;
	r = fb_config_load(flags->config, &cli->config, err);
	return r < 0 ? r
		     : fb_store_roots_resolve(flags->root, &cli->roots, err);
}

void fb_cli_release(struct fb_cli *cli)
{
	fb_store_close(FB_TAKE_PTR(cli->store));
	fb_store_roots_release(&cli->roots);
	fb_config_release(&cli->config);
}

int fb_cli_store(struct fb_cli *cli, struct fb_store **ret, struct fb_err *err)
{
	int r;

	if (!cli->store) {
		r = fb_store_open(&cli->roots, &cli->log, &cli->store, err);
		if (r < 0)
			return r;
		/* whatever was killed: the next command cleans up */
		fb_container_reap(cli->store, &cli->log);
	}
	*ret = cli->store;
	return 0;
}
