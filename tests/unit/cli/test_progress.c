/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a progress display writes to a terminal, to a file, and not at all.  The
 * terminal is a small one of the test's own, that breaks lines anew when it is
 * resized, behind a pseudo-terminal.
 */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "cli/progress.h"
#include "tap.h"

#define ROWS_MAX 200
#define COLUMNS_MAX 200
#define DIGEST \
	"sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde"

/** struct screen - A terminal: rows, and where the cursor is */
struct screen {
	char rows[ROWS_MAX][COLUMNS_MAX + 1];
	size_t columns;
	size_t row;
	size_t column;
};

static size_t csi(struct screen *s, const char *text)
{
	size_t n = 0, i = 2;

	for (; text[i] >= '0' && text[i] <= '9'; i++)
		n = n * 10 + (size_t)(text[i] - '0');
	if (text[i] == 'A')
		s->row -= n < s->row ? n : s->row;
	if (text[i] == 'K' || text[i] == 'J')
		s->rows[s->row][s->column] = '\0';
	for (size_t r = s->row + 1; text[i] == 'J' && r < ROWS_MAX; r++)
		s->rows[r][0] = '\0';
	return i + 1;
}

static void put_char(struct screen *s, char c)
{
	char *row;
	size_t len;

	if (s->column == s->columns) {
		s->row++;
		s->column = 0;
	}
	row = s->rows[s->row];
	len = strlen(row);
	for (; len < s->column; len++)
		row[len] = ' ';
	row[s->column++] = c;
	if (s->column > len)
		row[s->column] = '\0';
}

static void feed(struct screen *s, const char *text)
{
	while (*text) {
		if (text[0] == '\033' && text[1] == '[') {
			text += csi(s, text);
			continue;
		}
		if (*text == '\r')
			s->column = 0;
		else if (*text == '\n')
			s->row++;
		else
			put_char(s, *text);
		text++;
	}
}

/* Lines that are too long are broken, as terminals do it */
static void resize(struct screen *s, size_t columns)
{
	struct screen *old = malloc(sizeof(*old));
	size_t to = 0;

	if (!old)
		abort();
	*old = *s;
	memset(s->rows, 0, sizeof(s->rows));
	for (size_t r = 0; r < ROWS_MAX && r < old->row; r++) {
		size_t len = strlen(old->rows[r]), at = 0;

		do {
			size_t n = len - at < columns ? len - at : columns;

			memcpy(s->rows[to], old->rows[r] + at, n);
			s->rows[to++][n] = '\0';
			at += n;
		} while (at < len);
	}
	s->columns = columns;
	s->row = to;
	s->column = 0;
	free(old);
}

static size_t used(const struct screen *s)
{
	size_t n = ROWS_MAX;

	while (n > 0 && !s->rows[n - 1][0])
		n--;
	return n;
}

static int terminal_fd = -EBADF; /* the end that the program writes to */

static void set_size(size_t columns, size_t rows)
{
	struct winsize size = { .ws_row = (unsigned short)rows,
				.ws_col = (unsigned short)columns };

	(void)ioctl(terminal_fd, TIOCSWINSZ, &size);
}

static FILE *open_terminal(int *ret_master)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
	char name[64];

	if (master < 0 || grantpt(master) < 0 || unlockpt(master) < 0 ||
	    ptsname_r(master, name, sizeof(name)) != 0)
		return NULL;
	terminal_fd = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (terminal_fd < 0)
		return NULL;
	*ret_master = master;
	return fdopen(terminal_fd, "w");
}

/* what was written to the other end so far; never blocks */
static const char *written(int fd)
{
	static char text[65536];
	size_t len = 0;
	ssize_t n;

	while (len < sizeof(text) - 1 &&
	       (n = read(fd, text + len, sizeof(text) - 1 - len)) > 0)
		len += (size_t)n;
	text[len] = '\0';
	return text;
}

static void show(struct fb_progress_line *p, const char *event, const char *id,
		 uint64_t done, uint64_t total, bool ends)
{
	const struct fb_progress_step step = { .event = event,
					       .id = id,
					       .done_bytes = done,
					       .total_bytes = total,
					       .ends = ends };

	/* as if enough time had passed for it to be drawn */
	p->last_ms -= p->last_ms > 1000 ? 1000 : 0;
	fb_progress_show(p, &step);
}

