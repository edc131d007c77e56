/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "cli/cli.h"
#include "cli/filter.h"
#include "cli/format.h"
#include "cli/names.h"
#include "image/image.h"

#define SHORT_ID 12

struct images_flags {
	bool all;
	bool quiet;
	bool digests;
	bool no_trunc;
	const char *format;
	struct fb_strv filter;
};

static const struct fb_option images_options[] = {
	FB_OPTION_FLAG(struct images_flags, all, 'a', "all",
		       "Show all images; there are no hidden ones"),
	FB_OPTION_FLAG(struct images_flags, quiet, 'q', "quiet",
		       "Only show image ids"),
	FB_OPTION_FLAG(struct images_flags, digests, 0, "digests",
		       "Show digests"),
	FB_OPTION_FLAG(struct images_flags, no_trunc, 0, "no-trunc",
		       "Don't shorten ids"),
	FB_OPTION_LIST(struct images_flags, filter, 'f', "filter", "filter",
		       "Only those for which this holds: dangling=, label=, "
		       "before=, since=, until=, reference="),
	FB_OPTION_FORMAT(struct images_flags),
	FB_OPTION_END,
};

enum images_column {
	COLUMN_REPOSITORY,
	COLUMN_TAG,
	COLUMN_DIGEST,
	COLUMN_ID,
	COLUMN_CREATED_SINCE,
	COLUMN_CREATED_AT,
	COLUMN_SIZE,
	COLUMN_PLATFORM,
	/* docker's JSON has these; "df -v" knows them */
	COLUMN_CONTAINERS,
	COLUMN_SHARED_SIZE,
	COLUMN_UNIQUE_SIZE,
	COLUMN_VIRTUAL_SIZE,
	COLUMN_COUNT,
};

/** struct images_view - The rows, and what it takes to show them */
struct images_view {
	struct fb_image_rows images;
	bool no_trunc;
	int64_t now_s;
};

static const char *short_id(const char *id, char *scratch)
{
	const char *colon = strchr(id, ':');
	size_t len = strnlen(colon ? colon + 1 : id, SHORT_ID);

	memcpy(scratch, colon ? colon + 1 : id, len);
	scratch[len] = '\0';
	return scratch;
}

static const char *images_cell(const void *ctx, size_t row, size_t column,
			       char *scratch)
{
	const struct images_view *view = ctx;
	const struct fb_image_row *image = &view->images.v[row];

	switch ((enum images_column)column) {
	case COLUMN_REPOSITORY:
		return image->repository;
	case COLUMN_TAG:
		return image->tag;
	case COLUMN_DIGEST:
		return image->digest[0] ? image->digest : "<none>";
	case COLUMN_ID:
		return view->no_trunc ? image->id
				      : short_id(image->id, scratch);
	case COLUMN_CREATED_SINCE:
		return fb_format_ago(image->created_s, view->now_s, scratch);
	case COLUMN_CREATED_AT:
		return fb_format_time_listed(image->created_s, scratch);
	case COLUMN_SIZE:
	case COLUMN_VIRTUAL_SIZE: /* what docker's Size was called once */
		return fb_format_size(image->size_bytes, scratch);
	case COLUMN_PLATFORM:
		return image->platform;
	case COLUMN_CONTAINERS:
	case COLUMN_SHARED_SIZE:
	case COLUMN_UNIQUE_SIZE:
	case COLUMN_COUNT:
		break;
	}
	return "N/A";
}

static int images_print(struct fb_cli *cli, const struct images_flags *flags,
			const struct images_view *view, struct fb_err *err)
{
	const struct fb_column columns[COLUMN_COUNT] = {
		[COLUMN_REPOSITORY] = { "Repository", "REPOSITORY", true },
		[COLUMN_TAG] = { "Tag", "TAG", true },
		[COLUMN_DIGEST] = { "Digest", "DIGEST", flags->digests },
		[COLUMN_ID] = { "ID", "IMAGE ID", true },
		[COLUMN_CREATED_SINCE] = { "CreatedSince", "CREATED", true },
		[COLUMN_CREATED_AT] = { "CreatedAt", "CREATED AT", false },
		[COLUMN_SIZE] = { "Size", "SIZE", true },
		[COLUMN_PLATFORM] = { "Platform", "PLATFORM", false },
		[COLUMN_CONTAINERS] = { "Containers", "CONTAINERS", false },
		[COLUMN_SHARED_SIZE] = { "SharedSize", "SHARED SIZE", false },
		[COLUMN_UNIQUE_SIZE] = { "UniqueSize", "UNIQUE SIZE", false },
		[COLUMN_VIRTUAL_SIZE] = { "VirtualSize", "SIZE", false },
	};
	const struct fb_table table = {
		.columns = columns,
		.column_count = COLUMN_COUNT,
		.row_count = view->images.count,
		.cell = images_cell,
		.ctx = view,
	};
	const char *format = flags->format;

	if (!format && flags->quiet)
		format = "{{.ID}}";
	return fb_format_table(format, &table, cli->out, err);
}

static int images_run(struct fb_cli *cli, const struct fb_call *call,
		      struct fb_err *err)
{
	const struct images_flags *flags = call->flags;
	FB_IMAGE_FILTER struct fb_image_filter filter = { 0 };
	struct images_view view = { .no_trunc = flags->no_trunc,
				    .now_s = time(NULL) };
	struct fb_image_context ctx = { .log = &cli->log };
	int r = fb_filter_images(&flags->filter, FB_FILTER_LIST, &filter, err);

	filter.digests = flags->digests || flags->format;
	if (r == 0 && call->arg_count)
		r = fb_strv_add(&filter.references, call->args[0]);
	if (r == 0)
		r = fb_cli_store(cli, &ctx.store, err);
	if (r == 0)
		r = fb_image_list(&ctx, &filter, &view.images, err);
	if (r == 0)
		r = images_print(cli, flags, &view, err);
	fb_image_rows_release(&view.images);
	return r;
}

const struct fb_command fb_cmd_images = {
	.name = "images",
	.usage = "[REPOSITORY[:TAG]]",
	.summary = "List images",
	.details =
		"REPOSITORY and TAG may hold the wildcards * and ?.\n\n"
		"Filters: dangling=true, label=KEY[=VALUE], before=IMAGE, "
		"since=IMAGE, until=TIME, reference=PATTERN.\n\n"
		"Template fields: .Repository .Tag .Digest .ID .CreatedSince "
		".CreatedAt .Size .Platform",
	.options = images_options,
	.flags_size = sizeof(struct images_flags),
	.max_args = 1,
	.run = images_run,
};
