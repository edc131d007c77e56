/* SPDX-License-Identifier: Apache-2.0 */
/*
 * init's poll loop: one process, its streams, and the host.
 *
 * A stream is read only while the channel is idle and the host has given credit
 * for it, so nothing is ever held that could not be sent; what the host sends
 * is held in the ring of stdin, which is as large as its window.  So no side can
 * make the other hold more than it agreed to, and no stream waits for another.
 *
 * The end: when PID 1 of a PID namespace dies, the kernel kills everything else
 * in it before init learns of the death.  Nobody is left to hold a stream open,
 * and draining them comes to an end by itself.
 */
#include "session.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "mounts.h"
#include "pressure.h"
#include "streams.h"

struct session {
	struct fb_channel *ch;
	struct fb_process *process;
	bool terminal;
	bool reaped;
	int status;
	int first;
	int pressure;
	struct fb_output outputs[2];
	struct fb_input input;
};

enum slot {
	SLOT_CHANNEL,
	SLOT_PROCESS,
	SLOT_OUTPUT,
	SLOT_ERROR,
	SLOT_INPUT,
	SLOT_PRESSURE,
	SLOTS
};

static int protocol_error(struct fb_err *err, const struct fb_frame *frame)
{
	return fb_err_set(err, -EPROTO, "the host sent frame %u out of turn",
			  (unsigned int)frame->type);
}

static struct fb_output *output_of(struct session *s,
				   const struct fb_frame *frame)
{
	return &s->outputs[frame->stream == FB_GUEST_STDERR];
}

static void send_signal(const struct session *s, const struct fb_frame *frame)
{
	if (!s->reaped)
		(void)kill(s->process->pid, (int)fb_frame_u32(frame));
}

static void resize(const struct session *s, const struct fb_frame *frame)
{
	if (s->terminal && s->outputs[0].fd >= 0)
		fb_terminal_resize(s->outputs[0].fd, fb_frame_winsize(frame));
}

static int handle(struct session *s, const struct fb_frame *frame)
{
	switch (frame->type) {
	case FB_GUEST_DATA:
		return fb_input_data(&s->input, s->ch, frame->payload,
				     frame->length);
	case FB_GUEST_EOF:
		return fb_input_end(&s->input);
	case FB_GUEST_CLOSE:
		return fb_output_close(output_of(s, frame), s->ch);
	case FB_GUEST_WINDOW_ADD:
		return fb_send_window_add(&output_of(s, frame)->window,
					  fb_frame_u32(frame));
	case FB_GUEST_SIGNAL:
		send_signal(s, frame);
		return 0;
	case FB_GUEST_RESIZE:
		resize(s, frame);
		return 0;
	case FB_GUEST_HELLO:
	case FB_GUEST_BEGIN:
	case FB_GUEST_STARTED:
	case FB_GUEST_EXIT:
	case FB_GUEST_EXIT_ACK:
	case FB_GUEST_LOG:
	case FB_GUEST_FRAME_TYPE_END:
		break;
	}
	return -EPROTO;
}

static int hear(struct session *s, struct fb_err *err)
{
	struct fb_frame frame;
	int r = fb_channel_fill(s->ch);

	if (r < 0)
		return fb_err_set(err, r, "read from the host: %m");
	while ((r = fb_frame_reader_next(&s->ch->reader, &frame, err)) > 0) {
		r = handle(s, &frame);
		if (r == -EPROTO)
			return protocol_error(err, &frame);
		if (r < 0)
			return fb_err_set(err, r, "answer the host: %m");
	}
	return r;
}

