/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Layers that an earlier conversion remembered: the image is the same, byte for
 * byte, as if they had been read.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "draw.h"
#include "image_check.h"
#include "model.h"
#include "tap.h"

#define SEEDS 300u
#define LAYERS_MAX 6

static unsigned int known_layers, read_layers;

/* an image that was made, and what is remembered of it */
struct made {
	int image;
	int recipe;
	struct fb_rootfs_result result;
};

static void made_release(struct made *m)
{
	(void)fb_close(m->image);
	(void)fb_close(m->recipe);
}

static int make(const struct stack_image *image,
		const struct fb_rootfs_options *options,
		struct fb_rootfs_known *known, const struct made *from,
		struct made *ret, struct fb_err *err)
{
	struct fb_rootfs_layer layers[LAYERS_MAX];
	struct fb_rootfs_options o = *options;

	*ret = (struct made){ .image = memfd_create("image", MFD_CLOEXEC),
			      .recipe = memfd_create("recipe", MFD_CLOEXEC) };
	o.recipe_fd = &ret->recipe;
	for (size_t i = 0; i < image->count; i++) {
		layers[i] = image->layers[i];
		(void)fb_source_rewind(layers[i].source, NULL);
		if (!from ||
		    fb_rootfs_known_find(from->recipe, &o, &layers[i].diff_id,
					 &known[i]) < 0)
			continue;
		known[i].image_fd = from->image;
		layers[i].known = &known[i];
	}
	return fb_rootfs_convert(layers, image->count, ret->image, &o,
				 &ret->result, err);
}

/* A stack of some layers, of which @layers[@leave] is left out */
static bool add_layers(struct draw *d, const struct stack_layer *layers,
		       size_t count, size_t leave, struct stack_image *image)
{
	struct model model;
	int r = 0;

	model_init(&model, d->arena);
	for (size_t i = 0; i < count; i++) {
		FB_STR struct fb_str tar = FB_STR_INIT((size_t)1 << 30);

		if (i == leave)
			continue;
		if (r == 0)
			r = model_apply(&model, &layers[i]);
		stack_write(&layers[i], &tar);
		stack_image_add(image, &tar, (enum stack_packing)(i % 3));
	}
	return r == 0;
}

static bool check(struct draw *d, const struct stack_image *first,
		  const struct stack_image *second)
{
	const struct fb_rootfs_options o = {
		.compression = (enum fb_rootfs_compression)draw_number(d, 5),
		.workers = 1 + draw_number(d, 3),
		.block_bytes = draw_number(d, 3) ? 4096 : 131072,
	};
	struct fb_rootfs_known known[LAYERS_MAX];
	struct made a, plain;
	struct made reused = { .image = -1, .recipe = -1 };
	struct made again = { .image = -1, .recipe = -1 };
	struct fb_err err = { 0 };
	bool good = make(first, &o, known, NULL, &a, &err) == 0 &&
		    make(second, &o, known, NULL, &plain, &err) == 0 &&
		    make(second, &o, known, &a, &reused, &err) == 0 &&
		    /* of what was remembered of what was remembered */
		    (!reused.result.recipe ||
		     make(second, &o, known, &reused, &again, &err) == 0);

	if (!good)
		printf("# %s\n", err.msg);
	good = good && a.result.recipe &&
	       fb_digest_equal(&plain.result.digest, &reused.result.digest);
	if (good && reused.result.recipe)
		good = again.result.known_layers == second->count &&
		       fb_digest_equal(&plain.result.digest,
				       &again.result.digest);
	known_layers += (unsigned int)reused.result.known_layers;
	read_layers +=
		(unsigned int)(second->count - reused.result.known_layers);
	made_release(&a);
	made_release(&plain);
	made_release(&reused);
	made_release(&again);
	return good;
}

