/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/format.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/str.h"
#include "cli/template.h"

#define OUTPUT_MAX ((size_t)1 << 30)
#define COLUMN_GAP 3
#define PIECE_BYTES 65536

/* Bytes that continue a UTF-8 character are no column on a terminal */
static bool is_column(char c)
{
	return ((unsigned char)c & 0xc0) != 0x80;
}

static void measure(const char *text, size_t *widths)
{
	size_t column = 0, width = 0;

	for (; *text; text++) {
		if (*text != '\t' && *text != '\n') {
			width += is_column(*text);
			continue;
		}
		if (column < FB_COLUMNS_MAX && width > widths[column])
			widths[column] = width;
		column = *text == '\n' ? 0 : column + 1;
		width = 0;
	}
}

static void put_spaces(struct fb_str *out, size_t count)
{
	char *to = fb_str_reserve(out, count);

	if (!to)
		return;
	memset(to, ' ', count);
	to[count] = '\0';
	out->len += count;
}

/* Cells end at tabs, rows at newlines; the last cell of a row is not padded */
static void print_row(const char *row, size_t len, const size_t *widths,
		      struct fb_str *out)
{
	size_t column = 0, width = 0, start = 0;

	for (size_t i = 0; i < len; i++) {
		if (row[i] != '\t') {
			width += is_column(row[i]);
			continue;
		}
		fb_str_append(out, row + start, i - start);
		put_spaces(out,
			   (column < FB_COLUMNS_MAX ? widths[column] - width
						    : 0) +
				   COLUMN_GAP);
		column++;
		width = 0;
		start = i + 1;
	}
	fb_str_append(out, row + start, len - start);
}

