/* SPDX-License-Identifier: Apache-2.0 */
/* Verification, limits, options, reproducibility, giving up. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive/source.h"
#include "base/cleanup.h"
#include "base/io.h"
#include "draw.h"
#include "image_check.h"
#include "rootfs/digest.h"
#include "tap.h"
#include "unit/archive/tar_builder.h"

/* a layer whose files are of all sizes, and its tar */
static void draw_tar(uint64_t seed, size_t entries, struct fb_str *tar)
{
	struct stack_arena arena = { 0 };
	struct stack_layer layer = { 0 };
	struct draw d = { .arena = &arena, .state = seed, .names = 8 };

	for (size_t i = 0; i < entries; i++) {
		size_t size = draw_number(&d, 4) ? draw_number(&d, 3000)
						 : draw_number(&d, 700000);
		char *data = arena_alloc(&arena, size + 1);
		struct stack_entry e = {
			.type = '0',
			.name = arena_printf(&arena, "d%zu/f%zu", i % 7, i),
			.data = data,
			.size = size,
			.mode = 0644,
		};

		for (size_t k = 0; k < size; k++)
			data[k] = (char)(draw_number(&d, 5) ? 'a' + (int)(k % 9)
							    : (int)k);
		stack_add(&layer, &arena, &e);
	}
	stack_write(&layer, tar);
	arena_release(&arena);
}

static void one_file(struct fb_str *tar, const char *name, size_t size)
{
	struct fb_str body = FB_STR_INIT(TB_MAX);

	tb_zeroes(&body, size);
	for (size_t i = 0; i < size; i++)
		body.buf[i] = (char)(i * 7 ^ i >> 8);
	tb_add(tar,
	       (struct tb_entry){ .name = name, .type = '0', .mode = 0644 },
	       fb_str_cstr(&body), size);
	tb_end(tar);
	fb_str_release(&body);
}

/* a source that gives few bytes at a time, and stops between */
struct slow_source {
	struct fb_source base;
	struct fb_source *from;
	unsigned int pause_us;
	bool no_rewind;
	bool cancelled;
};

static ssize_t slow_read(struct fb_source *src, void *buf, size_t len,
			 struct fb_err *err)
{
	struct slow_source *s = (struct slow_source *)src;

	if (s->pause_us)
		(void)usleep(s->pause_us);
	return fb_source_read(s->from, buf, len < 50000 ? len : 50000, err);
}

static int slow_rewind(struct fb_source *src, struct fb_err *err)
{
	struct slow_source *s = (struct slow_source *)src;

	return s->no_rewind ? fb_err_set(err, -ESPIPE, "rewind: %m")
			    : fb_source_rewind(s->from, err);
}

static void slow_cancel(struct fb_source *src)
{
	((struct slow_source *)src)->cancelled = true;
}

static const struct fb_source_ops slow_ops = { .read = slow_read,
					       .rewind = slow_rewind,
					       .cancel = slow_cancel };

static void test_reproducible(void)
{
	FB_STR struct fb_str base = FB_STR_INIT(TB_MAX);
	FB_STR struct fb_str top = FB_STR_INIT(TB_MAX);
	struct fb_digest first = { 0 };

	draw_tar(1, 120, &base);
	draw_tar(2, 60, &top);
	for (unsigned int i = 0; i < 12; i++) {
		struct fb_rootfs_options o = { .workers = 1u << (i % 3) };
		struct stack_image image = { 0 };
		struct fb_rootfs_result result = { 0 };
		struct slow_source slow = { .base.ops = &slow_ops,
					    .pause_us = i % 4 * 2000 };
		struct fb_err err = { 0 };

		stack_image_add(&image, &base, (enum stack_packing)(i / 3 % 3));
		stack_image_add(&image, &top, (enum stack_packing)(i % 3));
		slow.from = image.layers[i % 2].source;
		if (i > 5)
			image.layers[i % 2].source = &slow.base;
		TAP_INT(stack_image_convert(&image, &o, NULL, &result, &err), 0,
			"%u workers: %s", o.workers, err.msg);
		if (i == 0)
			first = result.digest;
		TAP_OK(fb_digest_equal(&first, &result.digest),
		       "the same bytes%s", i > 5 ? " with delays" : "");
		stack_image_release(&image);
	}
}

