/* SPDX-License-Identifier: Apache-2.0 */
#include "image/verify.h"

#include "cli/cli.h"
#include "cli/format.h"
#include "cli/names.h"

struct verify_flags {
	const char *progress;
	bool repair;
	bool quiet;
	bool tls_verify;
};

static const struct fb_option verify_options[] = {
	FB_OPTION_FLAG(struct verify_flags, repair, 0, "repair",
		       "Remove what is damaged, and pull it again"),
	FB_OPTION_FLAG(struct verify_flags, quiet, 'q', "quiet",
		       "Print only what is wrong, and no progress"),
	FB_OPTION_FLAG_ON(struct verify_flags, tls_verify, 0, "tls-verify",
			  "Verify the certificates of registries"),
	FB_OPTION_PROGRESS(struct verify_flags),
	FB_OPTION_END,
};

static void verify_say(void *ctx, const char *line)
{
	struct fb_cli *cli = ctx;

	if (cli->progress)
		fb_progress_clear(cli->progress);
	(void)fprintf(cli->out, "%s\n", line);
	(void)fflush(cli->out);
}

static void verify_summary(struct fb_cli *cli,
			   const struct fb_image_verified *done, bool repaired)
{
	char size[32];

	(void)fprintf(cli->out,
		      "Verified %zu blob%s and %zu converted image%s, %s: ",
		      done->read.blobs, done->read.blobs == 1 ? "" : "s",
		      done->read.rootfs, done->read.rootfs == 1 ? "" : "s",
		      fb_format_size(done->read.bytes, size));
	if (done->faults == 0)
		(void)fprintf(cli->out, "all as they should be\n");
	else if (repaired)
		(void)fprintf(cli->out, "%zu fault%s, %zu repaired\n",
			      done->faults, done->faults == 1 ? "" : "s",
			      done->repaired);
	else
		(void)fprintf(cli->out, "%zu fault%s\n", done->faults,
			      done->faults == 1 ? "" : "s");
}

static int verify_run(struct fb_cli *cli, const struct fb_call *call,
		      struct fb_err *err)
{
	const struct verify_flags *flags = call->flags;
	FB_IMAGE_PROGRESS struct fb_image_progress progress = { 0 };
	const struct fb_registry_options registry =
		fb_names_registry_options(cli, flags->tls_verify);
	struct fb_image_context ctx;
	const struct fb_image_verify verify = {
		.repair = flags->repair,
		.registry = &registry,
		.say = verify_say,
		.ctx = cli,
	};
	struct fb_image_verified done = { 0 };
	int r = fb_image_progress_open(&progress, cli, &ctx, flags->progress,
				       flags->quiet, err);

	if (r < 0)
		return r;
	r = fb_image_verify(&ctx, &verify, &done, err);
	fb_image_progress_end(&progress);
	if (r < 0)
		return r;
	if (!flags->quiet)
		verify_summary(cli, &done, flags->repair);
	return done.repaired == done.faults ? 0 : 1;
}

const struct fb_command fb_cmd_verify = {
	.name = "verify",
	.usage = "",
	.summary = "Hash everything in the store again, and repair it",
	.details =
		"The exit status is 1 where something is wrong and was not "
		"repaired. What is damaged is pulled again by its digest, "
		"from the registry that the image's name says.",
	.options = verify_options,
	.flags_size = sizeof(struct verify_flags),
	.run = verify_run,
};
