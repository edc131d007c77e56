/* SPDX-License-Identifier: Apache-2.0 */
#include "image/progress.h"

#include <stddef.h>

void fb_progress(const struct fb_progress *progress,
		 enum fb_progress_phase phase, const char *id,
		 uint64_t done_bytes, uint64_t total_bytes)
{
	struct fb_progress_event event = {
		.phase = phase,
		.id = id,
		.done_bytes = done_bytes,
		.total_bytes = total_bytes,
	};

	if (progress && progress->event)
		progress->event(progress->ctx, &event);
}

int fb_progress_tick(const struct fb_progress *progress)
{
	return progress && progress->tick ? progress->tick(progress->ctx) : 0;
}
