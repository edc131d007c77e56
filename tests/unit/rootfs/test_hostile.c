/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a stranger may send: each is either right, or one error that names layer
 * and entry.  Sizes are as large as a test of seconds takes.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "base/cleanup.h"
#include "image_check.h"
#include "tap.h"
#include "unit/archive/tar_builder.h"

static int convert_tar(const struct fb_str *tar, enum stack_packing how,
		       const struct fb_rootfs_options *o, int *ret_fd,
		       struct fb_rootfs_result *result, struct fb_err *err)
{
	struct stack_image image = { 0 };
	int r;

	stack_image_add(&image, tar, how);
	r = stack_image_convert(&image, o, ret_fd, result, err);
	stack_image_release(&image);
	return r;
}

static void expect(const struct fb_str *tar, int code, const char *text,
		   const char *what)
{
	struct fb_rootfs_result result;
	struct fb_err err = { 0 };

	TAP_INT(convert_tar(tar, STACK_PLAIN, NULL, NULL, &result, &err), code,
		"%s", what);
	if (!TAP_OK(strstr(err.msg, text) && !strchr(err.msg, '\n'),
		    "one line says so"))
		printf("# '%s'\n", err.msg);
}

/* a pax path, however long */
static void add_file(struct fb_str *tar, const char *name)
{
	FB_STR struct fb_str rec = FB_STR_INIT(TB_MAX);

	tb_text_record(&rec, "path", name);
	tb_pax(tar, &rec, 'x');
	tb_add(tar, (struct tb_entry){ .name = "n", .type = '0' }, "1", 1);
}

static void test_names(void)
{
	FB_STR struct fb_str list = FB_STR_INIT(1u << 20);
	FB_STR struct fb_str tar = FB_STR_INIT(TB_MAX);
	struct fb_rootfs_result result;
	struct fb_err err = { 0 };
	FB_FD int fd = -EBADF;
	char name[9000];

	memset(name, 'n', 255);
	name[255] = '\0';
	add_file(&tar, name);
	memcpy(name + 255, "/x", 3);
	name[0] = 'd';
	add_file(&tar, name);
	TAP_INT(convert_tar(&tar, STACK_PLAIN, NULL, &fd, &result, &err), 0,
		"names of 255 bytes: %s", err.msg);
	name[255] = '\0';
	TAP_OK(image_list(fd, &list) == 0 && strstr(list.buf, name),
	       "are there");
	fb_str_truncate(&tar, 0);
	memset(name, 'n', 256);
	name[256] = '\0';
	add_file(&tar, name);
	expect(&tar, -E2BIG, "layer 1 of 1: entry 'nnn", "a name of 256");
	fb_str_truncate(&tar, 0);
	memcpy(name + 256, "/x", 3);
	add_file(&tar, name);
	expect(&tar, -E2BIG, "a name of 256 bytes: 255 is the most",
	       "a folder of 256");
	fb_str_truncate(&tar, 0);
	for (size_t i = 0; i < 4095; i += 2)
		memcpy(name + i, "d/", 2);
	memcpy(name + 4094, "f", 2);
	add_file(&tar, name);
	TAP_INT(convert_tar(&tar, STACK_PLAIN, NULL, NULL, &result, &err), 0,
		"2,048 folders deep, 4,095 bytes: %s", err.msg);
	TAP_INT(result.inodes, 2049, "all are there");
	fb_str_truncate(&tar, 0);
	memcpy(name + 4094, "d/f", 4);
	add_file(&tar, name);
	expect(&tar, -E2BIG, "a path of over 4095 bytes", "one deeper");
	fb_str_truncate(&tar, 0);
	for (size_t i = 0; i < 8000; i += 2)
		memcpy(name + i, "d/", 3);
	add_file(&tar, name);
	expect(&tar, -E2BIG, "a path of over 4095 bytes", "4,000 deep");
}

/* 10,000 folders deep, each step through a link to the one before */
static void test_deep_links(void)
{
	FB_STR struct fb_str tar = FB_STR_INIT(TB_MAX);
	char link[64], to[64], path[64];

	for (int i = 0; i < 10000; i++) {
		(void)snprintf(path, sizeof(path), "l%d/d", i);
		(void)snprintf(link, sizeof(link), "l%d", i);
		(void)snprintf(to, sizeof(to), i ? "l%d/d" : ".", i - 1);
		tb_header(&tar, &(struct tb_entry){ .name = link,
						    .link = to,
						    .type = '2' });
		tb_header(&tar,
			  &(struct tb_entry){ .name = path, .type = '5' });
	}
	expect(&tar, -ELOOP, "entry 'l255/d': more than 255 symbolic links",
	       "10,000 deep by links");
}

