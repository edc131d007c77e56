/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Theory of operation.  One poll loop.  From the monitor come DATA frames, which
 * go to an output that keeps what can't be written yet; what was written is given
 * back to the guest's window, so at most a window waits.  Standard input is read
 * only while its window has room and nothing is queued.  Nothing here blocks:
 * a stopped reader of our output does not keep a ^C from reaching the guest.
 * When the terminal of -it goes away, the command gets SIGHUP and some time.
 *
 * The queue to the monitor never overflows: input waits for it to be empty,
 * signals and sizes are kept aside while it is long, and what is left (windows given
 * back, CLOSE, EOF) is bounded by the windows themselves.
 */
#include "container/session.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "container/conn.h"
#include "container/launch.h"
#include "container/out_stream.h"
#include "container/reopen.h"
#include "container/terminal.h"
#include "machine/machine.h"
#include "wire/window.h"

#define STDIN_STEP 32768u
/* bytes in the queue over which signals and sizes are kept aside */
#define QUEUE_LONG 4096u
/* reads in a row from the monitor before the others are looked at */
#define TURN_LIMIT 16
/* for a command whose terminal is gone to come to its end; docker's grace */
#define HANGUP_GRACE_MS 10000

struct session {
	const struct fb_session_options *options;
	struct fb_session_result *result;
	struct fb_conn conn;
	struct fb_out_stream out[FB_GUEST_STREAM_COUNT]; /* stdin's is unused */
	struct fb_out_stream shown; /* what goes to stderr of the console */
	int console;		    /* borrowed; negative = nothing to show */
	int watch;		    /* likewise */
	struct fb_recv_window recv[FB_GUEST_STREAM_COUNT];
	struct fb_send_window send;
	int in_fd;
	bool in_own; /* @in_fd was opened here */
	bool stdin_done;
	bool running;
	int signal_fd;
	sigset_t signals; /* to be forwarded */
	bool resized;
	struct fb_terminal terminal;
	uint64_t hung_up_ms; /* when the terminal went; 0 = it is there */
};

static void send_small(struct session *s, enum fb_guest_frame_type type,
		       enum fb_guest_stream stream)
{
	uint8_t frame[FB_FRAME_SMALL_MAX];

	fb_conn_put_bytes(&s->conn, frame,
			  fb_frame_put_empty(frame, type, 0, stream));
}

static void send_u32(struct session *s, enum fb_guest_frame_type type,
		     enum fb_guest_stream stream, uint32_t value)
{
	uint8_t frame[FB_FRAME_SMALL_MAX];

	fb_conn_put_bytes(&s->conn, frame,
			  fb_frame_put_u32(frame, type, 0, stream, value));
}

/* @gone bytes of a stream were handed on: the guest may send as many again */
static void give_back(struct session *s, enum fb_guest_stream stream,
		      int64_t gone)
{
	struct fb_recv_window *w = &s->recv[stream];
	uint32_t add = fb_recv_window_handed(w, (uint32_t)gone);

	if (add)
		send_u32(s, FB_GUEST_WINDOW_ADD, stream, add);
	if (!s->out[stream].error || w->refused)
		return;
	w->refused = true;
	if (!w->ended)
		send_small(s, FB_GUEST_CLOSE, stream);
}

static int handle_data(struct session *s, const struct fb_frame *f)
{
	struct fb_recv_window *w = &s->recv[f->stream];
	int64_t gone;

	if (fb_recv_window_got(w, f->length) < 0)
		return -EPROTO;
	if (w->refused)
		return 0;
	gone = fb_out_stream_put(&s->out[f->stream], f->payload, f->length);
	if (gone < 0)
		return (int)gone;
	give_back(s, f->stream, gone);
	return 0;
}

/* "phase NAME NS", where init was asked to tell */
static void handle_log(struct session *s, const struct fb_frame *f)
{
	struct fb_session_result *seen = s->result;
	struct fb_session_phase phase;
	unsigned long long ns;
	char line[FB_GUEST_TEXT_MAX + 1];

	(void)snprintf(line, sizeof(line), "%.*s", (int)f->length,
		       (const char *)f->payload);
	if (sscanf(line, FB_LAUNCH_WORD "vmm %llu", &ns) == 1) {
		seen->vmm_ns = ns;
		return;
	}
	if (sscanf(line, "phase %23[a-z-] %llu", phase.name, &ns) == 2 &&
	    seen->phase_count < FB_SESSION_PHASES_MAX) {
		phase.ns = ns;
		seen->phases[seen->phase_count++] = phase;
	}
	fb_log(s->options->log, FB_LOG_DEBUG, "guest: %s", line);
}

