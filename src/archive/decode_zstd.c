/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "archive/decoder.h"
#include "archive/inflate.h"

static void *zstd_open(void)
{
	ZSTD_DCtx *ctx = ZSTD_createDCtx();

	if (ctx)
		(void)ZSTD_DCtx_setParameter(ctx, ZSTD_d_windowLogMax,
					     FB_ZSTD_WINDOW_LOG_MAX);
	return ctx;
}

static int zstd_begin(void *state)
{
	return ZSTD_isError(ZSTD_DCtx_reset(state, ZSTD_reset_session_only))
		       ? -EBADMSG
		       : 0;
}

static int zstd_step(void *state, struct fb_decoder_io *io)
{
	ZSTD_inBuffer in = { .src = io->in, .size = io->in_len };
	ZSTD_outBuffer out = { .dst = io->out, .size = io->out_len };
	size_t r = ZSTD_decompressStream(state, &out, &in);

	io->in += in.pos;
	io->in_len -= in.pos;
	io->out += out.pos;
	io->out_len -= out.pos;
	io->ended = r == 0;
	if (!ZSTD_isError(r))
		return 0;
	if (ZSTD_getErrorCode(r) == ZSTD_error_frameParameter_windowTooLarge)
		return -EFBIG;
	if (ZSTD_getErrorCode(r) == ZSTD_error_memory_allocation)
		return -ENOMEM;
	return -EBADMSG;
}

static void zstd_close(void *state)
{
	(void)ZSTD_freeDCtx(state);
}

const struct fb_decoder_ops fb_decoder_zstd = {
	.open = zstd_open,
	.begin = zstd_begin,
	.step = zstd_step,
	.close = zstd_close,
};
