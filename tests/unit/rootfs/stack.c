/* SPDX-License-Identifier: Apache-2.0 */
#include "stack.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <zlib.h>
#include <zstd.h>

#include "base/cleanup.h"
#include "unit/archive/tar_builder.h"

struct stack_chunk {
	struct stack_chunk *next;
	max_align_t data[];
};

void *arena_alloc(struct stack_arena *arena, size_t size)
{
	struct stack_chunk *c = calloc(1, sizeof(*c) + size);

	if (!c)
		abort();
	c->next = arena->chunks;
	arena->chunks = c;
	return c->data;
}

char *arena_printf(struct stack_arena *arena, const char *fmt, ...)
{
	char text[8192], *copy;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= sizeof(text))
		abort();
	copy = arena_alloc(arena, (size_t)n + 1);
	memcpy(copy, text, (size_t)n + 1);
	return copy;
}

void arena_release(struct stack_arena *arena)
{
	struct stack_chunk *next;

	for (; arena->chunks; arena->chunks = next) {
		next = arena->chunks->next;
		free(arena->chunks);
	}
}

void stack_add(struct stack_layer *layer, struct stack_arena *arena,
	       const struct stack_entry *entry)
{
	struct stack_entry *grown;

	if (layer->count == layer->cap) {
		layer->cap = layer->cap ? layer->cap * 2 : 16;
		grown = arena_alloc(arena, layer->cap * sizeof(*grown));
		if (layer->count)
			memcpy(grown, layer->entries,
			       layer->count * sizeof(*grown));
		layer->entries = grown;
	}
	layer->entries[layer->count++] = *entry;
}

static bool all_zero(const char *data, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (data[i])
			return false;
	return true;
}

/* the map and what is not a hole, in pax 1.0's shape */
static void write_sparse(const struct stack_entry *e, struct fb_str *body)
{
	FB_STR struct fb_str map = FB_STR_INIT(TB_MAX);
	FB_STR struct fb_str data = FB_STR_INIT(TB_MAX);
	size_t count = 0, n;

	for (size_t at = 0; at < e->size; at += n) {
		n = e->size - at < 512 ? e->size - at : 512;
		if (all_zero((const char *)e->data + at, n))
			continue;
		fb_str_printf(&map, "%zu\n%zu\n", at, n);
		tb_bytes(&data, (const char *)e->data + at, n);
		count++;
	}
	fb_str_printf(body, "%zu\n%s", count, fb_str_cstr(&map));
	tb_pad(body);
	tb_bytes(body, fb_str_cstr(&data), data.len);
}

static void write_records(const struct stack_entry *e, struct fb_str *rec)
{
	char text[64];

	if (strlen(e->name) > 100 || e->sparse)
		tb_text_record(rec, e->sparse ? "GNU.sparse.name" : "path",
			       e->name);
	if (e->link && strlen(e->link) > 100)
		tb_text_record(rec, "linkpath", e->link);
	if (e->sparse) {
		tb_text_record(rec, "GNU.sparse.major", "1");
		tb_text_record(rec, "GNU.sparse.minor", "0");
		(void)snprintf(text, sizeof(text), "%zu", e->size);
		tb_text_record(rec, "GNU.sparse.realsize", text);
	}
	for (size_t i = 0; i < e->xattr_count; i++) {
		char key[300];

		(void)snprintf(key, sizeof(key), "SCHILY.xattr.%s",
			       e->xattrs[i].name);
		tb_record(rec, key, e->xattrs[i].value, e->xattrs[i].len);
	}
}

void stack_write(const struct stack_layer *layer, struct fb_str *out)
{
	FB_STR struct fb_str rec = FB_STR_INIT(TB_MAX);

	for (size_t i = 0; i < layer->count; i++) {
		const struct stack_entry *e = &layer->entries[i];
		FB_STR struct fb_str body = FB_STR_INIT(TB_MAX);
		struct tb_entry h = { .name = e->name,
				      .link = e->link,
				      .type = e->type,
				      .mode = e->mode,
				      .uid = e->uid,
				      .gid = e->gid,
				      .mtime = e->mtime,
				      .major = e->major,
				      .minor = e->minor };

		write_records(e, &rec);
		if (rec.len)
			tb_pax(out, &rec, 'x');
		if (e->sparse)
			write_sparse(e, &body);
		else if (e->size)
			tb_bytes(&body, e->data, e->size);
		tb_add(out, h, fb_str_cstr(&body), body.len);
	}
	tb_end(out);
}

