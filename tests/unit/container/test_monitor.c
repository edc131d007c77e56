/* SPDX-License-Identifier: Apache-2.0 */
/* The monitor, whole, against guests and clients that misbehave. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "monitored.h"
#include "tap.h"

static const struct monitored_how usual;
static const struct monitored_how kept = { .keep = true };

static void run(const struct monitored_how *how, const char *script,
		struct fb_exit_record *ret)
{
	struct monitored m;

	*ret = (struct fb_exit_record){ 0 };
	monitored_start(&m, how, script);
	TAP_INT(monitored_end(&m, ret), 0, "a record: %s", script);
}

static void test_order(void)
{
	struct fb_exit_record r;
	struct monitored m;

	monitored_start(
		&m, &kept,
		"hello begin log:up started err:x out:300000 eofs exit:7 ack "
		"end:0");
	TAP_OK(monitored_until(&m, FB_GUEST_EXIT), "the exit arrives");
	TAP_INT(m.out_bytes, 300000, "all output before it");
	TAP_OK(m.intact, "as it was sent");
	TAP_INT(m.seen,
		1 << FB_GUEST_HELLO | 1 << FB_GUEST_LOG |
			1 << FB_GUEST_STARTED | 1 << FB_GUEST_DATA |
			1 << FB_GUEST_EOF | 1 << FB_GUEST_EXIT,
		"every frame of the guest is relayed");
	TAP_INT(faccessat(m.dir_fd, "started", F_OK, 0), 0, "start is marked");
	TAP_INT(faccessat(m.dir_fd, "exit", F_OK, 0), 0,
		"the record is there before the client is told");
	TAP_INT(monitored_end(&m, &r), 0, "a record");
	TAP_INT(r.class_, FB_EXIT_EXITED, "exited");
	TAP_INT(r.value, 7, "its status");
	TAP_OK(r.started && !r.oom, "started, not out of memory");
}

static void test_guest_words(void)
{
	struct fb_exit_record r;

	run(&kept, "hello begin notfound:no-such-thing ack", &r);
	TAP_INT(r.class_, FB_EXIT_NOT_FOUND, "not found");
	TAP_STR(r.text, "no-such-thing", "its text");
	TAP_OK(!r.started, "not started");
	run(&kept, "hello begin started eofs killed:15 ack", &r);
	TAP_INT(r.class_, FB_EXIT_SIGNALED, "signaled");
	TAP_INT(r.value, 15, "the signal");
	run(&usual, "hello begin started eofs oom:137 pause", &r);
	TAP_OK(r.oom, "out of memory is kept");
	TAP_INT(r.value, 137, "a discarded guest is not waited for");
}

static void test_large_spec(void)
{
	struct monitored_how how = { .spec_size = 5000000 };
	struct fb_exit_record r;

	run(&how, "hello begin started eofs exit:0 pause", &r);
	TAP_INT(r.class_, FB_EXIT_EXITED, "a spec of 5 MB arrives");
}

static void test_bad_guests(void)
{
	static const char *const scripts[] = {
		"started pause",
		"exit:0 pause",
		"hello hello pause",
		"hello begin out:1 pause",
		"hello begin eofs pause",
		"hello begin started started pause",
		"hello:9 pause",
		"raw:00 raw:00000000000000 pause",
		"raw:ffffffffffffffff pause",
		"hello begin started raw:0400000201000100ff pause",
		"hello begin started raw:04000000010000ff pause",
		"hello begin started raw:0200000000000000 pause",
	};
	struct fb_exit_record r;

	for (size_t i = 0; i < FB_ARRAY_SIZE(scripts); i++) {
		run(&usual, scripts[i], &r);
		TAP_INT(r.class_, FB_EXIT_BAD_GUEST, "bad guest");
		TAP_OK(r.text[0] != '\0', "why: %s", r.text);
	}
}

/* the same nonsense on every run */
static void test_random_guests(void)
{
	unsigned int state = 20240229;
	struct fb_exit_record r;
	struct monitored m;

	for (int i = 0; i < 20; i++) {
		char script[400] = "hello begin started raw:";
		size_t at = strlen(script);

		for (int k = 0; k < 150; k++) {
			state = state * 1103515245u + 12345u;
			/* small numbers make frames that are nearly right */
			(void)snprintf(script + at + 2 * k, 3, "%02x",
				       state >> 16 & (k % 8 < 4 ? 0x0f : 0x01));
		}
		(void)snprintf(script + at + 300, 20, " hangup end:0");
		monitored_start(&m, &usual, script);
		TAP_INT(monitored_end(&m, &r), 0, "a record of nonsense %d", i);
		TAP_OK(r.class_ != FB_EXIT_UNKNOWN, "it is %s",
		       fb_exit_class_name(r.class_));
	}
}

