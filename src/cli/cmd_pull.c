/* SPDX-License-Identifier: Apache-2.0 */
#include "image/pull.h"

#include <errno.h>

#include "cli/cli.h"
#include "cli/names.h"
#include "oci/reference.h"

struct pull_flags {
	const char *progress;
	bool all_tags;
	bool quiet;
	bool tls_verify;
	bool convert;
	const char *platform;
	struct fb_strv require_signature;
};

static const struct fb_option pull_options[] = {
	FB_OPTION_FLAG(struct pull_flags, all_tags, 'a', "all-tags",
		       "Fetch all tags of the repository"),
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

static int pull_one(struct fb_cli *cli, const struct pull_flags *flags,
		    enum fb_progress_mode mode,
		    const struct fb_image_pull *pull, struct fb_err *err)
{
	FB_IMAGE_PROGRESS struct fb_image_progress progress = { 0 };
	FB_IMAGE_PULLED struct fb_image_pulled pulled = { 0 };
	struct fb_image_context ctx = { .store = cli->store,
					.log = &cli->log,
					.progress = &progress.progress };
	struct fb_reference ref;
	int r = fb_reference_parse(pull->reference, &ref, err);

	if (r < 0)
		return r;
	fb_image_progress_begin(&progress, cli, mode);
	r = fb_image_pull(&ctx, pull, &pulled, err);
	fb_image_progress_end(&progress);
	if (r < 0)
		return r;
	if (flags->quiet)
		(void)fprintf(cli->out, "%s\n", pulled.name);
	else
		pull_print(cli, &ref, &pulled);
	return 0;
}

/* What is no image for this machine (signatures, other platforms) is passed over */
static int pull_tags(struct fb_cli *cli, const struct pull_flags *flags,
		     enum fb_progress_mode mode, struct fb_image_pull *pull,
		     struct fb_err *err)
{
	FB_STRV struct fb_strv tags = { 0 };
	struct fb_image_context ctx = { .store = cli->store, .log = &cli->log };
	size_t count = 0;
	int r = fb_image_pull_tags(&ctx, pull->reference, pull->registry, &tags,
				   err);

	for (size_t i = 0; i < tags.count && r == 0; i++) {
		struct fb_err one = { 0 };

		pull->reference = tags.v[i];
		r = pull_one(cli, flags, mode, pull, &one);
		if (r == -EOPNOTSUPP || r == -ENOENT) {
			fb_log(&cli->log, FB_LOG_WARN, "passed over: %s",
			       one.msg);
			r = 0;
			continue;
		}
		count += r == 0;
		if (r < 0 && err)
			*err = one;
	}
	if (r == 0 && count == 0)
		r = fb_err_set(err, -ENOENT,
			       "none of its %zu tags is an image for this "
			       "platform",
			       tags.count);
	return r;
}

static int pull_run(struct fb_cli *cli, const struct fb_call *call,
		    struct fb_err *err)
{
	const struct pull_flags *flags = call->flags;
	struct fb_registry_options registry =
		fb_names_registry_options(cli, flags->tls_verify);
	struct fb_image_pull pull = { .reference = call->args[0],
				      .registry = &registry,
				      .fetch_only = !flags->convert };
	enum fb_progress_mode mode = FB_PROGRESS_MODE_AUTO;
	FB_TRUST struct fb_trust trust = { 0 };
	struct fb_platform platform;
	struct fb_reference ref;
	struct fb_store *store;
	int r = fb_reference_parse(call->args[0], &ref, err);

	if (r == 0)
		r = fb_names_platform(flags->platform, &platform,
				      &pull.platform, err);
	if (r == 0)
		r = fb_names_trust(&flags->require_signature, &trust, err);
	if (r == 0)
		r = fb_image_progress_mode(flags->progress, flags->quiet, &mode,
					   err);
	if (r == 0)
		r = fb_cli_store(cli, &store, err);
	if (r < 0)
		return r;
	pull.trust = &trust;
	return flags->all_tags ? pull_tags(cli, flags, mode, &pull, err)
			       : pull_one(cli, flags, mode, &pull, err);
}

const struct fb_command fb_cmd_pull = {
	.name = "pull",
	.usage = "NAME[:TAG|@DIGEST]",
	.summary = "Fetch an image from a registry",
	.details =
		"With -a NAME is a repository.  Log-ins are taken from docker's config.json "
		"(DOCKER_CONFIG) and podman's auth.json "
		"(REGISTRY_AUTH_FILE).",
	.options = pull_options,
	.flags_size = sizeof(struct pull_flags),
	.min_args = 1,
	.max_args = 1,
	.run = pull_run,
};
