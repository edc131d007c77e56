/* SPDX-License-Identifier: Apache-2.0 */
#include "rootfs/codec.h"

#include <errno.h>
#include <lz4.h>
#include <lz4hc.h>
#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "rootfs/format.h"

struct fb_codec {
	enum fb_rootfs_compression kind;
	int level;
	ZSTD_CCtx *zstd;
	ZSTD_DCtx *unzstd;
	void *lz4;
	z_stream gzip;
	bool gzip_ready;
};

unsigned int fb_codec_id(enum fb_rootfs_compression kind)
{
	switch (kind) {
	case FB_ROOTFS_LZ4:
		return SQ_LZ4;
	case FB_ROOTFS_GZIP:
	case FB_ROOTFS_NONE: /* the superblock must name one */
		return SQ_GZIP;
	case FB_ROOTFS_DEFAULT:
	case FB_ROOTFS_ZSTD:
		break;
	}
	return SQ_ZSTD;
}

static bool open_zstd(struct fb_codec *c)
{
	c->zstd = ZSTD_createCCtx();
	return c->zstd && !ZSTD_isError(ZSTD_CCtx_setParameter(
				  c->zstd, ZSTD_c_compressionLevel, c->level));
}

static bool open_library(struct fb_codec *c)
{
	int size = LZ4_sizeofState();

	switch (c->kind) {
	case FB_ROOTFS_LZ4:
		if (c->level > 1)
			size = LZ4_sizeofStateHC();
		c->lz4 = malloc((size_t)size);
		return c->lz4;
	case FB_ROOTFS_GZIP:
		c->gzip_ready = deflateInit(&c->gzip, c->level) == Z_OK;
		return c->gzip_ready;
	case FB_ROOTFS_NONE:
		return true;
	case FB_ROOTFS_DEFAULT:
	case FB_ROOTFS_ZSTD:
		break;
	}
	return open_zstd(c);
}

struct fb_codec *fb_codec_new(const struct fb_rootfs_options *options)
{
	struct fb_codec *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->kind = options->compression;
	c->level = options->level;
	if (!open_library(c)) {
		fb_codec_free(c);
		return NULL;
	}
	return c;
}

void fb_codec_free(struct fb_codec *codec)
{
	if (!codec)
		return;
	ZSTD_freeCCtx(codec->zstd);
	ZSTD_freeDCtx(codec->unzstd);
	free(codec->lz4);
	if (codec->gzip_ready)
		(void)deflateEnd(&codec->gzip);
	free(codec);
}

static int pack_zstd(struct fb_codec *c, const void *in, uint32_t len,
		     void *out)
{
	size_t n = ZSTD_compress2(c->zstd, out, len - 1, in, len);

	if (!ZSTD_isError(n))
		return (int)n;
	/* no room: it does not get smaller */
	return ZSTD_getErrorCode(n) == ZSTD_error_dstSize_tooSmall ? 0 : -EIO;
}

static int pack_lz4(struct fb_codec *c, const void *in, uint32_t len, void *out)
{
	int room = (int)len - 1;

	return c->level > 1
		       ? LZ4_compress_HC_extStateHC(c->lz4, in, out, (int)len,
						    room, c->level)
		       : LZ4_compress_fast_extState(c->lz4, in, out, (int)len,
						    room, 1);
}

static int pack_gzip(struct fb_codec *c, const void *in, uint32_t len,
		     void *out)
{
	z_stream *z = &c->gzip;
	int r;

	if (deflateReset(z) != Z_OK)
		return -EIO;
	z->next_in = (Bytef *)(uintptr_t)in;
	z->avail_in = len;
	z->next_out = out;
	z->avail_out = len - 1;
	r = deflate(z, Z_FINISH);
	if (r == Z_STREAM_END)
		return (int)(len - 1 - z->avail_out);
	return r == Z_OK || r == Z_BUF_ERROR ? 0 : -EIO;
}

int fb_codec_pack(struct fb_codec *codec, const void *in, uint32_t len,
		  void *out)
{
	if (len < 2)
		return 0;
	switch (codec->kind) {
	case FB_ROOTFS_LZ4:
		return pack_lz4(codec, in, len, out);
	case FB_ROOTFS_GZIP:
		return pack_gzip(codec, in, len, out);
	case FB_ROOTFS_NONE:
		return 0;
	case FB_ROOTFS_DEFAULT:
	case FB_ROOTFS_ZSTD:
		break;
	}
	return pack_zstd(codec, in, len, out);
}

static int unpack_zstd(struct fb_codec *c, const void *in, uint32_t len,
		       void *out, uint32_t room)
{
	size_t n;

	if (!c->unzstd)
		c->unzstd = ZSTD_createDCtx();
	if (!c->unzstd)
		return -ENOMEM;
	n = ZSTD_decompressDCtx(c->unzstd, out, room, in, len);
	return ZSTD_isError(n) ? -EIO : (int)n;
}

int fb_codec_unpack(struct fb_codec *codec, const void *in, uint32_t len,
		    void *out, uint32_t room)
{
	uLongf got = room;
	int n;

	switch (codec->kind) {
	case FB_ROOTFS_LZ4:
		n = LZ4_decompress_safe(in, out, (int)len, (int)room);
		return n < 0 ? -EIO : n;
	case FB_ROOTFS_GZIP:
		return uncompress(out, &got, in, len) == Z_OK ? (int)got : -EIO;
	case FB_ROOTFS_NONE:
		return -EIO;
	case FB_ROOTFS_DEFAULT:
	case FB_ROOTFS_ZSTD:
		break;
	}
	return unpack_zstd(codec, in, len, out, room);
}