static void handle_started(struct session *s)
{
	s->result->started_ns = fb_now_ns();
	s->running = true;
	/* it may have changed since the spec was made */
	s->resized = s->options->terminal;
}

static void handle_exit(struct session *s, const struct fb_frame *f)
{
	s->result->exit_ns = fb_now_ns();
	s->result->exited = true;
	fb_exit_record_of_guest(f, &s->result->exit);
	s->result->exit.started = s->running;
	s->stdin_done = true;
}

static int handle_frame(struct session *s, const struct fb_frame *f)
{
	switch (f->type) {
	case FB_GUEST_HELLO:
		s->result->hello_ns = fb_now_ns();
		return 0;
	case FB_GUEST_STARTED:
		handle_started(s);
		return 0;
	case FB_GUEST_DATA:
		return handle_data(s, f);
	case FB_GUEST_EOF:
		return fb_recv_window_end(&s->recv[f->stream]);
	case FB_GUEST_CLOSE:
		s->stdin_done = true;
		return fb_send_window_close(&s->send);
	case FB_GUEST_WINDOW_ADD:
		return fb_send_window_add(&s->send, fb_frame_u32(f));
	case FB_GUEST_EXIT:
		handle_exit(s, f);
		return 0;
	case FB_GUEST_LOG:
		handle_log(s, f);
		return 0;
	case FB_GUEST_BEGIN:
	case FB_GUEST_SIGNAL:
	case FB_GUEST_RESIZE:
	case FB_GUEST_EXIT_ACK:
	case FB_GUEST_FRAME_TYPE_END:
		break;
	}
	return -EPROTO;
}

/* Return: 0; -EPROTO; -EPIPE the monitor has closed */
static int pump_monitor(struct session *s, struct fb_err *err)
{
	struct fb_frame frame;
	int r, turns = TURN_LIMIT;

	for (;;) {
		while ((r = fb_conn_next(&s->conn, &frame, err)) > 0) {
			r = handle_frame(s, &frame);
			if (r < 0)
				return fb_err_set(
					err, r,
					"the guest broke the protocol: "
					"stream %d, frame %d",
					(int)frame.stream, (int)frame.type);
		}
		if (r < 0)
			return fb_err_wrap(err, r,
					   "the guest broke the protocol");
		/* the sooner it gets its window back, the less it waits */
		(void)fb_conn_flush(&s->conn);
		/* only here: what was read is handled, poll() tells of the rest */
		if (turns-- == 0)
			return 0;
		r = fb_conn_fill(&s->conn);
		if (r <= 0)
			return r;
	}
}

/* a raw terminal has no end but this one: nobody is there any more */
static void hang_up(struct session *s)
{
	sigaddset(&s->signals, SIGHUP);
	s->hung_up_ms = fb_now_ms();
}

static void read_stdin(struct session *s)
{
	uint8_t buf[STDIN_STEP];
	struct fb_frame frame = { .type = FB_GUEST_DATA,
				  .stream = FB_GUEST_STDIN,
				  .payload = buf };
	size_t room = fb_send_window_room(&s->send);
	ssize_t n;

	if (room > sizeof(buf))
		room = sizeof(buf);
	n = read(s->in_fd, buf, room);
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n <= 0) {
		s->stdin_done = true;
		s->send.ended = true;
		send_small(s, FB_GUEST_EOF, FB_GUEST_STDIN);
		if (s->options->raw)
			hang_up(s);
		return;
	}
	frame.length = (uint32_t)n;
	fb_send_window_use(&s->send, frame.length);
	fb_conn_put(&s->conn, &frame);
}

/* Return: 0; -EINTR it ends the session */
static int take_signal(struct session *s, int sig)
{
	if (sig == SIGWINCH) {
		s->resized = s->options->terminal;
		return 0;
	}
	if (sig == SIGCONT)
		fb_terminal_again(&s->terminal);
	if (fb_client_signal_ends(sig) &&
	    (!s->running || !s->options->sig_proxy)) {
		s->result->aborted_by = sig;
		return -EINTR;
	}
	if (s->options->sig_proxy)
		sigaddset(&s->signals, sig);
	return 0;
}

static int read_signals(struct session *s)
{
	struct signalfd_siginfo info;
	int r = 0;

	while (r == 0 &&
	       read(s->signal_fd, &info, sizeof(info)) == sizeof(info))
		r = take_signal(s, (int)info.ssi_signo);
	return r;
}

static bool queue_is_short(const struct session *s)
{
	return s->conn.out_end - s->conn.out_start < QUEUE_LONG;
}

