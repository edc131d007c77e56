/* SPDX-License-Identifier: Apache-2.0 */
/* Writes ustar archives in memory, well-formed or not, for the tests of load. */
#ifndef FB_TESTS_TAR_MAKER_H
#define FB_TESTS_TAR_MAKER_H

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"

#define TAR_MAKER_MAX (64u << 20)

struct tar_maker {
	struct fb_str out;
};

#define TAR_MAKER_INIT ((struct tar_maker){ FB_STR_INIT(TAR_MAKER_MAX) })

static inline void copy_name(unsigned char *field, const char *name)
{
	for (size_t i = 0; i < 100 && name[i]; i++)
		field[i] = (unsigned char)name[i];
}

static inline void tar_header(struct tar_maker *t, const char *name, char type,
			      const char *link, uint64_t size)
{
	unsigned char h[512] = { 0 };
	unsigned int sum = 0;

	copy_name(h, name);
	memcpy(h + 100, "0000644", 7);
	memcpy(h + 108, "0000000", 7);
	memcpy(h + 116, "0000000", 7);
	(void)snprintf((char *)h + 124, 12, "%011llo",
		       (unsigned long long)size);
	memcpy(h + 136, "00000000000", 11);
	memset(h + 148, ' ', 8);
	h[156] = (unsigned char)type;
	copy_name(h + 157, link);
	memcpy(h + 257, "ustar\00000", 8);
	for (int i = 0; i < 512; i++)
		sum += h[i];
	(void)snprintf((char *)h + 148, 8, "%06o", sum);
	fb_str_append(&t->out, h, sizeof(h));
}

static inline void tar_file(struct tar_maker *t, const char *name,
			    const void *data, size_t len)
{
	static const char zeroes[512];

	tar_header(t, name, '0', "", len);
	fb_str_append(&t->out, data, len);
	fb_str_append(&t->out, zeroes, (512 - len % 512) % 512);
}

static inline void tar_text(struct tar_maker *t, const char *name,
			    const char *text)
{
	tar_file(t, name, text, strlen(text));
}

static inline void tar_link(struct tar_maker *t, const char *name, char type,
			    const char *link)
{
	tar_header(t, name, type, link, 0);
}

static inline void tar_end(struct tar_maker *t)
{
	static const char zeroes[1024];

	fb_str_append(&t->out, zeroes, sizeof(zeroes));
}

#endif
