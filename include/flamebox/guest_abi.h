/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What host and guest say to each other: the one header that both share.
 *
 * One byte stream (a virtio-serial port named FB_GUEST_PORT_NAME with QEMU,
 * vsock port FB_GUEST_VSOCK_PORT with Firecracker) carries frames: a header of
 * eight bytes, little endian, then `length` bytes of payload.  Either side
 * treats the other as hostile: a frame over the maximum, an unknown type, a
 * stream that does not exist, or more data than its window allows ends the
 * connection.
 *
 *   guest                                 host
 *   HELLO {abi}                   →            ready: kernel, devices, channel
 *                                 ←  BEGIN…    the spec, in pieces, the last one flagged
 *   STARTED {}  or  EXIT          →            the entrypoint runs
 *   DATA(stdout), DATA(stderr)    →  WINDOW_ADD
 *                     WINDOW_ADD  ←  DATA(stdin), EOF(stdin)
 *                                 ←  SIGNAL, RESIZE, CLOSE
 *   EXIT {record}                 →  EXIT_ACK  then the guest syncs and resets
 *
 * Data frames flow only within the window of their stream, which starts at
 * FB_GUEST_WINDOW bytes and is given back by WINDOW_ADD frames as the receiver
 * hands the bytes on; so no stream blocks another, and memory is bounded.
 *
 * Every output stream of a process (with a terminal: FB_GUEST_STDOUT alone)
 * ends with EOF, and its EXIT comes after them.  A process that never started
 * (NOT_FOUND, NOT_EXEC, SETUP_FAILED) sends EXIT without STARTED and without
 * EOF.  CLOSE says that the receiver wants no more: what is still on its way is
 * dropped and needs no WINDOW_ADD, the writer gets SIGPIPE, and EOF follows as
 * always.
 *
 * A host that loses the channel must count the guest as lost, and the other way
 * round: the guest resets at once.  Only one that waits for BEGIN, over vsock, connects
 * again and says HELLO: it may have been saved there, and go on elsewhere.
 *
 * A stream is named by its process and its role: process 0 is the entrypoint,
 * further ones are for exec.
 */
#ifndef FLAMEBOX_GUEST_ABI_H
#define FLAMEBOX_GUEST_ABI_H

#include <assert.h>
#include <stdint.h>

#define FB_GUEST_ABI_VERSION 1u
#define FB_GUEST_MAGIC 0x31584246u /* "FBX1" */
#define FB_GUEST_PORT_NAME "flamebox.0"
#define FB_GUEST_VSOCK_PORT 1024u

/* Most bytes of payload in one frame, and of a stream in flight */
#define FB_GUEST_FRAME_MAX 65536u
#define FB_GUEST_WINDOW 1048576u
/* Most bytes of a whole spec (argv, environment, …) over all BEGIN frames */
#define FB_GUEST_SPEC_MAX 16777216u
/* Most bytes of the text in an exit record, and of a line of the log */
#define FB_GUEST_TEXT_MAX 512u
/* Processes that this version of the protocol knows: the entrypoint */
#define FB_GUEST_PROCESS_COUNT 1u

enum fb_guest_frame_type {
	FB_GUEST_HELLO = 1, /* g→h  struct fb_guest_hello */
	FB_GUEST_BEGIN, /* h→g  a piece of the spec; flag LAST on the last */
	FB_GUEST_STARTED, /* g→h  empty: execve() of the process succeeded */
	FB_GUEST_DATA,	  /* both bytes of a stream, 1 … FB_GUEST_FRAME_MAX */
	FB_GUEST_EOF,	/* both empty: the sender has no more for this stream */
	FB_GUEST_CLOSE, /* both empty: the receiver wants no more of it */
	FB_GUEST_WINDOW_ADD, /* both uint32_t: bytes handed on */
	FB_GUEST_SIGNAL,   /* h→g  uint32_t: signal number for the process */
	FB_GUEST_RESIZE,   /* h→g  struct fb_guest_winsize */
	FB_GUEST_EXIT,	   /* g→h  struct fb_guest_exit, then its text */
	FB_GUEST_EXIT_ACK, /* h→g  empty */
	FB_GUEST_LOG, /* g→h  one line of init's own log, ≤ FB_GUEST_TEXT_MAX */
	FB_GUEST_FRAME_TYPE_END
};