static void send_size(struct session *s)
{
	struct fb_guest_winsize size = fb_terminal_size();
	uint8_t frame[FB_FRAME_SMALL_MAX];

	s->resized = false;
	if (size.rows || size.cols)
		fb_conn_put_bytes(&s->conn, frame,
				  fb_frame_put_resize(frame, 0, size));
}

static void forward_signals(struct session *s)
{
	if (!s->running)
		return;
	for (int sig = 1; sig <= SIGRTMAX && queue_is_short(s); sig++) {
		if (sigismember(&s->signals, sig) != 1)
			continue;
		sigdelset(&s->signals, sig);
		send_u32(s, FB_GUEST_SIGNAL, FB_GUEST_STDIN, (uint32_t)sig);
	}
	if (s->resized && queue_is_short(s))
		send_size(s);
}

static void flush_outputs(struct session *s)
{
	for (int i = FB_GUEST_STDOUT; i <= FB_GUEST_STDERR; i++)
		if (fb_out_stream_waits(&s->out[i]))
			give_back(s, (enum fb_guest_stream)i,
				  fb_out_stream_flush(&s->out[i]));
}

/* until it is empty, or what is there can't be written yet */
static void show_console(struct session *s)
{
	char piece[4096];
	ssize_t n;

	(void)fb_out_stream_flush(&s->shown);
	while (s->console >= 0 && !fb_out_stream_waits(&s->shown)) {
		n = read(s->console, piece, sizeof(piece));
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n <= 0)
			s->console = -EBADF;
		else
			(void)fb_out_stream_put(&s->shown, piece, (size_t)n);
	}
}

/* of a descriptor for each what is to be waited for, if anything */
static void watch_console(const struct session *s, struct pollfd p[2])
{
	bool waits = fb_out_stream_waits(&s->shown);

	p[0] = (struct pollfd){ waits ? -1 : s->console, POLLIN, 0 };
	p[1] = (struct pollfd){ waits ? s->shown.fd : -1, POLLOUT, 0 };
}

static bool made_vsock(const char *events, ssize_t len)
{
	for (ssize_t at = 0; at < len;) {
		const struct inotify_event *e = (const void *)(events + at);

		if (e->len && !strcmp(e->name, FB_MACHINE_VSOCK))
			return true;
		at += (ssize_t)sizeof(*e) + (ssize_t)e->len;
	}
	return false;
}

/* what comes after the guest's first word is of another start */
static void read_watch(struct session *s)
{
	_Alignas(struct inotify_event) char text[4096];
	uint64_t now = fb_now_ns();
	ssize_t n = read(s->watch, text, sizeof(text));

	if (n <= 0 && errno != EAGAIN && errno != EINTR)
		s->watch = -EBADF;
	if (n > 0 && !s->result->hello_ns &&
	    (!s->options->watch_folder || made_vsock(text, n)))
		s->result->start_ns = now;
}

enum {
	AT_MONITOR,
	AT_SIGNAL,
	AT_STDIN,
	AT_STDOUT,
	AT_STDERR,
	AT_CONSOLE,
	AT_SHOWN,
	AT_WATCH,
	AT_COUNT
};

static void watch_outputs(const struct session *s, struct pollfd *p)
{
	for (int i = FB_GUEST_STDOUT; i <= FB_GUEST_STDERR; i++)
		p[i - FB_GUEST_STDOUT] = (struct pollfd){
			fb_out_stream_waits(&s->out[i]) ? s->out[i].fd : -1,
			POLLOUT, 0
		};
}

/* Return: what is left of the grace, in ms; -1 for ever: the terminal is there */
static int patience_ms(const struct session *s)
{
	uint64_t gone;

	if (!s->hung_up_ms)
		return -1;
	gone = fb_now_ms() - s->hung_up_ms;
	return gone < HANGUP_GRACE_MS ? (int)(HANGUP_GRACE_MS - gone) : 0;
}

static int loop_once(struct session *s, struct fb_err *err)
{
	bool queued = fb_conn_queued(&s->conn);
	bool take_stdin = s->running && !s->stdin_done && !queued &&
			  fb_send_window_room(&s->send) > 0;
	struct pollfd p[AT_COUNT] = {
		[AT_MONITOR] = { s->conn.fd, queued ? POLLIN | POLLOUT : POLLIN,
				 0 },
		[AT_SIGNAL] = { s->signal_fd, POLLIN, 0 },
		[AT_STDIN] = { take_stdin ? s->in_fd : -1, POLLIN, 0 },
		[AT_WATCH] = { s->watch, POLLIN, 0 },
	};
	int r = 0;

	watch_outputs(s, &p[AT_STDOUT]);
	watch_console(s, &p[AT_CONSOLE]);
	if (poll(p, AT_COUNT, patience_ms(s)) < 0)
		return errno == EINTR ? 0 : fb_err_set(err, -errno, "poll: %m");
	if (patience_ms(s) == 0) {
		s->result->aborted_by = SIGHUP;
		return -EINTR;
	}
	if (p[AT_SIGNAL].revents)
		r = read_signals(s);
	if (r < 0)
		return r;
	flush_outputs(s);
	show_console(s);
	if (p[AT_WATCH].revents)
		read_watch(s);
	if (p[AT_STDIN].revents)
		read_stdin(s);
	r = pump_monitor(s, err);
	forward_signals(s);
	(void)fb_conn_flush(&s->conn);
	return r;
}

