/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tap.h"
#include "wire/frame.h"
#include "wire/window.h"

static uint8_t memory[FB_FRAME_SIZE_MAX];

static void feed(struct fb_frame_reader *reader, const void *data, size_t len)
{
	size_t room;
	uint8_t *to = fb_frame_reader_space(reader, &room);

	if (len > room)
		abort();
	memcpy(to, data, len);
	fb_frame_reader_fed(reader, len);
}

static int one(enum fb_frame_sender sender, const void *data, size_t len,
	       struct fb_frame *ret)
{
	struct fb_frame_reader reader;

	fb_frame_reader_init(&reader, sender, memory, sizeof(memory));
	feed(&reader, data, len);
	return fb_frame_reader_next(&reader, ret, NULL);
}

/* Each put_*() gives what the reader takes, whole and byte by byte */
static void test_round_trip(void)
{
	const struct fb_guest_exit record = { FB_GUEST_NOT_FOUND,
					      FB_GUEST_EXIT_OOM, ENOENT };
	uint8_t out[FB_FRAME_EXIT_MAX];
	char text[FB_GUEST_TEXT_MAX + 1];
	struct fb_guest_exit got;
	struct fb_frame frame;
	size_t len;

	len = fb_frame_put_hello(out);
	TAP_INT(one(FB_FRAME_FROM_GUEST, out, len, &frame), 1, "hello");
	TAP_INT(fb_frame_hello_version(&frame), FB_GUEST_ABI_VERSION,
		"its version");
	len = fb_frame_put_u32(out, FB_GUEST_SIGNAL, 0, FB_GUEST_STDIN, 15);
	TAP_INT(one(FB_FRAME_FROM_HOST, out, len, &frame), 1, "signal");
	TAP_INT(fb_frame_u32(&frame), 15, "its number");
	len = fb_frame_put_resize(out, 0, (struct fb_guest_winsize){ 24, 80 });
	TAP_INT(one(FB_FRAME_FROM_HOST, out, len, &frame), 1, "resize");
	TAP_INT(fb_frame_winsize(&frame).rows, 24, "its rows");
	TAP_INT(fb_frame_winsize(&frame).cols, 80, "its columns");
	len = fb_frame_put_empty(out, FB_GUEST_EOF, 0, FB_GUEST_STDERR);
	TAP_INT(one(FB_FRAME_FROM_GUEST, out, len, &frame), 1, "end of file");
	TAP_INT(frame.stream, FB_GUEST_STDERR, "its stream");
	len = fb_frame_put_exit(out, 0, &record, "exec: \"no\nsuch\"");
	TAP_INT(one(FB_FRAME_FROM_GUEST, out, len, &frame), 1, "exit");
	got = fb_frame_exit(&frame, text);
	TAP_OK(got.kind == record.kind && got.flags == record.flags &&
		       got.value == record.value,
	       "its record");
	TAP_STR(text, "exec: \"no?such\"", "its text, made printable");
	TAP_INT(one(FB_FRAME_FROM_GUEST, out, len - 1, &frame), 0,
		"a byte is missing");
}

static void test_text_is_cut(void)
{
	const struct fb_guest_exit record = { FB_GUEST_SETUP_FAILED, 0, EIO };
	uint8_t out[FB_FRAME_EXIT_MAX];
	char text[FB_GUEST_TEXT_MAX + 1];
	char longer[FB_GUEST_TEXT_MAX + 100];
	struct fb_frame frame;

	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	TAP_INT(fb_frame_put_exit(out, 0, &record, longer), FB_FRAME_EXIT_MAX,
		"a long text is cut");
	TAP_INT(one(FB_FRAME_FROM_GUEST, out, sizeof(out), &frame), 1,
		"and is accepted");
	(void)fb_frame_exit(&frame, text);
	TAP_INT(strlen(text), FB_GUEST_TEXT_MAX, "at its greatest length");
}

