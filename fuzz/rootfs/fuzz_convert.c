/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Layers to an image.  The input is up to four layers, each with a length of
 * three bytes in front (the last one takes the rest); the tars in it need no
 * right check sums, or a fuzzer would never get past them: they are put right.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/cleanup.h"
#include "rootfs/convert.h"

#define LAYERS_MAX 4
#define BLOCK 512u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* every block that is a header or is taken for one */
static void mend_checksums(uint8_t *tar, size_t size)
{
	for (size_t at = 0; at + BLOCK <= size; at += BLOCK) {
		uint8_t *b = tar + at;
		unsigned int sum = 8 * ' ';

		if (memcmp(b + 257, "ustar", 5) != 0)
			continue;
		for (unsigned int i = 0; i < BLOCK; i++)
			sum += i >= 148 && i < 156 ? 0 : b[i];
		(void)snprintf((char *)b + 148, 8, "%06o", sum);
		b[155] = ' ';
	}
}

static size_t cut(uint8_t **at, size_t *left, bool last)
{
	size_t len = *left;

	if (!last && *left >= 3) {
		len = (size_t)(*at)[0] << 16 | (size_t)(*at)[1] << 8 | (*at)[2];
		*at += 3;
		*left -= 3;
		if (len > *left)
			len = *left;
	}
	return len;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct fb_rootfs_options options = {
		.workers = 1,
		.block_bytes = 4096,
		.max_unpacked_bytes = 4u << 20,
		.max_image_bytes = 4u << 20,
		.max_entries = 1000,
	};
	struct fb_rootfs_layer layers[LAYERS_MAX];
	struct fb_source *sources[LAYERS_MAX] = { 0 };
	struct fb_rootfs_result result;
	struct fb_err err = { 0 };
	FB_FREE uint8_t *copy = malloc(size + 1);
	FB_FD int fd = memfd_create("image", MFD_CLOEXEC);
	uint8_t *at = copy;
	size_t count = 0, len;
	int r;

	if (!copy || fd < 0)
		return 0;
	memcpy(copy, data, size);
	do {
		len = cut(&at, &size, count == LAYERS_MAX - 1);
		mend_checksums(at, len);
		layers[count] = (struct fb_rootfs_layer){
			.size_bytes = len, .compression = FB_LAYER_UNKNOWN
		};
		if (fb_source_from_memory(at, len, &sources[count], NULL) < 0)
			abort();
		layers[count].source = sources[count];
		count++;
		at += len;
		size -= len;
	} while (size > 0 && count < LAYERS_MAX);
	r = fb_rootfs_convert(layers, count, fd, &options, &result, &err);
	if (r < 0 && (err.code != r || !err.msg[0]))
		abort();
	for (size_t i = 0; i < count; i++)
		fb_source_free(sources[i]);
	return 0;
}
