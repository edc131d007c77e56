/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frames of the guest protocol (flamebox/guest_abi.h): a reader that turns a
 * byte stream into checked frames, and functions that put frames into bytes.
 *
 * Nothing here allocates, blocks or prints; host, monitor and guest link it.
 *
 *   uint8_t *room = fb_frame_reader_space(&reader, &len);
 *   ssize_t n = read(fd, room, len);
 *   fb_frame_reader_fed(&reader, (size_t)n);
 *   while ((r = fb_frame_reader_next(&reader, &frame, err)) > 0)
 *           handle(&frame);        // frame.payload points into the buffer
 *   if (r < 0)
 *           give up the connection;
 */
#ifndef FB_WIRE_FRAME_H
#define FB_WIRE_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "flamebox/guest_abi.h"

#define FB_FRAME_HEADER_SIZE sizeof(struct fb_guest_frame)
/* The largest frame there is, and so the least that a reader needs */
#define FB_FRAME_SIZE_MAX (FB_FRAME_HEADER_SIZE + FB_GUEST_FRAME_MAX)

/** enum fb_frame_sender - Who wrote the bytes; decides which types are legal */
enum fb_frame_sender {
	FB_FRAME_FROM_GUEST,
	FB_FRAME_FROM_HOST,
};

/**
 * struct fb_frame - One frame, in the machine's byte order
 * @type:    Kind
 * @flags:   FB_GUEST_FLAG_LAST with BEGIN, otherwise 0
 * @process: 0 … FB_GUEST_PROCESS_COUNT - 1
 * @stream:  With DATA, EOF, CLOSE, WINDOW_ADD; otherwise FB_GUEST_STDIN (0)
 * @length:  Bytes of @payload, at most FB_GUEST_FRAME_MAX
 * @payload: Borrowed
 */
struct fb_frame {
	enum fb_guest_frame_type type;
	uint8_t flags;
	uint8_t process;
	enum fb_guest_stream stream;
	uint32_t length;
	const uint8_t *payload;
};

/**
 * struct fb_frame_reader - State of one direction of one connection
 *
 * Set up with fb_frame_reader_init(); the fields are its own.
 */
struct fb_frame_reader {
	enum fb_frame_sender sender;
	uint8_t *buf;
	size_t cap;
	size_t start;
	size_t end;
	int failed;
};

/**
 * fb_frame_reader_init() - Begin to read a stream
 * @reader: Filled in
 * @sender: Who writes into the stream
 * @buf:    Memory for it (borrowed until the last use of @reader)
 * @cap:    Bytes of @buf, at least FB_FRAME_SIZE_MAX; twice that copies less
 */
void fb_frame_reader_init(struct fb_frame_reader *reader,
			  enum fb_frame_sender sender, uint8_t *buf,
			  size_t cap);

/**
 * fb_frame_reader_space() - Where the next bytes of the stream go
 * @reader:  Reader whose complete frames were all taken
 * @ret_len: Room there, at least one byte
 *
 * Payloads handed out before become invalid.
 *
 * Return: pointer into the buffer (borrowed).
 */
uint8_t *fb_frame_reader_space(struct fb_frame_reader *reader, size_t *ret_len);

/** fb_frame_reader_fed() - @len bytes were put where _space() said */
void fb_frame_reader_fed(struct fb_frame_reader *reader, size_t len);

/**
 * fb_frame_reader_next() - Take one frame
 * @reader: Reader
 * @ret:    The frame; written when 1 is returned; its payload is valid until
 *          the next call of fb_frame_reader_space()
 *
 * Each frame is checked by itself: a type that this sender may send, flags,
 * process, stream, the length that the type has, a hello's magic, a signal's,
 * window's and exit record's range.  What the order of frames allows is the
 * caller's to know.  A bad header is seen before its payload is waited for.
 *
 * Return: 1 with a frame; 0 when more bytes are needed; -EPROTO when the peer
 * broke the protocol, then and from then on.
 */
int fb_frame_reader_next(struct fb_frame_reader *reader, struct fb_frame *ret,
			 struct fb_err *err);

/** fb_frame_reader_partial() - Is there a begun frame? A peer's EOF is then a cut */
bool fb_frame_reader_partial(const struct fb_frame_reader *reader);

/** fb_frame_put_header() - Only the header of @frame, FB_FRAME_HEADER_SIZE bytes */
void fb_frame_put_header(uint8_t *out, const struct fb_frame *frame);

/* Most bytes that the fb_frame_put_*() below write, the exit record excepted */
#define FB_FRAME_SMALL_MAX (FB_FRAME_HEADER_SIZE + 8)

/** fb_frame_put_empty() - STARTED, EOF, CLOSE, EXIT_ACK. Return: bytes put */
size_t fb_frame_put_empty(uint8_t *out, enum fb_guest_frame_type type,
			  uint8_t process, enum fb_guest_stream stream);

/** fb_frame_put_u32() - WINDOW_ADD (@stream) or SIGNAL (stream 0). Return: bytes put */
size_t fb_frame_put_u32(uint8_t *out, enum fb_guest_frame_type type,
			uint8_t process, enum fb_guest_stream stream,
			uint32_t value);

/** fb_frame_put_hello() - HELLO of this version. Return: bytes put */
size_t fb_frame_put_hello(uint8_t *out);

/** fb_frame_put_resize() - RESIZE. Return: bytes put */
size_t fb_frame_put_resize(uint8_t *out, uint8_t process,
			   struct fb_guest_winsize size);

#define FB_FRAME_EXIT_MAX                                      \
	(FB_FRAME_HEADER_SIZE + sizeof(struct fb_guest_exit) + \
	 FB_GUEST_TEXT_MAX)

/**
 * fb_frame_put_exit() - EXIT
 * @out:     FB_FRAME_EXIT_MAX bytes
 * @process: Whose
 * @record:  In the machine's byte order
 * @text:    Cut at FB_GUEST_TEXT_MAX bytes; NULL = none
 *
 * Return: bytes put.
 */
size_t fb_frame_put_exit(uint8_t *out, uint8_t process,
			 const struct fb_guest_exit *record, const char *text);

/** fb_frame_hello_version() - What a checked HELLO says */
uint32_t fb_frame_hello_version(const struct fb_frame *frame);

/** fb_frame_u32() - Value of a checked WINDOW_ADD or SIGNAL */
uint32_t fb_frame_u32(const struct fb_frame *frame);

/** fb_frame_winsize() - Value of a checked RESIZE */
struct fb_guest_winsize fb_frame_winsize(const struct fb_frame *frame);

/**
 * fb_frame_exit() - Value of a checked EXIT
 * @frame: The frame
 * @text:  FB_GUEST_TEXT_MAX + 1 bytes; control characters made visible
 *
 * Return: the record.
 */
struct fb_guest_exit fb_frame_exit(const struct fb_frame *frame, char *text);

#endif
