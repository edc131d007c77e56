/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <zlib.h>

#include "archive/decoder.h"

#define GZIP_ONLY (15 + 16)

static void *zlib_open(void)
{
	z_stream *z = calloc(1, sizeof(*z));

	if (z && inflateInit2(z, GZIP_ONLY) != Z_OK) {
		free(z);
		return NULL;
	}
	return z;
}

static int zlib_begin(void *state)
{
	return inflateReset2(state, GZIP_ONLY) == Z_OK ? 0 : -EBADMSG;
}

static int zlib_step(void *state, struct fb_decoder_io *io)
{
	z_stream *z = state;
	uInt in = (uInt)(io->in_len > UINT_MAX ? UINT_MAX : io->in_len);
	uInt out = (uInt)(io->out_len > UINT_MAX ? UINT_MAX : io->out_len);
	int r;

	z->next_in = (Bytef *)(uintptr_t)io->in;
	z->avail_in = in;
	z->next_out = io->out;
	z->avail_out = out;
	r = inflate(z, Z_NO_FLUSH);
	io->in += in - z->avail_in;
	io->in_len -= in - z->avail_in;
	io->out += out - z->avail_out;
	io->out_len -= out - z->avail_out;
	io->ended = r == Z_STREAM_END;
	if (r == Z_MEM_ERROR)
		return -ENOMEM;
	return r == Z_OK || r == Z_STREAM_END || r == Z_BUF_ERROR ? 0
								  : -EBADMSG;
}

static void zlib_close(void *state)
{
	if (state)
		(void)inflateEnd(state);
	free(state);
}

const struct fb_decoder_ops fb_decoder_gzip_zlib = {
	.open = zlib_open,
	.begin = zlib_begin,
	.step = zlib_step,
	.close = zlib_close,
};
