/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A timeline as a picture: a row a phase, its bar from the mark before to its own, so
 * that what takes long is what is wide.  Nothing but rectangles and text; it follows
 * the reader's light or dark style.
 */
#include <stdio.h>

#include "cli/timeline.h"

#define LEFT 130
#define WIDTH 620
#define RIGHT 110
#define TOP 34
#define ROW 24
#define BAR 16

static const char *const style =
	"  <style>\n"
	"    text { font: 13px system-ui, sans-serif; fill: #24292f }\n"
	"    .time { fill: #57606a } .bar { fill: #cf5c2b } .grid { stroke: "
	"#d0d7de }\n"
	"    @media (prefers-color-scheme: dark) { svg { background: #0d1117 }\n"
	"      text { fill: #e6edf3 } .time { fill: #8b949e } .grid { stroke: "
	"#30363d } }\n"
	"  </style>\n";

/* the least of 1, 2, 5, 10, 20, … ms that makes at most eight lines */
static double grid_step_ms(double total_ms)
{
	static const double steps[] = { 1, 2, 5 };
	double ten = 1;

	for (;; ten *= 10)
		for (size_t i = 0; i < FB_ARRAY_SIZE(steps); i++)
			if (total_ms <= 8 * steps[i] * ten)
				return steps[i] * ten;
}

static void draw_grid(double total_ms, int height, struct fb_str *out)
{
	double step = grid_step_ms(total_ms);

	for (double at = 0; at <= total_ms; at += step) {
		double x = LEFT + WIDTH * at / total_ms;

		fb_str_printf(out,
			      "  <line class=\"grid\" x1=\"%.1f\" y1=\"%d\" "
			      "x2=\"%.1f\" y2=\"%d\"/>\n"
			      "  <text class=\"time\" x=\"%.1f\" y=\"%d\" "
			      "text-anchor=\"middle\">%g ms</text>\n",
			      x, TOP - 6, x, height - 8, x, TOP - 14, at);
	}
}

static void draw_phase(const struct fb_timeline_mark *m, int row,
		       double from_ms, double to_ms, double total_ms,
		       struct fb_str *out)
{
	double x = LEFT + WIDTH * from_ms / total_ms;
	double width = WIDTH * (to_ms - from_ms) / total_ms;
	int y = TOP + row * ROW;

	fb_str_printf(
		out,
		"  <text x=\"%d\" y=\"%d\" text-anchor=\"end\">%s</text>\n"
		"  <rect class=\"bar\" x=\"%.1f\" y=\"%d\" width=\"%.1f\" "
		"height=\"%d\" rx=\"2\"><title>%s: %.3f ms, at %.3f "
		"ms</title></rect>\n"
		"  <text class=\"time\" x=\"%.1f\" y=\"%d\">%.1f</text>\n",
		LEFT - 8, y + 13, m->name, x, y, width < 1 ? 1.0 : width, BAR,
		m->name, to_ms - from_ms, to_ms, x + width + 6, y + 13,
		to_ms - from_ms);
}

int fb_timeline_draw(const struct fb_timeline *t, struct fb_str *out)
{
	int height = TOP + (int)t->count * ROW + 12;
	double total_ms = 1, before_ms = 0;

	if (t->count && t->marks[t->count - 1].ns > t->start_ns)
		total_ms =
			(double)(t->marks[t->count - 1].ns - t->start_ns) / 1e6;
	fb_str_printf(out,
		      "<svg xmlns=\"http://www.w3.org/2000/svg\" "
		      "viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\">\n%s",
		      LEFT + WIDTH + RIGHT, height, LEFT + WIDTH + RIGHT,
		      height, style);
	draw_grid(total_ms, height, out);
	for (size_t i = 0; i < t->count; i++) {
		double at_ms = (double)(t->marks[i].ns - t->start_ns) / 1e6;

		draw_phase(&t->marks[i], (int)i, before_ms, at_ms, total_ms,
			   out);
		before_ms = at_ms;
	}
	fb_str_puts(out, "</svg>\n");
	return out->err;
}
