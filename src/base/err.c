/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void make_printable(char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			*s = '?';
}

static void vformat(char *buf, size_t size, int code, const char *fmt,
		    va_list ap) __attribute__((format(printf, 4, 0)));

static void vformat(char *buf, size_t size, int code, const char *fmt,
		    va_list ap)
{
	errno = -code; /* for %m */
	(void)vsnprintf(buf, size, fmt, ap);
	make_printable(buf);
}

int fb_err_set(struct fb_err *err, int code, const char *fmt, ...)
{
	int saved = errno;
	va_list ap;

	if (!err)
		return code;
	err->code = code;
	err->hint[0] = '\0';
	va_start(ap, fmt);
	vformat(err->msg, sizeof(err->msg), code, fmt, ap);
	va_end(ap);
	errno = saved;
	return code;
}

int fb_err_wrap(struct fb_err *err, int code, const char *fmt, ...)
{
	char inner[FB_ERR_MSG_MAX];
	int saved = errno;
	size_t used;
	va_list ap;

	if (!err)
		return code;
	if (err->code && err->msg[0])
		memcpy(inner, err->msg, sizeof(inner));
	else
		(void)snprintf(inner, sizeof(inner), "%s", strerror(-code));
	err->code = code;
	va_start(ap, fmt);
	vformat(err->msg, sizeof(err->msg), code, fmt, ap);
	va_end(ap);
	used = strlen(err->msg);
	(void)snprintf(err->msg + used, sizeof(err->msg) - used, ": %s", inner);
	errno = saved;
	return code;
}

int fb_err_hint(struct fb_err *err, int code, const char *fmt, ...)
{
	int saved = errno;
	va_list ap;

	if (!err || err->hint[0])
		return code;
	va_start(ap, fmt);
	vformat(err->hint, sizeof(err->hint), code, fmt, ap);
	va_end(ap);
	errno = saved;
	return code;
}
