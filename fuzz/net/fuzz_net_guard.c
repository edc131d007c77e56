/* SPDX-License-Identifier: Apache-2.0 */
/* A machine's frames through the guard: what is left is whole and allowed. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "net/guard.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size ? size : 1);
	size_t len = size, whole = 0, at = 0, frame;

	if (!copy)
		return 0;
	memcpy(copy, data, size);
	if (fb_net_guard_filter(copy, &len, &whole) == 0) {
		if (len > size || whole > len)
			abort();
		while (at < whole) {
			frame = (size_t)copy[at] << 24 |
				(size_t)copy[at + 1] << 16 |
				(size_t)copy[at + 2] << 8 | copy[at + 3];
			if (at + 4 + frame > whole ||
			    !fb_net_frame_allowed(copy + at + 4, frame))
				abort();
			at += 4 + frame;
		}
	}
	free(copy);
	return 0;
}
