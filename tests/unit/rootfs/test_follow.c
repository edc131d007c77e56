/* SPDX-License-Identifier: Apache-2.0 */
/* Conversions beside their caller, of layers that are still being written. */
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "draw.h"
#include "image_check.h"
#include "rootfs/follow.h"
#include "rootfs/job.h"
#include "tap.h"

#define LAYERS 3

static void draw_image(uint64_t seed, struct stack_image *image)
{
	struct stack_arena arena = { 0 };
	struct draw d = { .arena = &arena, .state = seed, .names = 8 };

	for (size_t i = 0; i < LAYERS; i++) {
		FB_STR struct fb_str tar = FB_STR_INIT((size_t)1 << 30);
		struct stack_layer layer = { 0 };

		for (size_t k = 0; k < 60; k++) {
			size_t size = draw_number(&d, 200000);
			char *data = arena_alloc(&arena, size + 1);
			struct stack_entry e = {
				.type = '0',
				.name = arena_printf(&arena, "d%u/f%zu",
						     draw_number(&d, 3), k),
				.data = data,
				.size = size,
				.mode = 0644,
			};

			for (size_t b = 0; b < size; b++)
				data[b] = (char)draw_number(&d, 40);
			stack_add(&layer, &arena, &e);
		}
		stack_write(&layer, &tar);
		stack_image_add(image, &tar, (enum stack_packing)(i % 3));
	}
	arena_release(&arena);
}

/* files that grow, and the job that follows them */
struct growth {
	struct stack_image image;
	struct fb_rootfs_layer layers[LAYERS];
	struct fb_follow *follows[LAYERS];
	int fds[LAYERS];
	size_t written[LAYERS];
	int out;
	struct fb_rootfs_job *job;
};

static void growth_start(struct growth *g, uint64_t seed)
{
	struct fb_err err = { 0 };

	*g = (struct growth){ .out = memfd_create("image", MFD_CLOEXEC) };
	draw_image(seed, &g->image);
	for (size_t i = 0; i < LAYERS; i++) {
		g->fds[i] = memfd_create("layer", MFD_CLOEXEC);
		if (g->fds[i] < 0 || fb_follow_new(&g->follows[i], NULL) < 0)
			abort();
		g->layers[i] = g->image.layers[i];
		g->layers[i].source = fb_follow_source(g->follows[i]);
	}
	TAP_INT(fb_rootfs_job_start(g->layers, LAYERS, g->out, NULL, &g->job,
				    &err),
		0, "start %s", err.msg);
}

static void growth_end(struct growth *g)
{
	for (size_t i = 0; i < LAYERS; i++) {
		fb_source_free(fb_follow_source(g->follows[i]));
		(void)close(g->fds[i]);
	}
	(void)close(g->out);
	stack_image_release(&g->image);
}

/* Return: whether the layer is complete */
static bool append(struct growth *g, size_t i, size_t len)
{
	const struct fb_str *from = &g->image.bytes[i];
	size_t left = from->len - g->written[i];

	if (len > left)
		len = left;
	if (len > 0 && fb_pwrite_full(g->fds[i], from->buf + g->written[i], len,
				      g->written[i]) < 0)
		abort();
	if (g->written[i] == 0)
		fb_follow_open(g->follows[i], dup(g->fds[i]), len);
	g->written[i] += len;
	fb_follow_grow(g->follows[i], g->written[i]);
	if (g->written[i] == from->len)
		fb_follow_end(g->follows[i]);
	return g->written[i] == from->len;
}

static void append_all(struct growth *g, struct draw *d)
{
	bool whole[LAYERS] = { 0 };
	size_t left = LAYERS, i;

	while (left > 0) {
		i = draw_number(d, LAYERS);
		if (whole[i])
			continue;
		whole[i] = append(g, i, 1 + draw_number(d, 300000));
		left -= whole[i];
		if (draw_number(d, 4) == 0)
			(void)usleep(500);
	}
}

