/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The guest of the stand-in: connects to its host as vsock does, speaks the
 * protocol of guest_abi.h, and runs one of a few commands that it has itself.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "standin.h"
#include "wire/frame.h"
#include "wire/spec.h"
#include "wire/window.h"

#define NEVER (-1)

/**
 * struct guest - Its end of the channel
 * @output: Windows of stdout and stderr
 * @data:   What came for stdin and was not taken yet, @data_len bytes
 */
struct guest {
	struct standin *s;
	int fd;
	struct fb_frame_reader reader;
	struct fb_send_window output[2];
	struct fb_recv_window input;
	uint8_t *blob;
	size_t blob_len;
	uint8_t *data;
	size_t data_len;
	unsigned int signal;
	bool begun;
	bool acked;
};

static uint8_t reader_memory[4 * FB_FRAME_SIZE_MAX];
static uint8_t input_memory[FB_GUEST_WINDOW];

/* a paused machine does nothing */
static void gate(struct standin *s)
{
	(void)pthread_mutex_lock(&s->lock);
	while (s->state == PAUSED)
		(void)pthread_cond_wait(&s->changed, &s->lock);
	(void)pthread_mutex_unlock(&s->lock);
}

/* the machine resets, and Firecracker ends well whatever the reason was */
__attribute__((noreturn)) static void reset(struct standin *s)
{
	gate(s);
	(void)standin_flush_metrics(s);
	standin_log(s, "INFO", "Vmm is stopping.");
	standin_log(s, "INFO", "Firecracker exiting successfully. exit_code=0");
	_exit(0);
}

static void console(const struct standin *s, const char *text)
{
	const char *words = json_string_value(json_object_get(
		json_object_get(s->config, "boot-source"), "boot_args"));

	if (words && strstr(words, "console=ttyS0"))
		(void)fb_write_full(STDOUT_FILENO, text, strlen(text));
}

static void send_bytes(struct guest *g, const void *bytes, size_t len)
{
	gate(g->s);
	if (fb_write_full(g->fd, bytes, len) < 0)
		reset(g->s);
}

static void send_empty(struct guest *g, enum fb_guest_frame_type type,
		       enum fb_guest_stream stream)
{
	uint8_t frame[FB_FRAME_SMALL_MAX];

	send_bytes(g, frame, fb_frame_put_empty(frame, type, 0, stream));
}

static void take_spec(struct guest *g, const struct fb_frame *f)
{
	uint8_t *grown = realloc(g->blob, g->blob_len + f->length + 1);

	if (!grown)
		reset(g->s);
	memcpy(grown + g->blob_len, f->payload, f->length);
	g->blob = grown;
	g->blob_len += f->length;
	g->begun = f->flags & FB_GUEST_FLAG_LAST;
}

static bool take(struct guest *g, const struct fb_frame *f)
{
	unsigned int out = f->stream == FB_GUEST_STDERR;

	switch (f->type) {
	case FB_GUEST_BEGIN:
		take_spec(g, f);
		return true;
	case FB_GUEST_DATA:
		if (fb_recv_window_got(&g->input, f->length) < 0 ||
		    g->data_len + f->length > sizeof(input_memory))
			return false;
		memcpy(g->data + g->data_len, f->payload, f->length);
		g->data_len += f->length;
		return true;
	case FB_GUEST_EOF:
		return fb_recv_window_end(&g->input) == 0;
	case FB_GUEST_CLOSE:
		return fb_send_window_close(&g->output[out]) == 0;
	case FB_GUEST_WINDOW_ADD:
		return fb_send_window_add(&g->output[out], fb_frame_u32(f)) ==
		       0;
	case FB_GUEST_SIGNAL:
		g->signal = fb_frame_u32(f);
		return true;
	case FB_GUEST_EXIT_ACK:
		g->acked = true;
		return true;
	case FB_GUEST_RESIZE:
		return true;
	case FB_GUEST_HELLO:
	case FB_GUEST_STARTED:
	case FB_GUEST_EXIT:
	case FB_GUEST_LOG:
	case FB_GUEST_FRAME_TYPE_END:
	default:
		return false;
	}
}

/* Waits for the host and takes what it says; a host that is gone is the end */
static void listen_to_host(struct guest *g, int timeout_ms)
{
	struct pollfd p = { .fd = g->fd, .events = POLLIN };
	struct fb_frame frame;
	uint8_t *room;
	size_t len;
	ssize_t n;
	int r;

	if (poll(&p, 1, timeout_ms) == 0)
		return;
	gate(g->s);
	room = fb_frame_reader_space(&g->reader, &len);
	n = read(g->fd, room, len);
	if (n < 0 && errno == EINTR)
		return;
	if (n <= 0)
		reset(g->s);
	fb_frame_reader_fed(&g->reader, (size_t)n);
	while ((r = fb_frame_reader_next(&g->reader, &frame, NULL)) > 0)
		if (!take(g, &frame))
			reset(g->s);
	if (r < 0)
		reset(g->s);
}

