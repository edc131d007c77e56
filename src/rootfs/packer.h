/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Blocks in, packed blocks out, in the same order, packed by several threads.
 * Private to src/rootfs/.
 */
#ifndef FB_ROOTFS_PACKER_H
#define FB_ROOTFS_PACKER_H

#include "rootfs/convert.h"
#include "rootfs/hold.h"

struct fb_packer; /* opaque */

/**
 * struct fb_packed - A block on its way through
 * @ctx, @index: The submitter's own
 * @last:   The submitter's own
 * @in:     Bytes; in @own, or under @hold
 * @in_len: At least 1, at most a block
 * @hold:   Released when the block is packed, or NULL
 * @own:    Room for a block, for a submitter that has to copy
 * @out:    What is to be written
 * @out_len: Of @out; 0 the block is all zeroes, a hole
 * @raw:    It did not get smaller: @out is a copy of @in
 * @sum:    Of @out; 0 of a hole
 */
struct fb_packed {
	void *ctx;
	uint32_t index;
	bool last;
	const uint8_t *in;
	uint32_t in_len;
	struct fb_hold *hold;
	uint8_t *own;
	uint8_t *out;
	uint32_t out_len;
	bool raw;
	uint64_t sum;
	bool done;
	int failed;
};

/**
 * fb_packer_new() - Start the threads
 * @options: Resolved ones (borrowed)
 * @write:   Takes a packed block, in order, on the thread that calls here
 * @ctx:     Passed to @write
 * @ret:     Packer (returned)
 *
 * Return: 0; -ENOMEM; -EAGAIN no thread can be made.
 */
int fb_packer_new(const struct fb_rootfs_options *options,
		  int (*write)(void *ctx, const struct fb_packed *block,
			       struct fb_err *err),
		  void *ctx, struct fb_packer **ret, struct fb_err *err);

/**
 * fb_packer_begin() - The next block to fill
 * @ret: Slot: fill @own or point @in somewhere, then fb_packer_submit().
 *       Asked for again, the same slot
 *
 * Waits, and writes, while all slots are on their way.
 *
 * Return: 0; what packing or writing earlier blocks gave.
 */
int fb_packer_begin(struct fb_packer *packer, struct fb_packed **ret,
		    struct fb_err *err);

/** fb_packer_submit() - Send the block of fb_packer_begin() on its way */
void fb_packer_submit(struct fb_packer *packer);

/** fb_packer_submit_packed() - The same for one whose @out, @out_len, @raw and @sum are set */
void fb_packer_submit_packed(struct fb_packer *packer);

/** fb_packer_drain() - Write all that was submitted. Return: as fb_packer_begin() */
int fb_packer_drain(struct fb_packer *packer, struct fb_err *err);

/** fb_packer_free() - Stop and join the threads; NULL is fine */
void fb_packer_free(struct fb_packer *packer);

/** fb_sum() - 64 bits of a buffer, fast; not against an adversary */
uint64_t fb_sum(const void *data, size_t len);

#endif