static void pack_gzip(const struct fb_str *in, struct fb_str *out)
{
	z_stream z = { 0 };
	size_t bound;
	char *to;

	if (deflateInit2(&z, 1, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		abort();
	bound = deflateBound(&z, in->len);
	to = fb_str_reserve(out, bound);
	z.next_in = (Bytef *)in->buf;
	z.avail_in = (uInt)in->len;
	z.next_out = (Bytef *)to;
	z.avail_out = (uInt)bound;
	if (!to || deflate(&z, Z_FINISH) != Z_STREAM_END)
		abort();
	out->len += bound - z.avail_out;
	(void)deflateEnd(&z);
}

void stack_pack(const struct fb_str *in, enum stack_packing how,
		struct fb_str *out)
{
	size_t n;
	char *to;

	if (how == STACK_PLAIN) {
		tb_bytes(out, in->buf, in->len);
	} else if (how == STACK_GZIP) {
		pack_gzip(in, out);
	} else {
		to = fb_str_reserve(out, ZSTD_compressBound(in->len));
		n = to ? ZSTD_compress(to, ZSTD_compressBound(in->len), in->buf,
				       in->len, 1)
		       : 0;
		if (!to || ZSTD_isError(n))
			abort();
		out->len += n;
	}
}

void stack_image_add(struct stack_image *image, const struct fb_str *tar,
		     enum stack_packing how)
{
	static const enum fb_layer_compression kinds[] = { FB_LAYER_PLAIN,
							   FB_LAYER_GZIP,
							   FB_LAYER_ZSTD };
	size_t n = image->count + 1;
	struct fb_rootfs_layer *l;

	image->layers = reallocarray(image->layers, n, sizeof(*l));
	image->sources =
		reallocarray(image->sources, n, sizeof(struct fb_source *));
	image->bytes = reallocarray(image->bytes, n, sizeof(struct fb_str));
	if (!image->layers || !image->sources || !image->bytes)
		abort();
	image->bytes[n - 1] = FB_STR_INIT(TB_MAX);
	stack_pack(tar, how, &image->bytes[n - 1]);
	l = &image->layers[n - 1];
	*l = (struct fb_rootfs_layer){ .size_bytes = image->bytes[n - 1].len,
				       .fd = -EBADF,
				       .compression = kinds[how] };
	if (fb_source_from_memory(image->bytes[n - 1].buf, l->size_bytes,
				  &image->sources[n - 1], NULL) < 0 ||
	    fb_digest_of(image->bytes[n - 1].buf, l->size_bytes, &l->digest) <
		    0 ||
	    fb_digest_of(tar->buf, tar->len, &l->diff_id) < 0)
		abort();
	l->source = image->sources[n - 1];
	image->count = n;
}

int stack_image_convert(const struct stack_image *image,
			const struct fb_rootfs_options *options, int *ret_fd,
			struct fb_rootfs_result *ret, struct fb_err *err)
{
	FB_FD int fd = memfd_create("image", MFD_CLOEXEC);
	int r;

	if (fd < 0)
		abort();
	for (size_t i = 0; i < image->count; i++)
		if (image->sources[i] &&
		    fb_source_rewind(image->sources[i], NULL) < 0)
			abort();
	r = fb_rootfs_convert(image->layers, image->count, fd, options, ret,
			      err);
	if (r == 0 && ret_fd)
		*ret_fd = FB_TAKE_FD(fd);
	return r;
}

void stack_image_release(struct stack_image *image)
{
	for (size_t i = 0; i < image->count; i++) {
		fb_source_free(image->sources[i]);
		fb_str_release(&image->bytes[i]);
	}
	free(image->layers);
	free(image->sources);
	free(image->bytes);
	*image = (struct stack_image){ 0 };
}