static void test_lost_machines(void)
{
	struct monitored_how how = { .boot_s = 1 };
	struct fb_exit_record r;

	run(&usual, "stderr:fake:_could_not_open_disk end:3", &r);
	TAP_INT(r.class_, FB_EXIT_VMM_EXITED, "the VMM gave up");
	TAP_INT(r.value, 3, "its status");
	TAP_STR(r.text, "fake: could not open disk", "its last words");
	run(&usual, "hello begin started out:100000 die:6", &r);
	TAP_INT(r.class_, FB_EXIT_VMM_KILLED, "the VMM crashed");
	TAP_INT(r.value, 6, "its signal");
	TAP_OK(r.started, "after the start");
	run(&usual, "console:Kernel_command_line end:0", &r);
	TAP_INT(r.class_, FB_EXIT_VMM_EXITED, "no panic is no panic");
	run(&usual,
	    "hello begin started console:[1.0]_Kernel_panic_-_not_syncing:_x "
	    "console:---_end end:0",
	    &r);
	TAP_INT(r.class_, FB_EXIT_PANIC, "a panic");
	TAP_STR(r.text, "Kernel panic - not syncing: x", "its line");
	TAP_OK(!r.oom, "not for want of memory");
	run(&usual,
	    "console:Kernel_panic_-_not_syncing:_System_is_deadlocked_on_memory "
	    "end:0",
	    &r);
	TAP_INT(r.class_, FB_EXIT_PANIC, "a panic");
	TAP_OK(r.oom, "for want of memory");
	run(&how, "console:stuck pause", &r);
	TAP_INT(r.class_, FB_EXIT_NO_ANSWER, "no HELLO in time");
	TAP_STR(r.text, "stuck", "the console's last line");
	run(&how, "hello begin pause", &r);
	TAP_INT(r.class_, FB_EXIT_NO_ANSWER, "no STARTED in time");
	run(&usual, "hello begin started hangup pause", &r);
	TAP_INT(r.class_, FB_EXIT_BAD_GUEST, "a channel without a guest");
	how = (struct monitored_how){ .program = "/nonexistent/vmm" };
	run(&how, "x", &r);
	TAP_INT(r.class_, FB_EXIT_NOT_STARTED, "no such VMM");
	TAP_OK(strstr(r.text, "/nonexistent/vmm") != NULL, "which one");
}

static void test_rest_is_bounded(void)
{
	struct monitored_how how = { .keep = true, .reset_s = 1 };
	struct fb_exit_record r;

	run(&how, "hello begin started eofs exit:4 ack pause", &r);
	TAP_INT(r.class_, FB_EXIT_EXITED, "a guest that never rests has ended");
	TAP_INT(r.value, 4, "with its own status");
}

/*
 * Somewhere among these sizes the VMM ends with bytes left in its channel, while
 * the queue to the client is full.
 */
static void slow_client(const char *end, enum fb_exit_class class_)
{
	struct fb_exit_record r;
	struct monitored m;
	char script[80];

	for (unsigned int size = 300000; size <= 900000; size += 50000) {
		(void)snprintf(script, sizeof(script),
			       "hello begin started out:%u %s", size, end);
		monitored_start(&m, &usual, script);
		(void)monitored_until(&m, FB_GUEST_STARTED);
		(void)usleep(100000);
		(void)monitored_until(&m, FB_GUEST_EXIT);
		TAP_INT(m.out_bytes, size, "nothing is lost");
		TAP_INT(monitored_end(&m, &r), 0, "a record");
		TAP_INT(r.class_, class_, "of class %s",
			fb_exit_class_name(class_));
	}
}

static void test_slow_client(void)
{
	slow_client("eofs exit:0 end:0", FB_EXIT_EXITED);
	slow_client("die:9", FB_EXIT_VMM_KILLED);
}

/* neither side reads, both have sent: nothing may be spent on waiting */
static void test_stalled_client(void)
{
	static uint8_t data[FB_FRAME_SIZE_MAX];
	struct fb_frame head = { .type = FB_GUEST_DATA,
				 .length = FB_GUEST_FRAME_MAX };
	struct fb_exit_record r;
	struct monitored m;
	unsigned long before;
	ssize_t n;
	pid_t vmm;

	monitored_start(&m, &usual, "hello begin started flood:99000000 pause");
	TAP_OK(monitored_until(&m, FB_GUEST_STARTED), "it runs");
	fb_frame_put_header(data, &head);
	do {
		(void)usleep(20000);
		n = send(m.conn.fd, data, sizeof(data),
			 MSG_NOSIGNAL | MSG_DONTWAIT);
	} while (n == (ssize_t)sizeof(data));
	(void)usleep(200000);
	before = monitored_ticks(m.pid);
	(void)usleep(1000000);
	TAP_OK(monitored_ticks(m.pid) - before <= 3, "it does not spin");
	vmm = monitored_vmm(&m);
	fb_conn_close(&m.conn);
	TAP_INT(monitored_end(&m, &r), 0, "the client's death is noticed");
	TAP_INT(r.class_, FB_EXIT_CLIENT_GONE, "and said");
	TAP_OK(vmm > 0 && kill(vmm, 0) < 0 && errno == ESRCH,
	       "the VMM is gone with it");
}