static void watch(struct session *s, struct pollfd polls[SLOTS])
{
	bool idle = fb_channel_idle(s->ch);

	polls[SLOT_CHANNEL] = (struct pollfd){
		.fd = s->ch->fd,
		.events = (short)(POLLIN | (idle ? 0 : POLLOUT)),
	};
	polls[SLOT_PROCESS] = (struct pollfd){
		.fd = s->reaped ? -1 : s->process->pidfd,
		.events = POLLIN,
	};
	for (int i = 0; i < 2; i++)
		polls[SLOT_OUTPUT + i] = (struct pollfd){
			.fd = idle && fb_output_wants(&s->outputs[i])
				      ? s->outputs[i].fd
				      : -1,
			.events = POLLIN,
		};
	/* with nothing to write, a pipe tells when its reader has gone; a
	 * terminal's end is seen on its output */
	polls[SLOT_INPUT] = (struct pollfd){
		.fd = s->terminal && s->input.held == 0 ? -1 : s->input.fd,
		.events = s->input.held > 0 ? POLLOUT : 0,
	};
	polls[SLOT_PRESSURE] = (struct pollfd){
		.fd = s->pressure,
		.events = POLLPRI,
	};
}

static int serve_input(struct session *s, short events)
{
	if (s->input.fd < 0 || events == 0)
		return 0;
	if (events & (POLLERR | POLLHUP | POLLNVAL))
		return fb_input_refuse(&s->input, s->ch);
	return fb_input_flush(&s->input, s->ch);
}

/* Whoever came second last time comes first now: a flood never bars the other */
static int serve_outputs(struct session *s, const struct pollfd *polls)
{
	int r = 0;

	s->first = !s->first;
	for (int i = 0; i < 2 && r == 0; i++) {
		int which = i ^ s->first;

		if (polls[SLOT_OUTPUT + which].revents == 0 ||
		    s->outputs[which].fd < 0 || !fb_channel_idle(s->ch))
			continue;
		r = fb_output_pump(&s->outputs[which], s->ch);
		if (r == 0)
			r = fb_channel_flush(s->ch);
	}
	return r;
}

static bool finished(const struct session *s)
{
	return s->reaped && s->outputs[0].fd < 0 && s->outputs[1].fd < 0 &&
	       fb_channel_idle(s->ch);
}

static int turn(struct session *s, struct fb_err *err)
{
	struct pollfd polls[SLOTS];
	int r;

	watch(s, polls);
	if (poll(polls, SLOTS, -1) < 0)
		return errno == EINTR ? 0 : fb_err_set(err, -errno, "poll: %m");
	if (polls[SLOT_CHANNEL].revents & (POLLERR | POLLHUP | POLLNVAL))
		return fb_err_set(err, -EPIPE, "the host is gone");
	if (polls[SLOT_CHANNEL].revents & POLLIN) {
		r = hear(s, err);
		if (r < 0)
			return r;
	}
	if (polls[SLOT_PROCESS].revents) {
		s->status = fb_process_wait(s->process);
		s->reaped = true;
	}
	if (polls[SLOT_PRESSURE].revents & POLLPRI)
		fb_pressure_relieve();
	if (polls[SLOT_PRESSURE].revents & (POLLERR | POLLNVAL))
		s->pressure = fb_close(s->pressure);
	r = serve_input(s, polls[SLOT_INPUT].revents);
	if (r == 0)
		r = serve_outputs(s, polls);
	if (r == 0)
		r = fb_channel_flush(s->ch);
	return r < 0 ? fb_err_set(err, r, "write to the host: %m") : 0;
}

static void session_init(struct session *s, struct fb_channel *ch,
			 struct fb_process *process, bool terminal)
{
	s->ch = ch;
	s->process = process;
	s->terminal = terminal;
	s->reaped = false;
	s->first = 0;
	fb_output_init(&s->outputs[0], FB_GUEST_STDOUT,
		       FB_TAKE_FD(process->stdio.output), !terminal);
	fb_output_init(&s->outputs[1], FB_GUEST_STDERR,
		       FB_TAKE_FD(process->stdio.error), true);
	fb_input_init(&s->input, FB_TAKE_FD(process->stdio.input), terminal);
}

