/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/doctor.h"
#include "cli/format.h"
#include "oci/json.h"

struct doctor_flags {
	const char *format;
};

static const struct fb_option doctor_options[] = {
	FB_OPTION_STRING(struct doctor_flags, format, 'f', "format", "string",
			 "Print with a template, or as 'json'"),
	FB_OPTION_END,
};

static json_t *report_json(const struct fb_doctor_report *report)
{
	json_t *checks = json_array();

	for (size_t i = 0; i < report->count; i++) {
		const struct fb_doctor_check *c = &report->checks[i];

		(void)json_array_append_new(
			checks,
			json_pack("{s:s, s:s, s:s, s:s}", "Name", c->name,
				  "Status", fb_doctor_status_name(c->status),
				  "Detail", c->detail, "Fix", c->fix));
	}
	return json_pack("{s:b, s:o}", "Healthy", fb_doctor_healthy(report),
			 "Checks", checks);
}

static void print_report(const struct fb_doctor_report *report, FILE *out)
{
	for (size_t i = 0; i < report->count; i++) {
		const struct fb_doctor_check *c = &report->checks[i];

		(void)fprintf(out, "%-8s %-12s %s\n",
			      fb_doctor_status_name(c->status), c->name,
			      c->detail);
		if (c->fix[0])
			(void)fprintf(out, "%-8s %-12s fix: %s\n", "", "",
				      c->fix);
	}
	(void)fprintf(
		out, "\n%s\n",
		fb_doctor_healthy(report)
			? "This host can run containers."
			: "This host can't run containers yet: mend what is "
			  "missing.");
}

static int print_formatted(const struct fb_doctor_report *report,
			   const char *format, FILE *out, struct fb_err *err)
{
	FB_JSON json_t *value = report_json(report);
	FB_JSON json_t *values = json_pack("[O]", value);

	if (!value || !values)
		return fb_err_set(err, -ENOMEM, "print the findings: %m");
	if (!strcmp(format, "json"))
		format = "{{json .}}";
	return fb_format_values(format, values, out, err);
}

static int doctor_run(struct fb_cli *cli, const struct fb_call *call,
		      struct fb_err *err)
{
	const struct doctor_flags *flags = call->flags;
	struct fb_doctor_report report;
	int r = 0;

	fb_doctor_examine(cli, &report);
	if (flags->format)
		r = print_formatted(&report, flags->format, cli->out, err);
	else
		print_report(&report, cli->out);
	if (r < 0)
		return r;
	return fb_doctor_healthy(&report) ? 0 : 1;
}

const struct fb_command fb_cmd_doctor = {
	.name = "doctor",
	.usage = "",
	.summary = "Tell what this host can run, and what it lacks",
	.details =
		"The exit status is 1 where something is missing that every "
		"container needs.\n"
		"Template fields: .Healthy and the list .Checks, each of it "
		"with Name, Status (ok, warning, missing), Detail and Fix",
	.options = doctor_options,
	.flags_size = sizeof(struct doctor_flags),
	.run = doctor_run,
};
