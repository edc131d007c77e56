/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/io.h"
#include "cli/cli.h"
#include "cli/format.h"
#include "cli/names.h"
#include "cli/ps_filter.h"
#include "container/exit_record.h"
#include "oci/json.h"
#include "store/container.h"

#define COMMAND_MAX 65536
#define COMMAND_SHOWN 20 /* bytes of it in a table, as docker has it */
#define SHORT_ID 12

struct ps_flags {
	bool all;
	bool quiet;
	bool no_trunc;
	bool latest;
	struct fb_option_number last;
	const char *format;
	struct fb_strv filter;
};

static const struct fb_option ps_options[] = {
	FB_OPTION_FLAG(struct ps_flags, all, 'a', "all",
		       "Show those that have ended as well"),
	FB_OPTION_FLAG(struct ps_flags, quiet, 'q', "quiet",
		       "Only show container ids"),
	FB_OPTION_FLAG(struct ps_flags, no_trunc, 0, "no-trunc",
		       "Don't shorten ids and commands"),
	FB_OPTION_FORMAT(struct ps_flags),
	FB_OPTION_FLAG(
		struct ps_flags, latest, 'l', "latest",
		"Only show the one that was created last, also if it has "
		"ended"),
	FB_OPTION_UINT(struct ps_flags, last, 'n', "last", "int",
		       "Only show so many that were created last, also those "
		       "that have ended"),
	FB_OPTION_LIST(struct ps_flags, filter, 'f', "filter", "filter",
		       "Show only some: ancestor, before, exited, id, label, "
		       "name, since, status"),
	FB_OPTION_END,
};

/* the words of the process that config.json tells, separated by spaces */
static void read_command(int dir_fd, struct fb_str *out)
{
	FB_JSON json_t *config = NULL;
	FB_FREE char *text = NULL;
	const json_t *args;
	size_t len = 0;

	if (fb_read_file_at(dir_fd, FB_CONTAINER_FILE_CONFIG, 64u << 20, &text,
			    &len) < 0 ||
	    fb_json_load(text, len, "container config", &config, NULL) < 0)
		return;
	args = json_object_get(config, "Args");
	for (size_t i = 0; i < json_array_size(args); i++) {
		const char *word = json_string_value(json_array_get(args, i));

		fb_str_printf(out, "%s%s", i ? " " : "", word ? word : "?");
	}
	/* what was said before the maximum was reached is kept */
	fb_str_truncate(out, out->len);
}

/* In quotes, and with nothing in it that a terminal would act on */
static void quote_command(const char *text, bool whole, struct fb_str *out)
{
	size_t len = strlen(text), keep = len;
	const char *end = "";

	if (!whole && len > COMMAND_SHOWN) {
		keep = COMMAND_SHOWN - 1;
		while (keep > 0 && ((unsigned char)text[keep] & 0xc0) == 0x80)
			keep--;
		end = "\xe2\x80\xa6";
	}
	fb_str_putc(out, '"');
	for (size_t i = 0; i < keep; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c == '"' || c == '\\')
			fb_str_printf(out, "\\%c", c);
		else if (c == '\n' || c == '\t')
			fb_str_puts(out, c == '\n' ? "\\n" : "\\t");
		else if (c < 0x20 || c == 0x7f)
			fb_str_printf(out, "\\x%02x", c);
		else
			fb_str_putc(out, (char)c);
	}
	fb_str_printf(out, "%s\"", end);
}

/* "Up 2 minutes": the words of "2 minutes ago" without their last */
static void describe_running(int dir_fd, int64_t now_s, const char *more,
			     char out[80])
{
	char ago[48];
	struct stat st;

	if (fstatat(dir_fd, FB_CONTAINER_FILE_STARTED, &st, 0) < 0) {
		(void)snprintf(out, 80, "Up%s", more);
		return;
	}
	(void)fb_format_ago(st.st_mtim.tv_sec, now_s, ago);
	(void)snprintf(out, 80, "Up %.*s%s",
		       (int)(strlen(ago) - strlen(" ago")), ago, more);
}

static void describe_exited(int dir_fd, int64_t now_s, char out[80])
{
	struct fb_exit_record record;
	char ago[48];

	if (fb_exit_record_read(dir_fd, &record, NULL) < 0)
		(void)snprintf(out, 80, "Exited");
	else
		(void)snprintf(out, 80, "Exited (%d) %s",
			       fb_exit_record_status(&record),
			       fb_format_ago(record.ended_s, now_s, ago));
}