/* A chain of links whose targets are long, and many entries behind it */
static void test_long_links(void)
{
	FB_STR struct fb_str tar = FB_STR_INIT(TB_MAX);
	FB_STR struct fb_str rec = FB_STR_INIT(TB_MAX);
	char link[64], to[4096], path[64];

	for (int i = 0; i < 255; i++) {
		(void)snprintf(link, sizeof(link), "l%d", i);
		for (size_t k = 0; k < 4000; k += 2)
			memcpy(to + k, "./", 2);
		(void)snprintf(to + 4000, sizeof(to) - 4000, i ? "l%d" : ".",
			       i - 1);
		tb_text_record(&rec, "linkpath", to);
		tb_pax(&tar, &rec, 'x');
		tb_header(&tar,
			  &(struct tb_entry){ .name = link, .type = '2' });
	}
	for (int i = 0; i < 1000; i++) {
		(void)snprintf(path, sizeof(path), "l254/%d", i);
		tb_header(&tar,
			  &(struct tb_entry){ .name = path, .type = '0' });
	}
	expect(&tar, -ELOOP, "symbolic links on the ways of over",
	       "a thousand entries behind a megabyte of links");
}

/* Names of two bytes, each a folder more: what is small packed, and large here */
static void test_many_folders(void)
{
	const struct fb_rootfs_options o = { .max_tree_bytes = 32u << 20 };
	FB_STR struct fb_str tar = FB_STR_INIT(TB_MAX);
	struct fb_rootfs_result result;
	struct fb_err err = { 0 };
	char name[4096];

	for (int i = 0; i < 1000; i++) {
		(void)snprintf(name, sizeof(name), "%04d/", i);
		for (size_t k = 5; k < 4091; k += 2)
			memcpy(name + k, "d/", 3);
		add_file(&tar, name);
	}
	TAP_INT(convert_tar(&tar, STACK_ZSTD, &o, NULL, &result, &err), -EFBIG,
		"two million folders of a thousand entries");
	TAP_OK(strstr(err.msg, "layer 1 of 1: entry '0"), "%s", err.msg);
}

static void test_out_of_the_tree(void)
{
	static const char *const names[] = { "../../../x", "/x", "a/../../x",
					     "l/x", "m/../../x" };
	FB_STR struct fb_str list = FB_STR_INIT(1u << 20);
	FB_STR struct fb_str tar = FB_STR_INIT(TB_MAX);
	struct fb_rootfs_result result;
	struct fb_err err = { 0 };
	FB_FD int fd = -EBADF;

	tb_header(&tar, &(struct tb_entry){
				.name = "l", .link = "../../..", .type = '2' });
	tb_header(&tar, &(struct tb_entry){
				.name = "m", .link = "/../..", .type = '2' });
	for (size_t i = 0; i < FB_ARRAY_SIZE(names); i++)
		tb_add(&tar, (struct tb_entry){ .name = names[i], .type = '0' },
		       "1", 1);
	TAP_INT(convert_tar(&tar, STACK_GZIP, NULL, &fd, &result, &err), 0,
		"names and links that lead out: %s", err.msg);
	TAP_INT(image_list(fd, &list), 0, "list");
	TAP_STR(fb_str_cstr(&list),
		"d / 755 0:0 @0\nl l 777 0:0 @0 ->../../..\n"
		"l m 777 0:0 @0 ->/../..\nf x 0 0:0 @0 =1\n",
		"stay inside");
}

