/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "container/evidence.h"
#include "container/verdict.h"
#include "tap.h"

static void feed(struct fb_evidence *e, const char *text, size_t len)
{
	int fds[2];

	if (pipe(fds) < 0)
		exit(1);
	(void)fb_set_nonblock(fds[0], true);
	e->fd = fds[0];
	for (size_t at = 0, n; at < len; at += n) {
		n = len - at < 32768 ? len - at : 32768;
		(void)fb_write_full(fds[1], text + at, n);
		fb_evidence_read(e);
	}
	(void)close(fds[1]);
	fb_evidence_read(e);
}

static void test_lines(void)
{
	static const char text[] =
		"first\r\n[ 1.0] Kernel panic - a\x1b[0m\n"
		"Kernel panic - b\n\nlast\n\n";
	struct fb_evidence e = { .fd = -EBADF, .show = -EBADF };
	char line[64], small[8];

	fb_evidence_line(&e, NULL, line, sizeof(line));
	TAP_STR(line, "", "nothing was said");
	feed(&e, text, sizeof(text) - 1);
	TAP_INT(e.fd, -EBADF, "the end is noticed");
	fb_evidence_line(&e, NULL, line, sizeof(line));
	TAP_STR(line, "last", "the last line that is not empty");
	fb_evidence_line(&e, "Kernel panic", line, sizeof(line));
	TAP_STR(line, "Kernel panic - a?[0m",
		"the first with a word, from it on, made visible");
	fb_evidence_line(&e, "Kernel panic", small, sizeof(small));
	TAP_STR(small, "Kernel ", "cut");
	fb_evidence_line(&e, "absent", line, sizeof(line));
	TAP_STR(line, "", "no line has it");
	fb_evidence_release(&e);
}

static void test_tail(void)
{
	size_t len = 3 * (size_t)FB_EVIDENCE_SIZE + 1000;
	struct fb_evidence e = { .fd = -EBADF, .show = -EBADF };
	FB_FREE char *text = malloc(len), *tail = NULL;

	if (!text)
		exit(1);
	for (size_t i = 0; i < len; i++)
		text[i] = (char)('a' + i % 23);
	feed(&e, text, len);
	tail = fb_evidence_text(&e);
	TAP_INT(strlen(tail), FB_EVIDENCE_SIZE, "a flood is bounded");
	TAP_OK(!memcmp(tail, text + len - FB_EVIDENCE_SIZE, FB_EVIDENCE_SIZE),
	       "its end is kept");
	fb_evidence_release(&e);
}

/* what a VMM said last, or the first that its log calls an error */
static void test_verdict(void)
{
	static const struct {
		const char *said;
		const char *want;
	} cases[] = {
		{ "one\ntwo\n", "two" },
		{ "2026-01-01 [id:main:WARN] odd\n"
		  "2026-01-01 [id:main:ERROR] the reason\n"
		  "2026-01-01 [id:main:ERROR] it follows\nError: that\n",
		  "the reason" },
		{ "x [id:main:ERROR] RunWithApiError error: Failed to build "
		  "MicroVM from Json: Boot source error: RunWithApiError "
		  "error: it\n",
		  "Boot source error: RunWithApiError error: it" },
		{ "x [id:main:ERROR] RunWithApiError error: ", "" },
		{ "", "" },
	};

	for (size_t i = 0; i < FB_ARRAY_SIZE(cases); i++) {
		struct fb_evidence console = { .fd = -EBADF, .show = -EBADF };
		struct fb_evidence said = { .fd = -EBADF, .show = -EBADF };
		struct fb_exit_record record = { 0 };

		feed(&said, cases[i].said, strlen(cases[i].said));
		fb_verdict_vmm_ended(1 << 8, &console, &said, &record);
		TAP_INT(record.class_, FB_EXIT_VMM_EXITED, "it ended itself");
		TAP_STR(record.text, cases[i].want, "with its reason");
		fb_evidence_release(&said);
	}
}

int main(void)
{
	test_lines();
	test_tail();
	test_verdict();
	return tap_done();
}
