/* SPDX-License-Identifier: Apache-2.0 */
#include "monitored.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/path.h"
#include "base/spawn.h"
#include "container/launch.h"
#include "machine/plan.h"

#define HANG_MS 120000 /* nothing for so long: it hangs */

static void must(bool ok, const char *what)
{
	if (ok)
		return;
	printf("Bail out! %s: %s\n", what, strerror(errno));
	exit(1);
}

static int memory_file(const void *data, size_t len)
{
	int fd = memfd_create("test", MFD_CLOEXEC);

	must(fd >= 0 && fb_write_full(fd, data, len) == 0, "memfd");
	return fd;
}

static int make_plan(const char *program, const char *script)
{
	FB_STR struct fb_str bytes = FB_STR_INIT(FB_PLAN_ENCODED_MAX);
	FB_PLAN struct fb_plan plan = { 0 };
	struct fb_plan_process *p = fb_plan_add_process(&plan, "fake", program);
	FB_FREE char *copy = strdup(script);
	char *rest = copy, *word;

	must(p && copy, "plan");
	(void)fb_strv_add(&p->argv, program);
	while ((word = strsep(&rest, " ")))
		if (word[0])
			(void)fb_strv_add(&p->argv, word);
	(void)fb_plan_give_fd(p, FB_LAUNCH_VMM_CHANNEL);
	(void)fb_plan_give_fd(p, FB_LAUNCH_VMM_CONSOLE);
	p->fds[p->fd_count++] = (struct fb_spawn_fd){ FB_LAUNCH_VMM_STDERR, 2 };
	must(fb_plan_encode(&plan, &bytes) == 0, "encode plan");
	return memory_file(bytes.buf, bytes.len);
}

static int make_folder(void)
{
	char path[] = "/tmp/flamebox-test-XXXXXX";
	int fd;

	must(mkdtemp(path) != NULL, "make a folder");
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	must(fd >= 0, "open it");
	/* what is made in it lives as long as it is open */
	return fd;
}

static void spawn(struct monitored *m, const struct monitored_how *how,
		  const struct fb_spawn_fd *fds, size_t count)
{
	char program[] = TEST_MONITOR, boot[16], reset[16];
	char *argv[] = { program, boot,
			 how->keep ? (char[]){ "keep" } : (char[]){ "discard" },
			 reset, NULL };
	struct fb_spawn spec = { .path = program,
				 .argv = argv,
				 .fds = fds,
				 .fd_count = count,
				 .new_session = true };
	struct fb_err err = { 0 };

	(void)snprintf(boot, sizeof(boot), "%u",
		       how->boot_s ? how->boot_s : 60);
	(void)snprintf(reset, sizeof(reset), "%u",
		       how->reset_s ? how->reset_s : 60);
	must(fb_spawn(&spec, &m->pid, NULL, &err) == 0, err.msg);
}

void monitored_start(struct monitored *m, const struct monitored_how *how,
		     const char *script)
{
	int client[2], channel[2], console[2], stderr_pipe[2], spec, plan;
	FB_FREE char *bytes = calloc(1, how->spec_size ? how->spec_size : 16);

	*m = (struct monitored){ .out = FB_STR_INIT(1u << 20),
				 .dir_fd = make_folder(),
				 .intact = true };
	must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, client) == 0 &&
		     socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0,
				channel) == 0 &&
		     socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0,
				console) == 0 &&
		     pipe2(stderr_pipe, O_CLOEXEC) == 0,
	     "sockets");
	plan = make_plan(how->program ? how->program : TEST_FAKE_GUEST, script);
	spec = memory_file(bytes, how->spec_size ? how->spec_size : 16);
	spawn(m, how,
	      (struct fb_spawn_fd[]){
		      { client[1], FB_LAUNCH_CLIENT },
		      { m->dir_fd, FB_LAUNCH_DIR },
		      { m->dir_fd, FB_LAUNCH_LOCK },
		      { plan, FB_LAUNCH_PLAN },
		      { spec, FB_LAUNCH_SPEC },
		      { channel[0], FB_LAUNCH_CHANNEL },
		      { console[0], FB_LAUNCH_CONSOLE },
		      { stderr_pipe[0], FB_LAUNCH_STDERR },
		      { channel[1], FB_LAUNCH_VMM_CHANNEL },
		      { console[1], FB_LAUNCH_VMM_CONSOLE },
		      { stderr_pipe[1], FB_LAUNCH_VMM_STDERR } },
	      11);
	must(fb_conn_open(&m->conn, client[0], FB_FRAME_FROM_GUEST) == 0,
	     "connection");
	(void)close(client[1]);
	(void)close(plan);
	(void)close(spec);
	for (int i = 0; i < 2; i++) {
		(void)close(channel[i]);
		(void)close(console[i]);
		(void)close(stderr_pipe[i]);
	}
}

