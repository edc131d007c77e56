/* SPDX-License-Identifier: Apache-2.0 */
#include "archive/inflate.h"

#include <errno.h>
#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "tap.h"

#define MAX ((size_t)1 << 28)

/* text that packs neither well nor badly, the same every time */
static void fill_data(struct fb_str *out, size_t len)
{
	uint32_t x = 12345;

	while (out->len < len) {
		x = x * 1664525u + 1013904223u;
		fb_str_printf(out, "%x line %u\n", x >> 20, x >> 28);
	}
	fb_str_truncate(out, len);
}

static void add_gzip(struct fb_str *out, const char *data, size_t len,
		     bool fancy)
{
	z_stream z = { 0 };
	static Bytef extra[] = "ab", name[] = "layer.tar", note[] = "by hand";
	gz_header header = { .extra = extra,
			     .extra_len = 2,
			     .name = name,
			     .comment = note,
			     .hcrc = 1 };
	size_t bound;
	char *to;

	if (deflateInit2(&z, 6, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		abort();
	if (fancy)
		(void)deflateSetHeader(&z, &header);
	bound = deflateBound(&z, len) + 64;
	to = fb_str_reserve(out, bound);
	z.next_in = (Bytef *)(uintptr_t)data;
	z.avail_in = (uInt)len;
	z.next_out = (Bytef *)to;
	z.avail_out = (uInt)bound;
	if (!to || deflate(&z, Z_FINISH) != Z_STREAM_END)
		abort();
	out->len += bound - z.avail_out;
	(void)deflateEnd(&z);
}

static void add_zstd(struct fb_str *out, const char *data, size_t len)
{
	ZSTD_CCtx *ctx = ZSTD_createCCtx();
	size_t bound = ZSTD_compressBound(len), n;
	char *to = fb_str_reserve(out, bound);

	(void)ZSTD_CCtx_setParameter(ctx, ZSTD_c_checksumFlag, 1);
	n = ZSTD_compress2(ctx, to, bound, data, len);
	if (!to || ZSTD_isError(n))
		abort();
	out->len += n;
	ZSTD_freeCCtx(ctx);
}

static void add_skippable(struct fb_str *out)
{
	fb_str_append(out, "\x5a\x2a\x4d\x18\x03\0\0\0xyz", 11);
}

/* Inflate in pieces of @step bytes. Return: 0 or what read() gave */
static int inflate_all(const struct fb_str *packed,
		       const struct fb_inflate_options *o, size_t step,
		       struct fb_str *out, struct fb_err *err)
{
	FB_SOURCE struct fb_source *from = NULL;
	FB_SOURCE struct fb_source *s = NULL;
	char *to;
	ssize_t n;
	int r = fb_source_from_memory(packed->buf, packed->len, &from, err);

	if (r == 0)
		r = fb_inflate_new(from, o, &s, err);
	while (r == 0) {
		to = fb_str_reserve(out, step);
		n = to ? fb_source_read(s, to, step, err) : -ENOMEM;
		if (n <= 0)
			return (int)n;
		out->len += (size_t)n;
	}
	return r;
}

static const char *const backend_names[] = { "best", "isal", "zlib" };

static bool backend_is_there(enum fb_gzip_backend backend)
{
	FB_SOURCE struct fb_source *from = NULL;
	FB_SOURCE struct fb_source *s = NULL;
	const struct fb_inflate_options o = { .gzip = backend };

	return fb_source_from_memory("", 0, &from, NULL) == 0 &&
	       fb_inflate_new(from, &o, &s, NULL) == 0;
}

static void expect(const char *what, const struct fb_str *packed,
		   const struct fb_inflate_options *o, int code,
		   const struct fb_str *plain)
{
	static const size_t steps[] = { 1000003, 65536, 997, 1 };
	size_t count = plain && plain->len > 100000 ? 3 : 4;

	for (size_t i = 0; i < count; i++) {
		FB_STR struct fb_str out = FB_STR_INIT(MAX);
		struct fb_err err = { 0 };
		int r = inflate_all(packed, o, steps[i], &out, &err);

		TAP_INT(r, code, "%s, %s, in steps of %zu: %s", what,
			backend_names[o ? o->gzip : 0], steps[i], err.msg);
		if (code == 0)
			TAP_OK(out.len == plain->len &&
				       (!out.len ||
					!memcmp(out.buf, plain->buf, out.len)),
			       "the same bytes come out");
		else
			TAP_OK(err.code == code && err.msg[0], "with a text");
	}
}

static void test_gzip(enum fb_gzip_backend backend)
{
	FB_STR struct fb_str plain = FB_STR_INIT(MAX);
	FB_STR struct fb_str twice = FB_STR_INIT(MAX);
	FB_STR struct fb_str packed = FB_STR_INIT(MAX);
	const struct fb_inflate_options o = { .gzip = backend };
	size_t first;

	fill_data(&plain, 700000);
	add_gzip(&packed, plain.buf, plain.len, false);
	first = packed.len;
	expect("gzip", &packed, &o, 0, &plain);

	add_gzip(&packed, plain.buf, plain.len, true);
	fb_str_append(&twice, plain.buf, plain.len);
	fb_str_append(&twice, plain.buf, plain.len);
	expect("two members, one with every header field", &packed, &o, 0,
	       &twice);
	add_gzip(&packed, "", 0, false);
	expect("an empty member behind them", &packed, &o, 0, &twice);
	fb_str_append(&packed, "\0\0\0\0\0", 5);
	expect("padding zeroes", &packed, &o, 0, &twice);
	fb_str_putc(&packed, 'x');
	expect("garbage behind padding", &packed, &o, -EBADMSG, NULL);

	fb_str_truncate(&packed, first);
	fb_str_puts(&packed, "garbage");
	expect("garbage behind a member", &packed, &o, -EBADMSG, NULL);
	fb_str_truncate(&packed, first);
	fb_str_append(&packed, "\x1f", 1);
	expect("half a magic", &packed, &o, -EBADMSG, NULL);
	fb_str_truncate(&packed, first);
	packed.buf[first - 5] ^= 1;
	expect("wrong CRC", &packed, &o, -EBADMSG, NULL);
	packed.buf[first - 5] ^= 1;
	packed.buf[first - 1] ^= 1;
	expect("wrong length", &packed, &o, -EBADMSG, NULL);
	packed.buf[first - 1] ^= 1;
	packed.buf[first / 2] ^= 0x55;
	expect("damaged in the middle", &packed, &o, -EBADMSG, NULL);
	packed.buf[first / 2] ^= 0x55;
	for (size_t cut = 1; cut <= 8; cut++) {
		fb_str_truncate(&packed, first - cut);
		expect("cut in the trailer", &packed, &o, -EBADMSG, NULL);
	}
	fb_str_truncate(&packed, first / 3);
	expect("cut in the middle", &packed, &o, -EBADMSG, NULL);
	fb_str_truncate(&packed, 2);
	expect("cut in the header", &packed, &o, -EBADMSG, NULL);
}

static void test_zstd(void)
{
	FB_STR struct fb_str plain = FB_STR_INIT(MAX);
	FB_STR struct fb_str twice = FB_STR_INIT(MAX);
	FB_STR struct fb_str packed = FB_STR_INIT(MAX);
	size_t first;

	fill_data(&plain, 500000);
	fb_str_append(&twice, plain.buf, plain.len);
	fb_str_append(&twice, plain.buf, plain.len);
	add_skippable(&packed);
	add_zstd(&packed, plain.buf, plain.len);
	first = packed.len;
	expect("zstd behind a skippable frame", &packed, NULL, 0, &plain);
	add_skippable(&packed);
	add_zstd(&packed, plain.buf, plain.len);
	add_skippable(&packed);
	expect("two frames and three skippable ones", &packed, NULL, 0, &twice);
	fb_str_append(&packed, "\0\0\0", 3);
	expect("padding", &packed, NULL, 0, &twice);
	fb_str_truncate(&packed, first);
	fb_str_puts(&packed, "garbage");
	expect("garbage", &packed, NULL, -EBADMSG, NULL);
	fb_str_truncate(&packed, first);
	packed.buf[first - 1] ^= 1;
	expect("wrong check sum", &packed, NULL, -EBADMSG, NULL);
	packed.buf[first - 1] ^= 1;
	fb_str_truncate(&packed, first - 2);
	expect("cut short", &packed, NULL, -EBADMSG, NULL);
	fb_str_truncate(&packed, 8);
	expect("a skippable frame cut short", &packed, NULL, -EBADMSG, NULL);
	/* a frame header alone that asks for a window of 2 GiB */
	fb_str_truncate(&packed, 0);
	fb_str_append(&packed, "\x28\xb5\x2f\xfd\x00\xa8\x00\x00\x00\x00", 10);
	expect("too large a window", &packed, NULL, -EFBIG, NULL);
}

static void test_plain(void)
{
	FB_STR struct fb_str plain = FB_STR_INIT(MAX);

	expect("nothing at all", &plain, NULL, 0, &plain);
	fb_str_puts(&plain, "ab");
	expect("two bytes", &plain, NULL, 0, &plain);
	fill_data(&plain, 600000);
	expect("plain", &plain, NULL, 0, &plain);
}

static void test_limits(enum fb_gzip_backend backend)
{
	FB_STR struct fb_str plain = FB_STR_INIT(MAX);
	FB_STR struct fb_str packed = FB_STR_INIT(MAX);
	struct fb_inflate_options o = { .gzip = backend };
	char *zeroes;

	zeroes = fb_str_reserve(&plain, 8u << 20);
	memset(zeroes, 0, 8u << 20);
	plain.len = 8u << 20;
	add_gzip(&packed, plain.buf, plain.len, false);
	o.out_bytes_max = plain.len;
	expect("just the limit", &packed, &o, 0, &plain);
	o.out_bytes_max--;
	expect("one byte over the limit", &packed, &o, -EFBIG, NULL);
	o.out_bytes_max = 0;
	o.ratio_max = 100;
	expect("over the ratio", &packed, &o, -EFBIG, NULL);
	o.ratio_free_bytes = 8u << 20;
	expect("over the ratio, but small", &packed, &o, 0, &plain);
	o.ratio_free_bytes = 0;
	o.ratio_max = 2000;
	expect("within the ratio", &packed, &o, 0, &plain);
}

static void test_reuse(void)
{
	FB_STR struct fb_str packed = FB_STR_INIT(MAX);
	FB_SOURCE struct fb_source *from = NULL;
	FB_SOURCE struct fb_source *s = NULL;
	char buf[64];

	add_gzip(&packed, "hello world", 11, false);
	if (fb_source_from_memory(packed.buf, packed.len, &from, NULL) < 0 ||
	    fb_inflate_new(from, NULL, &s, NULL) < 0)
		abort();
	TAP_INT(fb_inflate_kind(s), FB_COMPRESSION_PLAIN, "kind not known yet");
	TAP_INT(fb_source_read(s, buf, 5, NULL), 5, "half of it");
	TAP_INT(fb_inflate_kind(s), FB_COMPRESSION_GZIP, "gzip");
	TAP_INT(fb_source_rewind(s, NULL), 0, "rewind in the middle");
	TAP_INT(fb_source_read_full(s, buf, 64, NULL), 11, "all of it");
	TAP_OK(!memcmp(buf, "hello world", 11), "the same bytes");
	TAP_INT(fb_source_read(s, buf, 64, NULL), 0, "the end stays the end");
	TAP_STR(fb_compression_name(FB_COMPRESSION_ZSTD), "zstd", "name");
}

static void test_xz(void)
{
	/* "hello world", ten times, by xz --check=crc32 */
	static const uint8_t packed[] = {
		0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00, 0x00, 0x01, 0x69, 0x22,
		0xde, 0x36, 0x02, 0x00, 0x21, 0x01, 0x16, 0x00, 0x00, 0x00,
		0x74, 0x2f, 0xe5, 0xa3, 0xe0, 0x00, 0x6d, 0x00, 0x11, 0x5d,
		0x00, 0x34, 0x19, 0x49, 0xee, 0x8d, 0xe9, 0x17, 0x89, 0x3a,
		0x33, 0x60, 0x09, 0x71, 0x21, 0x2e, 0x38, 0x00, 0x00, 0x00,
		0x00, 0x00, 0x97, 0x85, 0xb8, 0xe8, 0x00, 0x01, 0x29, 0x6e,
		0x9f, 0x66, 0xca, 0xce, 0x90, 0x42, 0x99, 0x0d, 0x01, 0x00,
		0x00, 0x00, 0x00, 0x01, 0x59, 0x5a
	};
	uint8_t twice[2 * sizeof(packed)];
	char buf[256];

	memcpy(twice, packed, sizeof(packed));
	memcpy(twice + sizeof(packed), packed, sizeof(packed));
	for (size_t len = sizeof(packed) - 1; len <= sizeof(twice);
	     len += len == sizeof(packed) ? sizeof(packed) : 1) {
		FB_SOURCE struct fb_source *from = NULL;
		FB_SOURCE struct fb_source *s = NULL;
		ssize_t want = len == sizeof(packed)  ? 110
			       : len == sizeof(twice) ? 220
						      : -EBADMSG;
		ssize_t n;

		if (fb_source_from_memory(twice, len, &from, NULL) < 0 ||
		    fb_inflate_new(from, NULL, &s, NULL) < 0)
			abort();
		n = fb_source_read_full(s, buf, sizeof(buf), NULL);
		if (n == -EOPNOTSUPP) {
			tap_skip("no liblzma here");
			return;
		}
		TAP_INT(n, want, "%zu bytes of xz", len);
		TAP_OK(n < 0 || !memcmp(buf + n - 11, "hello world", 11),
		       "the same bytes");
		TAP_INT(fb_inflate_kind(s), FB_COMPRESSION_XZ, "xz");
	}
	twice[sizeof(packed) / 2] ^= 1;
	{
		FB_SOURCE struct fb_source *from = NULL;
		FB_SOURCE struct fb_source *s = NULL;

		if (fb_source_from_memory(twice, sizeof(packed), &from, NULL) <
			    0 ||
		    fb_inflate_new(from, NULL, &s, NULL) < 0)
			abort();
		TAP_INT(fb_source_read_full(s, buf, sizeof(buf), NULL),
			-EBADMSG, "a flipped bit is found");
	}
}

static void test_sticky(void)
{
	FB_STR struct fb_str packed = FB_STR_INIT(MAX);
	FB_SOURCE struct fb_source *from = NULL;
	FB_SOURCE struct fb_source *s = NULL;
	char buf[64];

	add_gzip(&packed, "hello world", 11, false);
	packed.buf[packed.len - 5] ^= 1;
	if (fb_source_from_memory(packed.buf, packed.len, &from, NULL) < 0 ||
	    fb_inflate_new(from, NULL, &s, NULL) < 0)
		abort();
	TAP_INT(fb_source_read_full(s, buf, 64, NULL), -EBADMSG, "wrong CRC");
	TAP_INT(fb_source_read(s, buf, 64, NULL), -EBADMSG, "stays failed");
}

int main(void)
{
	for (int b = FB_GZIP_BEST; b <= FB_GZIP_ZLIB; b++) {
		if (!backend_is_there((enum fb_gzip_backend)b)) {
			tap_skip("ISA-L is not built in");
			continue;
		}
		test_gzip((enum fb_gzip_backend)b);
		test_limits((enum fb_gzip_backend)b);
	}
	test_zstd();
	test_plain();
	test_reuse();
	test_xz();
	test_sticky();
	return tap_done();
}
