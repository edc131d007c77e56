/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/format.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "base/str.h"
#include "cli/template.h"

#define OUTPUT_MAX ((size_t)1 << 30)
#define COLUMN_GAP 3

/* As it looks on a terminal: bytes that continue a UTF-8 character are no column */
static size_t width(const char *text, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++)
		n += ((unsigned char)text[i] & 0xc0) != 0x80;
	return n;
}

static size_t cell_length(const char *cell)
{
	return strcspn(cell, "\t\n");
}

static void measure(const char *text, size_t *widths)
{
	size_t column = 0, len, w;

	while (*text) {
		len = cell_length(text);
		w = width(text, len);
		if (column < FB_COLUMNS_MAX && w > widths[column])
			widths[column] = w;
		column = text[len] == '\n' ? 0 : column + 1;
		text += len + (text[len] != '\0');
	}
}

/* Cells end at tabs, rows at newlines; the last cell of a row is not padded */
static void print_aligned(const char *text, FILE *out)
{
	size_t widths[FB_COLUMNS_MAX] = { 0 };
	size_t column = 0, len, pad;

	measure(text, widths);
	while (*text) {
		len = cell_length(text);
		(void)fwrite(text, 1, len, out);
		if (text[len] == '\t') {
			pad = column < FB_COLUMNS_MAX
				      ? widths[column] - width(text, len)
				      : 0;
			(void)fprintf(out, "%*s", (int)(pad + COLUMN_GAP), "");
			column++;
		} else if (text[len] == '\n') {
			(void)fputc('\n', out);
			column = 0;
		}
		text += len + (text[len] != '\0');
	}
}

static json_t *headings(const struct fb_column *columns, size_t count)
{
	json_t *row = json_object();

	for (size_t i = 0; row && i < count; i++)
		(void)json_object_set_new(row, columns[i].name,
					  json_string(columns[i].heading));
	return row;
}

static int default_template(const struct fb_column *columns, size_t count,
			    struct fb_str *out)
{
	const char *between = "";

	for (size_t i = 0; i < count; i++) {
		if (!columns[i].shown)
			continue;
		fb_str_printf(out, "%s{{.%s}}", between, columns[i].name);
		between = "\t";
	}
	return out->err;
}

static int render_row(const struct fb_template *tpl, const json_t *row,
		      struct fb_str *text, struct fb_err *err)
{
	int r = fb_template_render(tpl, row, text, err);

	return r < 0 ? r : fb_str_putc(text, '\n');
}

static int print_template(const char *template, const json_t *heading,
			  const json_t *rows, FILE *out, struct fb_err *err)
{
	FB_TEMPLATE struct fb_template tpl = { 0 };
	FB_STR struct fb_str text = FB_STR_INIT(OUTPUT_MAX);
	int r = fb_template_parse(template, &tpl, err);

	if (r == 0 && heading)
		r = render_row(&tpl, heading, &text, err);
	for (size_t i = 0; r == 0 && i < json_array_size(rows); i++)
		r = render_row(&tpl, json_array_get(rows, i), &text, err);
	if (r < 0)
		return r;
	if (heading)
		print_aligned(fb_str_cstr(&text), out);
	else
		(void)fwrite(fb_str_cstr(&text), 1, text.len, out);
	return 0;
}

static int print_json_lines(const json_t *rows, FILE *out, struct fb_err *err)
{
	for (size_t i = 0; i < json_array_size(rows); i++) {
		FB_FREE char *line = json_dumps(json_array_get(rows, i),
						JSON_COMPACT | JSON_SORT_KEYS);

		if (!line)
			return fb_err_set(err, -ENOMEM, "print as JSON: %m");
		(void)fprintf(out, "%s\n", line);
	}
	return 0;
}

int fb_format_rows(const char *format, const struct fb_column *columns,
		   size_t count, const json_t *rows, FILE *out,
		   struct fb_err *err)
{
	FB_STR struct fb_str template = FB_STR_INIT(FB_TEMPLATE_TEXT_MAX);
	json_t *heading = NULL;
	int r;

