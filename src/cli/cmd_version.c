/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli.h"

static int version_run(struct fb_cli *cli, const struct fb_call *call,
		       struct fb_err *err)
{
	(void)call;
	(void)err;
	(void)fprintf(cli->out, "flamebox version %s\n", FB_VERSION);
	return 0;
}

const struct fb_command fb_cmd_version = {
	.name = "version",
	.usage = "",
	.summary = "Show the version",
	.bare = true,
	.run = version_run,
};