static void put(struct guest *g, enum fb_guest_stream stream, const void *bytes,
		size_t len)
{
	struct fb_send_window *w = &g->output[stream == FB_GUEST_STDERR];
	uint8_t head[FB_FRAME_HEADER_SIZE];
	const uint8_t *at = bytes;

	while (len > 0 && !w->refused) {
		uint32_t n = fb_send_window_room(w);

		if (n == 0) {
			listen_to_host(g, NEVER);
			continue;
		}
		n = n < len ? n : (uint32_t)len;
		fb_frame_put_header(head,
				    &(struct fb_frame){ .type = FB_GUEST_DATA,
							.stream = stream,
							.length = n });
		send_bytes(g, head, sizeof(head));
		send_bytes(g, at, n);
		fb_send_window_use(w, n);
		at += n;
		len -= n;
	}
}

static void hand_on_input(struct guest *g)
{
	uint8_t frame[FB_FRAME_SMALL_MAX];
	size_t len = g->data_len;
	uint32_t back;

	g->data_len = 0;
	back = fb_recv_window_handed(&g->input, (uint32_t)len);
	if (back)
		send_bytes(g, frame,
			   fb_frame_put_u32(frame, FB_GUEST_WINDOW_ADD, 0,
					    FB_GUEST_STDIN, back));
}

static void cat(struct guest *g)
{
	/* what comes while output waits must not run over what is going out */
	static uint8_t copy[sizeof(input_memory)];

	for (;;) {
		size_t len = g->data_len;

		if (len == 0 && g->input.ended)
			return;
		if (len == 0) {
			listen_to_host(g, NEVER);
			continue;
		}
		memcpy(copy, g->data, len);
		hand_on_input(g);
		put(g, FB_GUEST_STDOUT, copy, len);
	}
}

static struct fb_guest_exit sleep_for(struct guest *g, const char *seconds)
{
	struct timespec now;
	long long end;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	end = now.tv_sec + atoll(seconds);
	while (!g->signal && now.tv_sec < end) {
		listen_to_host(g, 100);
		(void)clock_gettime(CLOCK_MONOTONIC, &now);
	}
	if (g->signal)
		return (struct fb_guest_exit){ .kind = FB_GUEST_SIGNALED,
					       .value = g->signal };
	return (struct fb_guest_exit){ .kind = FB_GUEST_EXITED };
}

static void flood(struct guest *g, const char *bytes)
{
	static char block[65536];
	unsigned long long left = strtoull(bytes, NULL, 10);

	memset(block, 'x', sizeof(block));
	while (left > 0) {
		size_t n = left < sizeof(block) ? (size_t)left : sizeof(block);

		put(g, FB_GUEST_STDOUT, block, n);
		left -= n;
	}
}

static void echo(struct guest *g, enum fb_guest_stream stream,
		 char *const *words)
{
	for (size_t i = 0; words[i]; i++) {
		put(g, stream, " ", i > 0);
		put(g, stream, words[i], strlen(words[i]));
	}
	put(g, stream, "\n", 1);
}

/* ends that are no exits; returns where @name is none of them */
static void end_hard(struct guest *g, const char *name)
{
	if (!strcmp(name, "panic")) {
		console(g->s,
			"[    0.5] Kernel panic - not syncing: stand-in\r\n");
		reset(g->s);
	}
	if (!strcmp(name, "lost"))
		reset(g->s);
	if (!strcmp(name, "crash"))
		(void)raise(SIGKILL);
}

static const char *command_name(char *const *args)
{
	const char *slash = strrchr(args[0], '/');

	return slash ? slash + 1 : args[0];
}

static bool is_known(const char *name)
{
	static const char *const known[] = {
		"cat",	 "complain", "crash",	"echo", "exit",
		"false", "flood",    "gateway", "lost", "oom",
		"panic", "second",   "sleep",	"true",
	};

	for (size_t i = 0; i < FB_ARRAY_SIZE(known); i++)
		if (!strcmp(name, known[i]))
			return true;
	return false;
}

static int dial(const struct guest *g);

