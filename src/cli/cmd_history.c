/* SPDX-License-Identifier: Apache-2.0 */
#include "image/history.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "cli/cli.h"
#include "cli/format.h"
#include "cli/names.h"

/* docker's: a command is cut to so many characters, the last one an ellipsis */
#define COMMAND_MAX 45
#define ELLIPSIS "\xe2\x80\xa6"

struct history_flags {
	bool human;
	bool no_trunc;
	bool quiet;
	const char *format;
};

static const struct fb_option history_options[] = {
	FB_OPTION_FLAG_ON(struct history_flags, human, 'H', "human",
			  "Print dates and sizes for people"),
	FB_OPTION_FLAG(struct history_flags, no_trunc, 0, "no-trunc",
		       "Don't shorten ids and commands"),
	FB_OPTION_FLAG(struct history_flags, quiet, 'q', "quiet",
		       "Only show image ids"),
	FB_OPTION_FORMAT(struct history_flags),
	FB_OPTION_END,
};

enum history_column {
	COLUMN_ID,
	COLUMN_CREATED_SINCE,
	COLUMN_CREATED_AT,
	COLUMN_CREATED_BY,
	COLUMN_SIZE,
	COLUMN_COMMENT,
	COLUMN_COUNT,
};

/** struct history_view - The steps; @text holds what is too long for a cell */
struct history_view {
	const struct history_flags *flags;
	struct fb_history history;
	char id[FB_NAMES_ID_MAX];
	int64_t now_s;
	struct fb_str *text;
};

/* One line, and with tabs as spaces; cut at a character, not within one */
static const char *command_text(const struct history_view *view,
				const char *command)
{
	size_t chars = 0, cut = 0, i;
	struct fb_str *text = view->text;

	fb_str_truncate(text, 0);
	for (i = 0; command[i]; i++) {
		if (((unsigned char)command[i] & 0xc0) != 0x80 &&
		    ++chars == COMMAND_MAX)
			cut = i;
		fb_str_putc(text, command[i] == '\t' || command[i] == '\n'
					  ? ' '
					  : command[i]);
	}
	if (!view->flags->no_trunc && chars > COMMAND_MAX) {
		fb_str_truncate(text, cut);
		fb_str_puts(text, ELLIPSIS);
	}
	return fb_str_cstr(text);
}

static const char *history_cell(const void *ctx, size_t row, size_t column,
				char *scratch)
{
	const struct history_view *view = ctx;
	/* docker shows the newest first */
	const struct fb_history_step *step =
		&view->history.v[view->history.count - 1 - row];

	switch ((enum history_column)column) {
	case COLUMN_ID:
		return row == 0 ? view->id : "<missing>";
	case COLUMN_CREATED_SINCE:
		return fb_format_ago(step->created_s, view->now_s, scratch);
	case COLUMN_CREATED_AT:
		return fb_format_time(step->created_s, scratch);
	case COLUMN_CREATED_BY:
		return command_text(view, step->created_by);
	case COLUMN_SIZE:
		if (view->flags->human)
			return fb_format_size(step->size_bytes, scratch);
		(void)snprintf(scratch, FB_CELL_MAX, "%" PRIu64,
			       step->size_bytes);
		return scratch;
	case COLUMN_COMMENT:
	case COLUMN_COUNT:
		break;
	}
	return step->comment;
}

static int history_print(struct fb_cli *cli, const struct history_view *view,
			 struct fb_err *err)
{
	bool human = view->flags->human;
	const struct fb_column columns[COLUMN_COUNT] = {
		[COLUMN_ID] = { "ID", "IMAGE", true },
		[COLUMN_CREATED_SINCE] = { "CreatedSince", "CREATED", human },
		[COLUMN_CREATED_AT] = { "CreatedAt", "CREATED AT", !human },
		[COLUMN_CREATED_BY] = { "CreatedBy", "CREATED BY", true },
		[COLUMN_SIZE] = { "Size", "SIZE", true },
		[COLUMN_COMMENT] = { "Comment", "COMMENT", true },
	};
	const struct fb_table table = {
		.columns = columns,
		.column_count = COLUMN_COUNT,
		.row_count = view->history.count,
		.cell = history_cell,
		.ctx = view,
	};
	const char *format = view->flags->format;

	if (!format && view->flags->quiet)
		format = "{{.ID}}";
	return fb_format_table(format, &table, cli->out, err);
}

static int history_run(struct fb_cli *cli, const struct fb_call *call,
		       struct fb_err *err)
{
	FB_IMAGE_DETAILS struct fb_image_details image = { 0 };
	FB_STR struct fb_str text = FB_STR_INIT(FB_CONFIG_SIZE_MAX + 16);
	struct history_view view = { .flags = call->flags,
				     .now_s = time(NULL),
				     .text = &text };
	struct fb_image_context ctx = { .log = &cli->log };
	int r = fb_cli_store(cli, &ctx.store, err);

	if (r == 0)
		r = fb_image_inspect(&ctx, call->args[0], &image, err);
	if (r == 0)
		r = fb_image_history(&image, &view.history, err);
	if (r < 0)
		return r;
	(void)fb_names_image_id(&image.record.config, view.flags->no_trunc,
				view.id);
	r = history_print(cli, &view, err);
	fb_history_release(&view.history);
	return r;
}

const struct fb_command fb_cmd_history = {
	.name = "history",
	.usage = "IMAGE",
	.summary = "Show how an image was made",
	.details =
		"Sizes are those of the layers as stored.\n\n"
		"Template fields: .ID .CreatedSince .CreatedAt .CreatedBy "
		".Size .Comment",
	.options = history_options,
	.flags_size = sizeof(struct history_flags),
	.min_args = 1,
	.max_args = 1,
	.run = history_run,
};
