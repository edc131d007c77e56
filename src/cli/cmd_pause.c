/* SPDX-License-Identifier: Apache-2.0 */
/* pause and unpause. */
#include "cli/cli.h"
#include "cli/report.h"
#include "container/pause.h"

typedef int change(struct fb_store *store,
		   const struct fb_container_entry *entry, struct fb_err *err);

static int change_one(struct fb_store *store, const char *text, change *apply,
		      struct fb_err *err)
{
	FB_CONTAINER_ENTRY struct fb_container_entry entry = { 0 };
	int r = fb_store_container_find(store, text, &entry, err);

	return r < 0 ? r : apply(store, &entry, err);
}

static int change_all(struct fb_cli *cli, const struct fb_call *call,
		      change *apply, struct fb_err *err)
{
	struct fb_store *store;
	int r = fb_cli_store(cli, &store, err), status = 0;

	if (r < 0)
		return r;
	for (size_t i = 0; i < call->arg_count; i++) {
		struct fb_err one = { 0 };

		if (change_one(store, call->args[i], apply, &one) == 0) {
			(void)fprintf(cli->out, "%s\n", call->args[i]);
			continue;
		}
		fb_report(cli, &one);
		status = 1;
	}
	return status;
}

static int pause_run(struct fb_cli *cli, const struct fb_call *call,
		     struct fb_err *err)
{
	return change_all(cli, call, fb_container_pause, err);
}

static int unpause_run(struct fb_cli *cli, const struct fb_call *call,
		       struct fb_err *err)
{
	return change_all(cli, call, fb_container_unpause, err);
}

const struct fb_command fb_cmd_pause = {
	.name = "pause",
	.usage = "CONTAINER [CONTAINER...]",
	.summary = "Make containers stand still, with all their processes",
	.min_args = 1,
	.max_args = FB_ARGS_UNLIMITED,
	.run = pause_run,
};

const struct fb_command fb_cmd_unpause = {
	.name = "unpause",
	.usage = "CONTAINER [CONTAINER...]",
	.summary = "Let paused containers go on",
	.min_args = 1,
	.max_args = FB_ARGS_UNLIMITED,
	.run = unpause_run,
};
