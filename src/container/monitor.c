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
 * acknowledged) → the VMM is gone.  Whatever ends the loop otherwise leads to a
 * record too, of a class that says what was seen.  Everything that this process
 * started dies with it.
 */
#include "container/monitor.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/io.h"
#include "container/conn.h"
#include "container/evidence.h"
#include "container/exit_record.h"
#include "container/launch.h"
#include "machine/plan.h"
#include "wire/spec.h"

/* for the guest to sync and reset after its exit record was acknowledged */
#define RESET_TIMEOUT_MS 20000
/* for a VMM that is gone but whose last frames may still be in the socket */
#define DRAIN_LIMIT 1024

enum monitor_state {
	MONITOR_BOOTING,
	MONITOR_BEGUN,
	MONITOR_RUNNING,
	MONITOR_ENDED,
};

struct monitor {
	enum monitor_state state;
	bool discard;
	struct fb_plan plan;
	struct fb_conn guest;
	struct fb_conn client;
	struct fb_evidence console;
	struct fb_evidence vmm_stderr;
	int signal_fd;
	pid_t pids[FB_PLAN_PROCESSES_MAX];
	int pidfds[FB_PLAN_PROCESSES_MAX];
	size_t started;	    /* processes */
	uint64_t deadline_ms; /* of the state; 0 = none */
	size_t spec_sent;   /* bytes of the spec handed to the queue */
	size_t spec_size;
	bool spec_done;
	bool vmm_gone;
	bool finished;
	bool recorded;
	int vmm_status;
	struct fb_exit_record record;
};

static void write_record(struct monitor *m)
{
	char text[FB_EXIT_RECORD_MAX];
	size_t len;

	if (m->recorded)
		return;
	m->record.ended_s = (int64_t)time(NULL);
	m->record.started = m->state >= MONITOR_RUNNING;
	len = fb_exit_record_format(&m->record, text);
	m->recorded = fb_write_file_at(FB_LAUNCH_DIR, "exit", text, len,
				       0600) == 0;
}

static void record_failure(struct monitor *m, enum fb_exit_class class_,
			   uint32_t value, const char *text)
{
	if (m->state == MONITOR_ENDED || m->record.class_ != FB_EXIT_UNKNOWN)
		return;
	m->record.class_ = class_;
	m->record.value = value;
	(void)snprintf(m->record.text, sizeof(m->record.text), "%.*s",
		       FB_EXIT_TEXT_MAX - 1, text);
}

static void kill_vmm(struct monitor *m)
{
	if (m->started == m->plan.process_count && !m->vmm_gone)
		(void)kill(m->pids[m->started - 1], SIGKILL);
	if (m->started < m->plan.process_count)
		m->finished = true;
}

static void give_up(struct monitor *m, enum fb_exit_class class_,
		    const char *text)
{
	record_failure(m, class_, 0, text);
	kill_vmm(m);
}

