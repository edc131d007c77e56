/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/progress.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/format.h"

#define REDRAW_MS 100
#define PLAIN_AFTER_MS 1000
#define PLAIN_EVERY_MS 5000
#define LINE_MAX_BYTES 512

void fb_progress_start(struct fb_progress_line *p, FILE *out, bool quiet)
{
	*p = (struct fb_progress_line){ .out = out, .quiet = quiet };
	p->terminal = isatty(fileno(out)) == 1;
	p->start_ms = fb_now_ms();
}

static size_t columns(FILE *out)
{
	struct winsize w;

	/* asked each time: a line longer than the window would wrap and stay */
	if (ioctl(fileno(out), TIOCGWINSZ, &w) < 0 || w.ws_col < 20)
		return 79;
	return w.ws_col - 1u;
}

static void render(char line[LINE_MAX_BYTES], const char *what,
		   uint64_t done_bytes, uint64_t total_bytes)
{
	char done[32], total[32];

	if (total_bytes)
		(void)snprintf(line, LINE_MAX_BYTES, "%s  %s of %s", what,
			       fb_format_size(done_bytes, done),
			       fb_format_size(total_bytes, total));
	else if (done_bytes)
		(void)snprintf(line, LINE_MAX_BYTES, "%s  %s", what,
			       fb_format_size(done_bytes, done));
	else
		(void)snprintf(line, LINE_MAX_BYTES, "%s", what);
}

void fb_progress_show(struct fb_progress_line *p, const char *what,
		      uint64_t done_bytes, uint64_t total_bytes)
{
	uint64_t now = fb_now_ms();
	char line[LINE_MAX_BYTES];

	if (!p->out || p->quiet)
		return;
	if (p->terminal
		    ? p->drawn && now - p->last_ms < REDRAW_MS
		    : now - p->start_ms < PLAIN_AFTER_MS ||
			      (p->last_ms && now - p->last_ms < PLAIN_EVERY_MS))
		return;
	p->last_ms = now;
	render(line, what, done_bytes, total_bytes);
	if (p->terminal) {
		(void)fprintf(p->out, "\r%.*s\033[K", (int)columns(p->out),
			      line);
		p->drawn = true;
	} else {
		(void)fprintf(p->out, "%s\n", line);
	}
	(void)fflush(p->out);
}

void fb_progress_clear(struct fb_progress_line *p)
{
	if (!p->drawn)
		return;
	(void)fputs("\r\033[K", p->out);
	(void)fflush(p->out);
	p->drawn = false;
}
