/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/timeline.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/str.h"

void fb_timeline_start(struct fb_timeline *t)
{
	*t = (struct fb_timeline){ .start_ns = fb_now_ns() };
}

void fb_timeline_mark_at(struct fb_timeline *t, const char *name, uint64_t ns)
{
	size_t i = t->count;

	if (ns < t->start_ns || t->count == FB_TIMELINE_MARKS_MAX)
		return;
	for (; i > 0 && t->marks[i - 1].ns > ns; i--)
		t->marks[i] = t->marks[i - 1];
	t->marks[i].ns = ns;
	(void)snprintf(t->marks[i].name, sizeof(t->marks[i].name), "%s", name);
	t->count++;
}

void fb_timeline_mark(struct fb_timeline *t, const char *name)
{
	fb_timeline_mark_at(t, name, fb_now_ns());
}

int fb_timeline_write(const struct fb_timeline *t, const char *path,
		      struct fb_err *err)
{
	FB_STR struct fb_str text = FB_STR_INIT(8192);
	uint64_t before = t->start_ns;
	int r;

	fb_str_puts(&text, "{\"phases\": [");
	for (size_t i = 0; i < t->count; i++) {
		const struct fb_timeline_mark *m = &t->marks[i];

		fb_str_printf(&text,
			      "%s\n  {\"name\": \"%s\", \"at_ms\": %.3f, "
			      "\"took_ms\": %.3f}",
			      i ? "," : "", m->name,
			      (double)(m->ns - t->start_ns) / 1e6,
			      m->ns > before ? (double)(m->ns - before) / 1e6
					     : 0.0);
		if (m->ns > before)
			before = m->ns;
	}
	fb_str_puts(&text, "\n]}\n");
	r = text.err ? text.err
		     : fb_write_file_at(AT_FDCWD, path, text.buf, text.len,
					0644);
	return r < 0 ? fb_err_set(err, r, "write timeline '%s': %m", path) : 0;
}