	if (format && !strcmp(format, "json"))
		return print_json_lines(rows, out, err);
	if (format && strcmp(format, "table") && strncmp(format, "table ", 6))
		return print_template(format, NULL, rows, out, err);
	if (format && format[5])
		r = fb_str_puts(&template, format + 6);
	else
		r = default_template(columns, count, &template);
	heading = r == 0 ? headings(columns, count) : NULL;
	if (!heading)
		return fb_err_set(err, -ENOMEM, "print a table: %m");
	r = print_template(fb_str_cstr(&template), heading, rows, out, err);
	json_decref(heading);
	return r;
}

int fb_format_values(const char *format, const json_t *values, FILE *out,
		     struct fb_err *err)
{
	FB_FREE char *text = NULL;

	if (format && strcmp(format, "json"))
		return print_template(format, NULL, values, out, err);
	text = json_dumps(values, format ? JSON_COMPACT : JSON_INDENT(4));
	if (!text)
		return fb_err_set(err, -ENOMEM, "print as JSON: %m");
	(void)fprintf(out, "%s\n", text);
	return 0;
}

/* go-units' HumanDuration(): the words, and where one unit gives way to the next */
const char *fb_format_ago(int64_t then_s, int64_t now_s, char out[48])
{
	int64_t age = now_s > then_s ? now_s - then_s : 0;
	int64_t minutes = age / 60, hours = (age + 1800) / 3600;

	if (then_s == 0)
		(void)snprintf(out, 48, "N/A");
	else if (age < 1)
		(void)snprintf(out, 48, "Less than a second ago");
	else if (age == 1)
		(void)snprintf(out, 48, "1 second ago");
	else if (age < 60)
		(void)snprintf(out, 48, "%" PRId64 " seconds ago", age);
	else if (minutes == 1)
		(void)snprintf(out, 48, "About a minute ago");
	else if (minutes < 60)
		(void)snprintf(out, 48, "%" PRId64 " minutes ago", minutes);
	else if (hours == 1)
		(void)snprintf(out, 48, "About an hour ago");
	else if (hours < 48)
		(void)snprintf(out, 48, "%" PRId64 " hours ago", hours);
	else if (hours < 24 * 7 * 2)
		(void)snprintf(out, 48, "%" PRId64 " days ago", hours / 24);
	else if (hours < 24 * 30 * 2)
		(void)snprintf(out, 48, "%" PRId64 " weeks ago",
			       hours / 24 / 7);
	else if (hours < 24 * 365 * 2)
		(void)snprintf(out, 48, "%" PRId64 " months ago",
			       hours / 24 / 30);
	else
		(void)snprintf(out, 48, "%" PRId64 " years ago",
			       hours / 24 / 365);
	return out;
}

const char *fb_format_size(uint64_t bytes, char out[32])
{
	static const char *const units[] = { "B",  "kB", "MB", "GB",
					     "TB", "PB", "EB" };
	double value = (double)bytes;
	size_t i = 0;

	/* what three digits would round to 1e+03 is 1 of the next unit */
	while (value >= 999.5 && i + 1 < FB_ARRAY_SIZE(units)) {
		value /= 1000.0;
		i++;
	}
	(void)snprintf(out, 32, "%.3g%s", value, units[i]);
	return out;
}

static const char *format_time(int64_t when_s, bool listed, char *out)
{
	time_t t = (time_t)when_s;
	struct tm tm;

	if (!gmtime_r(&t, &tm) ||
	    strftime(out, 40,
		     listed ? "%Y-%m-%d %H:%M:%S +0000 UTC"
			    : "%Y-%m-%dT%H:%M:%SZ",
		     &tm) == 0)
		(void)snprintf(out, 40, "N/A");
	return out;
}

const char *fb_format_time(int64_t when_s, char out[40])
{
	return format_time(when_s, false, out);
}

const char *fb_format_time_listed(int64_t when_s, char out[40])
{
	return format_time(when_s, true, out);
}
