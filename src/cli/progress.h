/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a long step looks from outside.
 *
 * On a terminal one line, redrawn; elsewhere a plain line when a step has taken
 * longer than a second, so that a script's log stays short.  Quiet: nothing.
 * Libraries know only `struct fb_progress` callbacks of their own modules; the
 * commands translate them into these calls.
 */
#ifndef FB_CLI_PROGRESS_H
#define FB_CLI_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/**
 * struct fb_progress_line - One progress display
 * @out:      Where, normally standard error
 * @terminal: Redraw one line; else plain lines
 * @quiet:    Print nothing
 * @drawn:    A line stands on the terminal that has to be cleared
 * @start_ms, @last_ms: Of the current step
 */
struct fb_progress_line {
	FILE *out;
	bool terminal;
	bool quiet;
	bool drawn;
	uint64_t start_ms;
	uint64_t last_ms;
};

/**
 * fb_progress_start() - Begin a display
 * @p:     Written
 * @out:   Stream (borrowed)
 * @quiet: Stay silent
 */
void fb_progress_start(struct fb_progress_line *p, FILE *out, bool quiet);

/**
 * fb_progress_show() - Say where a step stands; rate-limited
 * @p:           Display
 * @what:        Step, "layer 2 of 5"
 * @done_bytes:  So far
 * @total_bytes: In all; 0 = not known
 */
void fb_progress_show(struct fb_progress_line *p, const char *what,
		      uint64_t done_bytes, uint64_t total_bytes);

/** fb_progress_clear() - Take the line off the terminal; before any output */
void fb_progress_clear(struct fb_progress_line *p);

#endif