/* the monitor is done; what it sent still goes out, as slowly as it may */
static void drain_outputs(struct session *s)
{
	struct signalfd_siginfo info;

	show_console(s);
	while (fb_out_stream_waits(&s->out[FB_GUEST_STDOUT]) ||
	       fb_out_stream_waits(&s->out[FB_GUEST_STDERR]) ||
	       s->console >= 0 || fb_out_stream_waits(&s->shown)) {
		struct pollfd p[5] = { { s->signal_fd, POLLIN, 0 } };

		watch_outputs(s, &p[1]);
		watch_console(s, &p[3]);
		if (poll(p, 5, -1) < 0 && errno != EINTR)
			return;
		if (p[0].revents &&
		    read(s->signal_fd, &info, sizeof(info)) == sizeof(info) &&
		    fb_client_signal_ends((int)info.ssi_signo)) {
			s->result->aborted_by = (int)info.ssi_signo;
			return;
		}
		flush_outputs(s);
		show_console(s);
	}
}

static void open_streams(struct session *s, const int fds[3])
{
	for (int i = FB_GUEST_STDOUT; i <= FB_GUEST_STDERR; i++) {
		fb_recv_window_init(&s->recv[i]);
		fb_out_stream_open(&s->out[i], fds[i]);
	}
	fb_out_stream_open(&s->shown, fds[2]);
	s->watch = s->options->timed ? s->options->watch : -EBADF;
	s->console = s->options->show_console ? s->options->console : -EBADF;
	fb_send_window_init(&s->send);
	s->stdin_done = !s->options->stdin_open;
	if (s->options->stdin_open)
		s->in_fd = fb_reopen_nonblock(fds[0], O_RDONLY);
	s->in_own = s->in_fd >= 0;
	if (!s->in_own)
		s->in_fd = fds[0];
}

static int set_up(struct session *s, int fd, struct fb_err *err)
{
	static const int standard[] = { STDIN_FILENO, STDOUT_FILENO,
					STDERR_FILENO };
	const int *fds = s->options->fds ? s->options->fds : standard;
	int r = fb_conn_open(&s->conn, fd, FB_FRAME_FROM_GUEST);

	sigemptyset(&s->signals);
	if (r < 0)
		return fb_err_set(err, r, "talk to the monitor: %m");
	s->signal_fd = fb_client_signals_open();
	if (s->signal_fd < 0)
		return fb_err_set(err, s->signal_fd, "watch signals: %m");
	open_streams(s, fds);
	if (s->options->raw)
		return fb_terminal_raw(fds[0], &s->terminal, err);
	return 0;
}

static void release(struct session *s)
{
	fb_terminal_restore(&s->terminal);
	for (int i = FB_GUEST_STDOUT; i <= FB_GUEST_STDERR; i++) {
		int error = s->out[i].error;

		/* a reader that went away needs no telling */
		if (error && error != -EPIPE)
			s->result->output_error = error;
		fb_out_stream_close(&s->out[i]);
	}
	fb_out_stream_close(&s->shown);
	if (s->in_own)
		s->in_fd = fb_close(s->in_fd);
	fb_conn_close(&s->conn);
	(void)fb_close(s->signal_fd);
}

int fb_session_run(int fd, const struct fb_session_options *options,
		   struct fb_session_result *ret, struct fb_err *err)
{
	struct session s = { .options = options,
			     .result = ret,
			     .conn = { .fd = -EBADF },
			     .console = -EBADF,
			     .watch = -EBADF,
			     .in_fd = -EBADF,
			     .signal_fd = -EBADF,
			     .terminal = FB_TERMINAL_INIT };
	int r;

	*ret = (struct fb_session_result){ 0 };
	r = set_up(&s, fd, err);
	while (r == 0)
		r = loop_once(&s, err);
	if (r == -EPIPE || r == -EINTR)
		r = 0;
	if (r == 0 && !ret->aborted_by)
		drain_outputs(&s);
	release(&s);
	return r;
}
