/* SPDX-License-Identifier: Apache-2.0 */
/*
 * File contents on their way into the image: cut into blocks, small files put
 * together into fragments, equal ones stored once.  Private to src/rootfs/.
 */
#ifndef FB_ROOTFS_DATA_H
#define FB_ROOTFS_DATA_H

#include "rootfs/dedup.h"
#include "rootfs/output.h"
#include "rootfs/packer.h"
#include "rootfs/seen.h"
#include "rootfs/tree.h"

/**
 * struct fb_fragment - A fragment block in the image
 * @start: Its position
 * @size:  As SquashFS says it; 0 it is not written yet
 */
struct fb_fragment {
	uint64_t start;
	uint32_t size;
};

/**
 * struct fb_fragments - Small files put together
 * @bytes, @len: The one that is being filled, number @count
 * @v, @count:   Those that were filled
 * @seen:   Small files that are in one of them
 */
struct fb_fragments {
	uint8_t *bytes;
	uint32_t len;
	struct fb_fragment *v;
	uint32_t count;
	uint32_t cap;
	struct fb_seen seen;
};

/**
 * struct fb_data - State of the data area
 * @out:     The image; its buffer is empty between calls
 * @tree:    Arena for block lists
 * @inode:   File that is coming in, or NULL
 * @left:    Its bytes still to come
 * @block, @block_count: Of its blocks, the one that is being filled; 0 in all
 *           while it may go into a fragment
 * @fill:    Bytes in that block, or in @fragments.bytes behind the others
 * @start, @sum, @started: Of the file that is going out
 */
struct fb_data {
	struct fb_sqfs_output *out;
	struct fb_tree *tree;
	struct fb_packer *packer;
	uint32_t block_bytes;
	struct fb_tree_inode *inode;
	uint64_t left;
	uint32_t block;
	uint32_t block_count;
	uint32_t fill;
	uint8_t *small;
	uint64_t start;
	uint64_t sum;
	bool started;
	struct fb_fragments fragments;
	struct fb_dedup same;
};

/**
 * fb_data_open() - Begin the data area
 * @data:    Zeroed; release with fb_data_release() also on failure
 * @options: Resolved ones (borrowed)
 * @out:     Image (borrowed), at the first byte of the area
 * @tree:    Borrowed
 *
 * Starts the packing threads.
 *
 * Return: 0; -ENOMEM; -EAGAIN.
 */
int fb_data_open(struct fb_data *data, const struct fb_rootfs_options *options,
		 struct fb_sqfs_output *out, struct fb_tree *tree,
		 struct fb_err *err);

/** fb_data_begin() - @inode->size bytes of @inode come next. Return: 0; -ENOMEM */
int fb_data_begin(struct fb_data *data, struct fb_tree_inode *inode,
		  struct fb_err *err);

/**
 * fb_data_append() - Bytes of the file
 * @bytes: Borrowed; NULL = zeroes, a hole
 * @len:   Never more than the file's size in all
 * @hold:  What keeps @bytes alive, or NULL: they are copied
 *
 * Return: 0; -EFBIG; -ENOSPC; -EIO; -ENOMEM.
 */
int fb_data_append(struct fb_data *data, const uint8_t *bytes, uint64_t len,
		   struct fb_hold *hold, struct fb_err *err);

/** fb_data_end() - The file is complete. Return: as fb_data_append() */
int fb_data_end(struct fb_data *data, struct fb_err *err);

/**
 * fb_data_import() - A file whose blocks are in another image of the same options
 * @fd:    That image
 * @start: Of its first block
 * @sizes: As SquashFS says them
 *
 * Return: as fb_data_append(); -EBADMSG they are not there.
 */
int fb_data_import(struct fb_data *data, struct fb_tree_inode *inode, int fd,
		   uint64_t start, const uint32_t *sizes, uint32_t count,
		   struct fb_err *err);

/** fb_data_finish() - Everything is in the image. Return: as fb_data_append() */
int fb_data_finish(struct fb_data *data, struct fb_err *err);

/** fb_data_end_packing() - After fb_data_finish(): give the packers' memory back */
void fb_data_end_packing(struct fb_data *data);

/** fb_data_release() - Stop the threads and free */
void fb_data_release(struct fb_data *data);

/**
 * fb_fragments_add() - Put a small file into a fragment
 * @data:  Area (mutated)
 * @inode: Its @fragment and @fragment_offset are set
 * @bytes: All of the file (borrowed), less than a block
 *
 * Return: 0; as fb_data_append().
 */
int fb_fragments_add(struct fb_data *data, struct fb_tree_inode *inode,
		     const uint8_t *bytes, uint32_t len, struct fb_err *err);

/** fb_fragments_flush() - End the fragment being filled. Return: as above */
int fb_fragments_flush(struct fb_data *data, struct fb_err *err);

/** fb_fragments_written() - Note where a fragment went */
void fb_fragments_written(struct fb_data *data, uint32_t index, uint64_t start,
			  uint32_t size);

void fb_fragments_release(struct fb_fragments *fragments);

#endif
