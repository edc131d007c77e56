/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flamebox-init, PID 1 of the guest.
 *
 * Two phases with a clear line between them.  *Ready*: devices, and the channel to
 * the host; nothing of any container, no random number drawn.  *Begin*: the host
 * has sent the spec; everything else follows from it.  A machine can be saved
 * between the two and begin many times.
 *
 * It ends in a reset, whatever happens: the exit record, not the way the machine
 * goes down, tells the host what became of the container.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/reboot.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "cgroup.h"
#include "channel.h"
#include "fresh.h"
#include "mounts.h"
#include "network.h"
#include "process.h"
#include "rootfs.h"
#include "session.h"

#define ACK_PATIENCE_MS 5000u

_Noreturn static void reset(const struct fb_err *why)
{
	if (why) {
		(void)dprintf(STDERR_FILENO, "flamebox-init: %s\n", why->msg);
		(void)tcdrain(STDERR_FILENO); /* a reset would cut it off */
	}
	for (;;) {
		(void)reboot(RB_AUTOBOOT);
		(void)sleep(1);
	}
}

static int setup_failed(struct fb_failure *exit, const struct fb_err *err)
{
	return fb_failure_set(exit, FB_GUEST_SETUP_FAILED, err->code, "%s",
			      err->msg);
}

static int ready(struct fb_channel *ch, struct fb_err *err)
{
	int r;

	(void)signal(SIGPIPE, SIG_IGN);
	r = fb_mounts_ready(err);
	return r < 0 ? r : fb_channel_open(ch, err);
}

static int set_up(const struct fb_guest_spec *spec, struct fb_trace *trace,
		  int *ret_cgroup, struct fb_err *err)
{
	int r = fb_fresh_apply(spec, err);

	if (r == 0)
		r = fb_rootfs_mount(spec, err);
	fb_trace_mark(trace, "root");
	if (r < 0)
		return r;
	*ret_cgroup = fb_cgroup_make(spec, err);
	return *ret_cgroup < 0 && *ret_cgroup != -ENODATA ? *ret_cgroup : 0;
}

/* The network comes up while the new process mounts its file systems */
static int finish_start(const struct fb_guest_spec *spec,
			struct fb_trace *trace, struct fb_process *process,
			struct fb_failure *exit)
{
	struct fb_err err = { 0 };
	int r = fb_network_up(&spec->net, &err);

	fb_trace_mark(trace, "network");
	if (r < 0) {
		fb_process_cancel(process);
		return setup_failed(exit, &err);
	}
	r = fb_process_go(process, exit);
	fb_trace_mark(trace, "started");
	return r;
}

/* Return: 0 when the process runs; otherwise @exit says why it does not */
static int start(const struct fb_guest_spec *spec, struct fb_trace *trace,
		 struct fb_process *process, struct fb_failure *exit)
{
	struct fb_err err = { 0 };
	int cgroup, r = set_up(spec, trace, &cgroup, &err);

	if (r < 0)
		return setup_failed(exit, &err);
	r = fb_process_start(spec, cgroup, trace, process, exit);
	if (cgroup >= 0)
		(void)close(cgroup);
	return r < 0 ? r : finish_start(spec, trace, process, exit);
}

static void record_status(const struct fb_guest_spec *spec, int status,
			  struct fb_failure *exit)
{
	exit->record = (struct fb_guest_exit){
		.kind = WIFSIGNALED(status) ? FB_GUEST_SIGNALED
					    : FB_GUEST_EXITED,
		.value = (uint32_t)(WIFSIGNALED(status) ? WTERMSIG(status)
							: WEXITSTATUS(status)),
	};
	exit->text[0] = '\0';
	if (status != 0 && fb_cgroup_oom())
		exit->record.flags |= FB_GUEST_EXIT_OOM;
	if (status != 0 && fb_rootfs_full(&spec->root))
		exit->record.flags |= FB_GUEST_EXIT_DISK_FULL;
}

static int serve(struct fb_channel *ch, const struct fb_guest_spec *spec,
		 struct fb_trace *trace, struct fb_err *err)
{
	struct fb_process process;
	struct fb_failure exit;
	int status, r = start(spec, trace, &process, &exit);

	fb_trace_send(trace, ch);
	if (r == 0) {
		r = fb_session_run(ch, &process, spec->process.terminal,
				   &status, err);
		if (r < 0)
			return r;
		fb_trace_mark(trace, "ended");
		record_status(spec, status, &exit);
	}
	fb_trace_send(trace, ch);
	r = fb_session_end(ch, &exit);
	return r < 0 ? fb_err_set(err, r, "write to the host: %m") : 0;
}

/* A machine that was saved while it waited here goes on elsewhere: whom it was
 * connected with is not there, but somebody listens.  A port has no other end. */
static int wait_for_spec(struct fb_channel *ch, struct fb_guest_spec *spec,
			 struct fb_err *err)
{
	int r = fb_session_begin(ch, spec, err);

	while ((r == -ECONNRESET || r == -EPIPE) && !ch->can_splice) {
		(void)close(ch->fd);
		r = fb_channel_open(ch, err);
		if (r == 0)
			r = fb_session_begin(ch, spec, err);
	}
	return r;
}

static int begin(struct fb_channel *ch, struct fb_guest_spec *spec,
		 struct fb_trace *trace, struct fb_err *err)
{
	struct fb_failure exit;
	int r = wait_for_spec(ch, spec, err), block;

	fb_trace_mark(trace, "begin");
	block = fb_channel_block(ch, false);
	if (r == -EPIPE || block < 0)
		return r < 0 ? r : block;
	if (r == 0)
		return serve(ch, spec, spec->debug ? trace : NULL, err);
	(void)setup_failed(&exit, err);
	return fb_session_end(ch, &exit);
}

int main(void)
{
	static struct fb_channel ch;
	struct fb_trace *trace = fb_trace_new();
	struct fb_guest_spec spec = { 0 };
	struct fb_err err = { 0 };
	int r;

	fb_trace_mark(trace, "init");
	r = ready(&ch, &err);
	fb_trace_mark(trace, "ready");
	if (r < 0)
		reset(&err);
	r = begin(&ch, &spec, trace, &err);
	if (r < 0)
		reset(&err);
	/* the host learns the end while the disk comes to rest */
	fb_rootfs_unmount(&spec.root);
	(void)fb_session_acknowledged(&ch, ACK_PATIENCE_MS);
	reset(NULL);
}