static void test_cut(void)
{
	FB_STR struct fb_str whole = FB_STR_INIT(TB_MAX);
	unsigned int bad = 0;

	add_file(&whole, "a/b");
	tb_header(&whole, &(struct tb_entry){
				  .name = "c", .link = "a/b", .type = '1' });
	tb_add(&whole, (struct tb_entry){ .name = "d", .type = '0' }, "data",
	       4);
	for (int how = STACK_PLAIN; how <= STACK_ZSTD; how++) {
		FB_STR struct fb_str packed = FB_STR_INIT(TB_MAX);

		stack_pack(&whole, (enum stack_packing)how, &packed);
		for (size_t len = 0; len < packed.len; len += 7) {
			struct fb_str part = packed;
			struct fb_rootfs_result result;
			struct fb_err err = { 0 };
			int r;

			part.len = len;
			r = convert_tar(&part, STACK_PLAIN, NULL, NULL, &result,
					&err);
			bad += r < 0 ? !strstr(err.msg, "layer 1 of 1: ")
				     : how != STACK_PLAIN && len > 0;
		}
	}
	TAP_INT(bad, 0,
		"cut anywhere: right, or an error that names the layer");
}

static void test_many_layers(size_t count, int code)
{
	FB_STR struct fb_str tar = FB_STR_INIT(TB_MAX);
	struct stack_image image = { 0 };
	struct fb_rootfs_result result;
	struct fb_err err = { 0 };

	add_file(&tar, "a");
	tb_add(&tar, (struct tb_entry){ .name = "d/.wh.x", .type = '0' }, "",
	       0);
	for (size_t i = 0; i < count; i++)
		stack_image_add(&image, &tar, (enum stack_packing)(i % 3));
	TAP_INT(stack_image_convert(&image, NULL, NULL, &result, &err), code,
		"%zu layers: %s", count, err.msg);
	if (code == 0)
		TAP_INT(result.hidden_files, count - 1, "all but one hidden");
	stack_image_release(&image);
}

static void test_many_records(void)
{
	FB_STR struct fb_str tar = FB_STR_INIT(TB_MAX);
	FB_STR struct fb_str rec = FB_STR_INIT(TB_MAX);
	struct fb_rootfs_result result;
	struct fb_err err = { 0 };

	for (int i = 0; i < 1000000; i++)
		fb_str_puts(&rec, "8 k=val\n");
	tb_pax(&tar, &rec, 'x');
	tb_add(&tar, (struct tb_entry){ .name = "a", .type = '0' }, "1", 1);
	TAP_INT(convert_tar(&tar, STACK_ZSTD, NULL, NULL, &result, &err), 0,
		"a million pax records: %s", err.msg);
	for (int i = 0; i < 1100000; i++)
		fb_str_puts(&rec, "8 k=val\n");
	tb_pax(&tar, &rec, 'x');
	tb_add(&tar, (struct tb_entry){ .name = "b", .type = '0' }, "1", 1);
	expect(&tar, -E2BIG, "layer 1 of 1: extended header of over",
	       "more of them than are read");
}

static void test_many_entries(void)
{
	FB_STR struct fb_str tar = FB_STR_INIT(TB_MAX);
	struct fb_rootfs_result result;
	struct fb_err err = { 0 };
	char name[64];

	for (int i = 0; i < 200000; i++) {
		(void)snprintf(name, sizeof(name), "folder/file-%d",
			       i * 7919 % 200000);
		tb_header(&tar, &(struct tb_entry){ .name = name,
						    .type = '0',
						    .mtime = i });
	}
	TAP_INT(convert_tar(&tar, STACK_ZSTD, NULL, NULL, &result, &err), 0,
		"200,000 names in one folder: %s", err.msg);
	TAP_INT(result.inodes, 200002, "all are there");
}

static void test_many_ids(void)
{
	FB_STR struct fb_str tar = FB_STR_INIT(TB_MAX);
	struct fb_rootfs_result result;
	struct fb_err err = { 0 };
	char name[32];

	for (uint32_t i = 0; i < 65536; i++) {
		(void)snprintf(name, sizeof(name), "%u", i);
		tb_header(&tar, &(struct tb_entry){
					.name = name, .type = '0', .uid = i });
		if (i == 65534)
			TAP_INT(convert_tar(&tar, STACK_ZSTD, NULL, NULL,
					    &result, &err),
				0, "65,535 different ids: %s", err.msg);
	}
	expect(&tar, -E2BIG, "more than 65535 different user and group ids",
	       "one more");
}

