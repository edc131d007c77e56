/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A VMM with a guest in it, for faults that a real one won't produce on demand:
 * does what its arguments say, one after the other, over the descriptors that the
 * monitor gives to a VMM.
 *
 *   hello | hello:VERSION   begin (wait for the spec)   started   ack (wait for it)
 *   out:COUNT (bytes within the window)   flood:COUNT (without regard to it)
 *   err:TEXT   log:TEXT   eofs   echo (stdin to stdout, to its end)
 *   signal (wait for one, say its number on stdout)   closed (wait for CLOSE)
 *   exit:STATUS   killed:SIGNAL   notfound:TEXT   oom:STATUS   raw:HEX
 *   console:TEXT   stderr:TEXT (a line, '_' is a blank)   hangup (close the channel)
 *   end:STATUS   die:SIGNAL   pause
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "container/launch.h"
#include "wire/frame.h"
#include "wire/window.h"

#define CHANNEL FB_LAUNCH_VMM_CHANNEL
#define CONSOLE FB_LAUNCH_VMM_CONSOLE
#define BROKEN 99 /* exit status: the host did what it must not */

static struct fb_frame_reader reader;
static uint8_t in[2 * FB_FRAME_SIZE_MAX];
static struct fb_send_window window = { .credit = FB_GUEST_WINDOW };

static void put(const void *data, size_t len)
{
	/* a host that has gone is noticed by what follows */
	(void)fb_write_full(CHANNEL, data, len);
}

static void put_empty(enum fb_guest_frame_type type,
		      enum fb_guest_stream stream)
{
	uint8_t frame[FB_FRAME_SMALL_MAX];

	put(frame, fb_frame_put_empty(frame, type, 0, stream));
}

static void put_bytes(enum fb_guest_frame_type type,
		      enum fb_guest_stream stream, const void *data, size_t len)
{
	struct fb_frame frame = { .type = type,
				  .stream = stream,
				  .length = (uint32_t)len };
	uint8_t head[FB_FRAME_HEADER_SIZE];

	fb_frame_put_header(head, &frame);
	put(head, sizeof(head));
	put(data, len);
}

static struct fb_frame next(void)
{
	struct fb_frame frame;
	uint8_t *to;
	size_t room;
	ssize_t n;
	int r;

	while ((r = fb_frame_reader_next(&reader, &frame, NULL)) == 0) {
		to = fb_frame_reader_space(&reader, &room);
		n = read(CHANNEL, to, room);
		if (n <= 0)
			exit(BROKEN);
		fb_frame_reader_fed(&reader, (size_t)n);
	}
	if (r < 0)
		exit(BROKEN);
	if (frame.type == FB_GUEST_WINDOW_ADD &&
	    fb_send_window_add(&window, fb_frame_u32(&frame)) < 0)
		exit(BROKEN);
	return frame;
}

static struct fb_frame wait_for(enum fb_guest_frame_type type)
{
	struct fb_frame frame;

	do {
		frame = next();
	} while (frame.type != type);
	return frame;
}

static void do_begin(void)
{
	struct fb_frame frame;

	do {
		frame = next();
		if (frame.type != FB_GUEST_BEGIN)
			exit(BROKEN);
	} while (!(frame.flags & FB_GUEST_FLAG_LAST));
}

static void fill(uint8_t *piece, size_t len, uint64_t at)
{
	for (size_t i = 0; i < len; i++)
		piece[i] = (uint8_t)((at + i) % 251);
}

static void do_out(uint64_t count, bool honest)
{
	static uint8_t piece[FB_GUEST_FRAME_MAX];
	uint64_t at = 0;
	size_t len;

	while (at < count) {
		len = honest ? fb_send_window_room(&window) : sizeof(piece);
		if (len == 0) {
			(void)wait_for(FB_GUEST_WINDOW_ADD);
			continue;
		}
		if (len > count - at)
			len = (size_t)(count - at);
		fill(piece, len, at);
		if (honest)
			fb_send_window_use(&window, (uint32_t)len);
		put_bytes(FB_GUEST_DATA, FB_GUEST_STDOUT, piece, len);
		at += len;
	}
}

static void do_echo(void)
{
	struct fb_frame frame;
	uint8_t add[FB_FRAME_SMALL_MAX];

	for (;;) {
		frame = next();
		if (frame.type == FB_GUEST_EOF)
			return;
		if (frame.type != FB_GUEST_DATA)
			continue;
		put_bytes(FB_GUEST_DATA, FB_GUEST_STDOUT, frame.payload,
			  frame.length);
		put(add, fb_frame_put_u32(add, FB_GUEST_WINDOW_ADD, 0,
					  FB_GUEST_STDIN, frame.length));
	}
}

