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

/*
 * Names that are long: pax, GNU's, or ustar's prefix.  Sparse files: pax 1.0, 0.1,
 * 0.0, GNU's.  xattrs: star's or libarchive's records.  Numbers: in the header, or
 * in pax with nonsense in the header.
 */
enum { NAME_PAX, NAME_GNU, NAME_PREFIX };
enum { SPARSE_PAX_10, SPARSE_PAX_01, SPARSE_PAX_00, SPARSE_GNU };

struct writing {
	const struct stack_entry *e;
	struct fb_str map;   /* decimals, a comma behind each */
	struct fb_str data;  /* what is not a hole */
	struct fb_str extra; /* blocks of GNU's map behind the header */
	size_t count;
	unsigned int name;
	unsigned int sparse;
	bool base64;
	bool numbers_in_pax;
	bool marked; /* another file's pax header was in the way */
};

static void find_data(struct writing *w)
{
	const char *data = w->e->data;
	size_t n;

	for (size_t at = 0; at < w->e->size; at += n) {
		n = w->e->size - at < 512 ? w->e->size - at : 512;
		if (all_zero(data + at, n))
			continue;
		fb_str_printf(&w->map, "%zu,%zu,", at, n);
		tb_bytes(&w->data, data + at, n);
		w->count++;
	}
}

/* the next number of the map; @at is moved on */
static size_t map_number(const char **at)
{
	char *end;
	size_t value = strtoul(*at, &end, 10);

	*at = end + 1;
	return value;
}

static void number_record(struct fb_str *rec, const char *key, uint64_t value)
{
	char text[32];

	(void)snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
	tb_text_record(rec, key, text);
}

static void sparse_records(struct writing *w, struct fb_str *rec)
{
	const char *at = fb_str_cstr(&w->map);

	number_record(rec,
		      w->sparse == SPARSE_PAX_10 ? "GNU.sparse.realsize"
						 : "GNU.sparse.size",
		      w->e->size);
	if (w->sparse == SPARSE_PAX_10) {
		tb_text_record(rec, "GNU.sparse.name", w->e->name);
		tb_text_record(rec, "GNU.sparse.major", "1");
		tb_text_record(rec, "GNU.sparse.minor", "0");
		return;
	}
	number_record(rec, "GNU.sparse.numblocks", w->count);
	if (w->sparse == SPARSE_PAX_01) {
		tb_text_record(rec, "GNU.sparse.name", w->e->name);
		tb_record(rec, "GNU.sparse.map", at,
			  w->map.len ? w->map.len - 1 : 0);
		return;
	}
	for (size_t i = 0; i < w->count; i++) {
		number_record(rec, "GNU.sparse.offset", map_number(&at));
		number_record(rec, "GNU.sparse.numbytes", map_number(&at));
	}
	if (!w->count) {
		number_record(rec, "GNU.sparse.offset", w->e->size);
		number_record(rec, "GNU.sparse.numbytes", 0);
	}
}

/* four pairs in the header, then blocks of 21 */
static void gnu_map(struct writing *w, char header[512])
{
	const char *at = fb_str_cstr(&w->map);
	char block[512] = { 0 };

	memset(header + 345, 0, 512 - 345);
	for (size_t i = 0; i < w->count; i++) {
		size_t slot = i < 4 ? i : (i - 4) % 21;
		char *to = (i < 4 ? header + 386 : block) + 24 * slot;

		tb_number(to, 12, (int64_t)map_number(&at));
		tb_number(to + 12, 12, (int64_t)map_number(&at));
		if (i < 4 || (slot < 20 && i + 1 < w->count))
			continue;
		block[504] = i + 1 < w->count;
		tb_bytes(&w->extra, block, sizeof(block));
		memset(block, 0, sizeof(block));
	}
	header[482] = w->count > 4;
	tb_number(header + 483, 12, (int64_t)w->e->size);
	tb_checksum(header);
}

/* without padding, as libarchive writes it */
static void base64_record(struct fb_str *rec, const struct stack_xattr *x)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdef"
		"ghijklmnopqrstuvwxyz0123456789+/";
	FB_STR struct fb_str text = FB_STR_INIT(TB_MAX);
	const uint8_t *v = x->value;
	char key[300];

	for (size_t bit = 0; bit < 8 * x->len; bit += 6) {
		unsigned int two = (unsigned int)v[bit / 8] << 8;

		if (bit / 8 + 1 < x->len)
			two |= v[bit / 8 + 1];
		fb_str_putc(&text, digits[two >> (10 - bit % 8) & 63]);
	}
	(void)snprintf(key, sizeof(key), "LIBARCHIVE.xattr.%c%%%02x%s",
		       x->name[0], (unsigned int)x->name[1], x->name + 2);
	tb_text_record(rec, key, fb_str_cstr(&text));
}

static void xattr_records(const struct writing *w, struct fb_str *rec)
{
	for (size_t i = 0; i < w->e->xattr_count; i++) {
		const struct stack_xattr *x = &w->e->xattrs[i];
		char key[300];

		if (w->base64) {
			base64_record(rec, x);
			continue;
		}
		(void)snprintf(key, sizeof(key), "SCHILY.xattr.%s", x->name);
		tb_record(rec, key, x->value, x->len);
	}
}

