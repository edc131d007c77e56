/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How results are shown: a table, JSON, or a template, all from one piece of
 * data (JSON values), so that no view can say what another does not.
 */
#ifndef FB_CLI_FORMAT_H
#define FB_CLI_FORMAT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"

/**
 * struct fb_column - A field of a listing's rows
 * @name:    As a template names it: "Repository"
 * @heading: As the table's first line shows it: "REPOSITORY"
 * @shown:   In the table that is printed without --format
 */
struct fb_column {
	const char *name;
	const char *heading;
	bool shown;
};

#define FB_COLUMNS_MAX 24

/**
 * fb_format_rows() - Print a listing
 * @format:  What --format said, or NULL: "table", "json", "table TEMPLATE",
 *           TEMPLATE
 * @columns: Fields, in the table's order
 * @count:   Of @columns
 * @rows:    Array of objects whose members are strings (borrowed)
 *
 * "json" prints an object a line, as docker does.
 *
 * Return: 0; -EINVAL bad template; -ENOMEM.
 */
int fb_format_rows(const char *format, const struct fb_column *columns,
		   size_t count, const json_t *rows, FILE *out,
		   struct fb_err *err);

#define FB_CELL_MAX 160

/**
 * struct fb_table - A listing whose cells are asked for one by one
 * @columns:      Fields, in the table's order
 * @column_count: Of @columns
 * @row_count:    Rows
 * @cell:         The text of one cell, in @scratch (FB_CELL_MAX bytes) or anywhere
 *                else that lives until the next call
 * @ctx:          Passed to it
 */
struct fb_table {
	const struct fb_column *columns;
	size_t column_count;
	size_t row_count;
	const char *(*cell)(const void *ctx, size_t row, size_t column,
			    char *scratch);
	const void *ctx;
};

/**
 * fb_format_table() - Print a listing of many rows
 * @format: As fb_format_rows() takes it
 *
 * The same output as fb_format_rows() of the same cells; a template that only
 * names fields makes no JSON of them.
 *
 * Return: 0; -EINVAL bad template; -ENOMEM.
 */
int fb_format_table(const char *format, const struct fb_table *table, FILE *out,
		    struct fb_err *err);

/**
 * fb_format_values() - Print inspected objects
 * @format: NULL or "json": one indented (or, with "json", compact) array;
 *          a template: one line a value
 * @values: Array (borrowed)
 *
 * Return: 0; -EINVAL bad template; -ENOMEM.
 */
int fb_format_values(const char *format, const json_t *values, FILE *out,
		     struct fb_err *err);

/** fb_format_ago() - "3 minutes ago", as docker's go-units words it. Return: @out */
const char *fb_format_ago(int64_t then_s, int64_t now_s, char out[48]);

/** fb_format_size() - "4.27MB": powers of 1000, three digits. Return: @out */
const char *fb_format_size(uint64_t bytes, char out[32]);

/** fb_format_time() - RFC 3339, UTC, "2024-05-01T12:00:00Z". Return: @out */
const char *fb_format_time(int64_t when_s, char out[40]);

/** fb_format_time_listed() - As docker's listings: "2024-05-01 12:00:00 +0000 UTC" */
const char *fb_format_time_listed(int64_t when_s, char out[40]);

#endif