/* What means nothing is taken out, as long as no layer is left out */
static void mend(struct draw *d, struct stack_layer *layers, size_t count)
{
	struct model model;
	size_t bad;

	model_init(&model, d->arena);
	for (size_t i = 0; i < count; i++) {
		struct stack_layer *l = &layers[i];

		while ((bad = model_check(&model, l)) < l->count) {
			l->count--;
			memmove(l->entries + bad, l->entries + bad + 1,
				(l->count - bad) * sizeof(*l->entries));
		}
		(void)model_apply(&model, l);
	}
}

static bool run_seed(uint64_t seed)
{
	struct stack_arena arena = { 0 };
	struct draw d = { .arena = &arena, .state = seed };
	struct stack_layer layers[LAYERS_MAX] = { 0 };
	struct stack_image first = { 0 }, second = { 0 };
	bool good = true;
	size_t count;

	count = 2 + draw_number(&d, LAYERS_MAX - 1);
	d.names = 3 + draw_number(&d, 6);
	for (size_t i = 0; i < count; i++)
		draw_layer(&d, &layers[i], draw_number(&d, 12));
	mend(&d, layers, count);
	/* stacks that mean something, and have layers in common */
	if (add_layers(&d, layers, count, draw_number(&d, (uint32_t)count),
		       &first) &&
	    add_layers(&d, layers, count, draw_number(&d, (uint32_t)count),
		       &second))
		good = check(&d, &first, &second);
	if (!good)
		TAP_OK(false, "seed %llu", (unsigned long long)seed);
	stack_image_release(&first);
	stack_image_release(&second);
	arena_release(&arena);
	return good;
}

/* every byte of what is remembered may be wrong: an error, or read as ever */
static void test_damaged(void)
{
	struct stack_arena arena = { 0 };
	struct stack_layer layer = { 0 };
	struct stack_image image = { 0 };
	const struct fb_rootfs_options o = { 0 };
	struct fb_rootfs_known known[LAYERS_MAX];
	FB_STR struct fb_str tar = FB_STR_INIT((size_t)1 << 30);
	struct made a, b;
	off_t size;

	for (int i = 0; i < 30; i++) {
		struct stack_entry e = {
			.type = '0',
			.name = arena_printf(&arena, "d/f%d", i),
			.data = arena_alloc(&arena, 200000),
			.size = i % 5 ? (size_t)i * 100 : 200000,
			.mode = 0644,
		};
		stack_add(&layer, &arena, &e);
	}
	stack_write(&layer, &tar);
	stack_image_add(&image, &tar, STACK_GZIP);
	TAP_INT(make(&image, &o, known, NULL, &a, NULL), 0, "convert");
	size = lseek(a.recipe, 0, SEEK_END);
	for (off_t at = 0; at < size; at += 3) {
		uint8_t byte, bad;

		if (fb_pread_full(a.recipe, &byte, 1, (uint64_t)at) != 1)
			abort();
		bad = byte ^ (uint8_t)(1 + at % 255);
		(void)fb_pwrite_full(a.recipe, &bad, 1, (uint64_t)at);
		(void)make(&image, &o, known, &a, &b, NULL);
		made_release(&b);
		(void)fb_pwrite_full(a.recipe, &byte, 1, (uint64_t)at);
	}
	TAP_OK(true, "%lld bytes wrong in turn", (long long)size);
	TAP_INT(make(&image, &o, known, &a, &b, NULL), 0, "all right again");
	TAP_INT(b.result.known_layers, 1, "it is known");
	made_release(&b);
	made_release(&a);
	stack_image_release(&image);
	arena_release(&arena);
}

int main(void)
{
	unsigned int bad = 0;

	for (uint64_t seed = 1; seed <= SEEDS && bad < 5; seed++)
		bad += !run_seed(seed);
	TAP_OK(bad == 0, "%u pairs of images", SEEDS);
	printf("# %u layers were known, %u were read\n", known_layers,
	       read_layers);
	TAP_OK(known_layers > 50 && read_layers > 50, "of both kinds");
	test_damaged();
	return tap_done();
}