static void do_exit(uint16_t kind, uint16_t flags, uint32_t value,
		    const char *text)
{
	struct fb_guest_exit record = { kind, flags, value };
	uint8_t frame[FB_FRAME_EXIT_MAX];

	put(frame, fb_frame_put_exit(frame, 0, &record, text));
}

static void do_raw(const char *hex)
{
	unsigned int byte;
	uint8_t b;

	for (; hex[0] && hex[1]; hex += 2) {
		if (sscanf(hex, "%2x", &byte) != 1)
			exit(BROKEN);
		b = (uint8_t)byte;
		put(&b, 1);
	}
}

static void do_signal(void)
{
	struct fb_frame frame = wait_for(FB_GUEST_SIGNAL);
	char text[16];

	(void)snprintf(text, sizeof(text), "%u ", fb_frame_u32(&frame));
	put_bytes(FB_GUEST_DATA, FB_GUEST_STDOUT, text, strlen(text));
}

static void do_hello(uint32_t version)
{
	uint8_t frame[FB_FRAME_SMALL_MAX];
	size_t len = fb_frame_put_hello(frame);

	frame[FB_FRAME_HEADER_SIZE + 4] = (uint8_t)version;
	put(frame, len);
}

static void print_line(int fd, const char *text)
{
	char line[1024];
	int len = snprintf(line, sizeof(line), "%s\n", text);

	for (char *c = line; *c; c++)
		if (*c == '_')
			*c = ' ';
	(void)fb_write_full(fd, line, (size_t)len);
}

static bool say(const char *word, const char *value)
{
	if (!strcmp(word, "err"))
		put_bytes(FB_GUEST_DATA, FB_GUEST_STDERR, value, strlen(value));
	else if (!strcmp(word, "log"))
		put_bytes(FB_GUEST_LOG, FB_GUEST_STDIN, value, strlen(value));
	else if (!strcmp(word, "console"))
		print_line(CONSOLE, value);
	else if (!strcmp(word, "stderr"))
		print_line(STDERR_FILENO, value);
	else if (!strcmp(word, "notfound"))
		do_exit(FB_GUEST_NOT_FOUND, 0, ENOENT, value);
	else if (!strcmp(word, "raw"))
		do_raw(value);
	else
		return false;
	return true;
}

static bool send_number(const char *word, unsigned long n)
{
	if (!strcmp(word, "hello"))
		do_hello(n ? (uint32_t)n : FB_GUEST_ABI_VERSION);
	else if (!strcmp(word, "out") || !strcmp(word, "flood"))
		do_out(n, word[0] == 'o');
	else if (!strcmp(word, "exit"))
		do_exit(FB_GUEST_EXITED, 0, (uint32_t)n, "");
	else if (!strcmp(word, "killed"))
		do_exit(FB_GUEST_SIGNALED, 0, (uint32_t)n, "");
	else if (!strcmp(word, "oom"))
		do_exit(FB_GUEST_EXITED, FB_GUEST_EXIT_OOM, (uint32_t)n, "");
	else if (!strcmp(word, "end"))
		exit((int)n);
	else if (!strcmp(word, "die"))
		(void)raise((int)n);
	else
		return false;
	return true;
}

static bool act(const char *word)
{
	if (!strcmp(word, "begin")) {
		do_begin();
	} else if (!strcmp(word, "started")) {
		put_empty(FB_GUEST_STARTED, FB_GUEST_STDIN);
	} else if (!strcmp(word, "ack")) {
		(void)wait_for(FB_GUEST_EXIT_ACK);
	} else if (!strcmp(word, "closed")) {
		(void)wait_for(FB_GUEST_CLOSE);
	} else if (!strcmp(word, "eofs")) {
		put_empty(FB_GUEST_EOF, FB_GUEST_STDOUT);
		put_empty(FB_GUEST_EOF, FB_GUEST_STDERR);
	} else if (!strcmp(word, "echo")) {
		do_echo();
	} else if (!strcmp(word, "signal")) {
		do_signal();
	} else if (!strcmp(word, "hangup")) {
		(void)close(CHANNEL);
	} else if (!strcmp(word, "pause")) {
		for (;;)
			(void)pause();
	} else {
		return false;
	}
	return true;
}

int main(int argc, char **argv)
{
	(void)signal(SIGPIPE, SIG_IGN);
	fb_frame_reader_init(&reader, FB_FRAME_FROM_HOST, in, sizeof(in));
	for (int i = 1; i < argc; i++) {
		char *value = strchr(argv[i], ':');

		if (value)
			*value++ = '\0';
		else
			value = argv[i] + strlen(argv[i]);
		if (!act(argv[i]) && !say(argv[i], value) &&
		    !send_number(argv[i], strtoul(value, NULL, 10)))
			return BROKEN;
	}
	return 0;
}
