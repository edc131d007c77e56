/* SPDX-License-Identifier: Apache-2.0 */
#include "container/exit_record.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/io.h"

static const char *const class_names[] = {
	[FB_EXIT_UNKNOWN] = "unknown",
	[FB_EXIT_EXITED] = "exited",
	[FB_EXIT_SIGNALED] = "signaled",
	[FB_EXIT_NOT_FOUND] = "not-found",
	[FB_EXIT_NOT_EXEC] = "not-executable",
	[FB_EXIT_SETUP_FAILED] = "setup-failed",
	[FB_EXIT_PANIC] = "panic",
	[FB_EXIT_VMM_KILLED] = "vmm-killed",
	[FB_EXIT_VMM_EXITED] = "vmm-exited",
	[FB_EXIT_NO_ANSWER] = "no-answer",
	[FB_EXIT_BAD_GUEST] = "bad-guest",
	[FB_EXIT_CLIENT_GONE] = "client-gone",
	[FB_EXIT_STOPPED] = "stopped",
	[FB_EXIT_NOT_STARTED] = "not-started",
};
_Static_assert(FB_ARRAY_SIZE(class_names) == FB_EXIT_CLASS_COUNT,
	       "a name each");

const char *fb_exit_class_name(enum fb_exit_class class_)
{
	return class_names[class_];
}

static enum fb_exit_class class_of(uint16_t kind)
{
	switch (kind) {
	case FB_GUEST_EXITED:
		return FB_EXIT_EXITED;
	case FB_GUEST_SIGNALED:
		return FB_EXIT_SIGNALED;
	case FB_GUEST_NOT_FOUND:
		return FB_EXIT_NOT_FOUND;
	case FB_GUEST_NOT_EXEC:
		return FB_EXIT_NOT_EXEC;
	default:
		return FB_EXIT_SETUP_FAILED;
	}
}

void fb_exit_record_of_guest(const struct fb_frame *frame,
			     struct fb_exit_record *ret)
{
	char text[FB_GUEST_TEXT_MAX + 1];
	struct fb_guest_exit exit = fb_frame_exit(frame, text);

	*ret = (struct fb_exit_record){
		.class_ = class_of(exit.kind),
		.value = exit.value,
		.oom = (exit.flags & FB_GUEST_EXIT_OOM) != 0,
		.disk_full = (exit.flags & FB_GUEST_EXIT_DISK_FULL) != 0,
	};
	(void)snprintf(ret->text, sizeof(ret->text), "%s", text);
}

size_t fb_exit_record_format(const struct fb_exit_record *record, char *out)
{
	int n = snprintf(out, FB_EXIT_RECORD_MAX,
			 "flamebox-exit 1\nclass %s\nvalue %u\nstarted %d\n"
			 "oom %d\ndisk-full %d\nended %lld\ntext %.*s\n",
			 class_names[record->class_], record->value,
			 record->started, record->oom, record->disk_full,
			 (long long)record->ended_s, FB_EXIT_TEXT_MAX - 1,
			 record->text);

	return (size_t)n;
}

/* the rest of the line behind "@key "; NULL where the line is another */
static char *line_value(char **rest, const char *key)
{
	char *line = strsep(rest, "\n");
	size_t len = strlen(key);

	if (!line || !*rest || strncmp(line, key, len) || line[len] != ' ')
		return NULL;
	return line + len + 1;
}

static int line_number(char **rest, const char *key, long long min,
		       long long max, long long *ret)
{
	char *text = line_value(rest, key), *end;

	if (!text || !*text)
		return -EBADMSG;
	errno = 0;
	*ret = strtoll(text, &end, 10);
	return errno || *end || *ret < min || *ret > max ? -EBADMSG : 0;
}

static int parse_class(const char *text, enum fb_exit_class *ret)
{
	for (unsigned int i = 0; text && i < FB_EXIT_CLASS_COUNT; i++) {
		if (!strcmp(text, class_names[i])) {
			*ret = (enum fb_exit_class)i;
			return 0;
		}
	}
	return -EBADMSG;
}

