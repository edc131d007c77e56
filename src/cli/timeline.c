/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/timeline.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/str.h"

#define TEXT_MAX 32768

void fb_timeline_start(struct fb_timeline *t)
{
	*t = (struct fb_timeline){ .start_ns = fb_now_ns() };
}

static void copy_name(char out[sizeof(((struct fb_timeline_mark *)0)->name)],
		      const char *name)
{
	(void)snprintf(out, sizeof(((struct fb_timeline_mark *)0)->name), "%s",
		       name);
	for (; *out; out++)
		if (!isalnum((unsigned char)*out) && !strchr(" -._", *out))
			*out = '_';
}

void fb_timeline_mark_at(struct fb_timeline *t, const char *name, uint64_t ns)
{
	size_t i = t->count;

	if (ns < t->start_ns || t->count == FB_TIMELINE_MARKS_MAX)
		return;
	for (; i > 0 && t->marks[i - 1].ns > ns; i--)
		t->marks[i] = t->marks[i - 1];
	t->marks[i].ns = ns;
	copy_name(t->marks[i].name, name);
	t->count++;
}

void fb_timeline_mark(struct fb_timeline *t, const char *name)
{
	fb_timeline_mark_at(t, name, fb_now_ns());
}

static int write_json(const struct fb_timeline *t, struct fb_str *out)
{
	uint64_t before = t->start_ns;

	fb_str_puts(out, "{\"phases\": [");
	for (size_t i = 0; i < t->count; i++) {
		const struct fb_timeline_mark *m = &t->marks[i];

		fb_str_printf(out,
			      "%s\n  {\"name\": \"%s\", \"at_ms\": %.3f, "
			      "\"took_ms\": %.3f}",
			      i ? "," : "", m->name,
			      (double)(m->ns - t->start_ns) / 1e6,
			      m->ns > before ? (double)(m->ns - before) / 1e6
					     : 0.0);
		if (m->ns > before)
			before = m->ns;
	}
	fb_str_puts(out, "\n]}\n");
	return out->err;
}

int fb_timeline_write(const struct fb_timeline *t, const char *path,
		      struct fb_err *err)
{
	FB_STR struct fb_str text = FB_STR_INIT(TEXT_MAX);
	size_t len = strlen(path);
	bool svg = len >= 4 && !strcmp(path + len - 4, ".svg");
	int r = svg ? fb_timeline_draw(t, &text) : write_json(t, &text);

	if (r == 0)
		r = fb_write_file_at(AT_FDCWD, path, text.buf, text.len, 0644);
	return r < 0 ? fb_err_set(err, r, "write timeline '%s': %m", path) : 0;
}
