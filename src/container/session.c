/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Theory of operation.  One poll loop.  From the monitor come DATA frames, which
 * go to an output that keeps what can't be written yet; what was written is given
 * back to the guest's window, so at most a window waits.  Standard input is read
 * only while its window has room and nothing is queued.  Nothing here blocks:
 * a stopped reader of our output does not keep a ^C from reaching the guest.
 */
#include "container/session.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "container/conn.h"
#include "container/out_stream.h"
#include "container/terminal.h"
#include "wire/window.h"

#define STDIN_STEP 32768u

struct session {
	const struct fb_session_options *options;
	struct fb_session_result *result;
	struct fb_conn conn;
	struct fb_out_stream out[FB_GUEST_STREAM_COUNT]; /* stdin's is unused */
	struct fb_recv_window recv[FB_GUEST_STREAM_COUNT];
	bool refused[FB_GUEST_STREAM_COUNT]; /* CLOSE was sent */
	struct fb_send_window send;
	bool stdin_done;
	bool running;
	int signal_fd;
	struct fb_terminal terminal;
};

static const int forwarded[] = { SIGHUP,  SIGINT,    SIGQUIT, SIGUSR1,
				 SIGUSR2, SIGTERM,   SIGALRM, SIGVTALRM,
				 SIGPROF, SIGWINCH,  SIGIO,   SIGPWR,
				 SIGSYS };

void fb_session_block_signals(sigset_t *ret_old)
{
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < FB_ARRAY_SIZE(forwarded); i++)
		sigaddset(&set, forwarded[i]);
	for (int sig = SIGRTMIN; sig <= SIGRTMAX; sig++)
		sigaddset(&set, sig);
	(void)sigprocmask(SIG_BLOCK, &set, ret_old);
}

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
	uint32_t add = gone > 0 ? fb_recv_window_handed(&s->recv[stream],
							(uint32_t)gone) :
				  0;

	if (s->out[stream].error && !s->refused[stream]) {
		s->refused[stream] = true;
		s->recv[stream].refused = true;
		if (s->out[stream].error != -EPIPE)
			s->result->output_error = s->out[stream].error;
		if (!s->recv[stream].ended)
			send_small(s, FB_GUEST_CLOSE, stream);
		return;
	}
	if (add && !s->refused[stream] && !s->recv[stream].ended)
		send_u32(s, FB_GUEST_WINDOW_ADD, stream, add);
}

static int handle_data(struct session *s, const struct fb_frame *f)
{
	int64_t gone;

	if (f->stream == FB_GUEST_STDIN)
		return -EPROTO;
	if (fb_recv_window_got(&s->recv[f->stream], f->length) < 0)
		return -EPROTO;
	gone = fb_out_stream_put(&s->out[f->stream], f->payload, f->length);
	if (gone < 0)
		return (int)gone;
	give_back(s, f->stream, gone);
	return 0;
}

static void send_size(struct session *s)
{
	uint8_t frame[FB_FRAME_SMALL_MAX];
	struct fb_guest_winsize size = fb_terminal_size(STDIN_FILENO);

	if (size.rows || size.cols)
		fb_conn_put_bytes(&s->conn, frame,
				  fb_frame_put_resize(frame, 0, size));
}

static int handle_frame(struct session *s, const struct fb_frame *f)
{
	switch (f->type) {
	case FB_GUEST_HELLO:
		s->result->hello_ns = fb_now_ns();
		return 0;
	case FB_GUEST_STARTED:
		s->result->started_ns = fb_now_ns();
		s->running = true;
		/* it may have changed since the spec was made */
		if (s->options->terminal)
			send_size(s);
		return 0;
	case FB_GUEST_DATA:
		return handle_data(s, f);
	case FB_GUEST_EOF:
		return f->stream == FB_GUEST_STDIN ?
			       -EPROTO :
			       fb_recv_window_end(&s->recv[f->stream]);
	case FB_GUEST_CLOSE:
		s->stdin_done = true;
		return f->stream == FB_GUEST_STDIN ?
			       fb_send_window_close(&s->send) :
			       -EPROTO;
	case FB_GUEST_WINDOW_ADD:
		return f->stream == FB_GUEST_STDIN ?
			       fb_send_window_add(&s->send, fb_frame_u32(f)) :
			       -EPROTO;
	case FB_GUEST_EXIT:
		s->result->exit_ns = fb_now_ns();
		s->stdin_done = true;
		return 0;
	case FB_GUEST_LOG:
		fb_log(s->options->log, FB_LOG_INFO, "guest: %.*s",
		       (int)f->length, (const char *)f->payload);
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
	int r;

	for (;;) {
		r = fb_conn_next(&s->conn, &frame, err);
		if (r < 0)
			return r;
		if (r > 0) {
			r = handle_frame(s, &frame);
			if (r < 0)
				return fb_err_set(err, r,
						  "the guest broke the "
						  "protocol");
			continue;
		}
		r = fb_conn_fill(&s->conn);
		if (r <= 0)
			return r;
	}
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
	n = read(STDIN_FILENO, buf, room);
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n <= 0) {
		s->stdin_done = true;
		s->send.ended = true;
		send_small(s, FB_GUEST_EOF, FB_GUEST_STDIN);
		return;
	}
	frame.length = (uint32_t)n;
	fb_send_window_use(&s->send, frame.length);
	fb_conn_put(&s->conn, &frame);
}

static bool ends_early(int sig)
{
	return sig == SIGINT || sig == SIGTERM || sig == SIGHUP ||
	       sig == SIGQUIT;
}