static void wait_readable(int fd)
{
	struct pollfd p = { fd, POLLIN, 0 };

	must(poll(&p, 1, HANG_MS) == 1, "the monitor hangs");
}

void monitored_send(struct monitored *m, const void *data, size_t len)
{
	const uint8_t *p = data;
	struct pollfd out = { m->conn.fd, POLLOUT, 0 };
	ssize_t n;

	while (len > 0) {
		must(poll(&out, 1, HANG_MS) == 1, "the monitor takes nothing");
		n = send(m->conn.fd, p, len, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && errno == EAGAIN)
			continue;
		if (n < 0)
			return;
		p += n;
		len -= (size_t)n;
	}
}

static void take_data(struct monitored *m, const struct fb_frame *f)
{
	uint8_t add[FB_FRAME_SMALL_MAX];

	for (uint32_t i = 0; f->stream == FB_GUEST_STDOUT && i < f->length; i++)
		if (f->payload[i] != (uint8_t)((m->out_bytes + i) % 251))
			m->intact = false;
	if (f->stream == FB_GUEST_STDOUT)
		m->out_bytes += f->length;
	(void)fb_str_append(&m->out, f->payload, f->length);
	if (!m->window_closed)
		monitored_send(m, add,
			       fb_frame_put_u32(add, FB_GUEST_WINDOW_ADD, 0,
						f->stream, f->length));
}

/* Return: the next frame's type; 0 at the end */
static enum fb_guest_frame_type take(struct monitored *m)
{
	struct fb_err err = { 0 };
	struct fb_frame frame;
	int r;

	while ((r = fb_conn_next(&m->conn, &frame, &err)) == 0) {
		wait_readable(m->conn.fd);
		if (fb_conn_fill(&m->conn) < 0)
			return 0;
	}
	must(r > 0, err.msg);
	m->seen |= 1u << frame.type;
	if (frame.type == FB_GUEST_DATA)
		take_data(m, &frame);
	return frame.type;
}

bool monitored_until(struct monitored *m, enum fb_guest_frame_type type)
{
	enum fb_guest_frame_type got;

	do {
		got = take(m);
	} while (got && got != type);
	return got == type;
}

static void remove_folder(int fd)
{
	char link[64], path[128];
	ssize_t n;

	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof(path) - 1);
	if (n > 0) {
		path[n] = '\0';
		(void)fb_rmtree_at(AT_FDCWD, path);
	}
	(void)close(fd);
}

static int reap(pid_t pid)
{
	int pidfd = pidfd_open(pid, 0), status = 0;

	must(pidfd >= 0, "watch the monitor");
	wait_readable(pidfd);
	(void)close(pidfd);
	(void)fb_spawn_wait(pid, &status);
	return status;
}

int monitored_end(struct monitored *m, struct fb_exit_record *ret)
{
	int status, r;

	while (m->conn.fd >= 0 && take(m))
		;
	fb_conn_close(&m->conn);
	status = reap(m->pid);
	r = fb_exit_record_read(m->dir_fd, ret, NULL);
	remove_folder(m->dir_fd);
	fb_str_release(&m->out);
	return r < 0 ? -1 : status;
}

pid_t monitored_vmm(const struct monitored *m)
{
	FB_FREE char *text = NULL;
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/%d/task/%d/children", m->pid,
		       m->pid);
	if (fb_read_file_at(AT_FDCWD, path, 4096, &text, NULL) < 0)
		return 0;
	return (pid_t)strtol(text, NULL, 10);
}

unsigned long monitored_ticks(pid_t pid)
{
	FB_FREE char *text = NULL;
	unsigned long user = 0, kernel = 0;
	char path[64], *behind;

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	must(fb_read_file_at(AT_FDCWD, path, 4096, &text, NULL) == 0, path);
	behind = strrchr(text, ')');
	must(behind && sscanf(behind,
			      ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u "
			      "%lu %lu",
			      &user, &kernel) == 2,
	     "stat");
	return user + kernel;
}
