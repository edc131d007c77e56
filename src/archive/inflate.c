/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Theory of operation.  The first bytes decide what the stream is.  A packed one
 * is a row of members: MEMBER while one is being decoded, BETWEEN when one has
 * ended.  There, the next bytes are another member's magic, or padding (zeroes
 * to the end), or garbage.  The decoders know members only.
 */
#include "archive/inflate.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "archive/decoder.h"
#include "base/cleanup.h"

#define IN_SIZE (256u << 10)
#define MAGIC_SIZE 10

enum inflate_state {
	INFLATE_START,
	INFLATE_PLAIN,
	INFLATE_MEMBER,
	INFLATE_BETWEEN,
	INFLATE_PADDING,
	INFLATE_END,
};

struct inflate_source {
	struct fb_source base;
	struct fb_source *from;
	struct fb_inflate_options options;
	const struct fb_decoder_ops *ops;
	void *decoder;
	enum fb_compression kind;
	enum inflate_state state;
	bool from_ended;
	uint64_t in_bytes;
	uint64_t out_bytes;
	int failed; /* the negative errno that every later read gives */
	uint8_t *in;
	size_t start;
	size_t end;
};

const char *fb_compression_name(enum fb_compression kind)
{
	switch (kind) {
	case FB_COMPRESSION_GZIP:
		return "gzip";
	case FB_COMPRESSION_ZSTD:
		return "zstd";
	case FB_COMPRESSION_XZ:
		return "xz";
	case FB_COMPRESSION_BZIP2:
		return "bzip2";
	case FB_COMPRESSION_PLAIN:
		break;
	}
	return "plain";
}

/* "BZh", the size of blocks, and how one begins, or how a stream without any ends */
static bool is_bzip2(const uint8_t *data, size_t len)
{
	static const uint8_t block[6] = { 0x31, 0x41, 0x59, 0x26, 0x53, 0x59 };
	static const uint8_t end[6] = { 0x17, 0x72, 0x45, 0x38, 0x50, 0x90 };

	return len >= 10 && !memcmp(data, "BZh", 3) && data[3] >= '1' &&
	       data[3] <= '9' &&
	       (!memcmp(data + 4, block, 6) || !memcmp(data + 4, end, 6));
}

enum fb_compression fb_compression_detect(const uint8_t *data, size_t len)
{
	static const uint8_t zstd[4] = { 0x28, 0xb5, 0x2f, 0xfd };
	static const uint8_t xz[4] = { 0xfd, '7', 'z', 'X' };

	if (len >= 2 && data[0] == 0x1f && data[1] == 0x8b)
		return FB_COMPRESSION_GZIP;
	if (len >= 4 && !memcmp(data, zstd, 4))
		return FB_COMPRESSION_ZSTD;
	if (len >= 4 && (data[0] & 0xf0) == 0x50 && data[1] == 0x2a &&
	    data[2] == 0x4d && data[3] == 0x18)
		return FB_COMPRESSION_ZSTD;
	if (len >= 4 && !memcmp(data, xz, 4))
		return FB_COMPRESSION_XZ;
	return is_bzip2(data, len) ? FB_COMPRESSION_BZIP2
				   : FB_COMPRESSION_PLAIN;
}

/* Have at least @want bytes in the buffer, fewer only at the source's end */
static int fill(struct inflate_source *s, size_t want, struct fb_err *err)
{
	ssize_t n;

	if (s->end - s->start >= want || s->from_ended)
		return 0;
	memmove(s->in, s->in + s->start, s->end - s->start);
	s->end -= s->start;
	s->start = 0;
	while (s->end < want) {
		n = fb_source_read(s->from, s->in + s->end, IN_SIZE - s->end,
				   err);
		if (n < 0)
			return (int)n;
		if (n == 0) {
			s->from_ended = true;
			break;
		}
		s->end += (size_t)n;
		s->in_bytes += (uint64_t)n;
	}
	return 0;
}

static const struct fb_decoder_ops *
choose_decoder(const struct inflate_source *s)
{
	if (s->kind == FB_COMPRESSION_ZSTD)
		return &fb_decoder_zstd;
	if (s->kind == FB_COMPRESSION_XZ) {
#ifdef FB_HAVE_LZMA
		return &fb_decoder_xz;
#else
		return NULL;
#endif
	}
	if (s->kind == FB_COMPRESSION_BZIP2) {
#ifdef FB_HAVE_BZIP2
		return &fb_decoder_bzip2;
#else
		return NULL;
#endif
	}
#ifdef FB_HAVE_ISAL
	if (s->options.gzip != FB_GZIP_ZLIB)
		return &fb_decoder_gzip_isal;
#endif
	return &fb_decoder_gzip_zlib;
}

