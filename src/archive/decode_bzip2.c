/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bzip2, by libbz2, which is loaded when a stream is packed with it: hardly any
 * is.
 */
#include <bzlib.h>
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "archive/decoder.h"

#define SONAME "libbz2.so.1.0"

struct bzip2 {
	void *handle;
	int (*init)(bz_stream *stream, int verbosity, int small);
	int (*code)(bz_stream *stream);
	int (*end)(bz_stream *stream);
	bz_stream stream;
	bool begun;
};

/* A function pointer travels through memory: ISO C knows no cast from void *. */
static bool load_symbol(void *handle, const char *name, void *slot)
{
	void *symbol = dlsym(handle, name);

	memcpy(slot, &symbol, sizeof(symbol));
	return symbol != NULL;
}

static void bzip2_close(void *state)
{
	struct bzip2 *bz = state;

	if (!bz)
		return;
	if (bz->begun)
		(void)bz->end(&bz->stream);
	if (bz->handle)
		(void)dlclose(bz->handle);
	free(bz);
}

static void *bzip2_open(void)
{
	struct bzip2 *bz = calloc(1, sizeof(*bz));

	if (!bz)
		return NULL;
	bz->handle = dlopen(SONAME, RTLD_NOW | RTLD_LOCAL);
	if (bz->handle &&
	    load_symbol(bz->handle, "BZ2_bzDecompressInit", &bz->init) &&
	    load_symbol(bz->handle, "BZ2_bzDecompress", &bz->code) &&
	    load_symbol(bz->handle, "BZ2_bzDecompressEnd", &bz->end))
		return bz;
	bzip2_close(bz);
	return NULL;
}

static int bzip2_begin(void *state)
{
	struct bzip2 *bz = state;
	int r;

	if (bz->begun)
		(void)bz->end(&bz->stream);
	bz->stream = (bz_stream){ 0 };
	r = bz->init(&bz->stream, 0, 0);
	bz->begun = r == BZ_OK;
	return bz->begun ? 0 : -ENOMEM;
}

static unsigned int some(size_t len)
{
	return len > UINT_MAX ? UINT_MAX : (unsigned int)len;
}

static int bzip2_step(void *state, struct fb_decoder_io *io)
{
	struct bzip2 *bz = state;
	unsigned int in = some(io->in_len), out = some(io->out_len);
	int r;

	/* the library reads it only; its interface is older than const */
	bz->stream.next_in = (char *)(uintptr_t)io->in;
	bz->stream.avail_in = in;
	bz->stream.next_out = (char *)io->out;
	bz->stream.avail_out = out;
	r = bz->code(&bz->stream);
	in -= bz->stream.avail_in;
	out -= bz->stream.avail_out;
	io->in += in;
	io->in_len -= in;
	io->out += out;
	io->out_len -= out;
	io->ended = r == BZ_STREAM_END;
	if (r == BZ_MEM_ERROR)
		return -ENOMEM;
	return r == BZ_OK || r == BZ_STREAM_END ? 0 : -EBADMSG;
}

const struct fb_decoder_ops fb_decoder_bzip2 = {
	.open = bzip2_open,
	.begin = bzip2_begin,
	.step = bzip2_step,
	.close = bzip2_close,
};
