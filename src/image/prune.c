/* SPDX-License-Identifier: Apache-2.0 */
#include "store/prune.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "image/image.h"

static int by_number(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* An image has as many rows as tags. Return: malloc'ed; NULL */
static int64_t *images_of(const struct fb_image_rows *rows, size_t *ret_count)
{
	int64_t *seqs = calloc(rows->count + 1, sizeof(*seqs));
	size_t count = 0;

	if (!seqs)
		return NULL;
	for (size_t i = 0; i < rows->count; i++)
		seqs[i] = rows->v[i].seq;
	if (rows->count)
		qsort(seqs, rows->count, sizeof(*seqs), by_number);
	for (size_t i = 0; i < rows->count; i++)
		if (i == 0 || seqs[i] != seqs[i - 1])
			seqs[count++] = seqs[i];
	*ret_count = count;
	return seqs;
}

int fb_image_prune(const struct fb_image_context *ctx,
		   const struct fb_image_filter *filter, bool all,
		   struct fb_image_removal *ret, struct fb_err *err)
{
	FB_IMAGE_ROWS struct fb_image_rows rows = { 0 };
	struct fb_image_filter wanted =
		filter ? *filter : (struct fb_image_filter){ 0 };
	FB_FREE int64_t *seqs = NULL;
	size_t count = 0, before = ret->untagged.count;
	int r;

	wanted.dangling = all ? FB_IMAGE_DANGLING_BOTH : FB_IMAGE_DANGLING_ONLY;
	r = fb_image_list(ctx, &wanted, &rows, err);
	if (r < 0)
		return r;
	seqs = images_of(&rows, &count);
	if (!seqs)
		return fb_err_set(err, -ENOMEM, "remove images: %m");
	r = fb_store_prune_images(ctx->store, seqs, count, !all, ret, err);
	if (r < 0)
		return r;
	r = fb_image_familiar_names(&ret->untagged, before);
	return r < 0 ? fb_err_set(err, r, "remove images: %s", strerror(-r))
		     : 0;
}