/* one gzip member after the other, each 8 MiB of zeroes */
static void test_bomb(void)
{
	FB_STR struct fb_str zeroes = FB_STR_INIT(TB_MAX);
	FB_STR struct fb_str packed = FB_STR_INIT(TB_MAX);
	struct fb_rootfs_options o = { .max_unpacked_bytes = 100u << 20 };
	struct fb_rootfs_result result;
	struct fb_err err = { 0 };

	tb_header(&packed, &(struct tb_entry){ .name = "bomb",
					       .type = '0',
					       .size = 1ull << 38 });
	stack_pack(&packed, STACK_ZSTD, &zeroes);
	fb_str_truncate(&packed, 0);
	tb_bytes(&packed, zeroes.buf, zeroes.len);
	fb_str_truncate(&zeroes, 0);
	memset(fb_str_reserve(&zeroes, 64u << 20), 0, 64u << 20);
	zeroes.len = 64u << 20;
	for (int i = 0; i < 40; i++)
		stack_pack(&zeroes, STACK_ZSTD, &packed);
	TAP_INT(convert_tar(&packed, STACK_PLAIN, &o, NULL, &result, &err),
		-EFBIG, "a file of 256 GiB, from %zu bytes", packed.len);
	TAP_OK(strstr(err.msg, "layer 1 of 1: entry 'bomb': over 104857600"),
	       "%s", err.msg);
	o.max_unpacked_bytes = 0;
	o.max_ratio = 1000;
	err = (struct fb_err){ 0 };
	TAP_INT(convert_tar(&packed, STACK_PLAIN, &o, NULL, &result, &err),
		-EFBIG, "and by its ratio");
	TAP_OK(strstr(err.msg, "layer 1 of 1: entry 'bomb'") &&
		       strstr(err.msg, "1000-fold"),
	       "%s", err.msg);
}

/* more than 32 bits of bytes that are really in the archive */
static void test_large_file(void)
{
	const uint64_t size = (68ull << 26) + 7;
	const struct fb_rootfs_options o = { .max_ratio = 1000000 };
	FB_STR struct fb_str list = FB_STR_INIT(1u << 20);
	FB_STR struct fb_str plain = FB_STR_INIT(TB_MAX);
	FB_STR struct fb_str frame = FB_STR_INIT(TB_MAX);
	FB_STR struct fb_str packed = FB_STR_INIT(TB_MAX);
	struct stack_image image = { 0 };
	struct fb_rootfs_result result;
	struct fb_err err = { 0 };
	FB_FD int fd = -EBADF;

	tb_header(&plain, &(struct tb_entry){
				  .name = "large", .type = '0', .size = size });
	stack_pack(&plain, STACK_ZSTD, &packed);
	fb_str_truncate(&plain, 0);
	tb_zeroes(&plain, 1u << 26);
	stack_pack(&plain, STACK_ZSTD, &frame);
	for (int i = 0; i < 68; i++)
		tb_bytes(&packed, frame.buf, frame.len);
	fb_str_truncate(&plain, 0);
	tb_bytes(&plain, "the end", 7);
	tb_zeroes(&plain, 505);
	tb_add(&plain, (struct tb_entry){ .name = "next", .type = '0' }, "1",
	       1);
	stack_pack(&plain, STACK_ZSTD, &packed);
	stack_image_add(&image, &packed, STACK_PLAIN);
	image.layers[0].diff_id.set = false;
	TAP_INT(stack_image_convert(&image, &o, &fd, &result, &err), 0,
		"a file of 4.25 GiB: %s", err.msg);
	stack_image_release(&image);
	TAP_INT(image_list(fd, &list), 0, "list");
	TAP_STR(fb_str_cstr(&list),
		"d / 755 0:0 @0\nf large 0 0:0 @0 size 4563402759\n"
		"f next 0 0:0 @0 =1\n",
		"it is there, and so is what follows");
}

static void test_memory(void)
{
	struct rusage usage;

	(void)getrusage(RUSAGE_SELF, &usage);
	printf("# at most %ld KiB in memory, the test's own included\n",
	       usage.ru_maxrss);
}

int main(void)
{
	test_names();
	test_deep_links();
	test_long_links();
	test_many_folders();
	test_out_of_the_tree();
	test_cut();
	test_many_layers(127, 0);
	test_many_layers(1000, 0);
	test_many_layers(1001, -E2BIG);
	test_many_records();
	test_many_entries();
	test_many_ids();
	test_bomb();
	test_large_file();
	test_memory();
	return tap_done();
}