enum fb_guest_stream {
	FB_GUEST_STDIN,
	FB_GUEST_STDOUT, /* with a terminal the only output */
	FB_GUEST_STDERR,
	FB_GUEST_STREAM_COUNT
};

#define FB_GUEST_FLAG_LAST 0x01u

/**
 * struct fb_guest_frame - Header of every frame, little endian
 * @type:    enum fb_guest_frame_type
 * @flags:   FB_GUEST_FLAG_LAST with BEGIN, otherwise 0
 * @process: 0 = the entrypoint
 * @stream:  enum fb_guest_stream; 0 where the type has none
 * @length:  Bytes of payload, at most FB_GUEST_FRAME_MAX
 */
struct fb_guest_frame {
	uint8_t type;
	uint8_t flags;
	uint8_t process;
	uint8_t stream;
	uint32_t length;
};
static_assert(sizeof(struct fb_guest_frame) == 8, "frame header is 8 bytes");

struct fb_guest_hello {
	uint32_t magic;
	uint32_t version;
};
static_assert(sizeof(struct fb_guest_hello) == 8, "hello is 8 bytes");

struct fb_guest_winsize {
	uint16_t rows;
	uint16_t cols;
};
static_assert(sizeof(struct fb_guest_winsize) == 4, "winsize is 4 bytes");

/* What ended, and at which step where the entrypoint never ran */
enum fb_guest_exit_kind {
	FB_GUEST_EXITED = 1,   /* value: exit status 0 … 255 */
	FB_GUEST_SIGNALED,     /* value: signal number 1 … 64 */
	FB_GUEST_NOT_FOUND,    /* value: errno; text: what; docker's 127 */
	FB_GUEST_NOT_EXEC,     /* value: errno; text: what; docker's 126 */
	FB_GUEST_SETUP_FAILED, /* value: errno; text: step and object; 125 */
	FB_GUEST_EXIT_KIND_END
};

#define FB_GUEST_EXIT_OOM 0x01u	      /* the guest's OOM killer hit it */
#define FB_GUEST_EXIT_DISK_FULL 0x02u /* the writable layer had no space left */

/**
 * struct fb_guest_exit - The exit record
 * @kind:  enum fb_guest_exit_kind
 * @flags: FB_GUEST_EXIT_*, looked for where the process did not end with 0
 * @value: See the kinds
 *
 * At most FB_GUEST_TEXT_MAX bytes of text follow, without a NUL.
 */
struct fb_guest_exit {
	uint16_t kind;
	uint16_t flags;
	uint32_t value;
};
static_assert(sizeof(struct fb_guest_exit) == 8, "exit record is 8 bytes");

/*
 * The spec that BEGIN carries: struct fb_guest_spec_head, then records, each a
 * struct fb_guest_spec_record and `length` bytes.  A reader refuses a record
 * that it does not know, unless FB_GUEST_SPEC_OPTIONAL is set: then it skips
 * it.  Integers are little endian; a text carries its NUL, so that the reader
 * uses it where it lies.  src/wire/spec_records.h lists the records.
 */
#define FB_GUEST_SPEC_MAGIC 0x31534246u /* "FBS1" */
#define FB_GUEST_SPEC_VERSION 1u
#define FB_GUEST_SPEC_OPTIONAL 0x0001u

struct fb_guest_spec_head {
	uint32_t magic;
	uint32_t version;
};
static_assert(sizeof(struct fb_guest_spec_head) == 8, "spec head is 8 bytes");

struct fb_guest_spec_record {
	uint16_t tag;
	uint16_t flags;
	uint32_t length;
};
static_assert(sizeof(struct fb_guest_spec_record) == 8,
	      "record head is 8 bytes");

#endif
