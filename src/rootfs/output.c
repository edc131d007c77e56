/* SPDX-License-Identifier: Apache-2.0 */
#include "rootfs/output.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/io.h"

#define BUFFER_SIZE (256u << 10)
/* from here on a copy costs more than a call */
#define DIRECT_SIZE (16u << 10)
/* writing out begins early, so that the sync at the end has little to do */
#define WRITE_OUT_BYTES (16u << 20)
/* most bytes of a stream that is kept: all of an image's folders */
#define KEPT_MAX ((size_t)4 << 30)

int fb_sqfs_output_open(struct fb_sqfs_output *out, int fd, uint64_t pos,
			uint64_t max_bytes)
{
	*out = (struct fb_sqfs_output){ .fd = fd,
					.pos = pos,
					.max_bytes = max_bytes };
	out->buf = malloc(BUFFER_SIZE);
	return out->buf ? 0 : -ENOMEM;
}

void fb_sqfs_output_release(struct fb_sqfs_output *out)
{
	free(out->buf);
	out->buf = NULL;
}

/* What was stepped back over is written again: it is not far behind */
static void write_out(struct fb_sqfs_output *out, uint64_t end)
{
	if (end < out->written_out + 2 * WRITE_OUT_BYTES)
		return;
	(void)sync_file_range(out->fd, (off_t)out->written_out, WRITE_OUT_BYTES,
			      SYNC_FILE_RANGE_WRITE);
	out->written_out += WRITE_OUT_BYTES;
}

static int put(struct fb_sqfs_output *out, const void *data, size_t len,
	       uint64_t pos, struct fb_err *err)
{
	int r = fb_pwrite_full(out->fd, data, len, pos);

	if (r < 0)
		return fb_err_set(err, r, "write the image: %m");
	write_out(out, pos + len);
	return 0;
}

int fb_sqfs_output_flush(struct fb_sqfs_output *out, struct fb_err *err)
{
	size_t used = out->used;

	out->used = 0;
	return used ? put(out, out->buf, used, out->pos - used, err) : 0;
}

int fb_sqfs_output_check(const struct fb_sqfs_output *out, uint64_t size,
			 struct fb_err *err)
{
	int r;

	if (size <= out->max_bytes)
		return 0;
	r = fb_err_set(err, -EFBIG, "the image grows over %llu bytes",
		       (unsigned long long)out->max_bytes);
	return fb_err_hint(err, r, "raise --max-image-size");
}

int fb_sqfs_output_write(struct fb_sqfs_output *out, const void *data,
			 size_t len, struct fb_err *err)
{
	int r = fb_sqfs_output_check(out, out->pos + len, err);

	if (r < 0)
		return r;
	if (len >= DIRECT_SIZE || out->used + len > BUFFER_SIZE)
		r = fb_sqfs_output_flush(out, err);
	if (r == 0 && len >= DIRECT_SIZE) {
		r = put(out, data, len, out->pos, err);
	} else if (r == 0) {
		memcpy(out->buf + out->used, data, len);
		out->used += len;
	}
	if (r == 0)
		out->pos += len;
	return r;
}

void fb_meta_init(struct fb_meta *meta, struct fb_codec *codec,
		  struct fb_sqfs_output *out)
{
	meta->codec = codec;
	meta->out = out;
	meta->kept = FB_STR_INIT(KEPT_MAX);
	meta->locations = FB_STR_INIT(KEPT_MAX);
	meta->bytes = 0;
	meta->used = 0;
	meta->locate = false;
}

void fb_meta_release(struct fb_meta *meta)
{
	fb_str_release(&meta->kept);
	fb_str_release(&meta->locations);
}

static int note_location(struct fb_meta *meta, struct fb_err *err)
{
	uint8_t text[8], *p = text;
	int r;

	if (!meta->locate)
		return 0;
	sq_put64(&p, meta->out->pos);
	r = fb_str_append(&meta->locations, text, sizeof(text));
	return r < 0 ? fb_err_set(err, r, "write tables: %m") : 0;
}

int fb_meta_flush(struct fb_meta *meta, struct fb_err *err)
{
	uint8_t *p = meta->packed;
	int n, r;

	if (!meta->used)
		return 0;
	n = fb_codec_pack(meta->codec, meta->block, meta->used, p + 2);
	if (n < 0)
		return fb_err_set(err, n, "compress: %m");
	if (n == 0) {
		sq_put16(&p, SQ_META_RAW | meta->used);
		memcpy(p, meta->block, meta->used);
		n = (int)meta->used;
	} else {
		sq_put16(&p, (unsigned int)n);
	}
	r = note_location(meta, err);
	if (r == 0 && meta->out) {
		r = fb_sqfs_output_write(meta->out, meta->packed,
					 2u + (size_t)n, err);
	} else if (r == 0) {
		r = fb_str_append(&meta->kept, meta->packed, 2u + (size_t)n);
		if (r < 0)
			fb_err_set(err, r, "write tables: %m");
	}
	meta->bytes += 2u + (uint32_t)n;
	meta->used = 0;
	return r;
}

int fb_meta_write(struct fb_meta *meta, const void *data, size_t len,
		  struct fb_err *err)
{
	const uint8_t *from = data;
	size_t n;
	int r = 0;

	while (len > 0 && r == 0) {
		n = SQ_META_SIZE - meta->used;
		if (n > len)
			n = len;
		memcpy(meta->block + meta->used, from, n);
		meta->used += (uint32_t)n;
		from += n;
		len -= n;
		if (meta->used == SQ_META_SIZE)
			r = fb_meta_flush(meta, err);
	}
	return r;
}
