/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/format.h"
#include "cli/inspect.h"
#include "cli/report.h"
#include "oci/json.h"

struct inspect_flags {
	const char *format;
	const char *type;
};

static const struct fb_option inspect_options[] = {
	FB_OPTION_STRING(struct inspect_flags, format, 'f', "format", "string",
			 "Print with a template, or as 'json'"),
	FB_OPTION_STRING(struct inspect_flags, type, 0, "type", "string",
			 "Only look among these: container, image"),
	FB_OPTION_END,
};

static bool wants(const struct inspect_flags *flags, const char *type)
{
	return !flags->type || !strcmp(flags->type, type);
}

/* a container goes before an image of the same name, as with docker */
static int find(const struct inspect_flags *flags,
		const struct fb_image_context *ctx, const char *text,
		json_t **ret, struct fb_err *err)
{
	int r = -ENOENT;

	if (wants(flags, "container"))
		r = fb_inspect_container(ctx->store, text, ret, err);
	if (r == -ENOENT && wants(flags, "image"))
		r = fb_inspect_image(ctx, text, ret, err);
	if (r == -ENOENT && !flags->type)
		r = fb_err_set(err, r, "No such object: %s", text);
	return r;
}

static int inspect_run(struct fb_cli *cli, const struct fb_call *call,
		       struct fb_err *err)
{
	const struct inspect_flags *flags = call->flags;
	struct fb_image_context ctx = { .log = &cli->log };
	FB_JSON json_t *values = json_array();
	int r, status = 0;

	if (!wants(flags, "container") && !wants(flags, "image"))
		return fb_err_set(err, -EINVAL,
				  "\"%s\" is not a valid value for --type: "
				  "container or image",
				  flags->type);
	r = fb_cli_store(cli, &ctx.store, err);
	for (size_t i = 0; r == 0 && i < call->arg_count; i++) {
		struct fb_err one = { 0 };
		json_t *value = NULL;

		if (find(flags, &ctx, call->args[i], &value, &one) < 0) {
			fb_report(cli, &one);
			status = 1;
		} else if (json_array_append_new(values, value) < 0) {
			r = fb_err_set(err, -ENOMEM, "inspect '%s': %m",
				       call->args[i]);
		}
	}
	/* what was found is shown, also beside errors, as docker does */
	if (r == 0 && (!flags->format || json_array_size(values)))
		r = fb_format_values(flags->format, values, cli->out, err);
	return r < 0 ? r : status;
}

const struct fb_command fb_cmd_inspect = {
	.name = "inspect",
	.usage = "NAME|ID [NAME|ID...]",
	.summary = "Show everything about images and containers, as JSON",
	.options = inspect_options,
	.flags_size = sizeof(struct inspect_flags),
	.min_args = 1,
	.max_args = FB_ARGS_UNLIMITED,
	.run = inspect_run,
};