static void ask_gateway(struct guest *g)
{
	char answer[STANDIN_ANSWER_MAX];
	char *words[] = { answer, NULL };

	standin_ask_gateway(g->s, answer);
	echo(g, FB_GUEST_STDOUT, words);
}

/* nobody but the first is let in */
static bool second_is_refused(const struct guest *g)
{
	int fd = dial(g);

	if (fd >= 0)
		(void)close(fd);
	return fd == -ECONNREFUSED;
}

static struct fb_guest_exit run(struct guest *g, char *const *args)
{
	const char *name = command_name(args);
	const char *word = args[1] ? args[1] : "0";
	struct fb_guest_exit exited = { .kind = FB_GUEST_EXITED };

	end_hard(g, name);
	if (!strcmp(name, "echo"))
		echo(g, FB_GUEST_STDOUT, args + 1);
	else if (!strcmp(name, "complain"))
		echo(g, FB_GUEST_STDERR, args + 1);
	else if (!strcmp(name, "cat"))
		cat(g);
	else if (!strcmp(name, "flood"))
		flood(g, word);
	else if (!strcmp(name, "gateway"))
		ask_gateway(g);
	else if (!strcmp(name, "second"))
		exited.value = !second_is_refused(g);
	else if (!strcmp(name, "sleep"))
		return sleep_for(g, word);
	else if (!strcmp(name, "oom"))
		return (struct fb_guest_exit){ .kind = FB_GUEST_SIGNALED,
					       .flags = FB_GUEST_EXIT_OOM,
					       .value = SIGKILL };
	else if (!strcmp(name, "false"))
		exited.value = 1;
	else if (!strcmp(name, "exit"))
		exited.value = (uint32_t)atoi(word) & 255;
	return exited;
}

/* Return: descriptor; a negative errno */
static int dial(const struct guest *g)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const char *path = json_string_value(json_object_get(
		json_object_get(g->s->config, "vsock"), "uds_path"));
	int n = snprintf(address.sun_path, sizeof(address.sun_path), "%s_%u",
			 path ? path : "", FB_GUEST_VSOCK_PORT);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), r = 0;

	if (!path || n >= (int)sizeof(address.sun_path) || fd < 0)
		r = -EINVAL;
	else if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		r = -errno;
	if (r == 0)
		return fd;
	(void)fb_close(fd);
	return r;
}

static void connect_to_host(struct guest *g)
{
	g->fd = dial(g);
	if (g->fd < 0) {
		console(g->s, "flamebox-init: no host at vsock port 1024\r\n");
		reset(g->s);
	}
}

static void say_exit(struct guest *g, const struct fb_guest_exit *record,
		     const char *text)
{
	uint8_t frame[FB_FRAME_EXIT_MAX];

	standin_step(g->s, "exit");
	send_bytes(g, frame, fb_frame_put_exit(frame, 0, record, text));
	while (!g->acked)
		listen_to_host(g, NEVER);
}

void *standin_run_guest(void *standin)
{
	static struct guest guest;
	struct guest *g = &guest;
	struct fb_guest_spec spec;
	struct fb_guest_exit record;
	uint8_t frame[FB_FRAME_SMALL_MAX];

	*g = (struct guest){ .s = standin, .data = input_memory };
	fb_frame_reader_init(&g->reader, FB_FRAME_FROM_HOST, reader_memory,
			     sizeof(reader_memory));
	fb_send_window_init(&g->output[0]);
	fb_send_window_init(&g->output[1]);
	fb_recv_window_init(&g->input);
	console(g->s, "Linux version 0.0.0 (stand-in)\r\n");
	standin_step(g->s, "hello");
	connect_to_host(g);
	send_bytes(g, frame, fb_frame_put_hello(frame));
	while (!g->begun)
		listen_to_host(g, NEVER);
	standin_step(g->s, "spec");
	if (fb_spec_decode(g->blob, g->blob_len, &spec, NULL) < 0)
		reset(g->s);
	if (!is_known(command_name(spec.process.args))) {
		record = (struct fb_guest_exit){ .kind = FB_GUEST_NOT_FOUND,
						 .value = ENOENT };
		say_exit(g, &record, spec.process.args[0]);
		reset(g->s);
	}
	send_empty(g, FB_GUEST_STARTED, FB_GUEST_STDIN);
	standin_step(g->s, "started");
	record = run(g, spec.process.args);
	standin_step(g->s, "output");
	send_empty(g, FB_GUEST_EOF, FB_GUEST_STDOUT);
	if (!spec.process.terminal)
		send_empty(g, FB_GUEST_EOF, FB_GUEST_STDERR);
	say_exit(g, &record, NULL);
	reset(g->s);
}
