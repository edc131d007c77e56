/* SPDX-License-Identifier: Apache-2.0 */
/* Draws stacks of layers from a seed, odd ones with pleasure. */
#ifndef FB_TESTS_ROOTFS_DRAW_H
#define FB_TESTS_ROOTFS_DRAW_H

#include "stack.h"

/** struct draw - A generator's state; the same seed draws the same */
struct draw {
	struct stack_arena *arena;
	uint64_t state;
	unsigned int names; /* how many different names a folder can have */
};

/** draw_number() - 0 … @below − 1 */
uint32_t draw_number(struct draw *d, uint32_t below);

/** draw_layer() - @count entries */
void draw_layer(struct draw *d, struct stack_layer *layer, size_t count);

#endif