static void test_terminal(struct screen *s)
{
	FB_FD int master = -EBADF;
	FB_FILE FILE *out = open_terminal(&master);
	struct fb_progress_line p;
	const char *text;

	if (!out) {
		tap_skip("no pseudo-terminal here");
		return;
	}
	set_size(80, 24);
	*s = (struct screen){ .columns = 80 };
	feed(s, "$ a command\r\n");
	fb_progress_start(&p, out, FB_PROGRESS_MODE_AUTO);
	TAP_OK(p.terminal, "a terminal");
	fb_progress_clear(&p);
	TAP_STR(written(master), "", "nothing was drawn, nothing to clear");
	fb_progress_show(&p, &(struct fb_progress_step){ .event = "resolving",
							 .id = "app:1",
							 .passing = true });
	feed(s, written(master));
	TAP_STR(s->rows[1], "app:1         resolving  ", "what passes by");
	show(&p, "downloading", DIGEST "a", 500000, 2000000, false);
	show(&p, "downloading", DIGEST "b", 0, 3000000, false);
	show(&p, "converting", "app:1", 0, 0, false);
	feed(s, written(master));
	TAP_STR(s->rows[0], "$ a command", "what stood there stays");
	TAP_STR(s->rows[1],
		"0123456789ab  downloading [========>                       ]"
		"  500kB/2MB",
		"a bar");
	TAP_STR(s->rows[3], "app:1         converting ", "without a size");
	TAP_INT(used(s), 4, "a line each");
	show(&p, "complete", DIGEST "a", 0, 0, true);
	text = written(master);
	TAP_OK(strstr(text, "\033[J") == NULL && strstr(text, "\033[2") == NULL,
	       "nothing is blanked before it is drawn");
	feed(s, text);
	TAP_STR(s->rows[1], "0123456789ab  complete     2MB/2MB",
		"what is whole keeps its size");
	TAP_INT(used(s), 4, "in its place");
	set_size(40, 24);
	resize(s, 40);
	show(&p, "downloading", DIGEST "b", 1000000, 3000000, false);
	feed(s, written(master));
	TAP_STR(s->rows[0], "$ a command", "after a resize");
	TAP_INT(used(s), 4, "nothing is left of the broken lines");
	for (size_t i = 1; i < 4; i++)
		TAP_OK(strlen(s->rows[i]) < 40, "'%s' fits", s->rows[i]);
	set_size(120, 24);
	resize(s, 120);
	show(&p, "downloading", DIGEST "b", 2000000, 3000000, false);
	feed(s, written(master));
	TAP_INT(used(s), 4, "and wider again");
	fb_progress_clear(&p);
	feed(s, written(master));
	TAP_INT(used(s), 1, "cleared");
	TAP_INT(s->row, 1, "the cursor is where it was");
	fb_progress_clear(&p);
	TAP_STR(written(master), "", "once");
	p.last_ms = fb_now_ms();
	fb_progress_redraw(&p);
	feed(s, written(master));
	TAP_INT(used(s), 4, "drawn again behind other output");
	p.last_ms = fb_now_ms();
	fb_progress_redraw(&p);
	TAP_STR(written(master), "", "not at once again");
}

static void test_many(struct screen *s)
{
	FB_FD int master = -EBADF;
	FB_FILE FILE *out = open_terminal(&master);
	struct fb_progress_line p;
	char id[40];

	if (!out) {
		tap_skip("no pseudo-terminal here");
		return;
	}
	set_size(60, 10);
	*s = (struct screen){ .columns = 60 };
	feed(s, "$ a command\r\n");
	fb_progress_start(&p, out, FB_PROGRESS_MODE_AUTO);
	for (unsigned int i = 0; i < 100; i++) {
		(void)snprintf(id, sizeof(id), "layer-%u", i);
		show(&p, "loading", id, i < 90 ? 10 : 5, 10, i < 90);
		feed(s, written(master));
		if (used(s) > 10 || strcmp(s->rows[0], "$ a command") != 0) {
			TAP_OK(false, "after %u bars: %zu rows", i, used(s));
			return;
		}
	}
	TAP_INT(used(s), 10, "never more than the terminal has");
	TAP_OK(strstr(s->rows[1], " done") != NULL, "'%s'", s->rows[1]);
	TAP_OK(strstr(s->rows[2], "layer-90") != NULL,
	       "what is going on is shown: '%s'", s->rows[2]);
}

static void test_render(void)
{
	static const char *const ids[] = { DIGEST "a", "x",
					   ("a name that is very long, with "
					    "\xc3\xa4 and \033[31m in it") };
	struct fb_progress_line p = { .count = 3 };
	size_t widths[FB_PROGRESS_BARS_MAX + 1];

	for (size_t i = 0; i < 3; i++) {
		(void)snprintf(p.bars[i].id, sizeof(p.bars[i].id), "%s",
			       ids[i]);
		p.bars[i].step = (struct fb_progress_step){
			.event = "downloading",
			.done_bytes = 1000000 * (i + 1),
			.total_bytes = UINT64_MAX / 4,
		};
	}
	for (size_t columns = 1; columns < 150; columns += 7) {
		FB_STR struct fb_str out = FB_STR_INIT(65536);
		size_t lines =
			fb_bars_render(&p, columns, 24, 10000, widths, &out);
		bool fits = lines == 3;

		for (size_t i = 0; i < lines; i++)
			fits &= widths[i] < columns;
		TAP_OK(fits && !strchr(fb_str_cstr(&out), '\033'),
		       "three lines fit in %zu columns", columns);
	}
	{
		FB_STR struct fb_str out = FB_STR_INIT(65536);

		p.bars[0].step.total_bytes = 11000000;
		p.count = 1;
		(void)fb_bars_render(&p, 100, 24, 2000, widths, &out);
		TAP_OK(strstr(fb_str_cstr(&out), "1MB/11MB  500kB/s  21s") !=
			       NULL,
		       "rate and time left: %.*s", (int)out.len - 1,
		       fb_str_cstr(&out));
	}
	widths[0] = 79;
	widths[1] = 0;
	widths[2] = 40;
	TAP_INT(fb_bars_height(widths, 3, 80), 3, "a row each");
	TAP_INT(fb_bars_height(widths, 3, 40), 4, "one is broken in two");
	TAP_INT(fb_bars_height(widths, 3, 20), 7, "or more");
	TAP_INT(fb_bars_height(widths, 0, 80), 0, "nothing is no row");
}

