/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli.h"
#include "image/image.h"

static int tag_run(struct fb_cli *cli, const struct fb_call *call,
		   struct fb_err *err)
{
	struct fb_image_context ctx = { .log = &cli->log };
	int r = fb_cli_store(cli, &ctx.store, err);

	return r < 0 ? r
		     : fb_image_tag(&ctx, call->args[0], call->args[1], err);
}

const struct fb_command fb_cmd_tag = {
	.name = "tag",
	.usage = "SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]",
	.summary = "Give an image one more name",
	.min_args = 2,
	.max_args = 2,
	.run = tag_run,
};
