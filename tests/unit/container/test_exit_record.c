/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <signal.h>
#include <stdint.h>

#include "container/exit_record.h"
#include "tap.h"

static void test_there_and_back(void)
{
	char text[FB_EXIT_RECORD_MAX], again[FB_EXIT_RECORD_MAX];
	struct fb_exit_record in = { .value = UINT32_MAX,
				     .started = true,
				     .oom = true,
				     .disk_full = true,
				     .ended_s = INT64_MAX };
	struct fb_exit_record out;
	size_t len;

	memset(in.text, 'x', sizeof(in.text) - 1);
	for (unsigned int i = 0; i < FB_EXIT_CLASS_COUNT; i++) {
		in.class_ = (enum fb_exit_class)i;
		len = fb_exit_record_format(&in, text);
		TAP_OK(len < FB_EXIT_RECORD_MAX, "%s fits",
		       fb_exit_class_name(in.class_));
		TAP_INT(fb_exit_record_parse(text, len, &out, NULL), 0,
			"is read");
		TAP_OK(fb_exit_record_format(&out, again) == len &&
			       !memcmp(text, again, len),
		       "as it was");
	}
}

static void test_malformed(void)
{
	static const char good[] =
		"flamebox-exit 1\nclass exited\nvalue 3\nstarted 1\noom 0\n"
		"disk-full 0\nended 7\ntext \n";
	static const char *const bad[] = {
		"",
		"\n",
		"flamebox-exit 1\n",
		"flamebox-exit 2\nclass exited\nvalue 3\nstarted 1\noom 0\n"
		"disk-full 0\nended 7\ntext \n",
		"flamebox-exit 1\nclass nonsense\nvalue 3\nstarted 1\noom 0\n"
		"disk-full 0\nended 7\ntext \n",
		"flamebox-exit 1\nclass exited\nvalue -1\nstarted 1\noom 0\n"
		"disk-full 0\nended 7\ntext \n",
		"flamebox-exit 1\nclass exited\nvalue 4294967296\nstarted 1\n"
		"oom 0\ndisk-full 0\nended 7\ntext \n",
		"flamebox-exit 1\nclass exited\nvalue 3x\nstarted 1\noom 0\n"
		"disk-full 0\nended 7\ntext \n",
		"flamebox-exit 1\nclass exited\nvalue 3\nstarted 2\noom 0\n"
		"disk-full 0\nended 7\ntext \n",
		"flamebox-exit 1\nclass exited\nvalue 3\nstarted 1\noom 0\n"
		"disk-full 0\nended 9223372036854775808\ntext \n",
		"flamebox-exit 1\nclass exited\nstarted 1\nvalue 3\noom 0\n"
		"disk-full 0\nended 7\ntext \n",
		"flamebox-exit 1\nclass exited\nvalue 3\nstarted 1\noom 0\n"
		"disk-full 0\nended 7\ntext no end",
	};
	char large[FB_EXIT_RECORD_MAX + 1] = { 0 };
	struct fb_exit_record r = { .value = 99 };
	struct fb_err err = { 0 };

	TAP_INT(fb_exit_record_parse(good, sizeof(good) - 1, &r, NULL), 0,
		"a good one");
	TAP_INT(r.value, 3, "its value");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		r.value = 99;
		TAP_INT(fb_exit_record_parse(bad[i], strlen(bad[i]), &r, &err),
			-EBADMSG, "bad record %zu", i);
		TAP_INT(r.value, 99, "nothing is written");
	}
	for (size_t len = 0; len < sizeof(good) - 2; len++)
		if (fb_exit_record_parse(good, len, &r, NULL) != -EBADMSG)
			TAP_OK(false, "cut to %zu bytes it is still taken",
			       len);
	TAP_INT(fb_exit_record_parse(good, sizeof(good), &r, NULL), -EBADMSG,
		"a NUL");
	memset(large, 'x', sizeof(large));
	TAP_INT(fb_exit_record_parse(large, sizeof(large), &r, NULL), -EBADMSG,
		"over the maximum");
}

