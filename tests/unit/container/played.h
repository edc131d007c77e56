/* SPDX-License-Identifier: Apache-2.0 */
/* A real session in a process of its own; the test plays its monitor and its user. */
#ifndef FB_TESTS_CONTAINER_PLAYED_H
#define FB_TESTS_CONTAINER_PLAYED_H

#include <stdbool.h>
#include <sys/types.h>

#include "container/conn.h"
#include "container/session.h"

/**
 * struct played - One session
 * @pid:    Its process
 * @conn:   To it, as its monitor
 * @in:     Our end of its standard input
 * @out, @err: Of its outputs; -EBADF where @how brought its own
 * @shared: What it returned and saw; valid after played_end()
 */
struct played {
	pid_t pid;
	struct fb_conn conn;
	int in;
	int out;
	int err;
	struct played_result *shared;
};

/** struct played_result - How it ended */
struct played_result {
	int r;
	struct fb_session_result seen;
	struct fb_err err;
};

/**
 * struct played_how - What is not as usual
 * @stdin_fd, @stdout_fd: Instead of pipes (borrowed); 0 = pipes
 */
struct played_how {
	struct fb_session_options options;
	int stdin_fd;
	int stdout_fd;
};

void played_start(struct played *p, const struct played_how *how);

/** played_put() - One frame to the session, blocking */
void played_put(struct played *p, enum fb_guest_frame_type type,
		enum fb_guest_stream stream, const void *data, size_t len);

/** played_get() - The next frame of the session. Return: its type; 0 at the end */
enum fb_guest_frame_type played_get(struct played *p, struct fb_frame *ret);

/** played_silent() - For a fifth of a second, no frame comes */
bool played_silent(struct played *p);

/** played_read() - Read @len bytes of an output, blocking. Return: they are all @byte */
bool played_read(int fd, char byte, size_t len);

/** played_hang_up() - The monitor closes its end */
void played_hang_up(struct played *p);

/** played_end() - Wait for its end. Return: as waitpid() gives it */
int played_end(struct played *p);

#endif
