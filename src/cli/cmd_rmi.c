/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "cli/cli.h"
#include "cli/report.h"
#include "image/image.h"

struct rmi_flags {
	bool force;
};

static const struct fb_option rmi_options[] = {
	FB_OPTION_FLAG(struct rmi_flags, force, 'f', "force",
		       "Remove it also where several names or a stopped "
		       "container use it; what is not there is no failure"),
	FB_OPTION_END,
};

static int rmi_run(struct fb_cli *cli, const struct fb_call *call,
		   struct fb_err *err)
{
	const struct rmi_flags *flags = call->flags;
	struct fb_image_context ctx = { .log = &cli->log };
	int r = fb_cli_store(cli, &ctx.store, err), status = 0;

	if (r < 0)
		return r;
	for (size_t i = 0; i < call->arg_count; i++) {
		struct fb_image_removal gone = { 0 };
		struct fb_err one = { 0 };

		r = fb_image_remove(&ctx, call->args[i], flags->force, &gone,
				    &one);
		if (r < 0) {
			fb_report(cli, &one);
			/* docker tells, too, and is content */
			if (r != -ENOENT || !flags->force)
				status = 1;
		}
		for (size_t k = 0; k < gone.untagged.count; k++)
			(void)fprintf(cli->out, "Untagged: %s\n",
				      gone.untagged.v[k]);
		for (size_t k = 0; k < gone.deleted.count; k++)
			(void)fprintf(cli->out, "Deleted: %s\n",
				      gone.deleted.v[k]);
		fb_image_removal_release(&gone);
	}
	return status;
}

const struct fb_command fb_cmd_rmi = {
	.name = "rmi",
	.usage = "IMAGE [IMAGE...]",
	.summary = "Remove images",
	.options = rmi_options,
	.flags_size = sizeof(struct rmi_flags),
	.min_args = 1,
	.max_args = FB_ARGS_UNLIMITED,
	.run = rmi_run,
};