static void test_result(void)
{
	FB_STR struct fb_str tar = FB_STR_INIT(TB_MAX);
	struct stack_image image = { 0 };
	struct fb_rootfs_options o = { 0 };
	struct fb_rootfs_result result = { 0 };
	struct fb_digest d = { 0 };
	FB_FREE char *bytes = NULL;
	FB_FD int fd = -EBADF;
	struct stat st;

	draw_tar(3, 40, &tar);
	stack_image_add(&image, &tar, STACK_GZIP);
	TAP_INT(stack_image_convert(&image, NULL, &fd, &result, NULL), 0,
		"convert");
	TAP_INT(fstat(fd, &st), 0, "the file");
	TAP_INT(result.image_bytes, st.st_size, "is as large as is said");
	TAP_INT(st.st_size % 4096, 0, "a multiple of 4096");
	bytes = malloc((size_t)st.st_size);
	if (!bytes ||
	    fb_pread_full(fd, bytes, (size_t)st.st_size, 0) != st.st_size)
		abort();
	(void)fb_digest_of(bytes, (size_t)st.st_size, &d);
	TAP_OK(fb_digest_equal(&d, &result.digest), "and has the digest");
	TAP_INT(result.layer_bytes, image.layers[0].size_bytes, "packed bytes");
	TAP_INT(result.unpacked_bytes, tar.len, "unpacked bytes");
	TAP_INT(result.inodes, 40 + 7 + 1, "inodes");
	TAP_INT(result.directories, 8, "folders");
	o.skip_image_digest = true;
	TAP_INT(stack_image_convert(&image, &o, NULL, &result, NULL), 0,
		"without the digest");
	TAP_OK(!result.digest.set, "there is none");
	stack_image_release(&image);
}

/* in pieces, by two threads: about the places where a piece ends */
static void test_digest(void)
{
	const size_t mib = 1u << 20;
	const size_t sizes[] = {
		0,	 1,	      mib - 1,	    mib,
		mib + 1, 3 * mib - 1, 3 * mib,	    3 * mib + 1,
		4 * mib, 7 * mib,     7 * mib + 512
	};
	FB_FREE uint8_t *bytes = malloc(8 * mib);
	FB_FD int fd = memfd_create("digest", MFD_CLOEXEC);
	struct fb_digest want, got = { 0 };
	struct fb_err err = { 0 };
	unsigned int bad = 0;

	if (!bytes || fd < 0)
		abort();
	for (size_t i = 0; i < 8 * mib; i++)
		bytes[i] = (uint8_t)(i * 31 + i / 4096);
	for (size_t i = 0; i < FB_ARRAY_SIZE(sizes); i++) {
		if (ftruncate(fd, 0) < 0 ||
		    fb_pwrite_full(fd, bytes, sizes[i], 0) < 0 ||
		    fb_digest_of(bytes, sizes[i], &want) < 0)
			abort();
		bad += fb_digest_file(fd, &got, &err) != 0 ||
		       !fb_digest_equal(&want, &got);
	}
	TAP_INT(bad, 0, "the digest of files of many sizes");
	fd = fb_close(fd);
	TAP_INT(fb_digest_file(fd, &got, &err), -EBADF, "of none: %s", err.msg);
}

static void test_empty(void)
{
	FB_STR struct fb_str list = FB_STR_INIT(4096);
	struct stack_image image = { 0 };
	struct fb_rootfs_result result = { 0 };
	FB_FD int fd = -EBADF;

	TAP_INT(stack_image_convert(&image, NULL, &fd, &result, NULL), 0,
		"no layers at all");
	TAP_INT(image_list(fd, &list), 0, "read it");
	TAP_STR(fb_str_cstr(&list), "d / 755 0:0 @0\n", "an empty root");
}

static void expect(const struct stack_image *image,
		   const struct fb_rootfs_options *o, int code,
		   const char *text, const char *what)
{
	struct fb_rootfs_result result;
	struct fb_err err = { 0 };

	TAP_INT(stack_image_convert(image, o, NULL, &result, &err), code, "%s",
		what);
	if (!TAP_OK(strstr(err.msg, text) != NULL, "it says so"))
		printf("# '%s'\n", err.msg);
}

