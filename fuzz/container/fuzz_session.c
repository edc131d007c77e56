/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A session whose monitor sends anything and hangs up.  Its input is as long as
 * a socket takes at once, so that nobody has to write while it reads.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/io.h"
#include "container/session.h"

#define INPUT_MAX 65536

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC), pair[2];
	const int fds[] = { null, null, null };
	struct fb_session_options options = { .fds = fds };
	struct fb_session_result seen;
	struct fb_err err = { 0 };

	if (size == 0 || size > INPUT_MAX || null < 0 ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) {
		(void)close(null);
		return 0;
	}
	options.stdin_open = data[0] & 1;
	options.terminal = data[0] & 2;
	if (fb_write_full(pair[1], data + 1, size - 1) < 0 ||
	    shutdown(pair[1], SHUT_WR) < 0)
		abort();
	(void)fb_session_run(pair[0], &options, &seen, &err);
	if (seen.phase_count > FB_SESSION_PHASES_MAX || seen.output_error)
		abort();
	(void)close(pair[1]);
	(void)close(null);
	return 0;
}
