/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <time.h>

#include "cli/cli.h"
#include "cli/format.h"
#include "cli/names.h"
#include "image/image.h"

struct images_flags {
	bool quiet;
	bool digests;
	bool no_trunc;
	const char *format;
};

static const struct fb_option images_options[] = {
	FB_OPTION_FLAG(struct images_flags, quiet, 'q', "quiet",
		       "Only show image ids"),
	FB_OPTION_FLAG(struct images_flags, digests, 0, "digests",
		       "Show digests"),
	FB_OPTION_FLAG(struct images_flags, no_trunc, 0, "no-trunc",
		       "Don't shorten ids"),
	FB_OPTION_STRING(struct images_flags, format, 0, "format", "string",
			 "Print with a template, as 'table', or as 'json' "
			 "(an object a line)"),
	FB_OPTION_END,
};

static json_t *image_row(const struct fb_image_row *image, bool no_trunc,
			 int64_t now_s)
{
	char id[FB_NAMES_ID_MAX], digest[FB_DIGEST_TEXT_MAX];
	char ago[48], when[40], size[32], platform[100];

	return json_pack(
		"{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "Repository",
		image->repository, "Tag", image->tag, "Digest",
		image->digest.set ? fb_digest_format(&image->digest, digest)
				  : "<none>",
		"ID", fb_names_image_id(&image->id, no_trunc, id),
		"CreatedSince", fb_format_ago(image->created_s, now_s, ago),
		"CreatedAt", fb_format_time_listed(image->created_s, when),
		"Size", fb_format_size(image->size_bytes, size), "Platform",
		fb_platform_format(&image->platform, platform));
}

static int images_print(struct fb_cli *cli, const struct images_flags *flags,
			const struct fb_image_rows *images, struct fb_err *err)
{
	const struct fb_column columns[] = {
		{ "Repository", "REPOSITORY", true },
		{ "Tag", "TAG", true },
		{ "Digest", "DIGEST", flags->digests },
		{ "ID", "IMAGE ID", true },
		{ "CreatedSince", "CREATED", true },
		{ "CreatedAt", "CREATED AT", false },
		{ "Size", "SIZE", true },
		{ "Platform", "PLATFORM", false },
	};
	const char *format = flags->format;
	json_t *rows = json_array();
	int r = rows ? 0 : -ENOMEM;

	for (size_t i = 0; r == 0 && i < images->count; i++)
		if (json_array_append_new(rows, image_row(&images->v[i],
							  flags->no_trunc,
							  time(NULL))) < 0)
			r = -ENOMEM;
	if (!format && flags->quiet)
		format = "{{.ID}}";
	if (r < 0)
		r = fb_err_set(err, r, "list images: %m");
	else
		r = fb_format_rows(format, columns, FB_ARRAY_SIZE(columns),
				   rows, cli->out, err);
	json_decref(rows);
	return r;
}

static int images_run(struct fb_cli *cli, const struct fb_call *call,
		      struct fb_err *err)
{
	const struct images_flags *flags = call->flags;
	FB_IMAGE_ROWS struct fb_image_rows images = { 0 };
	struct fb_image_context ctx = { .log = &cli->log };
	int r = fb_cli_store(cli, &ctx.store, err);

	if (r == 0)
		r = fb_image_list(&ctx, call->arg_count ? call->args[0] : NULL,
				  &images, err);
	return r < 0 ? r : images_print(cli, flags, &images, err);
}

const struct fb_command fb_cmd_images = {
	.name = "images",
	.usage = "[REPOSITORY[:TAG]]",
	.summary = "List images",
	.details =
		"REPOSITORY and TAG may hold the wildcards * and ?.\n\n"
		"Template fields: .Repository .Tag .Digest .ID .CreatedSince "
		".CreatedAt .Size .Platform",
	.options = images_options,
	.flags_size = sizeof(struct images_flags),
	.max_args = 1,
	.run = images_run,
};
