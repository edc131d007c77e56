/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/frame.h"

#include <errno.h>
#include <string.h>

#define STREAM(s) (1u << FB_GUEST_##s)
#define NO_STREAM STREAM(STDIN) /* the field is 0 then */
#define OUTPUTS (STREAM(STDOUT) | STREAM(STDERR))

/**
 * struct rule - What one sender may send of one type
 * @streams: Set of legal streams; 0 = the type is not legal at all
 * @min:     Least length
 * @max:     Greatest length
 */
struct rule {
	uint8_t streams;
	uint32_t min;
	uint32_t max;
};

static const struct rule guest_rules[FB_GUEST_FRAME_TYPE_END] = {
	[FB_GUEST_HELLO] = { NO_STREAM, sizeof(struct fb_guest_hello),
			     sizeof(struct fb_guest_hello) },
	[FB_GUEST_STARTED] = { NO_STREAM, 0, 0 },
	[FB_GUEST_DATA] = { OUTPUTS, 1, FB_GUEST_FRAME_MAX },
	[FB_GUEST_EOF] = { OUTPUTS, 0, 0 },
	[FB_GUEST_CLOSE] = { STREAM(STDIN), 0, 0 },
	[FB_GUEST_WINDOW_ADD] = { STREAM(STDIN), 4, 4 },
	[FB_GUEST_EXIT] = { NO_STREAM, sizeof(struct fb_guest_exit),
			    sizeof(struct fb_guest_exit) + FB_GUEST_TEXT_MAX },
	[FB_GUEST_LOG] = { NO_STREAM, 0, FB_GUEST_TEXT_MAX },
};

static const struct rule host_rules[FB_GUEST_FRAME_TYPE_END] = {
	[FB_GUEST_BEGIN] = { NO_STREAM, 0, FB_GUEST_FRAME_MAX },
	[FB_GUEST_DATA] = { STREAM(STDIN), 1, FB_GUEST_FRAME_MAX },
	[FB_GUEST_EOF] = { STREAM(STDIN), 0, 0 },
	[FB_GUEST_CLOSE] = { OUTPUTS, 0, 0 },
	[FB_GUEST_WINDOW_ADD] = { OUTPUTS, 4, 4 },
	[FB_GUEST_SIGNAL] = { NO_STREAM, 4, 4 },
	[FB_GUEST_RESIZE] = { NO_STREAM, sizeof(struct fb_guest_winsize),
			      sizeof(struct fb_guest_winsize) },
	[FB_GUEST_EXIT_ACK] = { NO_STREAM, 0, 0 },
};

#define SIGNAL_MAX 64u
#define EXIT_FLAGS_KNOWN (FB_GUEST_EXIT_OOM | FB_GUEST_EXIT_DISK_FULL)

static uint16_t get_u16(const uint8_t *p)
{
	return (uint16_t)(p[0] | p[1] << 8);
}

static uint32_t get_u32(const uint8_t *p)
{
	return (uint32_t)get_u16(p) | (uint32_t)get_u16(p + 2) << 16;
}

static void put_u16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)v;
	p[1] = (uint8_t)(v >> 8);
}

static void put_u32(uint8_t *p, uint32_t v)
{
	put_u16(p, (uint16_t)v);
	put_u16(p + 2, (uint16_t)(v >> 16));
}

void fb_frame_reader_init(struct fb_frame_reader *reader,
			  enum fb_frame_sender sender, uint8_t *buf, size_t cap)
{
	*reader = (struct fb_frame_reader){
		.sender = sender,
		.buf = buf,
		.cap = cap,
	};
}

uint8_t *fb_frame_reader_space(struct fb_frame_reader *reader, size_t *ret_len)
{
	size_t used = reader->end - reader->start;

	if (used == 0) {
		reader->start = 0;
		reader->end = 0;
	} else if (reader->cap - reader->start < FB_FRAME_SIZE_MAX) {
		/* the begun frame may not fit behind where it lies */
		memmove(reader->buf, reader->buf + reader->start, used);
		reader->start = 0;
		reader->end = used;
	}
	*ret_len = reader->cap - reader->end;
	return reader->buf + reader->end;
}

void fb_frame_reader_fed(struct fb_frame_reader *reader, size_t len)
{
	reader->end += len;
}