static void write_records(struct writing *w, struct fb_str *rec)
{
	const struct stack_entry *e = w->e;
	bool own_name = e->sparse && w->sparse <= SPARSE_PAX_01;
	char text[64];

	if (strlen(e->name) > 100 && w->name == NAME_PAX && !own_name)
		tb_text_record(rec, "path", e->name);
	if (e->link && strlen(e->link) > 100 && w->name != NAME_GNU)
		tb_text_record(rec, "linkpath", e->link);
	if (e->sparse && w->sparse != SPARSE_GNU)
		sparse_records(w, rec);
	if (w->numbers_in_pax) {
		number_record(rec, "uid", e->uid);
		number_record(rec, "gid", e->gid);
		(void)snprintf(text, sizeof(text), "%lld%s",
			       (long long)e->mtime,
			       e->mtime < 0 ? "" : ".999999999");
		tb_text_record(rec, "mtime", text);
		tb_text_record(rec, "comment", "nobody reads this");
	}
	xattr_records(w, rec);
}

/* "a/b/c" cut at a slash, both parts short enough; else it has to be pax */
static const char *cut_name(struct writing *w, char prefix[156])
{
	const char *name = w->e->name, *slash;

	for (slash = name; (slash = strchr(slash, '/')); slash++) {
		if (slash == name || slash - name > 155 ||
		    strlen(slash + 1) > 100 || !slash[1])
			continue;
		memcpy(prefix, name, (size_t)(slash - name));
		prefix[slash - name] = '\0';
		return slash + 1;
	}
	w->name = NAME_PAX;
	return name;
}

static void write_body(struct writing *w, struct fb_str *body)
{
	const char *at = fb_str_cstr(&w->map);

	if (!w->e->sparse) {
		if (w->e->size)
			tb_bytes(body, w->e->data, w->e->size);
		return;
	}
	if (w->sparse == SPARSE_PAX_10) {
		fb_str_printf(body, "%zu\n", w->count);
		for (size_t i = 0; i < 2 * w->count; i++)
			fb_str_printf(body, "%zu\n", map_number(&at));
		tb_pad(body);
	}
	tb_bytes(body, fb_str_cstr(&w->data), w->data.len);
}

static void write_header(struct writing *w, size_t body, const char *name,
			 const char *prefix, struct fb_str *out)
{
	const struct stack_entry *e = w->e;
	bool gnu = e->sparse && w->sparse == SPARSE_GNU;
	struct tb_entry h = { .name = name,
			      .prefix = prefix[0] ? prefix : NULL,
			      .link = e->link,
			      .type = gnu ? 'S' : e->type,
			      .mode = e->mode,
			      .uid = w->numbers_in_pax ? 7 : e->uid,
			      .gid = w->numbers_in_pax ? 7 : e->gid,
			      .mtime = w->numbers_in_pax ? 7 : e->mtime,
			      .size = body,
			      .major = e->major,
			      .minor = e->minor,
			      .magic = gnu ? TB_GNU : TB_USTAR };
	char block[512];

	tb_fill(block, &h);
	if (gnu)
		gnu_map(w, block);
	tb_bytes(out, block, sizeof(block));
	tb_bytes(out, fb_str_cstr(&w->extra), w->extra.len);
}

static void write_entry(const struct stack_entry *e, struct fb_str *out)
{
	FB_STR struct fb_str rec = FB_STR_INIT(TB_MAX);
	FB_STR struct fb_str body = FB_STR_INIT(TB_MAX);
	struct writing w = { .e = e,
			     .map = FB_STR_INIT(TB_MAX),
			     .data = FB_STR_INIT(TB_MAX),
			     .extra = FB_STR_INIT(TB_MAX),
			     .name = e->format % 3,
			     .sparse = e->format / 3 % 4,
			     .base64 = e->format / 12 % 2,
			     .numbers_in_pax = e->format / 24 % 4 == 1,
			     .marked = e->format / 96 % 8 == 1 };
	char prefix[156] = "";
	const char *name = e->name;

	/* GNU's header has no room for a prefix */
	if (e->sparse && w.sparse == SPARSE_GNU && w.name == NAME_PREFIX)
		w.name = NAME_GNU;
	if (e->sparse)
		find_data(&w);
	if (strlen(name) > 100 && w.name == NAME_PREFIX)
		name = cut_name(&w, prefix);
	write_records(&w, &rec);
	if (w.marked) {
		FB_STR struct fb_str global = FB_STR_INIT(TB_MAX);

		tb_text_record(&global, "path", "no such name");
		tb_text_record(&global, "uid", "4242");
		tb_pax(out, &global, 'g');
	}
	if (rec.len)
		tb_pax(out, &rec, 'x');
	if (strlen(e->name) > 100 && w.name == NAME_GNU)
		tb_long(out, 'L', e->name);
	if (e->link && strlen(e->link) > 100 && w.name == NAME_GNU)
		tb_long(out, 'K', e->link);
	write_body(&w, &body);
	write_header(&w, body.len, name, prefix, out);
	tb_bytes(out, fb_str_cstr(&body), body.len);
	tb_pad(out);
	fb_str_release(&w.map);
	fb_str_release(&w.data);
	fb_str_release(&w.extra);
}

void stack_write(const struct stack_layer *layer, struct fb_str *out)
{
	for (size_t i = 0; i < layer->count; i++)
		write_entry(&layer->entries[i], out);
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
