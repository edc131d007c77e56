/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Theory of operation.  One poll loop over: the guest's channel, the client's
 * socket, the VMM's pidfd, the serial console, the VMM's standard error, a
 * signalfd.  Frames are relayed as they are; their windows are those of guest
 * and client, end to end, so a leg never holds more than its queue: when one
 * side's queue is full, the other side is not read.
 *
 * States: BOOTING (no HELLO yet) → BEGUN (the spec is on its way or there) →
 * RUNNING (STARTED came) → ENDED (EXIT came, the record is written and
 * acknowledged); in each but RUNNING the guest has a time limit.  When the VMM
 * has ended and what it left in the channel is read, the case is concluded: a
 * record is there in any case, of a class that says what was seen.  What the
 * client has not taken yet is still delivered, however slow it is.  Closing its
 * socket tells it that the record can be read.
 *
 * The guest is hostile, the client is not, but may die or stop at any moment.
 * Everything that this process started dies with it.
 */
#include "container/monitor.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/io.h"
#include "container/children.h"
#include "container/conn.h"
#include "container/evidence.h"
#include "container/exit_record.h"
#include "container/launch.h"
#include "container/verdict.h"
#include "wire/spec.h"

/* for a VMM that has closed the channel: it is about to end, or broken */
#define CHANNEL_GRACE_MS 5000
/* reads in a row from one side before the others are looked at */
#define TURN_LIMIT 16

enum monitor_state {
	MONITOR_BOOTING,
	MONITOR_BEGUN,
	MONITOR_RUNNING,
	MONITOR_ENDED,
};

struct monitor {
	const struct fb_monitor_options *options;
	enum monitor_state state;
	struct fb_children children;
	struct fb_conn guest;
	struct fb_conn client;
	struct fb_evidence console;
	struct fb_evidence vmm_stderr;
	struct fb_evidence metrics;
	int signal_fd;
	uint64_t deadline_ms; /* of the state; 0 = none */
	size_t spec_sent;     /* bytes of the spec handed to the queue */
	bool spec_done;
	bool channel_lost; /* its end was noticed */
	bool vmm_gone;
	bool concluded; /* nothing will be added to the record */
	bool stopping;	/* the client's share is given up as well */
	bool recorded;
	int vmm_status;
	struct fb_exit_record record;
};

static void set_deadline(struct monitor *m, uint64_t ms)
{
	m->deadline_ms = fb_now_ms() + ms;
}

static void write_record(struct monitor *m)
{
	char text[FB_EXIT_RECORD_MAX];
	size_t len;
	int r;

	if (m->recorded)
		return;
	m->record.ended_s = (int64_t)time(NULL);
	len = fb_exit_record_format(&m->record, text);
	/* what is thrown away at its end means nothing after a power failure */
	if (m->options->discard)
		r = fb_replace_file_at(FB_LAUNCH_DIR, "exit", text, len, 0600);
	else
		r = fb_write_file_at(FB_LAUNCH_DIR, "exit", text, len, 0600);
	m->recorded = r == 0;
}

/* Only the first reason counts: what follows it is its consequence */
static void give_up(struct monitor *m, enum fb_exit_class class_,
		    const char *text)
{
	if (m->state != MONITOR_ENDED && m->record.class_ == FB_EXIT_UNKNOWN) {
		m->record.class_ = class_;
		(void)snprintf(m->record.text, sizeof(m->record.text), "%.*s",
			       FB_EXIT_TEXT_MAX - 1, text);
	}
	fb_children_kill_vmm(&m->children);
}