/* Return: 0; -EINTR the user gave up before the entrypoint ran */
static int handle_signal(struct session *s)
{
	struct signalfd_siginfo info;
	int sig;

	if (read(s->signal_fd, &info, sizeof(info)) != sizeof(info))
		return 0;
	sig = (int)info.ssi_signo;
	if (sig == SIGWINCH) {
		if (s->options->terminal)
			send_size(s);
		return 0;
	}
	if (!s->running && ends_early(sig)) {
		s->result->aborted_by = sig;
		return -EINTR;
	}
	if (!s->options->sig_proxy) {
		s->result->aborted_by = sig;
		return ends_early(sig) ? -EINTR : 0;
	}
	if (s->running && fb_conn_has_room(&s->conn))
		send_u32(s, FB_GUEST_SIGNAL, FB_GUEST_STDIN, (uint32_t)sig);
	return 0;
}

enum { AT_MONITOR, AT_SIGNAL, AT_STDIN, AT_STDOUT, AT_STDERR, AT_COUNT };

static int loop_once(struct session *s, struct fb_err *err)
{
	bool take_stdin = s->running && !s->stdin_done &&
			  fb_send_window_room(&s->send) > 0 &&
			  !fb_conn_queued(&s->conn);
	struct pollfd p[AT_COUNT] = {
		[AT_MONITOR] = { s->conn.fd,
				 (short)(POLLIN | (fb_conn_queued(&s->conn) ?
							   POLLOUT :
							   0)),
				 0 },
		[AT_SIGNAL] = { s->signal_fd, POLLIN, 0 },
		[AT_STDIN] = { take_stdin ? STDIN_FILENO : -1, POLLIN, 0 },
	};
	int r = 0;

	for (int i = FB_GUEST_STDOUT; i <= FB_GUEST_STDERR; i++)
		p[AT_STDOUT + i - FB_GUEST_STDOUT] =
			(struct pollfd){ fb_out_stream_waits(&s->out[i]) ?
						 s->out[i].fd :
						 -1,
					 POLLOUT, 0 };
	if (poll(p, AT_COUNT, -1) < 0)
		return errno == EINTR ? 0 :
					fb_err_set(err, -errno, "poll: %m");
	if (p[AT_SIGNAL].revents)
		r = handle_signal(s);
	for (int i = FB_GUEST_STDOUT; i <= FB_GUEST_STDERR && r == 0; i++)
		if (p[AT_STDOUT + i - FB_GUEST_STDOUT].revents)
			give_back(s, (enum fb_guest_stream)i,
				  fb_out_stream_flush(&s->out[i]));
	if (r == 0 && p[AT_STDIN].revents)
		read_stdin(s);
	if (r == 0)
		r = pump_monitor(s, err);
	/* a monitor that has closed may have left a queue that nobody takes */
	if (r == 0 && fb_conn_flush(&s->conn) < 0)
		r = pump_monitor(s, err);
	return r;
}

/* the monitor is done; what it sent still goes out, as slowly as it may */
static void drain_outputs(struct session *s)
{
	for (;;) {
		struct pollfd p[3] = { { s->signal_fd, POLLIN, 0 } };
		nfds_t count = 1;

		for (int i = FB_GUEST_STDOUT; i <= FB_GUEST_STDERR; i++)
			if (fb_out_stream_waits(&s->out[i]))
				p[count++] = (struct pollfd){ s->out[i].fd,
							      POLLOUT, 0 };
		if (count == 1 || (poll(p, count, -1) < 0 && errno != EINTR))
			return;
		if (p[0].revents && !s->running)
			return;
		if (p[0].revents) {
			struct signalfd_siginfo info;

			if (read(s->signal_fd, &info, sizeof(info)) ==
				    sizeof(info) &&
			    ends_early((int)info.ssi_signo))
				return;
		}
		for (int i = FB_GUEST_STDOUT; i <= FB_GUEST_STDERR; i++)
			(void)fb_out_stream_flush(&s->out[i]);
	}
}

static int set_up(struct session *s, int fd, struct fb_err *err)
{
	FB_FD int socket = fd;
	sigset_t set, old;
	int r = fb_conn_open(&s->conn, FB_TAKE_FD(socket), FB_FRAME_FROM_GUEST);

	if (r < 0)
		return fb_err_set(err, r, "talk to the monitor: %m");
	fb_session_block_signals(&old);
	(void)sigprocmask(SIG_BLOCK, NULL, &set);
	s->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (s->signal_fd < 0)
		return fb_err_set(err, -errno, "watch signals: %m");
	for (int i = FB_GUEST_STDOUT; i <= FB_GUEST_STDERR; i++) {
		fb_recv_window_init(&s->recv[i]);
		fb_out_stream_open(&s->out[i], i == FB_GUEST_STDOUT ?
						   STDOUT_FILENO :
						   STDERR_FILENO);
	}
	fb_send_window_init(&s->send);
	s->stdin_done = !s->options->stdin_open;
	if (s->options->terminal && isatty(STDIN_FILENO))
		return fb_terminal_raw(STDIN_FILENO, &s->terminal, err);
	return 0;
}

int fb_session_run(int fd, const struct fb_session_options *options,
		   struct fb_session_result *ret, struct fb_err *err)
{
	struct session s = { .options = options, .result = ret,
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
	fb_terminal_restore(&s.terminal);
	for (int i = FB_GUEST_STDOUT; i <= FB_GUEST_STDERR; i++)
		fb_out_stream_close(&s.out[i]);
	fb_conn_close(&s.conn);
	(void)fb_close(s.signal_fd);
	(void)sigprocmask(SIG_SETMASK, &options->mask, NULL);
	return r;
}
