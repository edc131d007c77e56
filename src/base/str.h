/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A growing byte string with a maximum.
 *
 * Appending past the maximum, or out of memory, puts the string in a failed
 * state that later appends keep; a builder therefore checks once, at its end.
 */
#ifndef FB_BASE_STR_H
#define FB_BASE_STR_H

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

/**
 * struct fb_str - Growing byte string
 * @buf: Bytes, always followed by a NUL; NULL while nothing was appended
 * @len: Bytes used, without the NUL
 * @cap: Bytes allocated
 * @max: Most bytes that @len may reach
 * @err: 0, or the negative errno of the first append that failed
 */
struct fb_str {
	char *buf;
	size_t len;
	size_t cap;
	size_t max;
	int err;
};

/** FB_STR_INIT() - An empty string that may grow to @max_ bytes */
#define FB_STR_INIT(max_) ((struct fb_str){ .max = (max_) })

/**
 * fb_str_append() - Append bytes
 * @s:    String (borrowed)
 * @data: Bytes (borrowed); may be NULL when @len is 0
 * @len:  Count
 *
 * Return: 0; -E2BIG over the maximum; -ENOMEM; or an earlier failure.
 */
int fb_str_append(struct fb_str *s, const void *data, size_t len);

/** fb_str_puts() - Append a C string; see fb_str_append() */
int fb_str_puts(struct fb_str *s, const char *text);

/** fb_str_putc() - Append one byte; see fb_str_append() */
int fb_str_putc(struct fb_str *s, char c);

/** fb_str_printf() - Append formatted text; see fb_str_append() */
int fb_str_printf(struct fb_str *s, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/**
 * fb_str_reserve() - Make room for @len more bytes and return where they go
 * @s:   String (borrowed)
 * @len: Count; the caller adds what it wrote to @s->len and keeps the NUL
 *
 * Return: pointer into the buffer, with @len + 1 bytes of room; NULL on failure.
 */
char *fb_str_reserve(struct fb_str *s, size_t len);

/** fb_str_truncate() - Forget bytes from @len on; a failed state is cleared */
void fb_str_truncate(struct fb_str *s, size_t len);

/**
 * fb_str_take() - Move the buffer out
 * @s: String; empty afterwards
 *
 * Return: malloc'ed NUL-terminated bytes (returned), "" where nothing was
 * appended; NULL where an append had failed (@s->err says why).
 */
char *fb_str_take(struct fb_str *s);

/** fb_str_cstr() - The bytes so far as a C string (borrowed), never NULL */
const char *fb_str_cstr(const struct fb_str *s);

/** fb_str_release() - Free the buffer; the maximum stays */
void fb_str_release(struct fb_str *s);

/** FB_STR - `FB_STR struct fb_str s = FB_STR_INIT(max);` releases itself */
#define FB_STR FB_CLEANUP(fb_str_release)

/**
 * struct fb_strv - Growing NULL-terminated vector of C strings (owned)
 * @v:     Strings; NULL while empty
 * @count: Strings, without the NULL
 * @cap:   Slots allocated
 * @max:   Most strings, 0 = FB_STRV_MAX
 * @err:   As in struct fb_str
 */
struct fb_strv {
	char **v;
	size_t count;
	size_t cap;
	size_t max;
	int err;
};

#define FB_STRV_MAX 1048576

/** fb_strv_add() - Append a copy. Return: 0; -ENOMEM; -E2BIG; sticky */
int fb_strv_add(struct fb_strv *v, const char *text);

/** fb_strv_addf() - Append formatted text; see fb_strv_add() */
int fb_strv_addf(struct fb_strv *v, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/** fb_strv_take_add() - Append @text (taken, also on failure; NULL = -ENOMEM) */
int fb_strv_take_add(struct fb_strv *v, char *text);

/** fb_strv_release() - Free all strings and the vector */
void fb_strv_release(struct fb_strv *v);

#define FB_STRV FB_CLEANUP(fb_strv_release)

#endif