static FILE *open_pipe(int *ret_read)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) < 0)
		abort();
	*ret_read = fds[0];
	return fdopen(fds[1], "w");
}

static void test_brief(void)
{
	FB_FD int fd = -EBADF;
	FB_FILE FILE *out = open_pipe(&fd);
	struct fb_progress_line p;

	fb_progress_start(&p, out, FB_PROGRESS_MODE_AUTO);
	show(&p, "loading", "layer 1", 5, 10, false);
	TAP_STR(written(fd), "", "a quick step is not told");
	p.start_ms -= 5000;
	show(&p, "loading", "layer 1", 5, 10, false);
	TAP_STR(written(fd), "loading layer 1  5B of 10B\n",
		"a slow one is, as a line");
	p.last_ms = fb_now_ms() + 1000;
	show(&p, "loading", "layer 1", 6, 10, false);
	TAP_STR(written(fd), "", "now and then");
	p.last_ms -= 10000;
	show(&p, "loading", DIGEST "a", 0, 0, false);
	TAP_STR(written(fd), "loading 0123456789ab\n", "again later");
	fb_progress_clear(&p);
	TAP_STR(written(fd), "", "nothing to clear");
}

static void test_plain(void)
{
	FB_FD int fd = -EBADF;
	FB_FILE FILE *out = open_pipe(&fd);
	struct fb_progress_line p;

	fb_progress_start(&p, out, FB_PROGRESS_MODE_PLAIN);
	show(&p, "downloading", DIGEST "a", 5, 10, false);
	show(&p, "downloading", DIGEST "a", 6, 10, false);
	show(&p, "complete", DIGEST "a", 0, 0, true);
	show(&p, "done", "a/rather/long/name:1", 0, 0, true);
	TAP_STR(written(fd),
		"downloading 0123456789ab  5B of 10B\n"
		"complete 0123456789ab  10B of 10B\n"
		"done a/rather/long/name:1\n",
		"each step is a line, once");
}

static void test_json(void)
{
	FB_FD int fd = -EBADF;
	FB_FILE FILE *out = open_pipe(&fd);
	struct fb_progress_line p;
	char *text, *line, *save = NULL;
	size_t count = 0;

	fb_progress_start(&p, out, FB_PROGRESS_MODE_JSON);
	show(&p, "resolving", "app:1", 0, 0, false);
	show(&p, "downloading", DIGEST "a", 5, 10, false);
	show(&p, "downloading", DIGEST "a", 6, 10, false);
	show(&p, "downloading", DIGEST "a", 10, 10, false);
	show(&p, "loading", "\xff\"\n", 0, 0, false);
	fb_progress_message(out, "error", "it went wrong: \"x\"\n");
	text = strdup(written(fd));
	for (line = strtok_r(text, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		json_t *event = json_loads(line, 0, NULL);

		TAP_OK(event && json_object_get(event, "time") &&
			       json_object_get(event, "event"),
		       "an event: %s", line);
		count++;
		json_decref(event);
	}
	TAP_INT(count, 5, "one that says little came too soon");
	free(text);
}

static void test_quiet(void)
{
	FB_FD int fd = -EBADF;
	FB_FILE FILE *out = open_pipe(&fd);
	struct fb_progress_line p;

	fb_progress_start(&p, out, FB_PROGRESS_MODE_QUIET);
	p.start_ms -= 5000;
	show(&p, "loading", "layer 1", 5, 10, false);
	fb_progress_clear(&p);
	TAP_STR(written(fd), "", "quiet is quiet");
	p = (struct fb_progress_line){ 0 };
	show(&p, "loading", "layer 1", 5, 10, false);
	fb_progress_redraw(&p);
	fb_progress_clear(&p);
	TAP_OK(true, "one that was never started does nothing");
}

static void test_modes(void)
{
	enum fb_progress_mode mode = FB_PROGRESS_MODE_AUTO;
	struct fb_err err = { 0 };

	TAP_INT(fb_progress_mode_parse("json", &mode, &err), 0, "a mode");
	TAP_INT(mode, FB_PROGRESS_MODE_JSON, "is that");
	TAP_INT(fb_progress_mode_parse("tty", &mode, &err), -EINVAL,
		"another is none: %s", err.msg);
}

int main(void)
{
	struct screen *screen = calloc(1, sizeof(*screen));

	if (!screen)
		abort();
	test_terminal(screen);
	test_many(screen);
	test_render();
	test_brief();
	test_plain();
	test_json();
	test_quiet();
	test_modes();
	free(screen);
	return tap_done();
}