static void test_verified(void)
{
	FB_STR struct fb_str tar = FB_STR_INIT(TB_MAX);
	struct stack_image image = { 0 };
	struct fb_rootfs_layer good;

	draw_tar(4, 10, &tar);
	for (int i = 0; i < 3; i++)
		stack_image_add(&image, &tar, (enum stack_packing)i);
	for (size_t i = 0; i < 3; i++) {
		struct fb_rootfs_layer *l = &image.layers[i];
		char text[64];

		good = *l;
		(void)snprintf(text, sizeof(text), "layer %zu of 3: ", i + 1);
		l->digest.hash[31] ^= 1;
		expect(&image, NULL, -EBADMSG, text, "a wrong digest");
		*l = good;
		l->diff_id.hash[0] ^= 1;
		expect(&image, NULL, -EBADMSG, "diff_id is", "a wrong diff_id");
		*l = good;
		l->size_bytes++;
		expect(&image, NULL, -EBADMSG, "its descriptor says",
		       "a byte is missing");
		*l = good;
		l->size_bytes--;
		expect(&image, NULL, -EBADMSG, "is longer than its descriptor",
		       "a byte too many");
		*l = good;
		l->digest.set = l->diff_id.set = false;
		l->size_bytes = UINT64_MAX;
		expect(&image, NULL, 0, "", "nothing to check against");
		*l = good;
	}
	stack_image_release(&image);
}

static void take_warning(void *ctx, enum fb_log_level level, const char *line)
{
	if (level == FB_LOG_WARN)
		(void)fb_str_puts(ctx, line);
}

static void test_media_type(void)
{
	FB_STR struct fb_str tar = FB_STR_INIT(TB_MAX);
	FB_STR struct fb_str said = FB_STR_INIT(4096);
	const struct fb_log log = { .emit = take_warning, .ctx = &said };
	const struct fb_rootfs_options o = { .log = &log };
	struct stack_image image = { 0 };
	struct fb_rootfs_result result;

	one_file(&tar, "a", 10);
	stack_image_add(&image, &tar, STACK_ZSTD);
	TAP_INT(stack_image_convert(&image, &o, NULL, &result, NULL), 0,
		"zstd");
	TAP_STR(fb_str_cstr(&said), "", "as its media type says");
	image.layers[0].compression = FB_LAYER_GZIP;
	TAP_INT(stack_image_convert(&image, &o, NULL, &result, NULL), 0,
		"zstd that is said to be gzip");
	TAP_OK(strstr(fb_str_cstr(&said),
		      "layer 1: its media type says gzip, "
		      "its bytes are zstd"),
	       "is told");
	stack_image_release(&image);
}

static void test_limits(void)
{
	FB_STR struct fb_str tar = FB_STR_INIT(TB_MAX);
	struct stack_image image = { 0 };
	struct fb_rootfs_options o = { 0 };

	draw_tar(5, 50, &tar);
	stack_image_add(&image, &tar, STACK_GZIP);
	o.max_image_bytes = 100000;
	expect(&image, &o, -EFBIG, "the image grows over 100000 bytes",
	       "too large an image");
	o = (struct fb_rootfs_options){ .max_entries = 49 };
	expect(&image, &o, -EFBIG, "entry 'd0/f49': over 49 entries",
	       "too many entries");
	o.max_entries = 50;
	expect(&image, &o, 0, "", "just as many as allowed");
	o = (struct fb_rootfs_options){ .max_unpacked_bytes = 100000 };
	expect(&image, &o, -EFBIG, "layer 1 of 1: ", "too much unpacked");
	o = (struct fb_rootfs_options){ .max_tree_bytes = 100000 };
	expect(&image, &o, -EFBIG,
	       "over 100000 bytes of names, attributes and lists of blocks",
	       "too many names");
	stack_image_release(&image);
}

