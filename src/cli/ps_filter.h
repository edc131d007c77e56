/* SPDX-License-Identifier: Apache-2.0 */
/* ps --filter key=value, as docker reads it. */
#ifndef FB_CLI_PS_FILTER_H
#define FB_CLI_PS_FILTER_H

#include <jansson.h>
#include <regex.h>
#include <stdbool.h>

#include "base/err.h"
#include "base/str.h"
#include "store/container.h"

#define FB_PS_FILTERS_MAX 64

struct fb_ps_condition;

/**
 * struct fb_ps_filter - What was asked for
 * @v:    Conditions (owned), @count of them
 * @all:  One of them is about ends: containers that do not run are meant, too
 */
struct fb_ps_filter {
	struct fb_ps_condition *v;
	size_t count;
	bool all;
};

/**
 * fb_ps_filter_parse() - What was typed to what it means
 * @words: "key=value": ancestor before exited id label name since status (borrowed)
 * @list:  All containers, for before and since (borrowed)
 * @ret:   Zeroed; borrows from @words; release with fb_ps_filter_release(), also
 *         after a failure
 *
 * Return: 0; -EINVAL in docker's words; -ENOENT no such container; -ENOMEM.
 */
int fb_ps_filter_parse(const struct fb_strv *words,
		       const struct fb_container_entries *list,
		       struct fb_ps_filter *ret, struct fb_err *err);

void fb_ps_filter_release(struct fb_ps_filter *filter);

#define FB_PS_FILTER __attribute__((cleanup(fb_ps_filter_release)))

/**
 * fb_ps_filter_match() - Is it one of those?
 * @entry:  Container (borrowed)
 * @dir_fd: Its folder, or negative
 *
 * Of conditions with one key, one must hold, of labels each; of several keys each.
 */
bool fb_ps_filter_match(const struct fb_ps_filter *filter,
			const struct fb_container_entry *entry, int dir_fd);

#endif