static int not_understood(const char *tool, struct fb_err *err)
{
	return fb_err_hint(
		err,
		fb_err_set(err, -EOPNOTSUPP,
			   "packed with %s, which is not understood here",
			   tool),
		"unpack it first: %s -dc FILE | flamebox load", tool);
}

static int start_stream(struct inflate_source *s, struct fb_err *err)
{
	const struct fb_decoder_ops *ops;
	int r = fill(s, MAGIC_SIZE, err);

	if (r < 0)
		return r;
	s->kind = fb_compression_detect(s->in + s->start, s->end - s->start);
	if (s->kind == FB_COMPRESSION_PLAIN) {
		s->state = INFLATE_PLAIN;
		return 0;
	}
	ops = choose_decoder(s);
	if (!ops)
		return not_understood(fb_compression_name(s->kind), err);
	if (s->ops != ops) {
		if (s->ops)
			s->ops->close(s->decoder);
		s->ops = ops;
		s->decoder = ops->open();
	}
	if (!s->decoder) {
		s->ops = NULL;
		if (s->kind == FB_COMPRESSION_XZ ||
		    s->kind == FB_COMPRESSION_BZIP2)
			return not_understood(fb_compression_name(s->kind),
					      err);
		return fb_err_set(err, -ENOMEM, "inflate: %m");
	}
	s->state = INFLATE_MEMBER;
	return s->ops->begin(s->decoder);
}

static int next_member(struct inflate_source *s, struct fb_err *err)
{
	const uint8_t *p;
	int r = fill(s, MAGIC_SIZE, err);

	if (r < 0)
		return r;
	p = s->in + s->start;
	if (s->start == s->end) {
		s->state = INFLATE_END;
		return 0;
	}
	if (fb_compression_detect(p, s->end - s->start) == s->kind) {
		s->state = INFLATE_MEMBER;
		return s->ops->begin(s->decoder);
	}
	if (*p == 0) {
		s->state = INFLATE_PADDING;
		return 0;
	}
	return fb_err_set(err, -EBADMSG, "inflate: garbage after the %s stream",
			  fb_compression_name(s->kind));
}

static int skip_padding(struct inflate_source *s, struct fb_err *err)
{
	int r;

	for (;;) {
		for (; s->start < s->end; s->start++)
			if (s->in[s->start])
				return fb_err_set(
					err, -EBADMSG,
					"inflate: garbage after the %s stream",
					fb_compression_name(s->kind));
		r = fill(s, 1, err);
		if (r < 0)
			return r;
		if (s->start == s->end) {
			s->state = INFLATE_END;
			return 0;
		}
	}
}

static int check_limits(const struct inflate_source *s, struct fb_err *err)
{
	const struct fb_inflate_options *o = &s->options;

	if (o->out_bytes_max && s->out_bytes > o->out_bytes_max)
		return fb_err_set(err, -EFBIG,
				  "inflate: over %llu bytes uncompressed",
				  (unsigned long long)o->out_bytes_max);
	if (o->ratio_max && s->out_bytes > o->ratio_free_bytes &&
	    s->out_bytes / o->ratio_max > s->in_bytes)
		return fb_err_set(err, -EFBIG,
				  "inflate: grows more than %llu-fold",
				  (unsigned long long)o->ratio_max);
	return 0;
}

static ssize_t read_member(struct inflate_source *s, void *buf, size_t len,
			   struct fb_err *err)
{
	struct fb_decoder_io io;
	size_t produced, consumed;
	int r = fill(s, 1, err);

