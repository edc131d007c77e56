/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A client of Firecracker's API: one request over its Unix socket, one answer.  For
 * programs that come and go; the monitor does not link it.
 */
#ifndef FB_MACHINE_FIRECRACKER_API_H
#define FB_MACHINE_FIRECRACKER_API_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

#define FB_FIRECRACKER_REPLY_MAX (256u << 10)
/* pausing waits for virtual CPUs, a snapshot writes the guest's memory */
#define FB_FIRECRACKER_PATIENCE_MS 10000

/**
 * struct fb_firecracker_request - What is asked; everything borrowed
 * @method:      "GET", "PUT", "PATCH"
 * @path:        "/vm"
 * @body:        JSON, or NULL
 * @patience_ms: For the whole of it
 */
struct fb_firecracker_request {
	const char *method;
	const char *path;
	const char *body;
	int patience_ms;
};

/**
 * struct fb_firecracker_reply - What is answered
 * @status: HTTP's
 * @body:   Its JSON object (owned), or NULL where it has none
 */
struct fb_firecracker_reply {
	unsigned int status;
	json_t *body;
};

/**
 * fb_firecracker_reply_parse() - Read an answer as far as it has come
 * @bytes: From the first one on (borrowed), any bytes
 * @len:   Count, at most FB_FIRECRACKER_REPLY_MAX
 * @ret:   Written where it is whole; @ret->body is to be released
 *
 * Pure.  Return: 1 it is whole; 0 more has to come; -EBADMSG it is no answer of an
 * HTTP server, or its body no JSON object; -E2BIG it announces too much.
 */
int fb_firecracker_reply_parse(const char *bytes, size_t len,
			       struct fb_firecracker_reply *ret,
			       struct fb_err *err);

/**
 * fb_firecracker_call() - Ask, and wait for the answer
 * @folder_fd: The machine's folder, with FB_FIRECRACKER_API in it (borrowed)
 * @request:   What (borrowed)
 * @ret:       The answer's object (returned), NULL where it has none; may be NULL
 *
 * Never blocks longer than it is told.  A refusal is an error with Firecracker's own
 * words behind "Firecracker: ".
 *
 * Return: 0; -EINVAL refused; -ENOENT, -ECONNREFUSED no API there; -ETIMEDOUT;
 * -EPIPE it ended before it answered; -EBADMSG, -E2BIG as above; another negative
 * errno.
 */
int fb_firecracker_call(int folder_fd,
			const struct fb_firecracker_request *request,
			json_t **ret, struct fb_err *err);

#endif
