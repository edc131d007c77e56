/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_GUEST_SESSION_H
#define FB_GUEST_SESSION_H

#include "channel.h"
#include "process.h"

/**
 * fb_session_begin() - Receive the spec
 * @ch:  Channel that has said hello, still blocking
 * @ret: Release with fb_spec_release()
 *
 * Return: 0; -EPIPE the host is gone; -EPROTO; another negative errno.
 */
int fb_session_begin(struct fb_channel *ch, struct fb_guest_spec *ret,
		     struct fb_err *err);

/**
 * fb_session_run() - Serve a process that runs, until it and its streams have ended
 * @ch:         Nonblocking channel
 * @process:    Taken; reaped when this returns 0
 * @terminal:   It has one
 * @ret_status: As waitpid() gives it
 *
 * Return: 0; negative errno: the host is gone or broke the protocol.
 */
int fb_session_run(struct fb_channel *ch, struct fb_process *process,
		   bool terminal, int *ret_status, struct fb_err *err);

/**
 * fb_session_end() - Send the exit record
 * @ch:     Nonblocking channel
 * @exit:   The record, and its text
 *
 * Returns when it is written. Return: 0; negative errno.
 */
int fb_session_end(struct fb_channel *ch, const struct fb_failure *exit);

/** fb_session_acknowledged() - Wait for EXIT_ACK, at most @patience_ms. Return: 0; negative errno */
int fb_session_acknowledged(struct fb_channel *ch, unsigned int patience_ms);

#endif