static void test_status(void)
{
	static const struct {
		struct fb_exit_record record;
		int status;
		const char *error; /* start of it; NULL = none */
	} cases[] = {
		{ { .class_ = FB_EXIT_EXITED, .value = 7 }, 7, NULL },
		{ { .class_ = FB_EXIT_EXITED, .value = 137, .oom = true },
		  137,
		  NULL },
		{ { .class_ = FB_EXIT_SIGNALED, .value = SIGKILL }, 137, NULL },
		{ { .class_ = FB_EXIT_SIGNALED, .value = 64 }, 192, NULL },
		{ { .class_ = FB_EXIT_NOT_FOUND, .text = "why" }, 127, "why" },
		{ { .class_ = FB_EXIT_NOT_EXEC, .text = "why" }, 126, "why" },
		{ { .class_ = FB_EXIT_SETUP_FAILED, .text = "w" }, 125, "w" },
		{ { .class_ = FB_EXIT_PANIC, .text = "line" },
		  125,
		  "machine: the guest's kernel panicked: line" },
		{ { .class_ = FB_EXIT_PANIC, .started = true, .oom = true },
		  137,
		  "machine: the guest's kernel ran out of memory" },
		{ { .class_ = FB_EXIT_VMM_KILLED, .value = 9, .started = true },
		  137,
		  "machine: the VMM was killed by signal 9" },
		{ { .class_ = FB_EXIT_VMM_EXITED, .value = 1, .text = "e" },
		  125,
		  "machine: the VMM ended with status 1 and no exit record: e" },
		{ { .class_ = FB_EXIT_NO_ANSWER },
		  125,
		  "machine: the guest did not answer in time" },
		{ { .class_ = FB_EXIT_BAD_GUEST, .started = true },
		  137,
		  "machine: the guest broke the protocol" },
		{ { .class_ = FB_EXIT_CLIENT_GONE },
		  125,
		  "machine: its client was gone" },
		{ { .class_ = FB_EXIT_STOPPED, .started = true },
		  137,
		  "machine: it was ended from outside" },
		{ { .class_ = FB_EXIT_NOT_STARTED, .text = "start 'x': y" },
		  125,
		  "machine: the VMM could not be started: start 'x': y" },
		{ { .class_ = FB_EXIT_UNKNOWN },
		  125,
		  "machine: it ended without an exit record" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fb_err err = { 0 };
		int r = fb_exit_record_error(&cases[i].record, &err);

		TAP_INT(fb_exit_record_status(&cases[i].record),
			cases[i].status, "status of '%s'",
			fb_exit_class_name(cases[i].record.class_));
		TAP_INT(r < 0, cases[i].error != NULL, "has an error or not");
		TAP_STR(err.msg, cases[i].error ? cases[i].error : "", "text");
	}
}

static void test_of_guest(void)
{
	struct fb_guest_exit in = { FB_GUEST_NOT_EXEC,
				    FB_GUEST_EXIT_OOM | FB_GUEST_EXIT_DISK_FULL,
				    EACCES };
	uint8_t bytes[FB_FRAME_EXIT_MAX], buf[2 * FB_FRAME_SIZE_MAX], *to;
	struct fb_frame_reader reader;
	struct fb_exit_record r;
	struct fb_frame frame;
	size_t room, len;

	len = fb_frame_put_exit(bytes, 0, &in, "a\nb");
	fb_frame_reader_init(&reader, FB_FRAME_FROM_GUEST, buf, sizeof(buf));
	to = fb_frame_reader_space(&reader, &room);
	memcpy(to, bytes, len);
	fb_frame_reader_fed(&reader, len);
	TAP_INT(fb_frame_reader_next(&reader, &frame, NULL), 1, "a frame");
	fb_exit_record_of_guest(&frame, &r);
	TAP_INT(r.class_, FB_EXIT_NOT_EXEC, "class");
	TAP_INT(r.value, EACCES, "value");
	TAP_OK(r.oom && r.disk_full && !r.started, "flags");
	TAP_OK(strchr(r.text, '\n') == NULL && r.text[0] == 'a',
	       "its text is one line");
}

int main(void)
{
	test_there_and_back();
	test_malformed();
	test_status();
	test_of_guest();
	return tap_done();
}