	if (r < 0)
		return r;
	io = (struct fb_decoder_io){ .in = s->in + s->start,
				     .in_len = s->end - s->start,
				     .out = buf,
				     .out_len = len };
	r = s->ops->step(s->decoder, &io);
	if (r < 0)
		return fb_err_set(err, r, "inflate: %s",
				  r == -EBADMSG ? "malformed or damaged data"
				  : r == -EFBIG ? "window is too large"
						: "out of memory");
	produced = len - io.out_len;
	consumed = s->end - s->start - io.in_len;
	s->start += consumed;
	s->out_bytes += produced;
	if (io.ended)
		s->state = INFLATE_BETWEEN;
	else if (produced == 0 && consumed == 0 && s->start == s->end &&
		 s->from_ended)
		return fb_err_set(err, -EBADMSG,
				  "inflate: the %s stream is cut short",
				  fb_compression_name(s->kind));
	r = check_limits(s, err);
	return r < 0 ? r : (ssize_t)produced;
}

static ssize_t read_plain(struct inflate_source *s, void *buf, size_t len,
			  struct fb_err *err)
{
	size_t have = s->end - s->start;
	ssize_t n;
	int r;

	if (have > 0) {
		n = (ssize_t)(have < len ? have : len);
		memcpy(buf, s->in + s->start, (size_t)n);
		s->start += (size_t)n;
	} else {
		n = s->from_ended ? 0 : fb_source_read(s->from, buf, len, err);
		if (n > 0)
			s->in_bytes += (uint64_t)n;
	}
	if (n <= 0)
		return n;
	s->out_bytes += (uint64_t)n;
	r = check_limits(s, err);
	return r < 0 ? r : n;
}

static ssize_t inflate_step(struct inflate_source *s, void *buf, size_t len,
			    struct fb_err *err)
{
	switch (s->state) {
	case INFLATE_START:
		return start_stream(s, err);
	case INFLATE_PLAIN:
		return read_plain(s, buf, len, err);
	case INFLATE_MEMBER:
		return read_member(s, buf, len, err);
	case INFLATE_BETWEEN:
		return next_member(s, err);
	case INFLATE_PADDING:
		return skip_padding(s, err);
	case INFLATE_END:
		break;
	}
	return 0;
}

static ssize_t inflate_read(struct fb_source *src, void *buf, size_t len,
			    struct fb_err *err)
{
	struct inflate_source *s = (struct inflate_source *)src;
	ssize_t n;

	if (s->failed)
		return fb_err_set(err, s->failed, "inflate: %m");
	do {
		n = inflate_step(s, buf, len, err);
		if (n != 0 || s->state == INFLATE_PLAIN)
			break;
	} while (s->state != INFLATE_END);
	if (n == 0 && s->state == INFLATE_PLAIN && s->start < s->end)
		return inflate_read(src, buf, len, err);
	if (n < 0)
		s->failed = (int)n;
	return n;
}

static int inflate_rewind(struct fb_source *src, struct fb_err *err)
{
	struct inflate_source *s = (struct inflate_source *)src;
	int r = fb_source_rewind(s->from, err);

	if (r < 0)
		return r;
	s->state = INFLATE_START;
	s->from_ended = false;
	s->in_bytes = s->out_bytes = 0;
	s->failed = 0;
	s->start = s->end = 0;
	return 0;
}

static void inflate_cancel(struct fb_source *src)
{
	fb_source_cancel(((struct inflate_source *)src)->from);
}

static void inflate_free(struct fb_source *src)
{
	struct inflate_source *s = (struct inflate_source *)src;

	if (s->ops)
		s->ops->close(s->decoder);
	free(s->in);
	free(s);
}

static const struct fb_source_ops inflate_ops = {
	.read = inflate_read,
	.rewind = inflate_rewind,
	.cancel = inflate_cancel,
	.free = inflate_free,
};

int fb_inflate_new(struct fb_source *from,
		   const struct fb_inflate_options *options,
		   struct fb_source **ret, struct fb_err *err)
{
	struct inflate_source *s;

#ifndef FB_HAVE_ISAL
	if (options && options->gzip == FB_GZIP_ISAL)
		return fb_err_set(err, -EOPNOTSUPP,
				  "inflate: ISA-L is not built in");
#endif
	s = calloc(1, sizeof(*s));
	if (s)
		s->in = malloc(IN_SIZE);
	if (!s || !s->in) {
		free(s);
		return fb_err_set(err, -ENOMEM, "inflate: %m");
	}
	s->base.ops = &inflate_ops;
	s->from = from;
	if (options)
		s->options = *options;
	*ret = &s->base;
	return 0;
}

enum fb_compression fb_inflate_kind(const struct fb_source *src)
{
	return ((const struct inflate_source *)src)->kind;
}
