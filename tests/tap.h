/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The whole of our unit-test harness: TAP on standard output.
 *
 *   int main(void) { TAP_OK(1 + 1 == 2, "adds"); return tap_done(); }
 */
#ifndef FB_TESTS_TAP_H
#define FB_TESTS_TAP_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static int tap_count, tap_failed;

__attribute__((format(printf, 4, 5))) static inline bool
tap_ok(bool ok, const char *file, int line, const char *fmt, ...)
{
	va_list ap;

	printf("%s %d - ", ok ? "ok" : "not ok", ++tap_count);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
	if (!ok) {
		tap_failed++;
		printf("# failed at %s:%d\n", file, line);
	}
	(void)fflush(stdout);
	return ok;
}

/** TAP_OK() - One test, passed when @cond holds. Value: @cond */
#define TAP_OK(cond, ...) tap_ok((cond), __FILE__, __LINE__, __VA_ARGS__)

/** TAP_INT() - Two integers are equal; both are shown where not */
#define TAP_INT(got, want, ...)                                            \
	do {                                                               \
		long long tap_g_ = (long long)(got);                       \
		long long tap_w_ = (long long)(want);                      \
		if (!TAP_OK(tap_g_ == tap_w_, __VA_ARGS__))                \
			printf("# got %lld, want %lld\n", tap_g_, tap_w_); \
	} while (0)

/** TAP_STR() - Two C strings are equal (NULL equals NULL) */
#define TAP_STR(got, want, ...)                                        \
	do {                                                           \
		const char *tap_g_ = (got);                            \
		const char *tap_w_ = (want);                           \
		if (!TAP_OK(tap_g_ && tap_w_ ? !strcmp(tap_g_, tap_w_) \
					     : tap_g_ == tap_w_,       \
			    __VA_ARGS__))                              \
			printf("# got  '%s'\n# want '%s'\n",           \
			       tap_g_ ? tap_g_ : "(null)",             \
			       tap_w_ ? tap_w_ : "(null)");            \
	} while (0)

/** tap_skip() - Count one skipped test, with its reason */
static inline void tap_skip(const char *reason)
{
	printf("ok %d # SKIP %s\n", ++tap_count, reason);
}

/** tap_done() - Print the plan. Return: main's exit status */
static inline int tap_done(void)
{
	printf("1..%d\n", tap_count);
	return tap_failed ? 1 : 0;
}

#endif
