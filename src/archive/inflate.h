/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A source that inflates another: gzip, zstd, xz where liblzma is there, bzip2
 * where libbz2 is, or plain bytes handed through.
 *
 * What the bytes are is told by the first of them: gzip's 1f 8b, a zstd frame, a
 * zstd skippable frame, xz's fd 37 7a 58, "BZh" with a block's magic; anything
 * else is plain.  Several gzip members and several zstd frames, skippable ones
 * among them, make one stream.  After the
 * last one only zero bytes may follow (padding); anything else is an error.
 * Check sums and gzip's lengths are verified.  An empty stream is plain.
 * Source: RFC 1952, RFC 8878.
 */
#ifndef FB_ARCHIVE_INFLATE_H
#define FB_ARCHIVE_INFLATE_H

#include <stdint.h>

#include "archive/source.h"

/** enum fb_compression - How a stream is packed */
enum fb_compression {
	FB_COMPRESSION_PLAIN,
	FB_COMPRESSION_GZIP,
	FB_COMPRESSION_ZSTD,
	FB_COMPRESSION_XZ,
	FB_COMPRESSION_BZIP2,
};

/** fb_compression_name() - "plain", "gzip", "zstd", "xz", "bzip2" */
const char *fb_compression_name(enum fb_compression kind);

/**
 * fb_compression_detect() - What a stream is, by its first bytes
 * @data: First bytes (borrowed)
 * @len:  Count; ten are enough
 */
enum fb_compression fb_compression_detect(const uint8_t *data, size_t len);

/** enum fb_gzip_backend - Which library inflates gzip; results are the same */
enum fb_gzip_backend {
	FB_GZIP_BEST, /* ISA-L where it is built in, zlib otherwise */
	FB_GZIP_ISAL, /* -EOPNOTSUPP where it is not built in */
	FB_GZIP_ZLIB,
};

/**
 * struct fb_inflate_options - Limits against bombs; NULL or zeroes = none
 * @out_bytes_max: Most bytes that come out
 * @ratio_max:     Most bytes out for a byte in, …
 * @ratio_free_bytes: … once more than this many are out
 * @gzip:          Backend, for tests
 */
struct fb_inflate_options {
	uint64_t out_bytes_max;
	uint64_t ratio_max;
	uint64_t ratio_free_bytes;
	enum fb_gzip_backend gzip;
};

/** Most memory that a zstd frame may ask for: a window of 128 MiB */
#define FB_ZSTD_WINDOW_LOG_MAX 27

/**
 * fb_inflate_new() - Inflate a source
 * @from: Packed bytes (borrowed, must outlive the new source)
 * @options: Limits (copied), or NULL
 * @ret:  Source (returned); nothing is read from @from before its first read
 *
 * Its read() fails with -EBADMSG (malformed, cut short, wrong check sum,
 * trailing garbage), -EOPNOTSUPP (xz, bzip2 without their library), -EFBIG (over a limit), or as
 * @from's does.  It can be rewound and cancelled if @from can.  Freeing it
 * leaves @from alone.
 *
 * Return: 0; -EOPNOTSUPP @options->gzip is not built in; -ENOMEM.
 */
int fb_inflate_new(struct fb_source *from,
		   const struct fb_inflate_options *options,
		   struct fb_source **ret, struct fb_err *err);

/**
 * fb_inflate_kind() - What the bytes turned out to be
 * @src: A source of fb_inflate_new()
 *
 * Return: the kind; FB_COMPRESSION_PLAIN before the first read.
 */
enum fb_compression fb_inflate_kind(const struct fb_source *src);

#endif
