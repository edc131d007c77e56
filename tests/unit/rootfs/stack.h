/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A stack of layers as plain data, from which both the tars and the tree that
 * they mean are made.  For tests: out of memory ends the program.
 */
#ifndef FB_TESTS_ROOTFS_STACK_H
#define FB_TESTS_ROOTFS_STACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "rootfs/convert.h"

#define STACK_XATTRS_MAX 3

/** struct stack_arena - Memory that is freed as a whole */
struct stack_arena {
	struct stack_chunk *chunks;
};

void *arena_alloc(struct stack_arena *arena, size_t size);
char *arena_printf(struct stack_arena *arena, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void arena_release(struct stack_arena *arena);

/** struct stack_xattr - One attribute of an entry */
struct stack_xattr {
	const char *name;
	const void *value;
	size_t len;
};

/**
 * struct stack_entry - One tar entry
 * @type:   Tar's flag: '0' '1' '2' '3' '4' '5' '6'
 * @name:   As it stands in the archive
 * @link:   Target, or NULL
 * @data:   Of a file, @size bytes
 * @sparse: Write it as a sparse file, zero runs of 512 as holes
 * @format: Which of the ways to write the same thing is taken, where one is
 *          possible: see stack.c; any number
 */
struct stack_entry {
	char type;
	const char *name;
	const char *link;
	const void *data;
	size_t size;
	bool sparse;
	unsigned int format;
	unsigned int mode;
	uint32_t uid;
	uint32_t gid;
	int64_t mtime;
	unsigned int major;
	unsigned int minor;
	struct stack_xattr xattrs[STACK_XATTRS_MAX];
	size_t xattr_count;
};

/** struct stack_layer - Entries in the order of the tar */
struct stack_layer {
	struct stack_entry *entries;
	size_t count;
	size_t cap;
};

/** stack_add() - Append an entry (copied; strings are borrowed) */
void stack_add(struct stack_layer *layer, struct stack_arena *arena,
	       const struct stack_entry *entry);

/** stack_write() - A layer as a tar */
void stack_write(const struct stack_layer *layer, struct fb_str *out);

/** enum stack_packing - How a layer's tar is packed */
enum stack_packing { STACK_PLAIN, STACK_GZIP, STACK_ZSTD };

/** stack_pack() - Pack @in behind what @out holds */
void stack_pack(const struct fb_str *in, enum stack_packing how,
		struct fb_str *out);

/**
 * struct stack_image - Packed layers, ready to be converted
 * @layers: With digests and sizes
 */
struct stack_image {
	struct fb_rootfs_layer *layers;
	struct fb_source **sources;
	struct fb_str *bytes;
	size_t count;
};

/** stack_image_add() - One more layer, over the others */
void stack_image_add(struct stack_image *image, const struct fb_str *tar,
		     enum stack_packing how);

/** stack_image_convert() - Convert into a new memory file. Return: as the converter */
int stack_image_convert(const struct stack_image *image,
			const struct fb_rootfs_options *options, int *ret_fd,
			struct fb_rootfs_result *ret, struct fb_err *err);

void stack_image_release(struct stack_image *image);

#endif
