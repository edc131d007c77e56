/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes tar archives byte by byte, the odd ones too.  For tests: a failure to
 * allocate ends the program.
 */
#ifndef FB_TESTS_TAR_BUILDER_H
#define FB_TESTS_TAR_BUILDER_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

#define TB_MAX ((size_t)1 << 32)

/** enum tb_magic - Which format's magic a header carries */
enum tb_magic { TB_USTAR, TB_GNU, TB_V7, TB_STAR };

/**
 * struct tb_entry - A header; names longer than their field are cut
 * @size: What the header says; the body is added apart
 */
struct tb_entry {
	const char *name;
	const char *link;
	const char *prefix;
	char type;
	unsigned int mode;
	uint64_t uid;
	uint64_t gid;
	int64_t mtime;
	uint64_t size;
	unsigned int major;
	unsigned int minor;
	enum tb_magic magic;
};

__attribute__((unused)) static void tb_bytes(struct fb_str *out,
					     const void *data, size_t len)
{
	if (fb_str_append(out, data, len) < 0)
		abort();
}

__attribute__((unused)) static void tb_zeroes(struct fb_str *out, size_t len)
{
	while (len-- > 0)
		tb_bytes(out, "", 1);
}

/** tb_pad() - Zeroes up to the next block */
__attribute__((unused)) static void tb_pad(struct fb_str *out)
{
	tb_zeroes(out, (512 - out->len % 512) % 512);
}

/* octal where it fits the field, base-256 otherwise and for negative numbers */
__attribute__((unused)) static void tb_number(char *field, size_t len,
					      int64_t value)
{
	char text[32];
	int n = snprintf(text, sizeof(text), "%0*llo", (int)len - 1,
			 (unsigned long long)value);

	if (value >= 0 && n == (int)len - 1) {
		memcpy(field, text, (size_t)n);
		return;
	}
	for (size_t i = len; i-- > 0; value >>= 8)
		field[i] = (char)(value & 0xff);
	field[0] = (char)(field[0] | (char)0x80);
}

__attribute__((unused)) static void tb_checksum(char *block)
{
	unsigned int sum = 0;
	char text[16];

	memset(block + 148, ' ', 8);
	for (int i = 0; i < 512; i++)
		sum += (unsigned char)block[i];
	(void)snprintf(text, sizeof(text), "%06o", sum);
	memcpy(block + 148, text, 7);
}

/** tb_fill() - A header block */
__attribute__((unused)) static void tb_fill(char block[512],
					    const struct tb_entry *e)
{
	static const char *const magics[] = { [TB_USTAR] = "ustar",
					      [TB_GNU] = "ustar  ",
					      [TB_V7] = "",
					      [TB_STAR] = "ustar" };

	memset(block, 0, 512);
	memcpy(block, e->name, strnlen(e->name, 100));
	tb_number(block + 100, 8, e->mode);
	tb_number(block + 108, 8, (int64_t)e->uid);
	tb_number(block + 116, 8, (int64_t)e->gid);
	tb_number(block + 124, 12, (int64_t)e->size);
	tb_number(block + 136, 12, e->mtime);
	block[156] = e->type;
	if (e->link)
		memcpy(block + 157, e->link, strnlen(e->link, 100));
	memcpy(block + 257, magics[e->magic], strlen(magics[e->magic]) + 1);
	if (e->magic == TB_USTAR || e->magic == TB_STAR)
		memcpy(block + 263, "00", 2);
	if (e->magic == TB_STAR)
		memcpy(block + 508, "tar", 4);
	tb_number(block + 329, 8, e->major);
	tb_number(block + 337, 8, e->minor);
	if (e->prefix)
		memcpy(block + 345, e->prefix, strnlen(e->prefix, 155));
	tb_checksum(block);
}

__attribute__((unused)) static void tb_header(struct fb_str *out,
					      const struct tb_entry *e)
{
	char block[512];

	tb_fill(block, e);
	tb_bytes(out, block, sizeof(block));
}

/** tb_add() - A header and its body, whose size the header says */
__attribute__((unused)) static void
tb_add(struct fb_str *out, struct tb_entry e, const void *body, size_t len)
{
	e.size = len;
	tb_header(out, &e);
	tb_bytes(out, body, len);
	tb_pad(out);
}

/** tb_record() - Append a pax record to @records */
__attribute__((unused)) static void tb_record(struct fb_str *records,
					      const char *key,
					      const void *value, size_t len)
{
	size_t rest = strlen(key) + len + 3, total = rest + 1;
	char number[24];

	while (total !=
	       rest + (size_t)snprintf(number, sizeof(number), "%zu", total))
		total++;
	tb_bytes(records, number, strlen(number));
	tb_bytes(records, " ", 1);
	tb_bytes(records, key, strlen(key));
	tb_bytes(records, "=", 1);
	tb_bytes(records, value, len);
	tb_bytes(records, "\n", 1);
}

__attribute__((unused)) static void
tb_text_record(struct fb_str *records, const char *key, const char *value)
{
	tb_record(records, key, value, strlen(value));
}

/** tb_pax() - A pax header; @records is emptied */
__attribute__((unused)) static void tb_pax(struct fb_str *out,
					   struct fb_str *records, char type)
{
	tb_add(out, (struct tb_entry){ .name = "pax", .type = type },
	       fb_str_cstr(records), records->len);
	fb_str_truncate(records, 0);
}

/** tb_long() - A GNU long name ('L') or link ('K') */
__attribute__((unused)) static void tb_long(struct fb_str *out, char type,
					    const char *name)
{
	tb_add(out,
	       (struct tb_entry){
		       .name = "././@LongLink", .type = type, .magic = TB_GNU },
	       name, strlen(name) + 1);
}

/** tb_end() - The end marker */
__attribute__((unused)) static void tb_end(struct fb_str *out)
{
	tb_zeroes(out, 1024);
}

#endif
