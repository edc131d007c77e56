/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bars, one a layer:
 *
 *   0123456789ab  downloading [=====>        ]  12MB/45MB  4.1MB/s  8s
 *
 * What does not fit is left away from the right; what ended gives way to what is
 * going on when there are more bars than rows.
 */
#include <string.h>

#include "cli/format.h"
#include "cli/progress.h"

#define LABEL_MAX 12
#define NAME_MAX_BYTES 32
#define EVENT_MAX 11
#define BAR_MAX 32
#define BAR_MIN 8
#define LINE_BYTES 512
/* a rate of less than this time says nothing */
#define RATE_AFTER_MS 500

size_t fb_bars_height(const size_t *widths, size_t count, size_t columns)
{
	size_t rows = 0;

	for (size_t i = 0; i < count; i++)
		rows += widths[i] > columns
				? (widths[i] + columns - 1) / columns
				: 1;
	return rows;
}

/* Of a digest, or a file named by one, docker's twelve digits; of a long name its end */
static void put_label(const char *id, struct fb_str *out)
{
	const char *last = id + strlen(id), *from;

	while (last > id && last[-1] != ':' && last[-1] != '/')
		last--;
	if (strspn(last, "0123456789abcdef") >= 64) {
		fb_str_printf(out, "%.*s", LABEL_MAX, last);
		return;
	}
	if (strlen(id) <= NAME_MAX_BYTES) {
		fb_str_printf(out, "%-*s", LABEL_MAX, id);
		return;
	}
	from = id + strlen(id) - NAME_MAX_BYTES + 3;
	while (((unsigned char)*from & 0xc0) == 0x80)
		from++;
	fb_str_printf(out, "...%s", from);
}

static void put_time(uint64_t seconds, struct fb_str *out)
{
	if (seconds < 100)
		fb_str_printf(out, "  %us", (unsigned int)seconds);
	else if (seconds < 6000)
		fb_str_printf(out, "  %um%02us", (unsigned int)(seconds / 60),
			      (unsigned int)(seconds % 60));
	else if (seconds < 360000)
		fb_str_printf(out, "  %uh%02um", (unsigned int)(seconds / 3600),
			      (unsigned int)(seconds / 60 % 60));
}

/* Rate, and time left */
static void put_pace(const struct fb_progress_bar *bar, uint64_t now_ms,
		     struct fb_str *out)
{
	const struct fb_progress_step *s = &bar->step;
	uint64_t took = now_ms - bar->start_ms, rate;
	char text[32];

	if (s->ends || took < RATE_AFTER_MS ||
	    s->done_bytes <= bar->start_bytes)
		return;
	rate = (uint64_t)((double)(s->done_bytes - bar->start_bytes) * 1000 /
			  (double)took);
	fb_str_printf(out, "  %s/s", fb_format_size(rate, text));
	if (rate && s->total_bytes > s->done_bytes)
		put_time((s->total_bytes - s->done_bytes) / rate + 1, out);
}

static void put_sizes(const struct fb_progress_bar *bar, struct fb_str *out)
{
	const struct fb_progress_step *s = &bar->step;
	char done[32], total[32];

	if (s->total_bytes)
		fb_str_printf(out, "  %s/%s",
			      fb_format_size(s->done_bytes, done),
			      fb_format_size(s->total_bytes, total));
	else if (s->done_bytes)
		fb_str_printf(out, "  %s", fb_format_size(s->done_bytes, done));
}

static void put_bar(const struct fb_progress_step *s, size_t width,
		    struct fb_str *out)
{
	size_t filled =
		s->done_bytes >= s->total_bytes
			? width
			: (size_t)((double)s->done_bytes * (double)width /
				   (double)s->total_bytes);

	fb_str_puts(out, " [");
	for (size_t i = 0; i < width; i++)
		fb_str_putc(out, i < filled ? '=' : i == filled ? '>' : ' ');
	fb_str_putc(out, ']');
}

/* As many characters as fit; control characters would move the cursor */
static size_t put_cut(const char *text, size_t max, struct fb_str *out)
{
	size_t width = 0;

	for (; *text; text++) {
		bool starts = ((unsigned char)*text & 0xc0) != 0x80;

		if (starts && width == max)
			break;
		width += starts;
		fb_str_putc(out, (unsigned char)*text < ' ' || *text == 127
					 ? '?'
					 : *text);
	}
	fb_str_putc(out, '\n');
	return width;
}

static size_t render_bar(const struct fb_progress_bar *bar, size_t columns,
			 uint64_t now_ms, struct fb_str *out)
{
	FB_STR struct fb_str head = FB_STR_INIT(LINE_BYTES);
	FB_STR struct fb_str tail = FB_STR_INIT(LINE_BYTES);
	const struct fb_progress_step *s = &bar->step;
	size_t room;

	put_label(bar->id, &head);
	fb_str_printf(&head, "  %-*s", EVENT_MAX, s->event);
	put_sizes(bar, &tail);
	/* the last column stays free: some terminals wrap when it is written */
	room = columns - 1;
	if (s->total_bytes && !s->ends &&
	    head.len + tail.len + BAR_MIN + 3 <= room) {
		size_t pace = tail.len, width;

		put_pace(bar, now_ms, &tail);
		if (head.len + tail.len + BAR_MIN + 3 > room)
			fb_str_truncate(&tail, pace);
		width = room - head.len - tail.len - 3;
		put_bar(s, width < BAR_MAX ? width : BAR_MAX, &head);
	}
	fb_str_puts(&head, fb_str_cstr(&tail));
	return put_cut(fb_str_cstr(&head), room, out);
}

size_t fb_bars_render(const struct fb_progress_line *p, size_t columns,
		      size_t rows, uint64_t now_ms, size_t *widths,
		      struct fb_str *out)
{
	size_t most = rows > 1 ? rows - 1 : 1, hidden = 0, lines = 0;
	char text[64];

	if (p->count > most) {
		for (size_t i = 0; i < p->count; i++)
			hidden += p->bars[i].step.ends;
		(void)snprintf(text, sizeof(text), "%zu of %zu done", hidden,
			       p->count);
		widths[lines++] = put_cut(text, columns - 1, out);
	}
	for (size_t i = 0; i < p->count && lines < most; i++) {
		if (p->count > most && p->bars[i].step.ends)
			continue;
		widths[lines++] = render_bar(&p->bars[i], columns, now_ms, out);
	}
	return lines;
}