static void test_client_gone(void)
{
	static const char *const scripts[] = {
		"pause",
		"hello pause",
		"hello begin pause",
		"hello begin started pause",
		"hello begin started out:99000000 pause",
		"hello begin started echo pause",
	};
	struct fb_exit_record r;
	struct monitored m;

	for (size_t i = 0; i < FB_ARRAY_SIZE(scripts); i++) {
		monitored_start(&m, &kept, scripts[i]);
		if (i > 0)
			(void)monitored_until(&m, FB_GUEST_HELLO);
		fb_conn_close(&m.conn);
		TAP_INT(monitored_end(&m, &r), 0, "record: %s", scripts[i]);
		TAP_INT(r.class_, FB_EXIT_CLIENT_GONE, "client gone");
	}
}

static void test_told_to_end(void)
{
	struct fb_exit_record r;
	struct monitored m;

	/* the client reads nothing: the monitor must not wait for it */
	monitored_start(&m, &kept, "hello begin started flood:9000000 pause");
	(void)monitored_until(&m, FB_GUEST_STARTED);
	(void)kill(m.pid, SIGTERM);
	while (faccessat(m.dir_fd, "exit", F_OK, 0) < 0)
		(void)usleep(10000);
	TAP_INT(monitored_end(&m, &r), 0, "a record");
	TAP_INT(r.class_, FB_EXIT_STOPPED, "stopped");
	TAP_OK(r.started, "while it ran");
}

static void test_killed(void)
{
	struct fb_exit_record r;
	struct monitored m;
	pid_t vmm;

	monitored_start(&m, &usual, "hello begin started pause");
	(void)monitored_until(&m, FB_GUEST_STARTED);
	vmm = monitored_vmm(&m);
	TAP_OK(vmm > 0, "a VMM runs");
	(void)kill(m.pid, SIGKILL);
	TAP_INT(monitored_end(&m, &r), -1, "kill -9 leaves no record");
	for (int i = 0; i < 1000 && kill(vmm, 0) == 0; i++)
		(void)usleep(10000);
	TAP_OK(kill(vmm, 0) < 0 && errno == ESRCH, "and no VMM");
}

static void test_input(void)
{
	uint8_t data[FB_FRAME_HEADER_SIZE + 5] = { 0 };
	uint8_t small[FB_FRAME_SMALL_MAX];
	struct fb_frame head = { .type = FB_GUEST_DATA, .length = 5 };
	struct fb_exit_record r;
	struct monitored m;

	monitored_start(&m, &usual,
			"hello begin started echo signal closed eofs exit:0");
	(void)monitored_until(&m, FB_GUEST_STARTED);
	fb_frame_put_header(data, &head);
	memcpy(data + FB_FRAME_HEADER_SIZE, "input", 5);
	monitored_send(&m, data, sizeof(data));
	monitored_send(&m, small,
		       fb_frame_put_empty(small, FB_GUEST_EOF, 0,
					  FB_GUEST_STDIN));
	monitored_send(&m, small,
		       fb_frame_put_u32(small, FB_GUEST_SIGNAL, 0,
					FB_GUEST_STDIN, SIGUSR1));
	/* not for a client to send: dropped */
	monitored_send(&m, small,
		       fb_frame_put_empty(small, FB_GUEST_EXIT_ACK, 0,
					  FB_GUEST_STDIN));
	monitored_send(&m, small,
		       fb_frame_put_empty(small, FB_GUEST_CLOSE, 0,
					  FB_GUEST_STDERR));
	TAP_OK(monitored_until(&m, FB_GUEST_EXIT), "it ends");
	TAP_STR(fb_str_cstr(&m.out), "input10 ", "input, signal, close arrive");
	TAP_INT(monitored_end(&m, &r), 0, "a record");
}

/* a client that sends nonsense is cut off as one that has gone */
static void test_bad_client(void)
{
	uint8_t frame[FB_FRAME_SMALL_MAX];
	struct fb_exit_record r;
	struct monitored m;

	monitored_start(&m, &usual, "hello begin started pause");
	(void)monitored_until(&m, FB_GUEST_STARTED);
	monitored_send(&m, frame, fb_frame_put_hello(frame));
	TAP_INT(monitored_end(&m, &r), 0, "a record");
	TAP_INT(r.class_, FB_EXIT_CLIENT_GONE, "cut off");
}

int main(void)
{
	test_order();
	test_guest_words();
	test_large_spec();
	test_bad_guests();
	test_random_guests();
	test_lost_machines();
	test_rest_is_bounded();
	test_slow_client();
	test_stalled_client();
	test_client_gone();
	test_told_to_end();
	test_killed();
	test_input();
	test_bad_client();
	return tap_done();
}