static int parse_lines(char *rest, struct fb_exit_record *r)
{
	long long value, started, oom, disk_full, ended;
	char *text;

	if (line_number(&rest, "flamebox-exit", 1, 1, &value) < 0 ||
	    parse_class(line_value(&rest, "class"), &r->class_) < 0 ||
	    line_number(&rest, "value", 0, UINT32_MAX, &value) < 0 ||
	    line_number(&rest, "started", 0, 1, &started) < 0 ||
	    line_number(&rest, "oom", 0, 1, &oom) < 0 ||
	    line_number(&rest, "disk-full", 0, 1, &disk_full) < 0 ||
	    line_number(&rest, "ended", 0, INT64_MAX, &ended) < 0)
		return -EBADMSG;
	text = line_value(&rest, "text");
	if (!text || strlen(text) >= sizeof(r->text))
		return -EBADMSG;
	r->value = (uint32_t)value;
	r->started = started != 0;
	r->oom = oom != 0;
	r->disk_full = disk_full != 0;
	r->ended_s = ended;
	(void)snprintf(r->text, sizeof(r->text), "%s", text);
	return 0;
}

int fb_exit_record_parse(const char *text, size_t len,
			 struct fb_exit_record *ret, struct fb_err *err)
{
	struct fb_exit_record record = { 0 };
	char copy[FB_EXIT_RECORD_MAX + 1];

	if (len > FB_EXIT_RECORD_MAX || memchr(text, '\0', len))
		return fb_err_set(err, -EBADMSG, "exit record is malformed");
	memcpy(copy, text, len);
	copy[len] = '\0';
	if (parse_lines(copy, &record) < 0)
		return fb_err_set(err, -EBADMSG, "exit record is malformed");
	*ret = record;
	return 0;
}

int fb_exit_record_read(int dir_fd, struct fb_exit_record *ret,
			struct fb_err *err)
{
	FB_FREE char *text = NULL;
	size_t len;
	int r = fb_read_file_at(dir_fd, "exit", FB_EXIT_RECORD_MAX, &text,
				&len);

	if (r < 0)
		return fb_err_set(err, r, "read the exit record: %m");
	return fb_exit_record_parse(text, len, ret, err);
}

int fb_exit_record_status(const struct fb_exit_record *record)
{
	switch (record->class_) {
	case FB_EXIT_EXITED:
		return (int)(record->value & 0xff);
	case FB_EXIT_SIGNALED:
		return 128 + (int)(record->value & 0x7f);
	case FB_EXIT_NOT_FOUND:
		return 127;
	case FB_EXIT_NOT_EXEC:
		return 126;
	case FB_EXIT_SETUP_FAILED:
		return 125;
	case FB_EXIT_UNKNOWN:
	case FB_EXIT_PANIC:
	case FB_EXIT_VMM_KILLED:
	case FB_EXIT_VMM_EXITED:
	case FB_EXIT_NO_ANSWER:
	case FB_EXIT_BAD_GUEST:
	case FB_EXIT_CLIENT_GONE:
	case FB_EXIT_STOPPED:
	case FB_EXIT_NOT_STARTED:
	case FB_EXIT_CLASS_COUNT:
		break;
	}
	return record->started ? 137 : 125;
}

static int lost(struct fb_err *err, const struct fb_exit_record *r,
		const char *what)
{
	return fb_err_set(err, -EIO, "machine: %s%s%s", what,
			  r->text[0] ? ": " : "", r->text);
}

int fb_exit_record_error(const struct fb_exit_record *record,
			 struct fb_err *err)
{
	char what[80];

	switch (record->class_) {
	case FB_EXIT_EXITED:
	case FB_EXIT_SIGNALED:
		return 0;
	case FB_EXIT_NOT_FOUND:
	case FB_EXIT_NOT_EXEC:
	case FB_EXIT_SETUP_FAILED:
		return fb_err_set(err, -EINVAL, "%s", record->text);
	case FB_EXIT_PANIC:
		return lost(err, record,
			    record->oom ? "the guest's kernel ran out of memory"
					: "the guest's kernel panicked");
	case FB_EXIT_VMM_KILLED:
		(void)snprintf(what, sizeof(what),
			       "the VMM was killed by signal %u",
			       record->value);
		return lost(err, record, what);
	case FB_EXIT_VMM_EXITED:
		(void)snprintf(
			what, sizeof(what),
			"the VMM ended with status %u and no exit record",
			record->value);
		return lost(err, record, what);
	case FB_EXIT_NO_ANSWER:
		return lost(err, record, "the guest did not answer in time");
	case FB_EXIT_BAD_GUEST:
		return lost(err, record, "the guest broke the protocol");
	case FB_EXIT_CLIENT_GONE:
		return lost(err, record, "its client was gone");
	case FB_EXIT_STOPPED:
		return lost(err, record, "it was ended from outside");
	case FB_EXIT_NOT_STARTED:
		return lost(err, record, "the VMM could not be started");
	case FB_EXIT_UNKNOWN:
	case FB_EXIT_CLASS_COUNT:
		break;
	}
	return lost(err, record, "it ended without an exit record");
}