static void test_growing(void)
{
	for (uint64_t seed = 1; seed <= 4; seed++) {
		struct draw d = { .state = seed };
		struct fb_rootfs_result want, got = { 0 };
		struct fb_err err = { 0 };
		struct growth g;

		growth_start(&g, seed);
		TAP_INT(stack_image_convert(&g.image, NULL, NULL, &want, &err),
			0, "the files at rest: %s", err.msg);
		append_all(&g, &d);
		while (!fb_rootfs_job_wait(g.job, 1000))
			;
		TAP_INT(fb_rootfs_job_done_bytes(g.job), want.layer_bytes,
			"all bytes were told");
		TAP_INT(fb_rootfs_job_end(g.job, false, &got, &err), 0,
			"the files while they grow: %s", err.msg);
		TAP_OK(fb_digest_equal(&want.digest, &got.digest),
		       "the same bytes");
		growth_end(&g);
	}
}

/* a beginning that is thrown away before more comes */
static void test_again(void)
{
	struct draw d = { .state = 9 };
	struct fb_rootfs_result want, got = { 0 };
	struct fb_err err = { 0 };
	struct growth g;

	growth_start(&g, 9);
	(void)stack_image_convert(&g.image, NULL, NULL, &want, NULL);
	(void)append(&g, 2, 400000);
	(void)usleep(20000);
	fb_follow_grow(g.follows[2], 0);
	if (ftruncate(g.fds[2], 0) < 0)
		abort();
	g.written[2] = 0;
	append_all(&g, &d);
	TAP_INT(fb_rootfs_job_end(g.job, false, &got, &err), 0,
		"written twice: %s", err.msg);
	TAP_OK(fb_digest_equal(&want.digest, &got.digest), "the same bytes");
	growth_end(&g);
}

static void test_cancel(void)
{
	struct fb_rootfs_result result;
	struct fb_err err = { 0 };
	struct growth g;

	growth_start(&g, 5);
	(void)append(&g, 2, 300000);
	TAP_OK(!fb_rootfs_job_wait(g.job, 0), "it waits for more");
	TAP_INT(fb_rootfs_job_end(g.job, true, &result, &err), -ECANCELED,
		"broken off: %s", err.msg);
	growth_end(&g);
	growth_start(&g, 5);
	TAP_INT(fb_rootfs_job_end(g.job, true, NULL, NULL), -ECANCELED,
		"before there is a file");
	growth_end(&g);
	TAP_INT(fb_rootfs_job_end(NULL, true, NULL, NULL), 0, "no job");
}

/* what is wrong is told although the other layers never come */
static void test_bad(void)
{
	struct fb_rootfs_result result;
	struct fb_err err = { 0 };
	struct growth g;

	growth_start(&g, 6);
	g.image.bytes[2].buf[g.image.bytes[2].len / 2] ^= 1;
	while (!append(&g, 2, 100000))
		;
	TAP_OK(fb_rootfs_job_wait(g.job, 60000), "it ends by itself");
	TAP_INT(fb_rootfs_job_end(g.job, false, &result, &err), -EBADMSG,
		"a damaged layer");
	TAP_OK(strstr(err.msg, "layer 3 of 3: "), "%s", err.msg);
	growth_end(&g);
}

static void collect(void *ctx, enum fb_log_level level, const char *line)
{
	if (level == FB_LOG_WARN)
		fb_str_puts(ctx, line);
}

static void test_log(void)
{
	FB_STR struct fb_str said = FB_STR_INIT(4096);
	const struct fb_log log = { .level = FB_LOG_INFO,
				    .emit = collect,
				    .ctx = &said };
	const struct fb_rootfs_options o = { .log = &log };
	struct stack_image image = { 0 };
	struct fb_rootfs_job *job = NULL;
	FB_FD int fd = memfd_create("image", MFD_CLOEXEC);

	draw_image(7, &image);
	image.layers[0].compression = FB_LAYER_ZSTD;
	TAP_INT(fb_rootfs_job_start(image.layers, LAYERS, fd, &o, &job, NULL),
		0, "start");
	(void)fb_rootfs_job_wait(job, 60000);
	TAP_STR(fb_str_cstr(&said), "", "nothing is told from another thread");
	TAP_INT(fb_rootfs_job_end(job, false, NULL, NULL), 0, "end");
	TAP_OK(strstr(fb_str_cstr(&said), "media type says zstd"),
	       "then it is");
	stack_image_release(&image);
}

int main(void)
{
	test_growing();
	test_again();
	test_cancel();
	test_bad();
	test_log();
	return tap_done();
}
