/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a container ended: written once by the monitor, read by whoever asks.
 */
#ifndef FB_CONTAINER_EXIT_RECORD_H
#define FB_CONTAINER_EXIT_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "wire/frame.h"

#define FB_EXIT_TEXT_MAX 600
#define FB_EXIT_RECORD_MAX 4096

/** enum fb_exit_class - What happened; the first five are the guest's own word */
enum fb_exit_class {
	FB_EXIT_UNKNOWN,
	FB_EXIT_EXITED,	      /* value: exit status */
	FB_EXIT_SIGNALED,     /* value: signal */
	FB_EXIT_NOT_FOUND,    /* value: errno */
	FB_EXIT_NOT_EXEC,     /* value: errno */
	FB_EXIT_SETUP_FAILED, /* value: errno */
	FB_EXIT_PANIC, /* the guest's kernel gave up; @oom: for want of memory */
	FB_EXIT_VMM_KILLED,  /* value: signal */
	FB_EXIT_VMM_EXITED,  /* value: its exit status */
	FB_EXIT_NO_ANSWER,   /* the guest never said that it is ready */
	FB_EXIT_BAD_GUEST,   /* it broke the protocol */
	FB_EXIT_CLIENT_GONE, /* the client of a foreground run ended */
	FB_EXIT_STOPPED,     /* the monitor was told to end */
	FB_EXIT_NOT_STARTED, /* the VMM could not be started */
	FB_EXIT_CLASS_COUNT,
};

/** fb_exit_class_name() - As it stands in the record: "exited", "panic", … */
const char *fb_exit_class_name(enum fb_exit_class class_);

/**
 * struct fb_exit_record - How a container ended
 * @class_:    What happened
 * @value:     See the classes
 * @started:   The entrypoint had been started
 * @oom:       The guest had no memory left: its OOM killer hit it, or it panicked
 * @disk_full: Its writable disk had no space left
 * @ended_s:   UNIX seconds
 * @text:      One line of evidence, or ""
 */
struct fb_exit_record {
	enum fb_exit_class class_;
	uint32_t value;
	bool started;
	bool oom;
	bool disk_full;
	int64_t ended_s;
	char text[FB_EXIT_TEXT_MAX];
};

/**
 * fb_exit_record_of_guest() - What a checked EXIT frame says
 * @ret: class, value, flags and text are set; the rest is zero
 */
void fb_exit_record_of_guest(const struct fb_frame *frame,
			     struct fb_exit_record *ret);

/** fb_exit_record_format() - As text, at most FB_EXIT_RECORD_MAX bytes. Return: length */
size_t fb_exit_record_format(const struct fb_exit_record *record, char *out);

/** fb_exit_record_parse() - Return: 0; -EBADMSG malformed */
int fb_exit_record_parse(const char *text, size_t len,
			 struct fb_exit_record *ret, struct fb_err *err);

/** fb_exit_record_read() - Return: 0; -ENOENT none; -EBADMSG; a negative errno */
int fb_exit_record_read(int dir_fd, struct fb_exit_record *ret,
			struct fb_err *err);

/**
 * fb_exit_record_status() - docker's exit status
 *
 * The status itself, 128 + signal, 127, 126, 125 where nothing of the user's ran,
 * 137 (what docker reports for a lost shim) where the machine was lost.
 */
int fb_exit_record_status(const struct fb_exit_record *record);

/**
 * fb_exit_record_error() - One line for the user, where there is something to say
 * @err: Filled in
 *
 * Return: 0 where the exit status says it all; otherwise a negative errno.
 */
int fb_exit_record_error(const struct fb_exit_record *record,
			 struct fb_err *err);

#endif