static void test_sparse_limit(void)
{
	FB_STR struct fb_str rec = FB_STR_INIT(TB_MAX);
	FB_STR struct fb_str tar = FB_STR_INIT(TB_MAX);
	struct stack_image image = { 0 };
	struct fb_rootfs_result result;
	struct fb_rootfs_options o = { 0 };
	struct fb_err err = { 0 };
	FB_STR struct fb_str list = FB_STR_INIT(4096);
	FB_FD int fd = -EBADF;

	tb_text_record(&rec, "GNU.sparse.size", "8589934599");
	tb_text_record(&rec, "GNU.sparse.map", "8589934592,7");
	tb_pax(&tar, &rec, 'x');
	tb_add(&tar, (struct tb_entry){ .name = "big", .type = '0' }, "the end",
	       7);
	tb_end(&tar);
	stack_image_add(&image, &tar, STACK_PLAIN);
	TAP_INT(stack_image_convert(&image, NULL, &fd, &result, &err), 0,
		"a sparse file of 8 GiB: %s", err.msg);
	TAP_OK(result.image_bytes <= 8192, "takes %llu bytes",
	       (unsigned long long)result.image_bytes);
	TAP_INT(image_list(fd, &list), 0, "read it");
	TAP_OK(strstr(fb_str_cstr(&list), "f big 0 0:0 @0 size 8589934599"),
	       "and has its size");
	o.max_unpacked_bytes = 1u << 30;
	expect(&image, &o, -EFBIG, "entry 'big': over 1073741824 bytes",
	       "but not under a limit");
	stack_image_release(&image);
}

struct stop {
	unsigned int calls;
	unsigned int after;
	uint64_t done;
	uint64_t total;
	bool backwards;
};

static int count_progress(void *ctx, uint64_t done, uint64_t total)
{
	struct stop *s = ctx;

	s->backwards = s->backwards || done < s->done;
	s->done = done;
	s->total = total;
	return ++s->calls > s->after ? -EINTR : 0;
}

static void test_progress(void)
{
	FB_STR struct fb_str tar = FB_STR_INIT(TB_MAX);
	struct stack_image image = { 0 };
	struct stop stop = { .after = 1000 };
	struct slow_source slow = { .base.ops = &slow_ops, .pause_us = 100 };
	struct fb_rootfs_options o = { .progress = count_progress,
				       .progress_ctx = &stop };

	one_file(&tar, "a", 20u << 20);
	stack_image_add(&image, &tar, STACK_PLAIN);
	stack_image_add(&image, &tar, STACK_PLAIN);
	expect(&image, &o, 0, "", "with progress");
	TAP_OK(stop.calls > 4, "told %u times", stop.calls);
	TAP_INT(stop.done, stop.total, "to the end");
	TAP_OK(!stop.backwards, "and never back");
	stop = (struct stop){ .after = 1 };
	slow.from = image.layers[1].source;
	image.layers[1].source = &slow.base;
	expect(&image, &o, -EINTR, "", "given up in the middle");
	TAP_OK(slow.cancelled, "the source that was being read was told");
	stack_image_release(&image);
}

/* a hidden file whose other name shows: its layer has to be read again */
static void test_rewind(void)
{
	FB_STR struct fb_str base = FB_STR_INIT(TB_MAX);
	FB_STR struct fb_str top = FB_STR_INIT(TB_MAX);
	FB_STR struct fb_str list = FB_STR_INIT(4096);
	struct stack_image image = { 0 };
	struct fb_rootfs_result result = { 0 };
	struct slow_source slow = { .base.ops = &slow_ops, .no_rewind = true };
	FB_FD int fd = -EBADF;

	tb_add(&base, (struct tb_entry){ .name = "a", .type = '0' }, "old", 3);
	tb_header(&base,
		  &(struct tb_entry){ .name = "b", .type = '1', .link = "a" });
	tb_end(&base);
	tb_add(&top, (struct tb_entry){ .name = "a", .type = '0' }, "new", 3);
	tb_end(&top);
	stack_image_add(&image, &base, STACK_GZIP);
	stack_image_add(&image, &top, STACK_GZIP);
	TAP_INT(stack_image_convert(&image, NULL, &fd, &result, NULL), 0,
		"convert");
	TAP_INT(result.rescanned_layers, 1, "one layer was read twice");
	TAP_INT(result.hidden_files, 1, "one file was hidden");
	TAP_INT(image_list(fd, &list), 0, "list");
	TAP_STR(fb_str_cstr(&list),
		"d / 755 0:0 @0\nf a 0 0:0 @0 =new\nf b 0 0:0 @0 =old\n",
		"both are there");
	slow.from = image.layers[0].source;
	image.layers[0].source = &slow.base;
	expect(&image, NULL, -ESPIPE, "layer 1 of 2: read it again",
	       "a source that cannot be rewound");
	stack_image_release(&image);
}

