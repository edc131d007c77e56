/* SPDX-License-Identifier: Apache-2.0 */
#include "image/pull.h"

#include "cli/cli.h"
#include "cli/names.h"
#include "oci/reference.h"

struct pull_flags {
	const char *progress;
	bool quiet;
	bool tls_verify;
	bool convert;
	const char *platform;
	struct fb_strv require_signature;
};

static const struct fb_option pull_options[] = {
	FB_OPTION_FLAG(struct pull_flags, quiet, 'q', "quiet",
		       "Only print the image's reference"),
	FB_OPTION_FLAG_ON(
		struct pull_flags, tls_verify, 0, "tls-verify",
		"Verify the registry's certificate; with =false plain "
		"HTTP is tried as well"),
	FB_OPTION_FLAG_ON(
		struct pull_flags, convert, 0, "convert",
		"Convert it while its layers come; with =false when it is "
		"first run"),
	FB_OPTION_PLATFORM(struct pull_flags),
	FB_OPTION_PROGRESS(struct pull_flags),
	FB_OPTION_REQUIRE_SIGNATURE(struct pull_flags),
	FB_OPTION_END,
};

static void pull_print(struct fb_cli *cli, const struct fb_reference *ref,
		       const struct fb_image_pulled *pulled)
{
	char text[FB_REFERENCE_TEXT_MAX], digest[FB_DIGEST_TEXT_MAX];

	(void)fprintf(cli->out, "Digest: %s\nStatus: %s for %s\n%s\n",
		      fb_digest_format(&pulled->digest, digest),
		      pulled->newer ? "Downloaded newer image"
				    : "Image is up to date",
		      fb_reference_familiar(ref, text), pulled->name);
}

static int pull_run(struct fb_cli *cli, const struct fb_call *call,
		    struct fb_err *err)
{
	const struct pull_flags *flags = call->flags;
	FB_IMAGE_PROGRESS struct fb_image_progress progress = { 0 };
	FB_IMAGE_PULLED struct fb_image_pulled pulled = { 0 };
	struct fb_registry_options registry =
		fb_names_registry_options(cli, flags->tls_verify);
	struct fb_image_context ctx;
	struct fb_image_pull pull = { .reference = call->args[0],
				      .registry = &registry,
				      .fetch_only = !flags->convert };
	FB_TRUST struct fb_trust trust = { 0 };
	struct fb_platform platform;
	struct fb_reference ref;
	int r = fb_reference_parse(call->args[0], &ref, err);

	if (r == 0)
		r = fb_names_platform(flags->platform, &platform,
				      &pull.platform, err);
	if (r == 0)
		r = fb_names_trust(&flags->require_signature, &trust, err);
	if (r == 0)
		r = fb_image_progress_open(&progress, cli, &ctx,
					   flags->progress, flags->quiet, err);
	if (r < 0)
		return r;
	pull.trust = &trust;
	r = fb_image_pull(&ctx, &pull, &pulled, err);
	fb_image_progress_end(&progress);
	if (r < 0)
		return r;
	if (flags->quiet)
		(void)fprintf(cli->out, "%s\n", pulled.name);
	else
		pull_print(cli, &ref, &pulled);
	return 0;
}

const struct fb_command fb_cmd_pull = {
	.name = "pull",
	.usage = "NAME[:TAG|@DIGEST]",
	.summary = "Fetch an image from a registry",
	.details =
		"Log-ins are taken from docker's config.json "
		"(DOCKER_CONFIG) and podman's auth.json "
		"(REGISTRY_AUTH_FILE).",
	.options = pull_options,
	.flags_size = sizeof(struct pull_flags),
	.min_args = 1,
	.max_args = 1,
	.run = pull_run,
};