static void mark_started(struct monitor *m)
{
	int fd = openat(FB_LAUNCH_DIR, "started",
			O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	(void)fb_close(fd);
	m->record.started = true;
}

/* clock and seed come last, being fresh */
static size_t last_piece(uint8_t *piece)
{
	uint8_t seed[FB_SPEC_SEED_SIZE];
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	if (getrandom(seed, sizeof(seed), 0) != (ssize_t)sizeof(seed))
		memset(seed, 0, sizeof(seed));
	fb_spec_put_fresh(piece, (uint64_t)now.tv_sec, (uint32_t)now.tv_nsec,
			  seed);
	explicit_bzero(seed, sizeof(seed));
	return FB_SPEC_FRESH_SIZE;
}

/* BEGIN frames, as the queue has room */
static void send_spec(struct monitor *m)
{
	uint8_t piece[FB_GUEST_FRAME_MAX];
	struct fb_frame frame = { .type = FB_GUEST_BEGIN, .payload = piece };
	ssize_t n;

	while (!m->spec_done && fb_conn_has_room(&m->guest)) {
		n = fb_pread_full(FB_LAUNCH_SPEC, piece, sizeof(piece),
				  m->spec_sent);
		if (n > 0) {
			frame.length = (uint32_t)n;
			m->spec_sent += (size_t)n;
		} else {
			frame.length = (uint32_t)last_piece(piece);
			frame.flags = FB_GUEST_FLAG_LAST;
			m->spec_done = true;
		}
		fb_conn_put(&m->guest, &frame);
	}
}

/* a queue that was emptied with more of the spec to come is filled again: nothing
 * else would wake us */
static void flush_guest(struct monitor *m)
{
	do {
		if (m->state >= MONITOR_BEGUN)
			send_spec(m);
		(void)fb_conn_flush(&m->guest);
	} while (m->state >= MONITOR_BEGUN && !m->spec_done &&
		 !fb_conn_queued(&m->guest));
}

static void handle_hello(struct monitor *m, const struct fb_frame *frame)
{
	if (fb_frame_hello_version(frame) != FB_GUEST_ABI_VERSION) {
		give_up(m, FB_EXIT_BAD_GUEST, "its init is of another version");
		return;
	}
	m->state = MONITOR_BEGUN;
	set_deadline(m, 1000ull * m->options->boot_timeout_s);
}

static void handle_exit(struct monitor *m, const struct fb_frame *frame)
{
	uint8_t ack[FB_FRAME_SMALL_MAX];

	/* a guest that we are killing has nothing more to say */
	if (m->record.class_ != FB_EXIT_UNKNOWN)
		return;
	fb_exit_record_of_guest(frame, &m->record);
	m->record.started = m->state == MONITOR_RUNNING;
	write_record(m);
	m->state = MONITOR_ENDED;
	set_deadline(m, 1000ull * m->options->reset_timeout_s);
	if (m->options->discard)
		fb_children_kill_vmm(&m->children);
	else
		fb_conn_put_bytes(&m->guest, ack,
				  fb_frame_put_empty(ack, FB_GUEST_EXIT_ACK, 0,
						     FB_GUEST_STDIN));
}

/* What a guest may send in which state */
static bool in_turn(enum monitor_state state, enum fb_guest_frame_type type)
{
	bool first = type == FB_GUEST_HELLO;
	bool between = type == FB_GUEST_STARTED;
	bool any = type == FB_GUEST_EXIT || type == FB_GUEST_LOG;

	switch (state) {
	case MONITOR_BOOTING:
		return first;
	case MONITOR_BEGUN:
		return between || any;
	case MONITOR_RUNNING:
		return !first && !between;
	case MONITOR_ENDED:
		break;
	}
	return false;
}

/* a line of the monitor's own, as init's come; @name in "host NAME NANOSECONDS" */
static void tell_client(struct monitor *m, const char *name)
{
	char line[64];
	int len = snprintf(line, sizeof(line), FB_LAUNCH_WORD "%s %llu", name,
			   (unsigned long long)fb_now_ns());
	const struct fb_frame frame = { .type = FB_GUEST_LOG,
					.length = (uint32_t)len,
					.payload = (const uint8_t *)line };

	fb_conn_put(&m->client, &frame);
}

/* nobody else is believed to be the monitor */
static bool plays_monitor(const struct fb_frame *frame)
{
	size_t len = strlen(FB_LAUNCH_WORD);

	return frame->type == FB_GUEST_LOG && frame->length >= len &&
	       !memcmp(frame->payload, FB_LAUNCH_WORD, len);
}

static void handle_guest_frame(struct monitor *m, const struct fb_frame *frame)
{
	if (m->state == MONITOR_ENDED)
		return;
	if (!in_turn(m->state, frame->type)) {
		give_up(m, FB_EXIT_BAD_GUEST, "it sent a frame out of turn");
		return;
	}
	if (frame->type == FB_GUEST_HELLO)
		handle_hello(m, frame);
	if (frame->type == FB_GUEST_STARTED) {
		m->state = MONITOR_RUNNING;
		m->deadline_ms = 0;
		mark_started(m);
	}
	if (frame->type == FB_GUEST_EXIT)
		handle_exit(m, frame);
	if (!plays_monitor(frame))
		fb_conn_put(&m->client, frame);
}

/*
 * Whoever stops pumping for want of room leaves a queue that poll() watches, so
 * frames that were read already are not forgotten.
 */
static bool make_room(struct fb_conn *to)
{
	if (!fb_conn_has_room(to))
		(void)fb_conn_flush(to);
	return fb_conn_has_room(to);
}

/* what the client can't take yet stays in the guest's buffer */
static void pump_guest(struct monitor *m)
{
	struct fb_err err = { 0 };
	struct fb_frame frame;
	int r, turns = TURN_LIMIT;

	while (!m->guest.eof && make_room(&m->client)) {
		r = fb_conn_next(&m->guest, &frame, &err);
		if (r > 0) {
			handle_guest_frame(m, &frame);
			continue;
		}
		if (r < 0) {
			give_up(m, FB_EXIT_BAD_GUEST, err.msg);
			return;
		}
		if (turns-- == 0)
			return;
		r = fb_conn_fill(&m->guest);
		/* nobody is left who could send the rest */
		if (r == 0 && m->vmm_gone)
			m->guest.eof = true;
		if (r <= 0)
			return;
	}
}

static bool is_clients(enum fb_guest_frame_type type)
{
	return type != FB_GUEST_BEGIN && type != FB_GUEST_EXIT_ACK;
}

static void lose_client(struct monitor *m)
{
	fb_conn_close(&m->client);
	if (m->state != MONITOR_ENDED)
		give_up(m, FB_EXIT_CLIENT_GONE, "");
}

static void pump_client(struct monitor *m)
{
	struct fb_frame frame;
	int r, turns = TURN_LIMIT;

	while (!m->client.eof && make_room(&m->guest)) {
		r = fb_conn_next(&m->client, &frame, NULL);
		if (r > 0 && is_clients(frame.type) && m->spec_done)
			fb_conn_put(&m->guest, &frame);
		if (r > 0)
			continue;
		if (r < 0 || turns-- == 0 || fb_conn_fill(&m->client) <= 0)
			break;
	}
	if (m->client.eof && m->client.fd >= 0)
		lose_client(m);
}

static void vmm_ended(struct monitor *m)
{
	m->vmm_status = fb_children_reap_vmm(&m->children);
	m->vmm_gone = true;
	m->deadline_ms = 0;
}

/* kept where something went wrong: it is what there is to look at */
static void keep(const struct fb_evidence *evidence, const char *file)
{
	FB_FREE char *text = NULL;

	if (evidence->at == 0)
		return;
	text = fb_evidence_text(evidence);
	if (text)
		(void)fb_replace_file_at(FB_LAUNCH_DIR, file, text,
					 strlen(text), 0600);
}

/* the VMM's last figures of itself, one line */
static void keep_metrics(const struct monitor *m)
{
	FB_FREE char *text = NULL;
	char *line;

	if (m->metrics.at == 0 || m->options->discard)
		return;
	text = fb_evidence_text(&m->metrics);
	if (!text || !text[0])
		return;
	text[strlen(text) - 1] = '\0'; /* its end of line */
	line = strrchr(text, '\n');
	line = line ? line + 1 : text;
	(void)fb_replace_file_at(FB_LAUNCH_DIR, "metrics.json", line,
				 strlen(line), 0600);
}

/* the VMM is gone, and all that it left is read */
static void conclude(struct monitor *m)
{
	m->concluded = true;
	fb_evidence_read(&m->console);
	fb_evidence_read(&m->vmm_stderr);
	fb_evidence_read(&m->metrics);
	if (m->record.class_ == FB_EXIT_UNKNOWN)
		fb_verdict_vmm_ended(m->vmm_status, &m->console, &m->vmm_stderr,
				     &m->record);
	keep(&m->console, "console.log");
	keep(&m->vmm_stderr, "vmm.log");
	keep_metrics(m);
	write_record(m);
}

static void handle_signal(struct monitor *m)
{
	struct signalfd_siginfo info;

	if (read(m->signal_fd, &info, sizeof(info)) != sizeof(info))
		return;
	give_up(m, FB_EXIT_STOPPED, "");
	m->stopping = true;
}

static void check_deadline(struct monitor *m)
{
	char line[FB_EXIT_TEXT_MAX];

	if (m->guest.eof && !m->channel_lost && !m->vmm_gone) {
		m->channel_lost = true;
		set_deadline(m, CHANNEL_GRACE_MS);
	}
	if (!m->deadline_ms || fb_now_ms() < m->deadline_ms)
		return;
	m->deadline_ms = 0;
	fb_evidence_line(&m->console, NULL, line, sizeof(line));
	if (m->channel_lost)
		give_up(m, FB_EXIT_BAD_GUEST, "it closed its channel");
	else
		give_up(m, FB_EXIT_NO_ANSWER, line);
}

/* Return: milliseconds for poll(), -1 = for ever */
static int time_left(const struct monitor *m)
{
	uint64_t now = fb_now_ms();

	if (!m->deadline_ms)
		return -1;
	return m->deadline_ms <= now ? 0 : (int)(m->deadline_ms - now);
}

/* a descriptor that nothing is wanted of is not polled: its end would repeat */
static struct pollfd watch(const struct fb_conn *conn, bool read)
{
	short events = 0;

	if (read && !conn->eof)
		events |= POLLIN;
	if (fb_conn_queued(conn))
		events |= POLLOUT;
	return (struct pollfd){ events ? conn->fd : -1, events, 0 };
}

enum {
	AT_GUEST,
	AT_CLIENT,
	AT_VMM,
	AT_CONSOLE,
	AT_STDERR,
	AT_METRICS,
	AT_SIGNAL,
	AT_COUNT
};

static void loop_once(struct monitor *m)
{
	struct pollfd p[AT_COUNT] = {
		[AT_GUEST] = watch(&m->guest, fb_conn_has_room(&m->client)),
		[AT_CLIENT] = watch(&m->client, fb_conn_has_room(&m->guest)),
		[AT_VMM] = { fb_children_vmm_fd(&m->children), POLLIN, 0 },
		[AT_CONSOLE] = { m->console.fd, POLLIN, 0 },
		[AT_STDERR] = { m->vmm_stderr.fd, POLLIN, 0 },
		[AT_METRICS] = { m->metrics.fd, POLLIN, 0 },
		[AT_SIGNAL] = { m->signal_fd, POLLIN, 0 },
	};

	/* a client's death counts also when there is no room for its words */
	p[AT_CLIENT].fd = m->client.fd;
	if (poll(p, AT_COUNT, time_left(m)) < 0 && errno != EINTR) {
		give_up(m, FB_EXIT_STOPPED, "poll failed");
		return;
	}
	if (p[AT_CONSOLE].revents)
		fb_evidence_read(&m->console);
	if (p[AT_STDERR].revents)
		fb_evidence_read(&m->vmm_stderr);
	if (p[AT_METRICS].revents)
		fb_evidence_read(&m->metrics);
	if (p[AT_SIGNAL].revents)
		handle_signal(m);
	if (p[AT_VMM].revents)
		vmm_ended(m);
	pump_guest(m);
	pump_client(m);
	if (p[AT_CLIENT].revents & (POLLHUP | POLLERR) &&
	    !(p[AT_CLIENT].events & POLLIN))
		lose_client(m);
	flush_guest(m);
	(void)fb_conn_flush(&m->client);
	check_deadline(m);
}

static void loop(struct monitor *m)
{
	do {
		loop_once(m);
		if (m->vmm_gone && !m->concluded &&
		    (m->guest.eof || m->stopping))
			conclude(m);
	} while (!m->concluded || (fb_conn_queued(&m->client) && !m->stopping));
}

static int open_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return -errno;
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* what was inherited is ours alone */
static void own_inherited_fds(void)
{
	for (int fd = FB_LAUNCH_CLIENT; fd < FB_LAUNCH_END; fd++)
		(void)fb_set_cloexec(fd, true);
}

/*
 * The spec may hold secrets, the guest's memory certainly does.  A limit of one
 * byte also keeps a core from a program that takes them by a pipe (core(5)); not
 * PR_SET_DUMPABLE, which would hide us from our own user's `rm -f`.
 */
static void forbid_core_dumps(void)
{
	const struct rlimit one = { 1, 1 };

	(void)setrlimit(RLIMIT_CORE, &one);
}

static int set_up(struct monitor *m, struct fb_err *err)
{
	int r;

	own_inherited_fds();
	/* not every machine has them; asked before descriptors of our own have their
	 * numbers */
	if (fb_set_nonblock(m->metrics.fd, true) < 0)
		m->metrics.fd = -EBADF;
	if (fcntl(m->console.show, F_GETFD) < 0)
		m->console.show = -EBADF;
	forbid_core_dumps();
	m->signal_fd = open_signals();
	(void)fb_set_nonblock(m->console.fd, true);
	(void)fb_set_nonblock(m->vmm_stderr.fd, true);
	r = fb_conn_open(&m->client, FB_LAUNCH_CLIENT, FB_FRAME_FROM_HOST);
	if (r == 0)
		r = fb_conn_open(&m->guest, FB_LAUNCH_CHANNEL,
				 FB_FRAME_FROM_GUEST);
	if (r < 0 || m->signal_fd < 0)
		return fb_err_set(err, r < 0 ? r : m->signal_fd,
				  "set up the monitor: %m");
	r = fb_children_start(&m->children, FB_LAUNCH_PLAN, err);
	/* what no process of this machine has */
	for (int fd = FB_LAUNCH_VMM_CHANNEL; fd < FB_LAUNCH_END; fd++)
		(void)close(fd);
	return r;
}

static void release(struct monitor *m)
{
	fb_children_release(&m->children);
	fb_evidence_release(&m->console);
	fb_evidence_release(&m->vmm_stderr);
	fb_evidence_release(&m->metrics);
	fb_conn_close(&m->guest);
	(void)fb_close(m->signal_fd);
	/* last: the client takes it for the end */
	fb_conn_close(&m->client);
}

int fb_monitor_run(const struct fb_monitor_options *options)
{
	struct monitor m = {
		.options = options,
		.console = { .fd = FB_LAUNCH_CONSOLE, .show = FB_LAUNCH_SHOW },
		.vmm_stderr = { .fd = FB_LAUNCH_STDERR, .show = -EBADF },
		.metrics = { .fd = FB_LAUNCH_METRICS, .show = -EBADF }
	};
	struct fb_err err = { 0 };

	fb_children_init(&m.children);
	set_deadline(&m, 1000ull * options->boot_timeout_s);
	if (set_up(&m, &err) < 0) {
		m.record.class_ = FB_EXIT_NOT_STARTED;
		(void)snprintf(m.record.text, sizeof(m.record.text), "%.*s",
			       FB_EXIT_TEXT_MAX - 1, err.msg);
		conclude(&m);
	} else {
		tell_client(&m, "vmm");
		loop(&m);
	}
	release(&m);
	return m.recorded ? 0 : 1;
}
