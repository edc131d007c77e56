/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The frame reader over a hostile stream.  The first byte picks the sender and
 * the size of the pieces that the stream comes in.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "wire/frame.h"
#include "wire/window.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static volatile uint32_t sink;

static void use(const struct fb_frame *frame)
{
	char text[FB_GUEST_TEXT_MAX + 1];

	if (frame->length > FB_GUEST_FRAME_MAX ||
	    frame->process >= FB_GUEST_PROCESS_COUNT ||
	    frame->stream >= FB_GUEST_STREAM_COUNT)
		abort();
	for (uint32_t i = 0; i < frame->length; i++)
		sink += frame->payload[i];
	if (frame->type == FB_GUEST_EXIT)
		sink += fb_frame_exit(frame, text).value;
	if (frame->type == FB_GUEST_RESIZE)
		sink += fb_frame_winsize(frame).rows;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t memory[FB_FRAME_SIZE_MAX];
	struct fb_frame_reader reader;
	struct fb_frame frame;
	size_t piece, at = 1;
	int r = 0;

	if (size == 0)
		return 0;
	piece = data[0] / 2 ? data[0] / 2u : 4096u;
	fb_frame_reader_init(
		&reader, data[0] & 1 ? FB_FRAME_FROM_HOST : FB_FRAME_FROM_GUEST,
		memory, sizeof(memory));
	while (at < size && r >= 0) {
		size_t room, n = size - at;
		uint8_t *to = fb_frame_reader_space(&reader, &room);

		if (room == 0)
			abort();
		n = n < piece ? n : piece;
		n = n < room ? n : room;
		memcpy(to, data + at, n);
		fb_frame_reader_fed(&reader, n);
		at += n;
		while ((r = fb_frame_reader_next(&reader, &frame, NULL)) > 0)
			use(&frame);
	}
	return 0;
}