static void describe(enum fb_container_state state, int dir_fd, int64_t now_s,
		     char out[80])
{
	switch (state) {
	case FB_CONTAINER_RUNNING:
		describe_running(dir_fd, now_s, "", out);
		break;
	case FB_CONTAINER_PAUSED:
		describe_running(dir_fd, now_s, " (Paused)", out);
		break;
	case FB_CONTAINER_EXITED:
		describe_exited(dir_fd, now_s, out);
		break;
	case FB_CONTAINER_PREPARING:
	case FB_CONTAINER_CREATED:
		(void)snprintf(out, 80, "Created");
		break;
	case FB_CONTAINER_DEAD:
		(void)snprintf(out, 80, "Dead");
		break;
	}
}

static json_t *container_row(const struct fb_container_entry *entry, int dir_fd,
			     bool no_trunc, int64_t now_s)
{
	FB_STR struct fb_str command = FB_STR_INIT(COMMAND_MAX);
	FB_STR struct fb_str quoted = FB_STR_INIT(5 * COMMAND_MAX);
	int64_t created_s = entry->created_ns / 1000000000;
	char id[FB_CONTAINER_ID_LEN + 1], status[80], ago[48], when[40];

	read_command(dir_fd, &command);
	quote_command(fb_str_cstr(&command), no_trunc, &quoted);
	describe(entry->state, dir_fd, now_s, status);
	(void)snprintf(id, sizeof(id), "%.*s",
		       no_trunc ? FB_CONTAINER_ID_LEN : SHORT_ID, entry->id);
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "ID",
			 id, "Image", entry->image, "Command",
			 fb_str_cstr(&quoted), "RunningFor",
			 fb_format_ago(created_s, now_s, ago), "CreatedAt",
			 fb_format_time_listed(created_s, when), "Status",
			 status, "State", fb_container_state_name(entry->state),
			 "Ports", "", "Names", entry->name);
}

/* Return: 0, also where it is left out; -ENOMEM */
static int add_row(struct fb_store *store,
		   const struct fb_container_entry *entry,
		   const struct fb_ps_filter *filter, bool no_trunc,
		   json_t *rows)
{
	FB_CONTAINER_HANDLE struct fb_container_handle handle =
		FB_CONTAINER_HANDLE_INIT;

	(void)fb_store_container_open(store, entry->id, false, &handle, NULL);
	if (!fb_ps_filter_match(filter, entry, handle.dir_fd))
		return 0;
	return json_array_append_new(rows,
				     container_row(entry, handle.dir_fd,
						   no_trunc, time(NULL))) < 0
		       ? -ENOMEM
		       : 0;
}

static int ps_print(struct fb_cli *cli, const struct ps_flags *flags,
		    struct fb_store *store,
		    const struct fb_container_entries *list, struct fb_err *err)
{
	static const struct fb_column columns[] = {
		{ "ID", "CONTAINER ID", true },
		{ "Image", "IMAGE", true },
		{ "Command", "COMMAND", true },
		{ "RunningFor", "CREATED", true },
		{ "CreatedAt", "CREATED AT", false },
		{ "Status", "STATUS", true },
		{ "State", "STATE", false },
		{ "Ports", "PORTS", true },
		{ "Names", "NAMES", true },
	};
	FB_PS_FILTER struct fb_ps_filter filter = { 0 };
	uint64_t most = flags->latest ? 1 : flags->last.value; /* 0: all */
	const char *format = flags->format;
	FB_JSON json_t *rows = json_array();
	int r = fb_ps_filter_parse(&flags->filter, list, &filter, err);

	if (r < 0)
		return r;
	if (!format && flags->quiet)
		format = "{{.ID}}";
	for (size_t i = 0; i < list->count; i++) {
		if (most && json_array_size(rows) == most)
			break;
		if (!flags->all && !filter.all && !most &&
		    !fb_container_is_up(list->v[i].state))
			continue;
		r = add_row(store, &list->v[i], &filter, flags->no_trunc, rows);
		if (r < 0)
			return fb_err_set(err, r, "list containers: %m");
	}
	return fb_format_rows(format, columns, FB_ARRAY_SIZE(columns), rows,
			      cli->out, err);
}

static int ps_run(struct fb_cli *cli, const struct fb_call *call,
		  struct fb_err *err)
{
	FB_CONTAINER_ENTRIES struct fb_container_entries list = { 0 };
	struct fb_store *store;
	int r = fb_cli_store(cli, &store, err);

	if (r < 0)
		return r;
	r = fb_store_container_list(store, &list, err);
	return r < 0 ? r : ps_print(cli, call->flags, store, &list, err);
}

const struct fb_command fb_cmd_ps = {
	.name = "ps",
	.usage = "",
	.summary = "List containers",
	.details =
		"Template fields: .ID .Image .Command .RunningFor .CreatedAt "
		".Status .State .Ports .Names",
	.options = ps_options,
	.flags_size = sizeof(struct ps_flags),
	.run = ps_run,
};
