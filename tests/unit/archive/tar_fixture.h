/* SPDX-License-Identifier: Apache-2.0 */
/* An archive under construction, read back through the reader. */
#ifndef FB_TESTS_TAR_FIXTURE_H
#define FB_TESTS_TAR_FIXTURE_H

#include "archive/tar.h"

#include <errno.h>
#include <stdlib.h>

#include "tap.h"
#include "unit/archive/tar_builder.h"

struct fixture {
	struct fb_str bytes;
	struct fb_source *source;
	struct fb_tar *tar;
	struct fb_tar_entry e;
	struct fb_err err;
};

static inline void fixture_open(struct fixture *f)
{
	if (fb_source_from_memory(f->bytes.buf, f->bytes.len, &f->source,
				  NULL) < 0 ||
	    fb_tar_open(f->source, &f->tar, NULL) < 0)
		abort();
}

static inline void fixture_release(struct fixture *f)
{
	fb_tar_free(f->tar);
	fb_source_free(f->source);
	fb_str_release(&f->bytes);
}

#define FIXTURE                                                        \
	__attribute__((cleanup(fixture_release))) struct fixture f = { \
		.bytes = { .max = TB_MAX }                             \
	}

static inline int next(struct fixture *f)
{
	if (!f->tar)
		fixture_open(f);
	return fb_tar_next(f->tar, &f->e, &f->err);
}

/* One archive that is wrong in one way: its first entry gives @code */
static inline void expect_error(struct fixture *f, int code, const char *what)
{
	int r;

	fixture_open(f);
	do {
		r = fb_tar_next(f->tar, &f->e, &f->err);
	} while (r > 0);
	TAP_INT(r, code, "%s", what);
	TAP_OK(f->err.msg[0] && f->err.code == code, "says: %s", f->err.msg);
}

#endif
