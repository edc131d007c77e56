/* SPDX-License-Identifier: Apache-2.0 */
/*
 * xz, by liblzma, which is loaded when a stream is packed with it: hardly any is,
 * and linking it would cost every start.
 */
#include <dlfcn.h>
#include <errno.h>
#include <lzma.h>
#include <stdlib.h>
#include <string.h>

#include "archive/decoder.h"

/* What `xz -9` asks for is half of it */
#define MEMORY_MAX (128u << 20)
#define SONAME "liblzma.so.5"

struct xz {
	void *handle;
	lzma_ret (*decoder)(lzma_stream *stream, uint64_t memory_max,
			    uint32_t flags);
	lzma_ret (*code)(lzma_stream *stream, lzma_action action);
	void (*end)(lzma_stream *stream);
	lzma_stream stream;
};

/* A function pointer travels through memory: ISO C knows no cast from void *. */
static bool load_symbol(void *handle, const char *name, void *slot)
{
	void *symbol = dlsym(handle, name);

	memcpy(slot, &symbol, sizeof(symbol));
	return symbol != NULL;
}

static void xz_close(void *state)
{
	struct xz *xz = state;

	if (!xz)
		return;
	if (xz->end)
		xz->end(&xz->stream);
	if (xz->handle)
		(void)dlclose(xz->handle);
	free(xz);
}

static void *xz_open(void)
{
	struct xz *xz = calloc(1, sizeof(*xz));

	if (!xz)
		return NULL;
	xz->stream = (lzma_stream)LZMA_STREAM_INIT;
	xz->handle = dlopen(SONAME, RTLD_NOW | RTLD_LOCAL);
	if (xz->handle &&
	    load_symbol(xz->handle, "lzma_stream_decoder", &xz->decoder) &&
	    load_symbol(xz->handle, "lzma_code", &xz->code) &&
	    load_symbol(xz->handle, "lzma_end", &xz->end))
		return xz;
	xz_close(xz);
	return NULL;
}

static int code_of(lzma_ret r)
{
	if (r == LZMA_MEM_ERROR)
		return -ENOMEM;
	return r == LZMA_MEMLIMIT_ERROR ? -EFBIG : -EBADMSG;
}

static int xz_begin(void *state)
{
	struct xz *xz = state;
	lzma_ret r = xz->decoder(&xz->stream, MEMORY_MAX,
				 LZMA_TELL_UNSUPPORTED_CHECK);

	return r == LZMA_OK ? 0 : code_of(r);
}

static int xz_step(void *state, struct fb_decoder_io *io)
{
	struct xz *xz = state;
	lzma_ret r;

	xz->stream.next_in = io->in;
	xz->stream.avail_in = io->in_len;
	xz->stream.next_out = io->out;
	xz->stream.avail_out = io->out_len;
	r = xz->code(&xz->stream, LZMA_RUN);
	io->in = xz->stream.next_in;
	io->in_len = xz->stream.avail_in;
	io->out = xz->stream.next_out;
	io->out_len = xz->stream.avail_out;
	io->ended = r == LZMA_STREAM_END;
	/* no progress is no error: the stream may be cut short */
	return r == LZMA_OK || r == LZMA_STREAM_END || r == LZMA_BUF_ERROR
		       ? 0
		       : code_of(r);
}

const struct fb_decoder_ops fb_decoder_xz = {
	.open = xz_open,
	.begin = xz_begin,
	.step = xz_step,
	.close = xz_close,
};
