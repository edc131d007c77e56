/* SPDX-License-Identifier: Apache-2.0 */
#include "base/str.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define FIRST_CAPACITY 64

static int str_fail(struct fb_str *s, int code)
{
	if (!s->err)
		s->err = code;
	return s->err;
}

char *fb_str_reserve(struct fb_str *s, size_t len)
{
	size_t need, cap;
	char *buf;

	if (s->err)
		return NULL;
	if (len > s->max || s->len > s->max - len) {
		str_fail(s, -E2BIG);
		return NULL;
	}
	need = s->len + len + 1;
	if (need > s->cap) {
		cap = s->cap ? s->cap : FIRST_CAPACITY;
		while (cap < need)
			cap = cap > SIZE_MAX / 2 ? need : cap * 2;
		buf = realloc(s->buf, cap);
		if (!buf) {
			str_fail(s, -ENOMEM);
			return NULL;
		}
		s->buf = buf;
		s->cap = cap;
	}
	return s->buf + s->len;
}

int fb_str_append(struct fb_str *s, const void *data, size_t len)
{
	char *to = fb_str_reserve(s, len);

	if (!to)
		return s->err;
	if (len)
		memcpy(to, data, len);
	to[len] = '\0';
	s->len += len;
	return 0;
}

int fb_str_puts(struct fb_str *s, const char *text)
{
	return fb_str_append(s, text, strlen(text));
}

int fb_str_putc(struct fb_str *s, char c)
{
	return fb_str_append(s, &c, 1);
}

int fb_str_printf(struct fb_str *s, const char *fmt, ...)
{
	va_list ap;
	int n;
	char *to;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0)
		return str_fail(s, -EINVAL);
	to = fb_str_reserve(s, (size_t)n);
	if (!to)
		return s->err;
	va_start(ap, fmt);
	(void)vsnprintf(to, (size_t)n + 1, fmt, ap);
	va_end(ap);
	s->len += (size_t)n;
	return 0;
}

void fb_str_truncate(struct fb_str *s, size_t len)
{
	s->err = 0;
	if (len < s->len)
		s->len = len;
	if (s->buf)
		s->buf[s->len] = '\0';
}

char *fb_str_take(struct fb_str *s)
{
	char *buf;

	if (s->err)
		return NULL;
	if (!s->buf && fb_str_append(s, NULL, 0) < 0)
		return NULL;
	buf = FB_TAKE_PTR(s->buf);
	s->len = 0;
	s->cap = 0;
	return buf;
}

const char *fb_str_cstr(const struct fb_str *s)
{
	return s->buf ? s->buf : "";
}

void fb_str_release(struct fb_str *s)
{
	int saved = errno;

	free(s->buf);
	errno = saved;
	*s = FB_STR_INIT(s->max);
}

static int strv_fail(struct fb_strv *v, int code)
{
	if (!v->err)
		v->err = code;
	return v->err;
}

static int strv_grow(struct fb_strv *v)
{
	size_t max = v->max ? v->max : FB_STRV_MAX;
	size_t cap;
	char **grown;

	if (v->count >= max)
		return strv_fail(v, -E2BIG);
	if (v->count + 1 < v->cap)
		return 0;
	cap = v->cap ? v->cap * 2 : 8;
	grown = reallocarray(v->v, cap, sizeof(*grown));
	if (!grown)
		return strv_fail(v, -ENOMEM);
	v->v = grown;
	v->cap = cap;
	return 0;
}

int fb_strv_take_add(struct fb_strv *v, char *text)
{
	if (!text)
		strv_fail(v, -ENOMEM);
	if (v->err || strv_grow(v) < 0) {
		free(text);
		return v->err;
	}
	v->v[v->count++] = text;
	v->v[v->count] = NULL;
	return 0;
}

int fb_strv_add(struct fb_strv *v, const char *text)
{
	return v->err ? v->err : fb_strv_take_add(v, strdup(text));
}

int fb_strv_addf(struct fb_strv *v, const char *fmt, ...)
{
	char *text = NULL;
	va_list ap;

	if (v->err)
		return v->err;
	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		text = NULL;
	va_end(ap);
	return fb_strv_take_add(v, text);
}

void fb_strv_release(struct fb_strv *v)
{
	for (size_t i = 0; i < v->count; i++)
		free(v->v[i]);
	free(v->v);
	*v = (struct fb_strv){ .max = v->max };
}
