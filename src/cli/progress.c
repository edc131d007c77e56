/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Theory of operation: a drawing is one write.
 *
 * The cursor stands below the bars.  A drawing goes up as many rows as they take,
 * writes each line over the old one and erases only what is left behind its end,
 * so nothing is blank in between.  The size of the window is asked each time;
 * where it has changed, terminals have broken the old lines anew, so their rows
 * are counted for the new width, and everything below is erased.
 */
#include "cli/progress.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "cli/format.h"

#define REDRAW_MS 100
#define BRIEF_AFTER_MS 1000
#define TELL_EVERY_MS 5000
#define EVENT_EVERY_MS 100
#define SCREEN_BYTES 65536

int fb_progress_mode_parse(const char *text, enum fb_progress_mode *ret,
			   struct fb_err *err)
{
	static const struct {
		const char *name;
		enum fb_progress_mode mode;
	} modes[] = { { "auto", FB_PROGRESS_MODE_AUTO },
		      { "plain", FB_PROGRESS_MODE_PLAIN },
		      { "json", FB_PROGRESS_MODE_JSON },
		      { "quiet", FB_PROGRESS_MODE_QUIET } };

	for (size_t i = 0; i < FB_ARRAY_SIZE(modes); i++) {
		if (strcmp(text, modes[i].name) != 0)
			continue;
		*ret = modes[i].mode;
		return 0;
	}
	return fb_err_set(err, -EINVAL,
			  "\"%s\" is not a valid value for --progress: auto, "
			  "json, plain or quiet",
			  text);
}

void fb_progress_start(struct fb_progress_line *p, FILE *out,
		       enum fb_progress_mode mode)
{
	*p = (struct fb_progress_line){ .out = out, .mode = mode };
	p->terminal = mode == FB_PROGRESS_MODE_AUTO && isatty(fileno(out)) == 1;
	if (mode == FB_PROGRESS_MODE_AUTO)
		p->mode = FB_PROGRESS_MODE_BRIEF;
	p->start_ms = fb_now_ms();
}

static void terminal_size(FILE *out, size_t *columns, size_t *rows)
{
	struct winsize w;

	*columns = 80;
	*rows = 24;
	if (ioctl(fileno(out), TIOCGWINSZ, &w) < 0)
		return;
	if (w.ws_col)
		*columns = w.ws_col;
	if (w.ws_row)
		*rows = w.ws_row;
}

static void draw(struct fb_progress_line *p, uint64_t now)
{
	FB_STR struct fb_str lines = FB_STR_INIT(SCREEN_BYTES);
	FB_STR struct fb_str screen = FB_STR_INIT(SCREEN_BYTES);
	size_t widths[FB_PROGRESS_BARS_MAX + 1];
	size_t columns, rows, count, up;
	const char *line, *end;

	terminal_size(p->out, &columns, &rows);
	count = fb_bars_render(p, columns, rows, now, widths, &lines);
	up = fb_bars_height(p->widths, p->drawn, columns);
	if (up)
		fb_str_printf(&screen, "\033[%zuA", up < rows ? up : rows - 1);
	fb_str_putc(&screen, '\r');
	if (columns != p->drawn_columns || count < p->drawn)
		fb_str_puts(&screen, "\033[J");
	for (line = fb_str_cstr(&lines); *line; line = end + 1) {
		end = strchrnul(line, '\n');
		fb_str_append(&screen, line, (size_t)(end - line));
		fb_str_puts(&screen, "\033[K\r\n");
		if (!*end)
			break;
	}
	(void)fwrite(fb_str_cstr(&screen), 1, screen.len, p->out);
	(void)fflush(p->out);
	memcpy(p->widths, widths, sizeof(widths));
	p->drawn = count;
	p->drawn_columns = columns;
	p->last_ms = now;
}

void fb_progress_redraw(struct fb_progress_line *p)
{
	uint64_t now = fb_now_ms();

	if (p->out && p->terminal && p->count &&
	    (!p->drawn || now - p->last_ms >= REDRAW_MS))
		draw(p, now);
}

void fb_progress_clear(struct fb_progress_line *p)
{
	size_t columns, rows, up;

	if (!p->drawn)
		return;
	terminal_size(p->out, &columns, &rows);
	up = fb_bars_height(p->widths, p->drawn, columns);
	(void)fprintf(p->out, "\033[%zuA\r\033[J", up < rows ? up : rows - 1);
	(void)fflush(p->out);
	p->drawn = 0;
}

static void tell(struct fb_progress_line *p, const char *id,
		 const struct fb_progress_step *s)
{
	char done[32], total[32];

	(void)fprintf(p->out, "%s %.12s", s->event,
		      strncmp(id, "sha256:", 7) ? id : id + 7);
	if (strncmp(id, "sha256:", 7) != 0 && strlen(id) > 12)
		(void)fprintf(p->out, "%s", id + 12);
	if (s->total_bytes)
		(void)fprintf(p->out, "  %s of %s",
			      fb_format_size(s->done_bytes, done),
			      fb_format_size(s->total_bytes, total));
	else if (s->done_bytes)
		(void)fprintf(p->out, "  %s",
			      fb_format_size(s->done_bytes, done));
	(void)fputc('\n', p->out);
	(void)fflush(p->out);
}

static void print_event(FILE *out, json_t *object)
{
	struct timespec now = { 0 };
	char when[40], text[48];
	char *line;

	if (!object)
		return;
	(void)clock_gettime(CLOCK_REALTIME, &now);
	(void)fb_format_time((int64_t)now.tv_sec, when);
	(void)snprintf(text, sizeof(text), "%.19s.%03ldZ", when,
		       now.tv_nsec / 1000000);
	(void)json_object_set_new(object, "time", json_string(text));
	line = json_dumps(object, JSON_COMPACT | JSON_SORT_KEYS);
	if (line)
		(void)fprintf(out, "%s\n", line);
	(void)fflush(out);
	free(line);
	json_decref(object);
}

