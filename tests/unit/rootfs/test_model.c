/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random stacks of layers, converted and compared with a plain model of what
 * they mean.  `test_rootfs_model [FIRST COUNT]` runs other seeds than the
 * ordinary ones.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "draw.h"
#include "image_check.h"
#include "tap.h"

#define SEEDS 1500u

static unsigned int converted, refused;

static void describe(const struct stack_layer *layers, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		printf("# layer %zu\n", i + 1);
		for (size_t k = 0; k < layers[i].count; k++) {
			const struct stack_entry *e = &layers[i].entries[k];

			printf("#   %c '%s'%s%s size %zu %u:%u\n", e->type,
			       e->name, e->link ? " -> " : "",
			       e->link ? e->link : "", e->size, e->major,
			       e->minor);
		}
	}
}

/* the options are drawn too: none may change what the tree is */
static struct fb_rootfs_options draw_options(struct draw *d)
{
	return (struct fb_rootfs_options){
		.compression = (enum fb_rootfs_compression)draw_number(d, 5),
		.workers = 1 + draw_number(d, 3),
		.block_bytes = draw_number(d, 3) ? 4096 : 131072,
	};
}

/* most stacks shall convert: what the model refuses is mostly taken out */
static void mend(const struct model *m, struct stack_layer *layer)
{
	size_t bad;

	while ((bad = model_check(m, layer)) < layer->count) {
		layer->count--;
		memmove(layer->entries + bad, layer->entries + bad + 1,
			(layer->count - bad) * sizeof(*layer->entries));
	}
}

static int run_stack(struct draw *d, struct stack_layer *layers, size_t count,
		     struct fb_str *why)
{
	bool mended = draw_number(d, 10) > 0;
	const struct fb_rootfs_options options = draw_options(d);
	struct stack_image image = { 0 };
	struct fb_rootfs_result result;
	struct fb_err err = { 0 };
	struct model model;
	FB_FD int fd = -EBADF;
	int want = 0, r;

	model_init(&model, d->arena);
	for (size_t i = 0; i < count; i++) {
		FB_STR struct fb_str tar = FB_STR_INIT((size_t)1 << 30);

		if (mended)
			mend(&model, &layers[i]);
		stack_write(&layers[i], &tar);
		stack_image_add(&image, &tar,
				(enum stack_packing)draw_number(d, 3));
		if (want == 0)
			want = model_apply(&model, &layers[i]);
	}
	model_finish(&model);
	r = stack_image_convert(&image, &options, &fd, &result, &err);
	stack_image_release(&image);
	if ((r < 0) != (want < 0)) {
		fb_str_printf(why, "gave %d, should %s: %s", r,
			      want ? "fail" : "succeed", err.msg);
		return -1;
	}
	if (r < 0 && !strstr(err.msg, "layer ")) {
		fb_str_printf(why, "the error names no layer: %s", err.msg);
		return -1;
	}
	converted += r == 0;
	refused += r < 0;
	return r < 0 ? 0 : image_check(fd, &model, why);
}

static bool run_seed(uint64_t seed)
{
	FB_STR struct fb_str why = FB_STR_INIT(65536);
	struct stack_arena arena = { 0 };
	struct draw d = { .arena = &arena, .state = seed };
	struct stack_layer layers[6] = { 0 };
	size_t count;
	bool good;

	(void)draw_number(&d, 1);
	count = 1 + draw_number(&d, FB_ARRAY_SIZE(layers));
	d.names = 2 + draw_number(&d, 7);
	for (size_t i = 0; i < count; i++)
		draw_layer(&d, &layers[i], draw_number(&d, 25));
	good = run_stack(&d, layers, count, &why) == 0;
	if (!good) {
		TAP_OK(false, "seed %llu", (unsigned long long)seed);
		printf("# %s\n", fb_str_cstr(&why));
		describe(layers, count);
	}
	arena_release(&arena);
	return good;
}

int main(int argc, char **argv)
{
	uint64_t first = argc > 2 ? strtoull(argv[1], NULL, 10) : 1;
	uint64_t count = argc > 2 ? strtoull(argv[2], NULL, 10) : SEEDS;
	unsigned int bad = 0;

	for (uint64_t i = 0; i < count && bad < 5; i++)
		bad += !run_seed(first + i);
	TAP_OK(bad == 0, "%llu random stacks are as the model says",
	       (unsigned long long)count);
	printf("# %u converted, %u refused\n", converted, refused);
	TAP_OK(converted > refused && refused > 0,
	       "both good and bad stacks were drawn");
	return tap_done();
}