static void mark_started(void)
{
	int fd = openat(FB_LAUNCH_DIR, "started",
			O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	(void)fb_close(fd);
}

/* BEGIN frames, as the queue has room; clock and seed come last, being fresh */
static void send_spec(struct monitor *m)
{
	uint8_t piece[FB_GUEST_FRAME_MAX];
	struct fb_frame frame = { .type = FB_GUEST_BEGIN, .payload = piece };
	struct timespec now;
	uint8_t seed[FB_SPEC_SEED_SIZE];
	ssize_t n;

	while (!m->spec_done && fb_conn_has_room(&m->guest)) {
		n = fb_pread_full(FB_LAUNCH_SPEC, piece, sizeof(piece),
				  m->spec_sent);
		if (n > 0) {
			frame.length = (uint32_t)n;
			m->spec_sent += (size_t)n;
		} else {
			(void)clock_gettime(CLOCK_REALTIME, &now);
			if (getrandom(seed, sizeof(seed), 0) !=
			    (ssize_t)sizeof(seed))
				memset(seed, 0, sizeof(seed));
			fb_spec_put_fresh(piece, (uint64_t)now.tv_sec,
					  (uint32_t)now.tv_nsec, seed);
			frame.length = FB_SPEC_FRESH_SIZE;
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
		if (m->guest.eof || fb_conn_flush(&m->guest) < 0)
			return;
	} while (m->state >= MONITOR_BEGUN && !m->spec_done &&
		 !fb_conn_queued(&m->guest));
}

static enum fb_exit_class class_of(uint16_t kind)
{
	switch (kind) {
	case FB_GUEST_EXITED:
		return FB_EXIT_EXITED;
	case FB_GUEST_SIGNALED:
		return FB_EXIT_SIGNALED;
	case FB_GUEST_NOT_FOUND:
		return FB_EXIT_NOT_FOUND;
	case FB_GUEST_NOT_EXEC:
		return FB_EXIT_NOT_EXEC;
	default:
		return FB_EXIT_SETUP_FAILED;
	}
}

static void handle_exit(struct monitor *m, const struct fb_frame *frame)
{
	uint8_t ack[FB_FRAME_SMALL_MAX];
	struct fb_guest_exit guest_exit;
	char text[FB_GUEST_TEXT_MAX + 1];

	guest_exit = fb_frame_exit(frame, text);
	m->record.class_ = class_of(guest_exit.kind);
	m->record.value = guest_exit.value;
	m->record.oom = (guest_exit.flags & FB_GUEST_EXIT_OOM) != 0;
	m->record.disk_full = (guest_exit.flags & FB_GUEST_EXIT_DISK_FULL) != 0;
	(void)snprintf(m->record.text, sizeof(m->record.text), "%.*s",
		       FB_EXIT_TEXT_MAX - 1, text);
	write_record(m);
	m->state = MONITOR_ENDED;
	m->deadline_ms = fb_now_ms() + RESET_TIMEOUT_MS;
	if (m->discard) {
		kill_vmm(m);
		return;
	}
	fb_conn_put_bytes(&m->guest, ack,
			  fb_frame_put_empty(ack, FB_GUEST_EXIT_ACK, 0, 0));
}

static void handle_guest_frame(struct monitor *m, const struct fb_frame *frame)
{
	if ((m->state == MONITOR_BOOTING) != (frame->type == FB_GUEST_HELLO) ||
	    m->state == MONITOR_ENDED) {
		give_up(m, FB_EXIT_BAD_GUEST, "a frame out of turn");
		return;
	}
	if (frame->type == FB_GUEST_HELLO) {
		if (fb_frame_hello_version(frame) != FB_GUEST_ABI_VERSION) {
			give_up(m, FB_EXIT_BAD_GUEST,
				"its init is of another version");
			return;
		}
		m->state = MONITOR_BEGUN;
		m->deadline_ms = 0;
		send_spec(m);
	}
	if (frame->type == FB_GUEST_STARTED) {
		m->state = MONITOR_RUNNING;
		mark_started();
	}
	if (frame->type == FB_GUEST_EXIT && frame->process == 0)
		handle_exit(m, frame);
	if (!m->client.eof)
		fb_conn_put(&m->client, frame);
}

static void pump_guest(struct monitor *m)
{
	struct fb_err err = { 0 };
	struct fb_frame frame;
	int r = 1;

	/* what the client can't take yet stays in the guest's buffer */
	while (m->guest.fd >= 0 && !m->guest.eof &&
	       (m->client.eof || fb_conn_has_room(&m->client))) {
		r = fb_conn_next(&m->guest, &frame, &err);
		if (r > 0) {
			handle_guest_frame(m, &frame);
			continue;
		}
		if (r < 0) {
			give_up(m, FB_EXIT_BAD_GUEST, err.msg);
			return;
		}
		if (fb_conn_fill(&m->guest) <= 0)
			return;
	}
}

static void pump_client(struct monitor *m)
{
	struct fb_frame frame;
	int r;

	while (m->client.fd >= 0 && !m->client.eof &&
	       fb_conn_has_room(&m->guest)) {
		r = fb_conn_next(&m->client, &frame, NULL);
		if (r < 0)
			break;
		if (r == 0) {
			if (fb_conn_fill(&m->client) <= 0)
				break;
			continue;
		}
		/* the client speaks when it has seen HELLO; BEGIN is ours */
		if (frame.type != FB_GUEST_BEGIN &&
		    frame.type != FB_GUEST_EXIT_ACK &&
		    m->state >= MONITOR_BEGUN && m->spec_done && !m->guest.eof)
			fb_conn_put(&m->guest, &frame);
	}
	if (m->client.eof && m->state != MONITOR_ENDED)
		give_up(m, FB_EXIT_CLIENT_GONE, "");
}

static void vmm_ended(struct monitor *m)
{
	size_t last = m->started - 1;
	char line[FB_EXIT_TEXT_MAX];

	if (fb_spawn_wait(m->pids[last], &m->vmm_status) < 0)
		m->vmm_status = 0;
	m->pidfds[last] = fb_close(m->pidfds[last]);
	m->vmm_gone = true;
	/* its last words, and the guest's, may still be on their way */
	for (int i = 0; i < DRAIN_LIMIT && !m->guest.eof; i++) {
		pump_guest(m);
		if (fb_conn_flush(&m->client) < 0 ||
		    !fb_conn_has_room(&m->client))
			break;
	}
	fb_evidence_read(&m->console);
	fb_evidence_read(&m->vmm_stderr);
	fb_evidence_line(&m->console, "Kernel panic", line, sizeof(line));
	if (line[0])
		record_failure(m, FB_EXIT_PANIC, 0, line);
	fb_evidence_line(&m->vmm_stderr, NULL, line, sizeof(line));
	if (WIFSIGNALED(m->vmm_status))
		record_failure(m, FB_EXIT_VMM_KILLED,
			       (uint32_t)WTERMSIG(m->vmm_status), line);
	else
		record_failure(m, FB_EXIT_VMM_EXITED,
			       (uint32_t)WEXITSTATUS(m->vmm_status), line);
	m->finished = true;
}

static void handle_signal(struct monitor *m)
{
	struct signalfd_siginfo info;

	if (read(m->signal_fd, &info, sizeof(info)) == sizeof(info))
		give_up(m, FB_EXIT_STOPPED, "");
}

static void check_deadline(struct monitor *m)
{
	char line[FB_EXIT_TEXT_MAX];

	if (!m->deadline_ms || fb_now_ms() < m->deadline_ms)
		return;
	m->deadline_ms = 0;
	fb_evidence_line(&m->console, NULL, line, sizeof(line));
	give_up(m, FB_EXIT_NO_ANSWER, line);
}

static short conn_events(const struct fb_conn *conn, bool may_read)
{
	short events = 0;

	if (conn->fd < 0 || conn->eof)
		return 0;
	if (may_read)
		events |= POLLIN;
	if (fb_conn_queued(conn))
		events |= POLLOUT;
	return events;
}

/* Return: milliseconds for poll(), -1 = for ever */
static int time_left(const struct monitor *m)
{
	uint64_t now = fb_now_ms();

	if (!m->deadline_ms)
		return -1;
	return m->deadline_ms <= now ? 0 : (int)(m->deadline_ms - now);
}

enum { AT_GUEST, AT_CLIENT, AT_VMM, AT_CONSOLE, AT_STDERR, AT_SIGNAL, AT_COUNT };

/* a closed connection is polled as -1: its POLLHUP would never end */
static int live_fd(const struct fb_conn *conn)
{
	return conn->eof ? -1 : conn->fd;
}

static void loop_once(struct monitor *m)
{
	struct pollfd p[AT_COUNT] = {
		[AT_GUEST] = { live_fd(&m->guest),
			       conn_events(&m->guest,
					   m->client.eof ||
						   fb_conn_has_room(&m->client)),
			       0 },
		[AT_CLIENT] = { live_fd(&m->client),
				conn_events(&m->client,
					    fb_conn_has_room(&m->guest)),
				0 },
		[AT_VMM] = { m->pidfds[m->started - 1], POLLIN, 0 },
		[AT_CONSOLE] = { m->console.fd, POLLIN, 0 },
		[AT_STDERR] = { m->vmm_stderr.fd, POLLIN, 0 },
		[AT_SIGNAL] = { m->signal_fd, POLLIN, 0 },
	};

	if (poll(p, AT_COUNT, time_left(m)) < 0 && errno != EINTR) {
		give_up(m, FB_EXIT_STOPPED, "poll failed");
		return;
	}
	if (p[AT_CONSOLE].revents)
		fb_evidence_read(&m->console);
	if (p[AT_STDERR].revents)
		fb_evidence_read(&m->vmm_stderr);
	if (p[AT_SIGNAL].revents)
		handle_signal(m);
	pump_guest(m);
	pump_client(m);
	flush_guest(m);
	if (!m->client.eof)
		(void)fb_conn_flush(&m->client);
	check_deadline(m);
	if (p[AT_VMM].revents)
		vmm_ended(m);
}

static void close_given_fds(const struct fb_plan *plan)
{
	for (size_t i = 0; i < plan->process_count; i++)
		for (size_t k = 0; k < plan->processes[i].fd_count; k++)
			(void)close(plan->processes[i].fds[k].from);
}

static int start_processes(struct monitor *m, struct fb_err *err)
{
	int r = 0;

	for (size_t i = 0; i < m->plan.process_count && r == 0; i++) {
		r = fb_plan_spawn(&m->plan.processes[i], &m->pids[i],
				  &m->pidfds[i], err);
		if (r == 0)
			m->started++;
	}
	close_given_fds(&m->plan);
	return r;
}

static int load_plan(struct monitor *m, struct fb_err *err)
{
	FB_FREE char *data = malloc(FB_PLAN_ENCODED_MAX);
	ssize_t n;

	if (!data)
		return fb_err_set(err, -ENOMEM, "read the plan: %m");
	n = fb_pread_full(FB_LAUNCH_PLAN, data, FB_PLAN_ENCODED_MAX, 0);
	if (n < 0)
		return fb_err_set(err, (int)n, "read the plan: %m");
	return fb_plan_decode(data, (size_t)n, &m->plan, err);
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
	for (int fd = 3; fd < FB_LAUNCH_VMM_DISK + 8; fd++)
		(void)fb_set_cloexec(fd, true);
}

static int set_up(struct monitor *m, struct fb_err *err)
{
	int r;

	own_inherited_fds();
	(void)prctl(PR_SET_DUMPABLE, 0); /* the spec may hold secrets */
	m->signal_fd = open_signals();
	m->console.fd = FB_LAUNCH_CONSOLE;
	m->vmm_stderr.fd = FB_LAUNCH_STDERR;
	(void)fb_set_nonblock(m->console.fd, true);
	(void)fb_set_nonblock(m->vmm_stderr.fd, true);
	r = fb_conn_open(&m->client, FB_LAUNCH_CLIENT, FB_FRAME_FROM_HOST);
	if (r == 0)
		r = fb_conn_open(&m->guest, FB_LAUNCH_CHANNEL,
				 FB_FRAME_FROM_GUEST);
	if (r < 0 || m->signal_fd < 0)
		return fb_err_set(err, r < 0 ? r : m->signal_fd,
				  "set up the monitor: %m");
	r = load_plan(m, err);
	return r < 0 ? r : start_processes(m, err);
}

static void reap_all(struct monitor *m)
{
	int status;

	for (size_t i = 0; i < m->started; i++) {
		if (i + 1 == m->plan.process_count && m->vmm_gone)
			continue;
		(void)kill(m->pids[i], SIGKILL);
		(void)fb_spawn_wait(m->pids[i], &status);
		(void)fb_close(m->pidfds[i]);
	}
}

/* kept where something went wrong: it is what there is to look at */
static void keep_console(const struct monitor *m)
{
	FB_FREE char *text = NULL;

	if (m->console.at == 0)
		return;
	text = fb_evidence_text(&m->console);
	if (text)
		(void)fb_write_file_at(FB_LAUNCH_DIR, "console.log", text,
				       strlen(text), 0600);
}

int fb_monitor_run(unsigned int boot_timeout_s, bool discard)
{
	struct monitor m = { .discard = discard };
	struct fb_err err = { 0 };

	for (size_t i = 0; i < FB_PLAN_PROCESSES_MAX; i++)
		m.pidfds[i] = -EBADF;
	m.deadline_ms = fb_now_ms() + 1000ull * boot_timeout_s;
	if (set_up(&m, &err) < 0) {
		record_failure(&m, FB_EXIT_NOT_STARTED, 0, err.msg);
		m.finished = true;
	}
	while (!m.finished)
		loop_once(&m);
	reap_all(&m);
	keep_console(&m);
	write_record(&m);
	/* the client reads the record when it sees this end close */
	while (!m.client.eof && fb_conn_queued(&m.client)) {
		struct pollfd p = { m.client.fd, POLLOUT, 0 };

		if (fb_conn_flush(&m.client) < 0 || poll(&p, 1, 5000) <= 0)
			break;
	}
	fb_conn_close(&m.client);
	fb_conn_close(&m.guest);
	fb_evidence_release(&m.console);
	fb_evidence_release(&m.vmm_stderr);
	fb_plan_release(&m.plan);
	(void)fb_close(m.signal_fd);
	return m.recorded ? 0 : 1;
}