static const struct {
	const char *name;
	enum fb_frame_sender sender;
	size_t len;
	uint8_t data[20];
} refused[] = {
	{ "type 0", FB_FRAME_FROM_GUEST, 8, { 0 } },
	{ "type 255", FB_FRAME_FROM_GUEST, 8, { 255 } },
	{ "hello from the host", FB_FRAME_FROM_HOST, 8, { 1, 0, 0, 0, 8 } },
	{ "begin from the guest", FB_FRAME_FROM_GUEST, 8, { 2 } },
	{ "exit of the host", FB_FRAME_FROM_HOST, 8, { 10, 0, 0, 0, 8 } },
	{ "hello without its magic",
	  FB_FRAME_FROM_GUEST,
	  16,
	  { 1, 0, 0, 0, 8, 0, 0, 0, 'x' } },
	{ "hello of 9 bytes", FB_FRAME_FROM_GUEST, 8, { 1, 0, 0, 0, 9 } },
	{ "flags", FB_FRAME_FROM_GUEST, 8, { 3, 1 } },
	{ "an unknown flag", FB_FRAME_FROM_HOST, 8, { 2, 2 } },
	{ "process 1", FB_FRAME_FROM_GUEST, 8, { 3, 0, 1 } },
	{ "stream where none is", FB_FRAME_FROM_GUEST, 8, { 3, 0, 0, 1 } },
	{ "stream 3", FB_FRAME_FROM_GUEST, 8, { 4, 0, 0, 3, 1 } },
	{ "stream 200", FB_FRAME_FROM_GUEST, 8, { 4, 0, 0, 200, 1 } },
	{ "stdin of the guest", FB_FRAME_FROM_GUEST, 8, { 4, 0, 0, 0, 1 } },
	{ "stdout of the host", FB_FRAME_FROM_HOST, 8, { 4, 0, 0, 1, 1 } },
	{ "empty data", FB_FRAME_FROM_GUEST, 8, { 4, 0, 0, 1, 0 } },
	{ "data over the maximum",
	  FB_FRAME_FROM_GUEST,
	  8,
	  { 4, 0, 0, 1, 1, 0, 1, 0 } },
	{ "data of 4 GiB",
	  FB_FRAME_FROM_GUEST,
	  8,
	  { 4, 0, 0, 1, 255, 255, 255, 255 } },
	{ "signal 0", FB_FRAME_FROM_HOST, 12, { 8, 0, 0, 0, 4 } },
	{ "signal 65", FB_FRAME_FROM_HOST, 12, { 8, 0, 0, 0, 4, 0, 0, 0, 65 } },
	{ "window of 0", FB_FRAME_FROM_HOST, 12, { 7, 0, 0, 1, 4 } },
	{ "window of 4 GiB",
	  FB_FRAME_FROM_HOST,
	  12,
	  { 7, 0, 0, 1, 4, 0, 0, 0, 255, 255, 255, 255 } },
	{ "exit of no kind", FB_FRAME_FROM_GUEST, 16, { 10, 0, 0, 0, 8 } },
	{ "exit status 256",
	  FB_FRAME_FROM_GUEST,
	  16,
	  { 10, 0, 0, 0, 8, 0, 0, 0, 1, 0, 0, 0, 0, 1 } },
	{ "exit by signal 0",
	  FB_FRAME_FROM_GUEST,
	  16,
	  { 10, 0, 0, 0, 8, 0, 0, 0, 2 } },
	{ "exit with an unknown flag",
	  FB_FRAME_FROM_GUEST,
	  16,
	  { 10, 0, 0, 0, 8, 0, 0, 0, 1, 0, 8 } },
};

static void test_refused(void)
{
	struct fb_frame frame;

	for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++)
		TAP_INT(one(refused[i].sender, refused[i].data, refused[i].len,
			    &frame),
			-EPROTO, "refused: %s", refused[i].name);
}

static void test_broken_stays_broken(void)
{
	uint8_t good[FB_FRAME_SMALL_MAX];
	struct fb_frame_reader reader;
	struct fb_err err = { 0 };
	struct fb_frame frame;

	fb_frame_reader_init(&reader, FB_FRAME_FROM_GUEST, memory,
			     sizeof(memory));
	feed(&reader, "\377\0\0\0\0\0\0\0", 8);
	TAP_INT(fb_frame_reader_next(&reader, &frame, &err), -EPROTO, "broken");
	TAP_STR(err.msg, "frame of unknown type 255", "says why");
	feed(&reader, good, fb_frame_put_hello(good));
	TAP_INT(fb_frame_reader_next(&reader, &frame, &err), -EPROTO,
		"stays broken");
}

