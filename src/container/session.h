/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The client's side of a running container: its standard streams, its terminal
 * and its signals on one hand, the monitor on the other.
 */
#ifndef FB_CONTAINER_SESSION_H
#define FB_CONTAINER_SESSION_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/log.h"

/**
 * struct fb_session_options - How the client takes part
 * @stdin_open: -i: what comes on standard input is forwarded
 * @terminal:   -t: standard input is a terminal that is switched to raw mode
 * @sig_proxy:  Forward signals
 * @log:        Sink for what init says, or NULL
 * @mask:       Signals that were blocked before fb_session_block_signals()
 */
struct fb_session_options {
	bool stdin_open;
	bool terminal;
	bool sig_proxy;
	const struct fb_log *log;
	sigset_t mask;
};

/**
 * struct fb_session_result - What the session saw
 * @aborted_by: A signal that ended it before the entrypoint ran, or 0
 * @hello_ns, @started_ns, @exit_ns: CLOCK_MONOTONIC, 0 = never
 * @output_error: Negative errno of an output that failed (not EPIPE), or 0
 */
struct fb_session_result {
	int aborted_by;
	uint64_t hello_ns;
	uint64_t started_ns;
	uint64_t exit_ns;
	int output_error;
};

/**
 * fb_session_block_signals() - From here on signals are the session's
 * @ret_old: The mask before
 *
 * Before the monitor is started, so that none falls between.
 */
void fb_session_block_signals(sigset_t *ret_old);

/**
 * fb_session_run() - Take part until the monitor closes the connection
 * @fd:      Socket to the monitor (taken)
 * @options: How (borrowed)
 * @ret:     Always filled in
 *
 * The terminal is restored when this returns.  SIGINT, SIGTERM, SIGHUP and
 * SIGQUIT before the entrypoint runs end the session; later ones are forwarded.
 *
 * Return: 0; -EPROTO the guest broke the protocol; a negative errno.
 */
int fb_session_run(int fd, const struct fb_session_options *options,
		   struct fb_session_result *ret, struct fb_err *err);

#endif