bool fb_frame_reader_partial(const struct fb_frame_reader *reader)
{
	return reader->end > reader->start;
}

static int check_header(enum fb_frame_sender sender, const uint8_t *head,
			struct fb_err *err)
{
	const struct rule *rules =
		sender == FB_FRAME_FROM_GUEST ? guest_rules : host_rules;
	uint8_t type = head[0], flags = head[1];
	uint8_t process = head[2], stream = head[3];
	uint32_t length = get_u32(head + 4);
	uint8_t known = type == FB_GUEST_BEGIN ? FB_GUEST_FLAG_LAST : 0;

	if (type >= FB_GUEST_FRAME_TYPE_END || rules[type].streams == 0)
		return fb_err_set(err, -EPROTO, "frame of unknown type %u",
				  type);
	if (flags & (uint8_t)~known)
		return fb_err_set(err, -EPROTO, "frame %u with flags 0x%x",
				  type, flags);
	if (process >= FB_GUEST_PROCESS_COUNT)
		return fb_err_set(err, -EPROTO, "frame %u for process %u", type,
				  process);
	if (stream >= FB_GUEST_STREAM_COUNT ||
	    !(rules[type].streams & 1u << stream))
		return fb_err_set(err, -EPROTO, "frame %u for stream %u", type,
				  stream);
	if (length < rules[type].min || length > rules[type].max)
		return fb_err_set(err, -EPROTO, "frame %u of %u bytes", type,
				  length);
	return 0;
}

static int check_exit(const uint8_t *p)
{
	uint16_t kind = get_u16(p), flags = get_u16(p + 2);
	uint32_t value = get_u32(p + 4);

	if (kind == 0 || kind >= FB_GUEST_EXIT_KIND_END ||
	    (flags & ~EXIT_FLAGS_KNOWN))
		return -EPROTO;
	if (kind == FB_GUEST_EXITED && value > 255)
		return -EPROTO;
	if (kind == FB_GUEST_SIGNALED && (value == 0 || value > SIGNAL_MAX))
		return -EPROTO;
	return 0;
}

static int check_payload(const struct fb_frame *frame)
{
	uint32_t value;

	switch (frame->type) {
	case FB_GUEST_HELLO:
		return get_u32(frame->payload) == FB_GUEST_MAGIC ? 0 : -EPROTO;
	case FB_GUEST_SIGNAL:
		value = get_u32(frame->payload);
		return value && value <= SIGNAL_MAX ? 0 : -EPROTO;
	case FB_GUEST_WINDOW_ADD:
		value = get_u32(frame->payload);
		return value && value <= FB_GUEST_WINDOW ? 0 : -EPROTO;
	case FB_GUEST_EXIT:
		return check_exit(frame->payload);
	case FB_GUEST_BEGIN:
	case FB_GUEST_STARTED:
	case FB_GUEST_DATA:
	case FB_GUEST_EOF:
	case FB_GUEST_CLOSE:
	case FB_GUEST_RESIZE:
	case FB_GUEST_EXIT_ACK:
	case FB_GUEST_LOG:
	case FB_GUEST_FRAME_TYPE_END:
		break;
	}
	return 0;
}

int fb_frame_reader_next(struct fb_frame_reader *reader, struct fb_frame *ret,
			 struct fb_err *err)
{
	const uint8_t *head = reader->buf + reader->start;
	size_t have = reader->end - reader->start;
	struct fb_frame frame;

	if (reader->failed)
		return fb_err_set(err, reader->failed, "the stream is broken");
	if (have < FB_FRAME_HEADER_SIZE)
		return 0;
	reader->failed = check_header(reader->sender, head, err);
	if (reader->failed)
		return reader->failed;
	frame = (struct fb_frame){
		.type = (enum fb_guest_frame_type)head[0],
		.flags = head[1],
		.process = head[2],
		.stream = (enum fb_guest_stream)head[3],
		.length = get_u32(head + 4),
		.payload = head + FB_FRAME_HEADER_SIZE,
	};
	if (have - FB_FRAME_HEADER_SIZE < frame.length)
		return 0;
	reader->failed = check_payload(&frame);
	if (reader->failed)
		return fb_err_set(err, reader->failed,
				  "frame %u with an impossible value",
				  (unsigned int)frame.type);
	reader->start += FB_FRAME_HEADER_SIZE + frame.length;
	*ret = frame;
	return 1;
}