/* Frames of the greatest length through the smallest buffer, in odd pieces */
static void test_stream(size_t piece)
{
	static uint8_t bytes[3 * FB_FRAME_SIZE_MAX];
	static const uint32_t lengths[] = { 1, FB_GUEST_FRAME_MAX, 77,
					    FB_GUEST_FRAME_MAX, 5 };
	struct fb_frame_reader reader;
	struct fb_frame frame;
	size_t len = 0, at = 0, seen = 0;
	bool right = true;
	int r = 0;

	for (size_t i = 0; i < 5; i++) {
		fb_frame_put_header(bytes + len,
				    &(struct fb_frame){ .type = FB_GUEST_DATA,
							.stream =
								FB_GUEST_STDOUT,
							.length = lengths[i] });
		len += FB_FRAME_HEADER_SIZE;
		memset(bytes + len, (int)i + 1, lengths[i]);
		len += lengths[i];
	}
	fb_frame_reader_init(&reader, FB_FRAME_FROM_GUEST, memory,
			     sizeof(memory));
	while (at < len && r >= 0) {
		size_t n = len - at < piece ? len - at : piece, room;

		(void)fb_frame_reader_space(&reader, &room);
		if (n > room)
			n = room;
		feed(&reader, bytes + at, n);
		at += n;
		while ((r = fb_frame_reader_next(&reader, &frame, NULL)) > 0) {
			right = right && frame.length == lengths[seen] &&
				frame.payload[0] == seen + 1 &&
				frame.payload[frame.length - 1] == seen + 1;
			seen++;
		}
	}
	TAP_OK(r == 0 && right && seen == 5, "5 frames in pieces of %zu",
	       piece);
	TAP_OK(!fb_frame_reader_partial(&reader), "and nothing is left");
}

static void test_send_window(void)
{
	struct fb_send_window w;

	fb_send_window_init(&w);
	TAP_INT(fb_send_window_room(&w), FB_GUEST_FRAME_MAX, "a frame of room");
	for (int i = 0; i < 16; i++)
		fb_send_window_use(&w, FB_GUEST_FRAME_MAX);
	TAP_INT(fb_send_window_room(&w), 0, "a window is used up");
	TAP_INT(fb_send_window_add(&w, 10), 0, "10 are given back");
	TAP_INT(fb_send_window_room(&w), 10, "10 of room");
	TAP_INT(fb_send_window_add(&w, FB_GUEST_WINDOW - 9), -EPROTO,
		"more given back than was sent");
	TAP_INT(fb_send_window_close(&w), 0, "refused");
	TAP_INT(fb_send_window_room(&w), 0, "no room then");
	TAP_INT(fb_send_window_close(&w), -EPROTO, "refused twice");
}

static void test_recv_window(void)
{
	struct fb_recv_window w;

	fb_recv_window_init(&w);
	TAP_INT(fb_recv_window_got(&w, FB_GUEST_WINDOW), 0, "a window came");
	TAP_INT(fb_recv_window_got(&w, 1), -EPROTO, "one byte more");
	TAP_INT(fb_recv_window_handed(&w, FB_WINDOW_PORTION - 1), 0,
		"too little to give back");
	TAP_INT(fb_recv_window_handed(&w, 1), FB_WINDOW_PORTION,
		"a portion is given back");
	TAP_INT(fb_recv_window_got(&w, FB_WINDOW_PORTION), 0, "it may come");
	TAP_INT(fb_recv_window_got(&w, 1), -EPROTO, "and not more");
	TAP_INT(fb_recv_window_end(&w), 0, "end");
	TAP_INT(fb_recv_window_end(&w), -EPROTO, "second end");
	TAP_INT(fb_recv_window_got(&w, 1), -EPROTO, "data after the end");
	TAP_INT(fb_recv_window_handed(&w, FB_WINDOW_PORTION), 0,
		"nothing to give back after the end");
}

int main(void)
{
	test_round_trip();
	test_text_is_cut();
	test_refused();
	test_broken_stays_broken();
	test_stream(1);
	test_stream(7);
	test_stream(4096);
	test_stream(65537);
	test_stream(3 * FB_FRAME_SIZE_MAX);
	test_send_window();
	test_recv_window();
	return tap_done();
}