static void test_duplicates(void)
{
	FB_STR struct fb_str tar = FB_STR_INIT(TB_MAX);
	struct stack_image image = { 0 };
	struct fb_rootfs_result one = { 0 }, many = { 0 };
	char *noise = malloc(1u << 20), name[16];
	uint32_t x = 1;

	if (!noise)
		abort();
	for (size_t i = 0; i < 1u << 20; i++) {
		x = x * 1664525u + 1013904223u;
		noise[i] = (char)(x >> 24);
	}
	tb_add(&tar, (struct tb_entry){ .name = "a", .type = '0' }, noise,
	       1u << 20);
	tb_add(&tar, (struct tb_entry){ .name = "s", .type = '0' }, noise + 99,
	       90000);
	stack_image_add(&image, &tar, STACK_PLAIN);
	TAP_INT(stack_image_convert(&image, NULL, NULL, &one, NULL), 0, "once");
	stack_image_release(&image);
	for (int i = 0; i < 20; i++) {
		(void)snprintf(name, sizeof(name), "f%d", i);
		tb_add(&tar, (struct tb_entry){ .name = name, .type = '0' },
		       i % 2 ? noise : noise + 99, i % 2 ? 1u << 20 : 90000);
	}
	stack_image_add(&image, &tar, STACK_PLAIN);
	TAP_INT(stack_image_convert(&image, NULL, NULL, &many, NULL), 0,
		"eleven times");
	TAP_OK(many.image_bytes < one.image_bytes + 8192,
	       "equal files take no room: %llu, %llu bytes",
	       (unsigned long long)one.image_bytes,
	       (unsigned long long)many.image_bytes);
	stack_image_release(&image);
	free(noise);
}

/* blocks of zeroes within files: what was in the packer's slot before counts not */
static void test_zero_blocks(void)
{
	FB_STR struct fb_str tar = FB_STR_INIT(TB_MAX);
	struct fb_rootfs_result result = { 0 };
	struct fb_digest first = { 0 };
	struct stack_image image = { 0 };
	static char body[5 * 131072];
	uint64_t size = 0;
	char name[16];

	for (size_t i = 0; i < sizeof(body); i++)
		body[i] = (char)(i / 131072 % 2 ? 0 : i * i >> 7 ^ i);
	for (int i = 0; i < 40; i++) {
		(void)snprintf(name, sizeof(name), "f%d", i);
		/* every other one is the same */
		body[7] = (char)(i % 2 ? 0 : i);
		tb_add(&tar, (struct tb_entry){ .name = name, .type = '0' },
		       body, sizeof(body) - (i % 3 ? 0 : 131072));
	}
	tb_end(&tar);
	stack_image_add(&image, &tar, STACK_PLAIN);
	for (unsigned int workers = 1; workers <= 4; workers++) {
		struct fb_rootfs_options o = { .workers = workers,
					       .compression = FB_ROOTFS_NONE };

		TAP_INT(stack_image_convert(&image, &o, NULL, &result, NULL), 0,
			"%u workers", workers);
		if (workers == 1)
			first = result.digest;
		size = result.image_bytes;
		TAP_OK(fb_digest_equal(&first, &result.digest),
		       "the same bytes");
	}
	/* 20 that differ and 2 kinds that are the same, of two or three blocks */
	TAP_OK(size < 23u * 3 * 131072, "equal ones once: %llu bytes",
	       (unsigned long long)size);
	stack_image_release(&image);
}

static void test_options(void)
{
	static const struct {
		struct fb_rootfs_options o;
		const char *text;
	} bad[] = {
		{ { .compression = FB_ROOTFS_ZSTD, .level = 23 },
		  "zstd has 1 to 22" },
		{ { .level = -1 }, "lz4 has 1 to 12" },
		{ { .compression = FB_ROOTFS_GZIP, .level = 10 },
		  "gzip has 1 to 9" },
		{ { .block_bytes = 5000 }, "a power of two" },
		{ { .block_bytes = 2048 }, "from 4096" },
		{ { .block_bytes = 2097152 }, "to 1048576" },
		{ { .workers = 65 }, "64 is the most" },
	};
	enum fb_rootfs_compression kind;
	struct fb_rootfs_options o;
	struct stack_image image = { 0 };
	struct fb_err err = { 0 };

	for (size_t i = 0; i < FB_ARRAY_SIZE(bad); i++)
		expect(&image, &bad[i].o, -EINVAL, bad[i].text, "a bad option");
	TAP_INT(fb_rootfs_options_resolve(NULL, &o, NULL), 0, "defaults");
	TAP_OK(o.compression == FB_ROOTFS_LZ4 && o.level == 1 &&
		       o.block_bytes == 131072 && o.workers >= 1,
	       "are what is measured");
	TAP_INT(fb_rootfs_compression_parse("lz4", &kind, NULL), 0, "lz4");
	TAP_STR(fb_rootfs_compression_name(kind), "lz4", "and back");
	TAP_INT(fb_rootfs_compression_parse("xz", &kind, &err), -EINVAL, "xz");
	TAP_OK(strstr(err.msg, "zstd, lz4, gzip or none"),
	       "says what there is");
}

