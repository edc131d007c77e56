/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a conversion remembers of its layers beside the image that it made, so that
 * another image with one of them need not inflate, hash and pack it again.
 *
 * Of each layer: its tar without the bodies, and for each body where it is in the
 * image's file.  A recipe is worth nothing without that file.  It is written and read
 * by one build of this program on one machine, for which its numbers are as they lie
 * in memory; another build's is not taken.
 */
#ifndef FB_ROOTFS_RECIPE_H
#define FB_ROOTFS_RECIPE_H

#include "archive/source.h"
#include "rootfs/convert.h"
#include "rootfs/tree.h"

/** enum fb_body_kind - Where the bytes of a file are */
enum fb_body_kind {
	FB_BODY_ABSENT, /* hidden in that image: it does not have them */
	FB_BODY_BLOCKS,
	FB_BODY_FRAGMENT,
};

/**
 * struct fb_body - Where a file's bytes are in an image
 * @start: Of its first block; or of the fragment
 * @size:  Of the fragment, as SquashFS says it
 * @offset: In the unpacked fragment
 * @count: Of block sizes, which follow
 */
struct fb_body {
	uint32_t kind;
	uint32_t count;
	uint64_t start;
	uint32_t size;
	uint32_t offset;
};

struct fb_recipe; /* opaque: one being written */
struct fb_fragments;

/**
 * fb_recipe_new() - Start to remember
 * @fd:      Empty file (borrowed)
 * @options: Resolved ones (borrowed)
 *
 * Return: 0; -ENOMEM.
 */
int fb_recipe_new(int fd, const struct fb_rootfs_options *options,
		  struct fb_recipe **ret, struct fb_err *err);
void fb_recipe_free(struct fb_recipe *recipe);

/**
 * fb_recipe_source() - Remember a layer as it is read
 * @from: Its tar (borrowed)
 * @ret:  The same bytes (returned); one at a time
 *
 * Return: 0; -ENOMEM.
 */
int fb_recipe_source(struct fb_recipe *recipe, struct fb_source *from,
		     struct fb_source **ret, struct fb_err *err);

/** fb_recipe_body() - The next file of the layer. Return: 0; -ENOMEM */
int fb_recipe_body(struct fb_recipe *recipe, struct fb_tree_inode *inode);

/** fb_recipe_layer_end() - The layer is complete, and is what @diff_id says. Return: 0; negative errno */
int fb_recipe_layer_end(struct fb_recipe *recipe,
			const struct fb_digest *diff_id);

/** fb_recipe_finish() - All data is in the image. Return: 0; negative errno */
int fb_recipe_finish(struct fb_recipe *recipe, uint32_t block_bytes,
		     const struct fb_fragments *fragments);

struct fb_known; /* opaque: a layer that an earlier conversion remembered */

/**
 * fb_known_open() - Begin to read a remembered layer
 * @where: Borrowed
 *
 * Return: 0; -EBADMSG; -ENOMEM.
 */
int fb_known_open(const struct fb_rootfs_known *where, struct fb_known **ret,
		  struct fb_err *err);
void fb_known_free(struct fb_known *known);

/** fb_known_source() - Its tar; bodies can be skipped, not read */
struct fb_source *fb_known_source(struct fb_known *known);

/**
 * fb_known_body() - Where the next file's bytes are
 * @ret_sizes: @ret->count of them (returned, malloc'ed), or NULL
 *
 * Return: 0; -EBADMSG.
 */
int fb_known_body(struct fb_known *known, struct fb_body *ret,
		  uint32_t **ret_sizes, struct fb_err *err);

#endif