static int print_aligned(const char *text, FILE *out, struct fb_err *err)
{
	FB_STR struct fb_str aligned = FB_STR_INIT(OUTPUT_MAX);
	size_t widths[FB_COLUMNS_MAX] = { 0 };
	const char *end;

	measure(text, widths);
	for (; *text; text = end) {
		end = strchrnul(text, '\n');
		end += *end == '\n';
		print_row(text, (size_t)(end - text), widths, &aligned);
		if (aligned.len < PIECE_BYTES && *end)
			continue;
		if (aligned.err)
			return fb_err_set(err, aligned.err, "print a table: %s",
					  strerror(-aligned.err));
		(void)fwrite(aligned.buf, 1, aligned.len, out);
		fb_str_truncate(&aligned, 0);
	}
	return 0;
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

static int print_template(const char *template, const json_t *heading,
			  const json_t *rows, FILE *out, struct fb_err *err)
{
	FB_TEMPLATE struct fb_template tpl = { 0 };
	FB_STR struct fb_str text = FB_STR_INIT(OUTPUT_MAX);
	int r = fb_template_parse(template, &tpl, err);

	if (r == 0 && heading)
		r = fb_template_heading(&tpl, heading, &text, err);
	if (r == 0 && heading)
		fb_str_putc(&text, '\n');
	for (size_t i = 0; r == 0 && i < json_array_size(rows); i++) {
		r = fb_template_render(&tpl, json_array_get(rows, i), &text,
				       err);
		fb_str_putc(&text, '\n');
	}
	if (r == 0 && text.err)
		r = fb_err_set(err, text.err, "print: %s", strerror(-text.err));
	if (r < 0)
		return r;
	if (heading)
		return print_aligned(fb_str_cstr(&text), out, err);
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

/* What --format means for a listing. @ret_template: NULL for "json" */
static int choose(const char *format, const struct fb_column *columns,
		  size_t count, struct fb_str *storage,
		  const char **ret_template, bool *ret_table,
		  struct fb_err *err)
{
	int r;

	*ret_table = !format || !strcmp(format, "table") ||
		     !strncmp(format, "table ", 6);
	*ret_template = format && !strcmp(format, "json") ? NULL : format;
	if (!*ret_table)
		return 0;
	if (format && format[5])
		r = fb_str_puts(storage, format + 6);
	else
		r = default_template(columns, count, storage);
	if (r < 0)
		return fb_err_set(err, r, "print a table: %s", strerror(-r));
	*ret_template = fb_str_cstr(storage);
	return 0;
}

int fb_format_rows(const char *format, const struct fb_column *columns,
		   size_t count, const json_t *rows, FILE *out,
		   struct fb_err *err)
{
	FB_STR struct fb_str storage = FB_STR_INIT(FB_TEMPLATE_TEXT_MAX);
	const char *template = NULL;
	json_t *heading = NULL;
	bool table;
	int r = choose(format, columns, count, &storage, &template, &table,
		       err);

	if (r < 0)
		return r;
	if (!template)
		return print_json_lines(rows, out, err);
	if (!table)
		return print_template(template, NULL, rows, out, err);
	heading = headings(columns, count);
	if (!heading)
		return fb_err_set(err, -ENOMEM, "print a table: %m");
	r = print_template(template, heading, rows, out, err);
	json_decref(heading);
	return r;
}

#define HEADING SIZE_MAX
#define NO_COLUMN SIZE_MAX

static const char *cell_text(const struct fb_table *table, size_t row,
			     size_t column, char *scratch)
{
	return row == HEADING ? table->columns[column].heading
			      : table->cell(table->ctx, row, column, scratch);
}

static size_t find_column(const struct fb_table *table, const char *path)
{
	for (size_t i = 0; path[0] == '.' && i < table->column_count; i++)
		if (!strcmp(path + 1, table->columns[i].name))
			return i;
	return NO_COLUMN;
}

/* A row as JSON, for verbs that look into it */
static json_t *row_json(const struct fb_table *table, size_t row)
{
	char scratch[FB_CELL_MAX];
	json_t *object = json_object();

	for (size_t i = 0; object && i < table->column_count; i++)
		(void)json_object_set_new(
			object, table->columns[i].name,
			json_string(cell_text(table, row, i, scratch)));
	return object;
}

static int render_as_json(const struct fb_table *table,
			  const struct fb_template *tpl, size_t row,
			  struct fb_str *out, struct fb_err *err)
{
	json_t *object = row_json(table, row);
	int r = !object		 ? fb_err_set(err, -ENOMEM, "fill template: %m")
		: row == HEADING ? fb_template_heading(tpl, object, out, err)
				 : fb_template_render(tpl, object, out, err);

	json_decref(object);
	return r;
}

/* A literal text, or a column of the row */
struct plan_part {
	const char *text;
	size_t len;
	size_t column;
};

/**
 * struct plan - A template with its fields looked up
 * @parts: Literals and fields, or NULL: there is more than that in it
 * @count: Of @parts
 */
struct plan {
	const struct fb_table *table;
	const struct fb_template *tpl;
	struct plan_part *parts;
	size_t count;
};

/* Return: 0; -ENOMEM */
static int make_plan(struct plan *plan, struct fb_err *err)
{
	const struct fb_template_node *node = plan->tpl->first;
	FB_FREE struct plan_part *parts =
		calloc(plan->tpl->count + 1, sizeof(*parts));

	if (!parts)
		return fb_err_set(err, -ENOMEM, "print a table: %m");
	while (node) {
		struct plan_part *part = &parts[plan->count++];
		const char *path;

		node = fb_template_plain(node, &part->text, &path);
		part->column = NO_COLUMN;
		if (part->text)
			part->len = strlen(part->text);
		else if (path)
			part->column = find_column(plan->table, path);
		if (!part->text && part->column == NO_COLUMN)
			return 0;
	}
	plan->parts = FB_TAKE_PTR(parts);
	return 0;
}

static int render_cells(const struct plan *plan, size_t row, struct fb_str *out,
			struct fb_err *err)
{
	char scratch[FB_CELL_MAX];
	int r = 0;

	if (!plan->parts)
		r = render_as_json(plan->table, plan->tpl, row, out, err);
	for (size_t i = 0; plan->parts && i < plan->count; i++) {
		const struct plan_part *part = &plan->parts[i];

		if (part->text)
			fb_str_append(out, part->text, part->len);
		else
			fb_str_puts(out, cell_text(plan->table, row,
						   part->column, scratch));
	}
	fb_str_putc(out, '\n');
	if (r == 0 && out->err)
		r = fb_err_set(err, out->err, "print a table: %s",
			       strerror(-out->err));
	return r;
}

static int print_table_lines(const struct fb_table *table, FILE *out,
			     struct fb_err *err)
{
	for (size_t i = 0; i < table->row_count; i++) {
		json_t *object = row_json(table, i);
		FB_FREE char *line =
			object ? json_dumps(object,
					    JSON_COMPACT | JSON_SORT_KEYS)
			       : NULL;

		json_decref(object);
		if (!line)
			return fb_err_set(err, -ENOMEM, "print as JSON: %m");
		(void)fprintf(out, "%s\n", line);
	}
	return 0;
}

static int render_rows(const struct plan *plan, bool aligned,
		       struct fb_str *text, struct fb_err *err)
{
	int r = aligned ? render_cells(plan, HEADING, text, err) : 0;

	for (size_t i = 0; r == 0 && i < plan->table->row_count; i++)
		r = render_cells(plan, i, text, err);
	return r;
}

int fb_format_table(const char *format, const struct fb_table *table, FILE *out,
		    struct fb_err *err)
{
	FB_STR struct fb_str storage = FB_STR_INIT(FB_TEMPLATE_TEXT_MAX);
	FB_STR struct fb_str text = FB_STR_INIT(OUTPUT_MAX);
	FB_TEMPLATE struct fb_template tpl = { 0 };
	struct plan plan = { .table = table, .tpl = &tpl };
	const char *template = NULL;
	bool aligned;
	int r = choose(format, table->columns, table->column_count, &storage,
		       &template, &aligned, err);

	if (r < 0)
		return r;
	if (!template)
		return print_table_lines(table, out, err);
	r = fb_template_parse(template, &tpl, err);
	if (r == 0)
		r = make_plan(&plan, err);
	if (r == 0)
		r = render_rows(&plan, aligned, &text, err);
	free(plan.parts);
	if (r < 0)
		return r;
	if (aligned)
		return print_aligned(fb_str_cstr(&text), out, err);
	(void)fwrite(fb_str_cstr(&text), 1, text.len, out);
	return 0;
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

/* A listing of thousands would spend a sixth of its time in printf() */
static char *put_number(char *to, uint64_t value, int digits)
{
	char text[24];
	int n = 0;

	do {
		text[n++] = (char)('0' + value % 10);
		value /= 10;
	} while (value || n < digits);
	while (n > 0)
		*to++ = text[--n];
	return to;
}

static const char *put_ago(int64_t count, const char *words, char *out)
{
	char *end = put_number(out, (uint64_t)count, 1);

	memcpy(end, words, strlen(words) + 1);
	return out;
}

static const char *put_words(const char *words, char *out)
{
	memcpy(out, words, strlen(words) + 1);
	return out;
}

/* go-units' HumanDuration(): the words, and where one unit gives way to the next */
const char *fb_format_ago(int64_t then_s, int64_t now_s, char out[48])
{
	int64_t age = now_s > then_s ? now_s - then_s : 0;
	int64_t minutes = age / 60, hours = (age + 1800) / 3600;

	if (then_s < 0)
		return put_words("N/A", out);
	if (age < 1)
		return put_words("Less than a second ago", out);
	if (age == 1)
		return put_words("1 second ago", out);
	if (age < 60)
		return put_ago(age, " seconds ago", out);
	if (minutes == 1)
		return put_words("About a minute ago", out);
	if (minutes < 60)
		return put_ago(minutes, " minutes ago", out);
	if (hours == 1)
		return put_words("About an hour ago", out);
	if (hours < 48)
		return put_ago(hours, " hours ago", out);
	if (hours < 24 * 7 * 2)
		return put_ago(hours / 24, " days ago", out);
	if (hours < 24 * 30 * 2)
		return put_ago(hours / 24 / 7, " weeks ago", out);
	if (hours < 24 * 365 * 2)
		return put_ago(hours / 24 / 30, " months ago", out);
	return put_ago(hours / 24 / 365, " years ago", out);
}

/* @bytes in @step-ths of a unit, rounded */
static uint64_t rounded(uint64_t bytes, uint64_t step)
{
	return bytes / step + (bytes % step >= step - step / 2);
}

/*
 * Three digits, as "%.3g" has them, but in integers: the C library's floating
 * point is a tenth of what a listing of thousands would cost.
 */
const char *fb_format_size(uint64_t bytes, char out[32])
{
	static const char *const units[] = { "B",  "kB", "MB", "GB",
					     "TB", "PB", "EB" };
	uint64_t unit = 1, value;
	char *end = out;
	size_t i = 0;
	int decimals;

	/* what three digits would round to 1000 is 1 of the next unit */
	while (i + 1 < FB_ARRAY_SIZE(units) && rounded(bytes, unit) >= 1000) {
		unit *= 1000;
		i++;
	}
	decimals = unit == 1		? 0
		   : bytes / unit < 10	? 2
		   : bytes / unit < 100 ? 1
					: 0;
	value = rounded(bytes, decimals == 2   ? unit / 100
			       : decimals == 1 ? unit / 10
					       : unit);
	for (; decimals && value % 10 == 0; decimals--)
		value /= 10;
	if (decimals) {
		end = put_number(end, value / (decimals == 2 ? 100 : 10), 1);
		*end++ = '.';
		value %= decimals == 2 ? 100 : 10;
	}
	end = put_number(end, value, decimals ? decimals : 1);
	memcpy(end, units[i], strlen(units[i]) + 1);
	return out;
}

static const char *format_time(int64_t when_s, bool listed, char *out)
{
	time_t t = (time_t)when_s;
	struct tm tm;

	/* Go's zero time stands for one that is not known */
	if (when_s < 0)
		return put_words(listed ? "0001-01-01 00:00:00 +0000 UTC"
					: "0001-01-01T00:00:00Z",
				 out);
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