static void test_key(void)
{
	struct fb_digest ids[2] = { 0 }, a, b, c;
	struct fb_rootfs_options o = { .workers = 3, .max_entries = 9 };

	(void)fb_digest_of("1", 1, &ids[0]);
	(void)fb_digest_of("2", 1, &ids[1]);
	TAP_INT(fb_rootfs_key(ids, 2, NULL, &a, NULL), 0, "a key");
	TAP_INT(fb_rootfs_key(ids, 2, &o, &b, NULL), 0, "with options");
	TAP_OK(fb_digest_equal(&a, &b), "that do not change the image");
	o.level = 2;
	TAP_INT(fb_rootfs_key(ids, 2, &o, &b, NULL), 0, "with another level");
	TAP_OK(!fb_digest_equal(&a, &b), "it is another");
	(void)fb_digest_of("2", 1, &ids[0]);
	(void)fb_digest_of("1", 1, &ids[1]);
	TAP_INT(fb_rootfs_key(ids, 2, NULL, &c, NULL), 0, "in another order");
	TAP_OK(!fb_digest_equal(&a, &c), "it is another");
	ids[1].set = false;
	TAP_INT(fb_rootfs_key(ids, 2, NULL, &c, NULL), -EINVAL,
		"without a diff_id there is none");
}

static void test_every_kind(void)
{
	FB_STR struct fb_str tar = FB_STR_INIT(TB_MAX);
	struct stack_image image = { 0 };
	uint64_t largest = 0;

	draw_tar(6, 60, &tar);
	stack_image_add(&image, &tar, STACK_ZSTD);
	for (int kind = FB_ROOTFS_ZSTD; kind <= FB_ROOTFS_NONE; kind++) {
		for (int high = 0; high < 2; high++) {
			struct fb_rootfs_options o = {
				.compression = (enum fb_rootfs_compression)kind,
				.level = high && kind != FB_ROOTFS_NONE ? 9 : 0,
				.block_bytes = high ? 1048576 : 4096,
			};
			FB_STR struct fb_str list = FB_STR_INIT(1u << 20);
			struct fb_rootfs_result result = { 0 };
			struct fb_err err = { 0 };
			FB_FD int fd = -EBADF;

			TAP_INT(stack_image_convert(&image, &o, &fd, &result,
						    &err),
				0, "%s, blocks of %u: %s",
				fb_rootfs_compression_name(o.compression),
				o.block_bytes, err.msg);
			TAP_INT(image_list(fd, &list), 0, "is read back");
			if (result.image_bytes > largest)
				largest = result.image_bytes;
			if (kind == FB_ROOTFS_NONE)
				TAP_INT(result.image_bytes <= largest, 1,
					"is the largest");
		}
	}
	stack_image_release(&image);
}

static void test_full_disk(void)
{
	FB_STR struct fb_str tar = FB_STR_INIT(TB_MAX);
	struct stack_image image = { 0 };
	struct fb_rootfs_result result;
	struct fb_err err = { 0 };
	FB_FD int fd = open("/dev/full", O_RDWR | O_CLOEXEC);

	one_file(&tar, "a", 3u << 20);
	stack_image_add(&image, &tar, STACK_PLAIN);
	TAP_INT(fb_rootfs_convert(image.layers, 1, fd, NULL, &result, &err),
		-ENOSPC, "no space left");
	TAP_OK(strstr(err.msg, "write the image"), "it says so");
	stack_image_release(&image);
}

int main(void)
{
	test_reproducible();
	test_result();
	test_digest();
	test_empty();
	test_verified();
	test_media_type();
	test_limits();
	test_sparse_limit();
	test_progress();
	test_rewind();
	test_duplicates();
	test_zero_blocks();
	test_options();
	test_key();
	test_every_kind();
	test_full_disk();
	return tap_done();
}
