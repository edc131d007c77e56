/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/progress.h"

#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/format.h"

#define REDRAW_MS 100
#define PLAIN_MS 1000 /* a step that takes longer deserves a line */

void fb_progress_start(struct fb_progress_line *p, FILE *out, bool quiet)
{
	*p = (struct fb_progress_line){
		.out = out,
		.terminal = isatty(fileno(out)) != 0,
		.quiet = quiet,
		.start_ms = fb_now_ms(),
	};
	p->last_ms = p->start_ms;
}

static size_t terminal_width(const FILE *out)
{
	struct winsize size;

	if (ioctl(fileno((FILE *)(uintptr_t)out), TIOCGWINSZ, &size) < 0 ||
	    size.ws_col < 20)
		return 79;
	return (size_t)size.ws_col - 1;
}

void fb_progress_show(struct fb_progress_line *p, const char *what,
		      uint64_t done_bytes, uint64_t total_bytes)
{
	uint64_t now = fb_now_ms();
	char done[32], total[32], line[256];

	if (p->quiet || !p->out ||
	    now - p->last_ms < (p->terminal ? REDRAW_MS : PLAIN_MS))
		return;
	p->last_ms = now;
	fb_format_size(done_bytes, done);
	fb_format_size(total_bytes, total);
	if (total_bytes)
		(void)snprintf(line, sizeof(line), "%s: %s of %s", what, done,
			       total);
	else if (done_bytes)
		(void)snprintf(line, sizeof(line), "%s: %s", what, done);
	else
		(void)snprintf(line, sizeof(line), "%s", what);
	if (p->terminal) {
		(void)fprintf(p->out, "\r\033[K%.*s",
			      (int)terminal_width(p->out), line);
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