void fb_frame_put_header(uint8_t *out, const struct fb_frame *frame)
{
	out[0] = (uint8_t)frame->type;
	out[1] = frame->flags;
	out[2] = frame->process;
	out[3] = (uint8_t)frame->stream;
	put_u32(out + 4, frame->length);
}

size_t fb_frame_put_empty(uint8_t *out, enum fb_guest_frame_type type,
			  uint8_t process, enum fb_guest_stream stream)
{
	fb_frame_put_header(out, &(struct fb_frame){ .type = type,
						     .process = process,
						     .stream = stream });
	return FB_FRAME_HEADER_SIZE;
}

size_t fb_frame_put_u32(uint8_t *out, enum fb_guest_frame_type type,
			uint8_t process, enum fb_guest_stream stream,
			uint32_t value)
{
	fb_frame_put_header(out, &(struct fb_frame){ .type = type,
						     .process = process,
						     .stream = stream,
						     .length = 4 });
	put_u32(out + FB_FRAME_HEADER_SIZE, value);
	return FB_FRAME_HEADER_SIZE + 4;
}

size_t fb_frame_put_hello(uint8_t *out)
{
	fb_frame_put_header(
		out,
		&(struct fb_frame){ .type = FB_GUEST_HELLO,
				    .length = sizeof(struct fb_guest_hello) });
	put_u32(out + FB_FRAME_HEADER_SIZE, FB_GUEST_MAGIC);
	put_u32(out + FB_FRAME_HEADER_SIZE + 4, FB_GUEST_ABI_VERSION);
	return FB_FRAME_HEADER_SIZE + sizeof(struct fb_guest_hello);
}

size_t fb_frame_put_resize(uint8_t *out, uint8_t process,
			   struct fb_guest_winsize size)
{
	fb_frame_put_header(out, &(struct fb_frame){ .type = FB_GUEST_RESIZE,
						     .process = process,
						     .length = sizeof(size) });
	put_u16(out + FB_FRAME_HEADER_SIZE, size.rows);
	put_u16(out + FB_FRAME_HEADER_SIZE + 2, size.cols);
	return FB_FRAME_HEADER_SIZE + sizeof(size);
}

size_t fb_frame_put_exit(uint8_t *out, uint8_t process,
			 const struct fb_guest_exit *record, const char *text)
{
	size_t text_len = text ? strnlen(text, FB_GUEST_TEXT_MAX) : 0;
	uint8_t *p = out + FB_FRAME_HEADER_SIZE;

	fb_frame_put_header(
		out, &(struct fb_frame){ .type = FB_GUEST_EXIT,
					 .process = process,
					 .length = (uint32_t)(sizeof(*record) +
							      text_len) });
	put_u16(p, record->kind);
	put_u16(p + 2, record->flags);
	put_u32(p + 4, record->value);
	if (text_len)
		memcpy(p + sizeof(*record), text, text_len);
	return FB_FRAME_HEADER_SIZE + sizeof(*record) + text_len;
}

uint32_t fb_frame_hello_version(const struct fb_frame *frame)
{
	return get_u32(frame->payload + 4);
}

uint32_t fb_frame_u32(const struct fb_frame *frame)
{
	return get_u32(frame->payload);
}

struct fb_guest_winsize fb_frame_winsize(const struct fb_frame *frame)
{
	return (struct fb_guest_winsize){
		.rows = get_u16(frame->payload),
		.cols = get_u16(frame->payload + 2),
	};
}

struct fb_guest_exit fb_frame_exit(const struct fb_frame *frame, char *text)
{
	const uint8_t *from = frame->payload + sizeof(struct fb_guest_exit);
	size_t len = frame->length - sizeof(struct fb_guest_exit);

	for (size_t i = 0; i < len; i++)
		text[i] =
			from[i] < 0x20 || from[i] == 0x7f ? '?' : (char)from[i];
	text[len] = '\0';
	return (struct fb_guest_exit){
		.kind = get_u16(frame->payload),
		.flags = get_u16(frame->payload + 2),
		.value = get_u32(frame->payload + 4),
	};
}
