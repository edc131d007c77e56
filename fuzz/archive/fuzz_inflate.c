/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The framing of packed streams.  The first byte is the size of the reads; the
 * two gzip libraries must agree on what they both take.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "archive/inflate.h"
#include "base/str.h"

#define OUT_MAX (1u << 20)

static int inflate(const uint8_t *data, size_t size, size_t step,
		   enum fb_gzip_backend gzip, struct fb_str *out)
{
	const struct fb_inflate_options o = { .out_bytes_max = OUT_MAX,
					      .gzip = gzip };
	FB_SOURCE struct fb_source *from = NULL;
	FB_SOURCE struct fb_source *s = NULL;
	char *to;
	ssize_t n;

	if (fb_source_from_memory(data, size, &from, NULL) < 0 ||
	    fb_inflate_new(from, &o, &s, NULL) < 0)
		return -1;
	do {
		to = fb_str_reserve(out, step);
		n = to ? fb_source_read(s, to, step, NULL) : 0;
		if (n > (ssize_t)step)
			abort();
		out->len += n > 0 ? (size_t)n : 0;
	} while (n > 0);
	return n < 0 ? -1 : 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	FB_STR struct fb_str a = FB_STR_INIT(2u * OUT_MAX);
	FB_STR struct fb_str b = FB_STR_INIT(2u * OUT_MAX);
	size_t step;

	if (size < 1)
		return 0;
	step = 1 + (size_t)data[0] * 64;
	if (inflate(data + 1, size - 1, step, FB_GZIP_BEST, &a) == 0 &&
	    inflate(data + 1, size - 1, 4096, FB_GZIP_ZLIB, &b) == 0 &&
	    (a.len != b.len || (a.len && memcmp(a.buf, b.buf, a.len) != 0)))
		abort();
	return 0;
}
