/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Errors that a person reads.
 *
 * A function returns 0 (or a documented value >= 0), or a negative errno.  One
 * that crosses a module boundary also takes a `struct fb_err *` as its last
 * parameter, which may be NULL.  The object lives on the caller's stack, so it
 * works when memory is exhausted and in PID 1.  Success leaves it untouched.
 *
 * Text is lower case, without a full stop, the subject in single quotes.  Each
 * boundary wraps what it got with what it was doing, so the line reads from
 * the outside in: "pull 'alpine': layer 2: connect to 'host': timed out".
 */
#ifndef FB_BASE_ERR_H
#define FB_BASE_ERR_H

#include <stddef.h>

#define FB_ERR_MSG_MAX 1024
#define FB_ERR_HINT_MAX 256

/**
 * struct fb_err - One error, with its text and what to do next
 * @code: Negative errno; 0 in an unused object
 * @msg:  What failed, on what, why; control characters are made visible
 * @hint: What the user can do next, or ""
 */
struct fb_err {
	int code;
	char msg[FB_ERR_MSG_MAX];
	char hint[FB_ERR_HINT_MAX];
};

/**
 * fb_err_set() - Record an error where it happens
 * @err:  Error detail, or NULL
 * @code: Negative errno; %m in @fmt is its text
 * @fmt:  printf format
 *
 * The text is cut, never overrun; control characters in it (a hostile name, a
 * newline) are replaced by '?', so that one error is one line.
 *
 * Return: @code.
 */
int fb_err_set(struct fb_err *err, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/**
 * fb_err_wrap() - Put "what we were doing: " before the text of an error
 * @err:  Error detail set by the callee, or NULL
 * @code: Negative errno that the callee returned
 * @fmt:  printf format of what we were doing
 *
 * Where the callee left no text, strerror(@code) takes its place.
 *
 * Return: @code.
 */
int fb_err_wrap(struct fb_err *err, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/**
 * fb_err_hint() - Say what the user can do next
 * @err:  Error detail that was set before, or NULL
 * @code: Returned as it is, so that it ends a return statement
 * @fmt:  printf format; an earlier (inner, more exact) hint is kept
 *
 * Return: @code.
 */
int fb_err_hint(struct fb_err *err, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif
