/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a stack of layers means, said as plainly as possible: a list of paths,
 * layers applied from the base up, every rule by comparing path strings.  Slow,
 * and as unlike the converter as it can be.
 */
#ifndef FB_TESTS_ROOTFS_MODEL_H
#define FB_TESTS_ROOTFS_MODEL_H

#include "stack.h"

#define MODEL_PATH_MAX 4200

/** struct model_inode - What paths name; the entry holds its attributes */
struct model_inode {
	struct stack_entry e;
	bool implied; /* 0755, 0:0, no time */
};

/** struct model_path - "" is the root; no leading slash */
struct model_path {
	const char *path;
	struct model_inode *inode;
};

struct model {
	struct stack_arena *arena;
	struct model_path *v;
	size_t count;
	size_t cap;
};

/** model_init() - The empty root */
void model_init(struct model *m, struct stack_arena *arena);

/** model_apply() - One more layer. Return: 0; -1 the layer is an error */
int model_apply(struct model *m, const struct stack_layer *layer);

/** model_check() - Return: the first entry that is an error; @layer->count none */
size_t model_check(const struct model *m, const struct stack_layer *layer);

/** model_finish() - Take out what never shows (devices 0:0); sort by path */
void model_finish(struct model *m);

#endif
