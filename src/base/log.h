/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Diagnostics on their way to whoever prints them.
 *
 * A library never prints.  It is handed a sink (plain data, no global) and the
 * sink's owner, src/cli/ or the monitor, decides what becomes of a line.
 * Secrets are never logged, at any level.
 */
#ifndef FB_BASE_LOG_H
#define FB_BASE_LOG_H

enum fb_log_level {
	FB_LOG_WARN,  /* shown always: something is wrong, the job goes on */
	FB_LOG_INFO,  /* -v: what was cleaned up, chosen, skipped */
	FB_LOG_DEBUG, /* -vv */
};

/**
 * struct fb_log - A sink; NULL and a zeroed one swallow everything
 * @level: The least important level that is still wanted
 * @emit:  Called with one line, without newline, control characters visible
 * @ctx:   Passed to @emit
 */
struct fb_log {
	enum fb_log_level level;
	void (*emit)(void *ctx, enum fb_log_level level, const char *line);
	void *ctx;
};

/** fb_log() - Send one line, at most 1023 bytes, to @log; NULL is fine */
void fb_log(const struct fb_log *log, enum fb_log_level level, const char *fmt,
	    ...) __attribute__((format(printf, 3, 4)));

#endif