/* A name from an archive may be no UTF-8, which JSON does not hold. */
static json_t *text_json(const char *text)
{
	json_t *value = json_string(text);
	FB_FREE char *plain = value ? NULL : strdup(text);

	for (char *c = plain; c && *c; c++)
		if ((unsigned char)*c >= 0x80)
			*c = '?';
	return value ? value : json_string(plain ? plain : "");
}

static void tell_json(struct fb_progress_line *p, const char *id,
		      const struct fb_progress_step *s)
{
	json_t *object = json_pack("{s:s}", "event", s->event);

	if (object)
		(void)json_object_set_new(object, "id", text_json(id));
	if (object && (s->total_bytes || s->done_bytes))
		(void)json_object_set_new(
			object, "done",
			json_integer((json_int_t)s->done_bytes));
	if (object && s->total_bytes)
		(void)json_object_set_new(
			object, "total",
			json_integer((json_int_t)s->total_bytes));
	print_event(p->out, object);
}

void fb_progress_message(FILE *out, const char *event, const char *text)
{
	print_event(out, json_pack("{s:s, s:o}", "event", event, "message",
				   text_json(text)));
}

static bool is_this(const struct fb_progress_bar *bar,
		    const struct fb_progress_step *s)
{
	return s->passing
		       ? bar->step.passing
		       : !bar->step.passing && !strncmp(bar->id, s->id,
							FB_PROGRESS_ID_MAX - 1);
}

static void drop(struct fb_progress_line *p, size_t at)
{
	memmove(&p->bars[at], &p->bars[at + 1],
		(p->count - at - 1) * sizeof(p->bars[0]));
	p->count--;
}

/* When all places are taken, what ended first gives way, or else the first */
static struct fb_progress_bar *make_room(struct fb_progress_line *p)
{
	size_t at = 0;

	if (p->count < FB_PROGRESS_BARS_MAX)
		return &p->bars[p->count++];
	for (size_t i = p->count; i-- > 0;)
		if (p->bars[i].step.ends)
			at = i;
	drop(p, at);
	return &p->bars[p->count++];
}

/* Return: its bar; @ret_new: it has got another event */
static struct fb_progress_bar *note(struct fb_progress_line *p,
				    const struct fb_progress_step *s,
				    uint64_t now, bool *ret_new)
{
	struct fb_progress_bar *bar = NULL;

	/* what passed by has passed when something of its own comes */
	for (size_t i = p->count; !s->passing && i-- > 0;)
		if (p->bars[i].step.passing)
			drop(p, i);
	for (size_t i = 0; !bar && i < p->count; i++)
		if (is_this(&p->bars[i], s))
			bar = &p->bars[i];
	if (!bar) {
		bar = make_room(p);
		*bar = (struct fb_progress_bar){ 0 };
	}
	*ret_new = !bar->step.event || strcmp(bar->step.event, s->event) != 0 ||
		   strncmp(bar->id, s->id, FB_PROGRESS_ID_MAX - 1) != 0;
	if (*ret_new) {
		bar->start_ms = now;
		bar->start_bytes = s->done_bytes;
	}
	(void)snprintf(bar->id, sizeof(bar->id), "%s", s->id);
	/* what is whole keeps the size that it had */
	if (s->ends && !s->total_bytes && bar->step.total_bytes) {
		uint64_t total = bar->step.total_bytes;

		bar->step = *s;
		bar->step.done_bytes = bar->step.total_bytes = total;
	} else {
		bar->step = *s;
	}
	bar->step.id = NULL;
	return bar;
}

/* A step that passes by is not worth a line of its own a thousand times. */
static bool is_due(const struct fb_progress_line *p,
		   const struct fb_progress_bar *bar, bool is_new, uint64_t now)
{
	const struct fb_progress_step *s = &bar->step;
	bool whole = s->total_bytes && s->done_bytes >= s->total_bytes;

	switch (p->mode) {
	case FB_PROGRESS_MODE_JSON:
		return is_new || whole || now - bar->told_ms >= EVENT_EVERY_MS;
	case FB_PROGRESS_MODE_PLAIN:
		return (is_new && (!s->passing ||
				   now - bar->told_ms >= EVENT_EVERY_MS)) ||
		       now - bar->told_ms >= TELL_EVERY_MS;
	case FB_PROGRESS_MODE_BRIEF:
		return now - p->start_ms >= BRIEF_AFTER_MS &&
		       (!p->last_ms || now - p->last_ms >= TELL_EVERY_MS);
	case FB_PROGRESS_MODE_AUTO:
	case FB_PROGRESS_MODE_QUIET:
		break;
	}
	return false;
}

void fb_progress_show(struct fb_progress_line *p,
		      const struct fb_progress_step *step)
{
	uint64_t now = fb_now_ms();
	struct fb_progress_bar *bar;
	bool is_new;

	if (!p->out || p->mode == FB_PROGRESS_MODE_QUIET)
		return;
	bar = note(p, step, now, &is_new);
	if (p->terminal) {
		fb_progress_redraw(p);
		return;
	}
	if (!is_due(p, bar, is_new, now))
		return;
	bar->told_ms = now;
	p->last_ms = now;
	if (p->mode == FB_PROGRESS_MODE_JSON)
		tell_json(p, step->id, &bar->step);
	else
		tell(p, step->id, &bar->step);
}
