/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "cli/cli.h"
#include "cli/names.h"
#include "image/push.h"

struct push_flags {
	bool quiet;
	bool all_tags;
	bool tls_verify;
	const char *progress;
};

static const struct fb_option push_options[] = {
	FB_OPTION_FLAG(struct push_flags, all_tags, 'a', "all-tags",
		       "Push all tags of the repository that are here"),
	FB_OPTION_FLAG(struct push_flags, quiet, 'q', "quiet",
		       "Only print the image's reference"),
	FB_OPTION_FLAG_ON(
		struct push_flags, tls_verify, 0, "tls-verify",
		"Verify the registry's certificate; with =false plain "
		"HTTP is tried as well"),
	FB_OPTION_PROGRESS(struct push_flags),
	FB_OPTION_END,
};

static void print_layer(struct fb_cli *cli,
			const struct fb_image_pushed_layer *layer)
{
	char id[FB_NAMES_ID_MAX];

	(void)fprintf(cli->out,
		      "%s: ", fb_names_image_id(&layer->diff_id, false, id));
	switch (layer->end) {
	case FB_UPLOAD_EXISTS:
		(void)fputs("Layer already exists\n", cli->out);
		break;
	case FB_UPLOAD_MOUNTED:
		(void)fprintf(cli->out, "Mounted from %s\n", layer->from);
		break;
	case FB_UPLOAD_PUSHED:
	case FB_UPLOAD_PENDING:
	default:
		(void)fputs("Pushed\n", cli->out);
		break;
	}
}

static int push_one(struct fb_cli *cli, const struct push_flags *flags,
		    enum fb_progress_mode mode, const char *text,
		    struct fb_err *err)
{
	FB_IMAGE_PROGRESS struct fb_image_progress progress = { 0 };
	FB_IMAGE_PUSHED struct fb_image_pushed pushed = { 0 };
	struct fb_registry_options registry =
		fb_names_registry_options(cli, flags->tls_verify);
	struct fb_image_context ctx = { .store = cli->store,
					.log = &cli->log,
					.progress = &progress.progress };
	char digest[FB_DIGEST_TEXT_MAX];
	const char *tag;
	int r;

	fb_image_progress_begin(&progress, cli, mode);
	r = fb_image_push(&ctx, text, &registry, &pushed, err);
	fb_image_progress_end(&progress);
	if (r < 0)
		return r;
	if (flags->quiet) {
		(void)fprintf(cli->out, "%s\n", pushed.name);
		return 0;
	}
	tag = strrchr(pushed.name, ':');
	(void)fprintf(cli->out, "The push refers to repository [%.*s]\n",
		      (int)(tag - pushed.name), pushed.name);
	/* docker shows the newest layer first */
	for (size_t i = pushed.layer_count; i > 0; i--)
		print_layer(cli, &pushed.layers[i - 1]);
	(void)fprintf(cli->out, "%s: digest: %s size: %llu\n", tag + 1,
		      fb_digest_format(&pushed.digest, digest),
		      (unsigned long long)pushed.size_bytes);
	return 0;
}

static int push_run(struct fb_cli *cli, const struct fb_call *call,
		    struct fb_err *err)
{
	const struct push_flags *flags = call->flags;
	FB_STRV struct fb_strv tags = { 0 };
	struct fb_image_context ctx = { .log = &cli->log };
	enum fb_progress_mode mode = FB_PROGRESS_MODE_AUTO;
	int r = fb_image_progress_mode(flags->progress, flags->quiet, &mode,
				       err);

	if (r == 0)
		r = fb_cli_store(cli, &ctx.store, err);

	if (r < 0)
		return r;
	if (!flags->all_tags)
		return push_one(cli, flags, mode, call->args[0], err);
	r = fb_image_push_tags(&ctx, call->args[0], &tags, err);
	for (size_t i = 0; i < tags.count && r == 0; i++)
		r = push_one(cli, flags, mode, tags.v[i], err);
	return r;
}

const struct fb_command fb_cmd_push = {
	.name = "push",
	.usage = "NAME[:TAG]",
	.summary = "Give an image to a registry",
	.details = "Log-ins are those of flamebox login, docker and podman.",
	.options = push_options,
	.flags_size = sizeof(struct push_flags),
	.min_args = 1,
	.max_args = 1,
	.run = push_run,
};
