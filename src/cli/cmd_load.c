/* SPDX-License-Identifier: Apache-2.0 */
#include "image/load.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/names.h"

struct load_flags {
	const char *progress;
	const char *input;
	const char *name;
	const char *platform;
	bool quiet;
};

static const struct fb_option load_options[] = {
	FB_OPTION_STRING(struct load_flags, input, 'i', "input", "path",
			 "OCI layout folder, oci-archive or docker-archive; "
			 "'-' or nothing reads standard input"),
	FB_OPTION_STRING(struct load_flags, name, 0, "name", "reference",
			 "Name that the image gets"),
	FB_OPTION_PLATFORM(struct load_flags),
	FB_OPTION_QUIET(struct load_flags, "Don't show progress"),
	FB_OPTION_PROGRESS(struct load_flags),
	FB_OPTION_END,
};

static int load_run(struct fb_cli *cli, const struct fb_call *call,
		    struct fb_err *err)
{
	const struct load_flags *flags = call->flags;
	FB_IMAGE_PROGRESS struct fb_image_progress progress = { 0 };
	FB_STRV struct fb_strv loaded = { 0 };
	FB_TRUST struct fb_trust trust = { 0 };
	struct fb_platform platform;
	struct fb_image_context ctx;
	struct fb_image_load load = {
		.path = flags->input ? flags->input : "-",
		.fd = STDIN_FILENO,
		.name = flags->name,
		.trust = &trust,
	};
	int r = fb_names_platform(flags->platform, &platform, &load.platform,
				  err);

	if (r < 0)
		return r;
	if (!flags->input && isatty(STDIN_FILENO))
		return fb_err_hint(err,
				   fb_err_set(err, -EINVAL,
					      "load: requested load from "
					      "stdin, but stdin is a terminal"),
				   "name a file: flamebox load -i PATH");
	r = fb_trust_load(NULL, &trust, err);
	if (r == 0)
		r = fb_image_progress_open(&progress, cli, &ctx,
					   flags->progress, flags->quiet, err);
	if (r < 0)
		return r;
	r = fb_image_load(&ctx, &load, &loaded, err);
	fb_image_progress_end(&progress);
	for (size_t i = 0; r == 0 && i < loaded.count; i++)
		(void)fprintf(cli->out, "Loaded image%s: %s\n",
			      strncmp(loaded.v[i], "sha256:", 7) ? "" : " ID",
			      loaded.v[i]);
	return r;
}

const struct fb_command fb_cmd_load = {
	.name = "load",
	.usage = "",
	.summary = "Load images from an archive or an OCI layout",
	.options = load_options,
	.flags_size = sizeof(struct load_flags),
	.run = load_run,
};
