/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One member or frame of a compressed stream, as a decompression library sees
 * it.  Private to src/archive/: inflate.c feeds bytes and keeps the rules about
 * members, padding and limits in one place.
 */
#ifndef FB_ARCHIVE_DECODER_H
#define FB_ARCHIVE_DECODER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * struct fb_decoder_io - Bytes in and out of one step
 * @in, @in_len:   What there is; advanced by what was consumed
 * @out, @out_len: Room; advanced by what was produced
 * @ended:         A member ended with the last byte consumed
 */
struct fb_decoder_io {
	const uint8_t *in;
	size_t in_len;
	uint8_t *out;
	size_t out_len;
	bool ended;
};

/**
 * struct fb_decoder_ops - A library
 * @open:  New state, ready for a member. Return: NULL out of memory, or the
 *         library is not there
 * @begin: Get ready for the next member. Return: 0; -EBADMSG
 * @step:  Consume and produce. Return: 0; -EBADMSG malformed; -EFBIG too much
 *         memory asked for; -ENOMEM
 * @close: Free
 */
struct fb_decoder_ops {
	void *(*open)(void);
	int (*begin)(void *state);
	int (*step)(void *state, struct fb_decoder_io *io);
	void (*close)(void *state);
};

extern const struct fb_decoder_ops fb_decoder_gzip_zlib;
extern const struct fb_decoder_ops fb_decoder_zstd;
#ifdef FB_HAVE_BZIP2
extern const struct fb_decoder_ops fb_decoder_bzip2;
#endif
#ifdef FB_HAVE_LZMA
extern const struct fb_decoder_ops fb_decoder_xz;
#endif
#ifdef FB_HAVE_ISAL
extern const struct fb_decoder_ops fb_decoder_gzip_isal;
#endif

#endif
