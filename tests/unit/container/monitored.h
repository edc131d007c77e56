/* SPDX-License-Identifier: Apache-2.0 */
/* A real monitor with a fake guest (fake_guest.c), and this test as its client. */
#ifndef FB_TESTS_CONTAINER_MONITORED_H
#define FB_TESTS_CONTAINER_MONITORED_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/str.h"
#include "container/conn.h"
#include "container/exit_record.h"

/**
 * struct monitored - One monitor
 * @pid:     Its
 * @dir_fd:  The container's folder
 * @conn:    Our connection; @conn.fd can be taken for a session
 * @out:     What came on stdout, when @keep
 * @out_bytes: How many
 * @intact:  They were fake_guest's pattern
 * @seen:    Bit 1 << type of each frame that came
 * @window_closed: Give nothing back
 */
struct monitored {
	pid_t pid;
	int dir_fd;
	struct fb_conn conn;
	struct fb_str out;
	uint64_t out_bytes;
	bool intact;
	unsigned int seen;
	bool window_closed;
};

/**
 * struct monitored_how - What is not as usual
 * @keep:     The disk is kept: the guest's rest is waited for
 * @boot_s:   0 = 60
 * @reset_s:  0 = 60
 * @program:  Instead of fake_guest
 * @spec_size: Bytes of the spec; 0 = few
 */
struct monitored_how {
	bool keep;
	unsigned int boot_s;
	unsigned int reset_s;
	const char *program;
	size_t spec_size;
};

/** monitored_start() - @script: fake_guest's arguments, separated by blanks */
void monitored_start(struct monitored *m, const struct monitored_how *how,
		     const char *script);

/** monitored_until() - Take frames until one of @type came. Return: it came */
bool monitored_until(struct monitored *m, enum fb_guest_frame_type type);

/** monitored_send() - Frames, blocking */
void monitored_send(struct monitored *m, const void *data, size_t len);

/**
 * monitored_end() - Take frames to the end of the connection, reap the monitor
 * @ret: The record
 *
 * Return: the monitor's exit status, or -1 when there is no good record.
 */
int monitored_end(struct monitored *m, struct fb_exit_record *ret);

/** monitored_vmm() - The fake guest's pid, 0 when there is none */
pid_t monitored_vmm(const struct monitored *m);

/** monitored_ticks() - CPU time that it has used */
unsigned long monitored_ticks(pid_t pid);

#endif
