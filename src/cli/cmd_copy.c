/* SPDX-License-Identifier: Apache-2.0 */
#include "image/copy.h"

#include "cli/cli.h"
#include "cli/names.h"

struct copy_flags {
	bool all;
	bool quiet;
	bool src_tls_verify;
	bool dest_tls_verify;
	const char *platform;
	const char *progress;
	struct fb_strv require_signature;
};

static const struct fb_option copy_options[] = {
	FB_OPTION_FLAG(struct copy_flags, all, 'a', "all",
		       "Copy the index with the images of all platforms"),
	FB_OPTION_FLAG(struct copy_flags, quiet, 'q', "quiet",
		       "Only print the digest"),
	FB_OPTION_FLAG_ON(struct copy_flags, src_tls_verify, 0,
			  "src-tls-verify",
			  "Verify the certificate of SOURCE's registry"),
	FB_OPTION_FLAG_ON(struct copy_flags, dest_tls_verify, 0,
			  "dest-tls-verify",
			  "Verify the certificate of DESTINATION's registry"),
	FB_OPTION_PLATFORM(struct copy_flags),
	FB_OPTION_PROGRESS(struct copy_flags),
	FB_OPTION_REQUIRE_SIGNATURE(struct copy_flags),
	FB_OPTION_END,
};

static int copy_run(struct fb_cli *cli, const struct fb_call *call,
		    struct fb_err *err)
{
	const struct copy_flags *flags = call->flags;
	FB_IMAGE_PROGRESS struct fb_image_progress progress = { 0 };
	struct fb_registry_options from =
		fb_names_registry_options(cli, flags->src_tls_verify);
	struct fb_registry_options to =
		fb_names_registry_options(cli, flags->dest_tls_verify);
	struct fb_image_context ctx;
	FB_TRUST struct fb_trust trust = { 0 };
	struct fb_image_copy copy = { .from = call->args[0],
				      .to = call->args[1],
				      .all = flags->all,
				      .trust = &trust,
				      .from_registry = &from,
				      .to_registry = &to };
	char text[FB_DIGEST_TEXT_MAX];
	struct fb_platform platform;
	struct fb_digest digest;
	int r = fb_names_platform(flags->platform, &platform, &copy.platform,
				  err);

	if (r == 0)
		r = fb_names_trust(&flags->require_signature, &trust, err);
	if (r == 0)
		r = fb_image_progress_open(&progress, cli, &ctx,
					   flags->progress, flags->quiet, err);
	if (r < 0)
		return r;
	r = fb_image_copy(&ctx, &copy, &digest, err);
	fb_image_progress_end(&progress);
	if (r < 0)
		return r;
	(void)fb_digest_format(&digest, text);
	if (flags->quiet)
		(void)fprintf(cli->out, "%s\n", text);
	else
		(void)fprintf(cli->out, "Digest: %s\nStatus: Copied %s to %s\n",
			      text, copy.from, copy.to);
	return 0;
}

const struct fb_command fb_cmd_copy = {
	.name = "copy",
	.usage = "SOURCE DESTINATION",
	.summary = "Copy an image between registries, folders and archives",
	.details =
		"SOURCE and DESTINATION are one of [docker://]REFERENCE, "
		"oci:DIR[:TAG], oci-archive:FILE[:TAG] and "
		"docker-archive:FILE[:REFERENCE].  Digests stay.",
	.options = copy_options,
	.flags_size = sizeof(struct copy_flags),
	.min_args = 2,
	.max_args = 2,
	.run = copy_run,
};
