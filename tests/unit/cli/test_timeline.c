/* SPDX-License-Identifier: Apache-2.0 */
/* run --timeline: order, what a guest may call a phase, JSON and picture. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "cli/timeline.h"
#include "tap.h"

#define MS 1000000ull

static struct fb_timeline make(void)
{
	struct fb_timeline t = { .start_ns = 100 * MS };

	fb_timeline_mark_at(&t, "image", 102 * MS);
	fb_timeline_mark_at(&t, "gone", 350 * MS);
	fb_timeline_mark_at(&t, "<ready> \"&\n", 140 * MS);
	fb_timeline_mark_at(&t, "before it began", 99 * MS);
	return t;
}

static char *written(const char *name)
{
	char folder[] = "/tmp/fb-timeline-XXXXXX", path[64];
	struct fb_timeline t = make();
	char *text = NULL;

	if (!mkdtemp(folder))
		return NULL;
	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	TAP_INT(fb_timeline_write(&t, path, NULL), 0, "write %s", name);
	(void)fb_read_file_at(-1, path, 65536, &text, NULL);
	(void)unlink(path);
	(void)rmdir(folder);
	return text;
}

static void test_order(void)
{
	struct fb_timeline t = make();

	TAP_INT(t.count, 3, "what was before the start is none");
	TAP_STR(t.marks[1].name, "_ready_ ___", "a guest's name is harmless");
	TAP_STR(t.marks[2].name, "gone", "marks are in the order of time");
	for (size_t i = 0; i < FB_TIMELINE_MARKS_MAX + 5; i++)
		fb_timeline_mark_at(&t, "many", 400 * MS);
	TAP_INT(t.count, FB_TIMELINE_MARKS_MAX, "a full one stays");
}

static void test_json(void)
{
	FB_FREE char *text = written("t.json");

	TAP_STR(text,
		"{\"phases\": [\n"
		"  {\"name\": \"image\", \"at_ms\": 2.000, \"took_ms\": "
		"2.000},\n"
		"  {\"name\": \"_ready_ ___\", \"at_ms\": 40.000, "
		"\"took_ms\": 38.000},\n"
		"  {\"name\": \"gone\", \"at_ms\": 250.000, \"took_ms\": "
		"210.000}\n"
		"]}\n",
		"JSON");
}

static size_t count(const char *text, const char *word)
{
	size_t n = 0;

	for (; text && (text = strstr(text, word)); text++)
		n++;
	return n;
}

static void test_picture(void)
{
	FB_FREE char *text = written("t.svg");
	const struct fb_timeline empty = { .start_ns = 5 };
	FB_STR struct fb_str out = FB_STR_INIT(16384);
	FB_STR struct fb_str small = FB_STR_INIT(100);
	struct fb_timeline t = make();

	TAP_INT(count(text, "<rect"), 3, "a bar a phase");
	TAP_INT(count(text, "<line"), 6, "lines at 0, 50, … 250 ms");
	TAP_OK(text && strstr(text, ">200 ms<"), "and their times");
	/* 620 pixels are 250 ms: from 40 ms on, 210 ms wide */
	TAP_OK(text && strstr(text, "x=\"229.2\" y=\"82\" width=\"520.8\""),
	       "as wide as it took long");
	TAP_OK(text && !strncmp(text, "<svg ", 5) &&
		       !strcmp(text + strlen(text) - 7, "</svg>\n"),
	       "whole");
	TAP_INT(fb_timeline_draw(&empty, &out), 0, "an empty one is drawn");
	TAP_INT(fb_timeline_draw(&t, &small), -E2BIG, "too little room");
}

static void test_most(void)
{
	struct fb_timeline t = { .start_ns = 1 };
	FB_STR struct fb_str out = FB_STR_INIT(32768);

	for (size_t i = 0; i < FB_TIMELINE_MARKS_MAX; i++)
		fb_timeline_mark_at(&t, "a name of twenty-three b",
				    1 + (i + 1) * 86400000 * MS);
	TAP_INT(fb_timeline_draw(&t, &out), 0, "the largest fits");
}

int main(void)
{
	test_order();
	test_json();
	test_picture();
	test_most();
	return tap_done();
}
