/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/names.h"
#include "image/save.h"

struct save_flags {
	const char *progress;
	const char *output;
	const char *format;
	const char *platform;
	bool quiet;
};

static const struct fb_option save_options[] = {
	FB_OPTION_STRING(struct save_flags, output, 'o', "output", "path",
			 "File or folder; '-' or nothing writes to standard "
			 "output"),
	FB_OPTION_STRING(struct save_flags, format, 0, "format", "form",
			 "docker-archive, oci-archive or oci-dir"),
	FB_OPTION_STRING(struct save_flags, platform, 0, "platform",
			 "os/arch[/variant]",
			 "Which platform the images must be for"),
	FB_OPTION_QUIET(struct save_flags, "Don't show progress"),
	FB_OPTION_PROGRESS(struct save_flags),
	FB_OPTION_END,
};

static int save_run(struct fb_cli *cli, const struct fb_call *call,
		    struct fb_err *err)
{
	const struct save_flags *flags = call->flags;
	FB_IMAGE_PROGRESS struct fb_image_progress progress = { 0 };
	struct fb_platform platform;
	struct fb_image_context ctx;
	struct fb_image_save save = {
		.path = flags->output ? flags->output : "-",
		.fd = STDOUT_FILENO,
		.refs = call->args,
		.count = call->arg_count,
	};
	int r = fb_names_platform(flags->platform, &platform, &save.platform,
				  err);

	if (r == 0 && flags->format)
		r = fb_save_format_parse(flags->format, &save.format, err);
	if (r < 0)
		return r;
	if (!flags->output && isatty(STDOUT_FILENO))
		return fb_err_set(err, -EINVAL,
				  "cowardly refusing to save to a terminal. "
				  "Use the -o flag or redirect");
	r = fb_image_progress_open(&progress, cli, &ctx, flags->progress,
				   flags->quiet, err);
	if (r < 0)
		return r;
	return fb_image_save(&ctx, &save, err);
}

const struct fb_command fb_cmd_save = {
	.name = "save",
	.usage = "IMAGE [IMAGE...]",
	.summary = "Save images to an archive or an OCI layout",
	.details =
		"A docker-archive, the default, is an OCI layout as well: docker, "
		"podman and skopeo read it. A repository without a tag means all "
		"its tags; an image named by its id is saved without a name.",
	.options = save_options,
	.flags_size = sizeof(struct save_flags),
	.min_args = 1,
	.max_args = FB_ARGS_UNLIMITED,
	.run = save_run,
};
