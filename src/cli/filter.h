/* SPDX-License-Identifier: Apache-2.0 */
/* --filter key=value, as docker reads it. */
#ifndef FB_CLI_FILTER_H
#define FB_CLI_FILTER_H

#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "image/image.h"

/** enum fb_filter_use - Which keys there are */
enum fb_filter_use {
	FB_FILTER_LIST,	 /* dangling label before since until reference */
	FB_FILTER_PRUNE, /* until label label! */
};

/**
 * fb_filter_images() - What was typed to what it means
 * @words: "key=value" (borrowed)
 * @use:   Which keys are known
 * @ret:   Zeroed; borrows from @words; release with fb_filter_release(), also
 *         after a failure
 *
 * Return: 0; -EINVAL in docker's words; -ENOMEM.
 */
int fb_filter_images(const struct fb_strv *words, enum fb_filter_use use,
		     struct fb_image_filter *ret, struct fb_err *err);

/** fb_filter_release() - Free what fb_filter_images() made */
void fb_filter_release(struct fb_image_filter *filter);

#define FB_IMAGE_FILTER __attribute__((cleanup(fb_filter_release)))

/**
 * fb_filter_time() - A point in time as docker's "until=" takes it
 * @text:  "10m", "1h30m" before @now_s; UNIX seconds; "2024-05-01T12:00:00Z" or
 *         the beginning of that ("2024-05-01"), UTC
 * @now_s: Now
 * @ret_s: UNIX seconds
 *
 * Return: 0; -EINVAL.
 */
int fb_filter_time(const char *text, int64_t now_s, int64_t *ret_s,
		   struct fb_err *err);

#endif