static int put_started(struct fb_channel *ch)
{
	uint8_t frame[FB_FRAME_SMALL_MAX];

	return fb_channel_put(ch, frame,
			      fb_frame_put_empty(frame, FB_GUEST_STARTED, 0,
						 FB_GUEST_STDIN));
}

int fb_session_run(struct fb_channel *ch, struct fb_process *process,
		   bool terminal, int *ret_status, struct fb_err *err)
{
	static struct session s; /* its ring is a megabyte */
	int r = put_started(ch);

	session_init(&s, ch, process, terminal);
	if (r == 0)
		r = fb_channel_flush(ch);
	fb_mounts_own_proc();
	s.pressure = fb_pressure_watch();
	if (r < 0)
		return fb_err_set(err, r, "write to the host: %m");
	while (r == 0 && !finished(&s))
		r = turn(&s, err);
	if (r < 0)
		return r;
	*ret_status = s.status;
	return 0;
}

static int next_frame(struct fb_channel *ch, struct fb_frame *ret,
		      struct fb_err *err)
{
	int r;

	while ((r = fb_frame_reader_next(&ch->reader, ret, err)) == 0) {
		r = fb_channel_fill(ch);
		if (r < 0)
			return fb_err_set(err, r, "read from the host: %m");
	}
	return r;
}

int fb_session_begin(struct fb_channel *ch, struct fb_guest_spec *ret,
		     struct fb_err *err)
{
	FB_STR struct fb_str blob = FB_STR_INIT(FB_GUEST_SPEC_MAX);
	struct fb_frame frame;
	uint8_t *bytes;
	size_t len;
	int r;

	do {
		r = next_frame(ch, &frame, err);
		if (r < 0)
			return r;
		if (frame.type != FB_GUEST_BEGIN)
			return protocol_error(err, &frame);
		r = fb_str_append(&blob, frame.payload, frame.length);
		if (r < 0)
			return fb_err_set(err, r, "receive the spec: %m");
	} while (!(frame.flags & FB_GUEST_FLAG_LAST));
	len = blob.len;
	bytes = (uint8_t *)fb_str_take(&blob);
	if (!bytes)
		return fb_err_set(err, -ENOMEM, "receive the spec: %m");
	r = fb_spec_decode(bytes, len, ret, err);
	if (r < 0)
		free(bytes);
	return r;
}

int fb_session_end(struct fb_channel *ch, const struct fb_failure *exit)
{
	struct pollfd p = { .fd = ch->fd, .events = POLLOUT };
	uint8_t frame[FB_FRAME_EXIT_MAX];
	int r = fb_channel_put(ch, frame,
			       fb_frame_put_exit(frame, 0, &exit->record,
						 exit->text));

	while (r == 0) {
		r = fb_channel_flush(ch);
		if (r < 0 || fb_channel_idle(ch))
			break;
		if (poll(&p, 1, -1) < 0 && errno != EINTR)
			r = -errno;
		else if (p.revents & (POLLERR | POLLHUP | POLLNVAL))
			r = -EPIPE;
	}
	return r;
}

int fb_session_acknowledged(struct fb_channel *ch, unsigned int patience_ms)
{
	uint64_t now = fb_now_ms(), until = now + patience_ms;
	struct pollfd p = { .fd = ch->fd, .events = POLLIN };
	struct fb_frame frame;
	int r;

	for (; now < until; now = fb_now_ms()) {
		/* what was on its way when the process ended means nothing now */
		while ((r = fb_frame_reader_next(&ch->reader, &frame, NULL)) >
		       0)
			if (frame.type == FB_GUEST_EXIT_ACK)
				return 0;
		if (r < 0)
			return r;
		if (poll(&p, 1, (int)(until - now)) < 0 && errno != EINTR)
			return -errno;
		if (p.revents & (POLLERR | POLLHUP | POLLNVAL))
			return -EPIPE;
		r = p.revents ? fb_channel_fill(ch) : 0;
		if (r < 0)
			return r;
	}
	return -ETIMEDOUT;
}
