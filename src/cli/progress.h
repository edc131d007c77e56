/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a long step looks from outside.
 *
 * On a terminal a bar a layer, redrawn in place; elsewhere a plain line when a
 * step has taken longer than a second, so that a script's log stays short; or an
 * event a line, as JSON.  Quiet: nothing.  Libraries know only `struct
 * fb_progress` callbacks of their own modules; the commands translate them into
 * these calls.
 */
#ifndef FB_CLI_PROGRESS_H
#define FB_CLI_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"
#include "base/str.h"

#define FB_PROGRESS_BARS_MAX 64
#define FB_PROGRESS_ID_MAX 80

/** enum fb_progress_mode - What --progress says */
enum fb_progress_mode {
	FB_PROGRESS_MODE_AUTO,	/* bars on a terminal, brief elsewhere */
	FB_PROGRESS_MODE_BRIEF, /* lines about what takes long */
	FB_PROGRESS_MODE_PLAIN, /* a line about every step */
	FB_PROGRESS_MODE_JSON,	/* an object a line about every event */
	FB_PROGRESS_MODE_QUIET,
};

/** fb_progress_mode_parse() - "auto", "plain", "json", "quiet". Return: 0; -EINVAL */
int fb_progress_mode_parse(const char *text, enum fb_progress_mode *ret,
			   struct fb_err *err);

/**
 * struct fb_progress_step - Something that happened
 * @event:       What: "downloading"
 * @id:          On what, whole
 * @done_bytes:  So far
 * @total_bytes: In all; 0 = not known
 * @ends:        Nothing more comes about @id
 * @passing:     One of a row of short steps, which share a line
 */
struct fb_progress_step {
	const char *event;
	const char *id;
	uint64_t done_bytes;
	uint64_t total_bytes;
	bool ends;
	bool passing;
};

/**
 * struct fb_progress_bar - What is known of one id
 * @id:       Cut to FB_PROGRESS_ID_MAX
 * @step:     The last one; its @id is not valid any more
 * @start_ms, @start_bytes: Of this event, for the rate
 * @told_ms:  When a line about it was last printed
 */
struct fb_progress_bar {
	char id[FB_PROGRESS_ID_MAX];
	struct fb_progress_step step;
	uint64_t start_ms;
	uint64_t start_bytes;
	uint64_t told_ms;
};

/**
 * struct fb_progress_line - One progress display
 * @out:      Where, normally standard error; NULL: nowhere
 * @mode:     How; not FB_PROGRESS_MODE_AUTO once it was started
 * @terminal: Bars are drawn
 * @bars:     In the order in which they came
 * @count:    Of @bars
 * @drawn:    Lines that stand on the terminal, and how wide each is
 * @drawn_columns: How wide the terminal was then
 * @start_ms, @last_ms: Of the display, of the last drawing or line
 */
struct fb_progress_line {
	FILE *out;
	enum fb_progress_mode mode;
	bool terminal;
	struct fb_progress_bar bars[FB_PROGRESS_BARS_MAX];
	size_t count;
	size_t widths[FB_PROGRESS_BARS_MAX + 1];
	size_t drawn;
	size_t drawn_columns;
	uint64_t start_ms;
	uint64_t last_ms;
};

/**
 * fb_progress_start() - Begin a display
 * @p:    Written
 * @out:  Stream (borrowed)
 * @mode: How
 */
void fb_progress_start(struct fb_progress_line *p, FILE *out,
		       enum fb_progress_mode mode);

/** fb_progress_show() - Say what happened; drawn and told at a bearable pace */
void fb_progress_show(struct fb_progress_line *p,
		      const struct fb_progress_step *step);

/** fb_progress_redraw() - Nothing happened: times go on, a window may have another size */
void fb_progress_redraw(struct fb_progress_line *p);

/** fb_progress_clear() - Take the bars off the terminal; before any output */
void fb_progress_clear(struct fb_progress_line *p);

/** fb_progress_message() - With FB_PROGRESS_MODE_JSON: "warning", "error", … as an event */
void fb_progress_message(FILE *out, const char *event, const char *text);

/* --- bars.c, pure --- */

/**
 * fb_bars_render() - What the display shows
 * @p:       Display (borrowed)
 * @columns: Of the terminal, at least 1; every line has fewer characters
 * @rows:    Of the terminal; there are fewer lines
 * @now_ms:  For rates and times
 * @widths:  Characters of each line, FB_PROGRESS_BARS_MAX + 1 of them
 * @out:     Lines, each with its newline
 *
 * Return: how many lines.
 */
size_t fb_bars_render(const struct fb_progress_line *p, size_t columns,
		      size_t rows, uint64_t now_ms, size_t *widths,
		      struct fb_str *out);

/**
 * fb_bars_height() - Rows that lines take up on a terminal of another width
 * @widths: Characters of each line
 * @count:  Lines
 *
 * Terminals break longer lines anew when they are made narrower.
 */
size_t fb_bars_height(const size_t *widths, size_t count, size_t columns);

#endif
