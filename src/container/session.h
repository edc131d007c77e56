/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The client's side of a running container: its standard streams, its terminal
 * and its signals on one hand, the monitor on the other.
 */
#ifndef FB_CONTAINER_SESSION_H
#define FB_CONTAINER_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/log.h"
#include "container/client_signals.h"
#include "container/exit_record.h"

#define FB_SESSION_PHASES_MAX 16

/**
 * struct fb_session_options - How the client takes part
 * @stdin_open: -i: what comes on standard input is forwarded
 * @terminal:   -t: the command has a terminal, which follows the size of ours
 * @raw:        The input is a terminal to be switched to raw mode
 * @sig_proxy:  Forward signals
 * @log:        Sink for what init says, or NULL
 * @show_console: Show what comes from @console
 * @console:    Of the machine, non-blocking; goes to standard error (borrowed)
 * @timed:      Find out by @watch when the guest was set going
 * @watch:      As in struct fb_container, non-blocking (borrowed), with @watch_folder
 * @fds:        The three standard streams (borrowed), or NULL: 0, 1, 2
 */
struct fb_session_options {
	bool stdin_open;
	bool terminal;
	bool raw;
	bool sig_proxy;
	const struct fb_log *log;
	bool show_console;
	int console;
	bool timed;
	bool watch_folder;
	int watch;
	const int *fds;
};

/** struct fb_session_phase - Init says when it reached what; ns of the guest's boot time */
struct fb_session_phase {
	char name[24];
	uint64_t ns;
};

/**
 * struct fb_session_result - What the session saw
 * @aborted_by: A signal that ended it early, or 0
 * @vmm_ns:     The machine's programs had been started
 * @start_ns:   The guest was set going, where that was to be found out; @hello_ns, @started_ns, @exit_ns: CLOCK_MONOTONIC, 0 = never
 * @output_error: Negative errno of an output that failed (not EPIPE), or 0
 * @phases:     Of init, where it was asked to tell
 * @exited:     @exit is the guest's word
 * @exit:       What the exit record will say, should it be lost
 */
struct fb_session_result {
	int aborted_by;
	uint64_t vmm_ns;
	uint64_t start_ns;
	uint64_t hello_ns;
	uint64_t started_ns;
	uint64_t exit_ns;
	int output_error;
	struct fb_session_phase phases[FB_SESSION_PHASES_MAX];
	size_t phase_count;
	bool exited;
	struct fb_exit_record exit;
};

/**
 * fb_session_run() - Take part until the monitor closes the connection
 * @fd:      Socket to the monitor (taken)
 * @options: How (borrowed)
 * @ret:     Always filled in
 *
 * The signals of client_signals.h must be blocked, and stay so.  The terminal is
 * restored when this returns.  SIGINT, SIGTERM, SIGHUP and SIGQUIT
 * before the command runs end the session, others wait until it does; later all
 * are forwarded.
 *
 * Return: 0; -EPROTO the guest broke the protocol; a negative errno.
 */
int fb_session_run(int fd, const struct fb_session_options *options,
		   struct fb_session_result *ret, struct fb_err *err);

#endif
