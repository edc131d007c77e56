/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/io.h"
#include "net/confine.h"
#include "net/slirp.h"
#include "tap.h"

#define ARP_SIZE 42u

static pid_t start(int *ret_fd)
{
	int pair[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		abort();
	pid = fork();
	if (pid == 0) {
		const struct fb_net_slirp_options options = { .fd = pair[1],
							      .v4 = true };

		(void)close(pair[0]);
		if (fb_net_confine() == 0 && fork() >= 0)
			_exit(99);
		_exit(-fb_net_slirp_run(&options));
	}
	(void)close(pair[1]);
	*ret_fd = pair[0];
	return pid;
}

static int status_of(pid_t pid)
{
	int status;

	return waitpid(pid, &status, 0) == pid && WIFEXITED(status)
		       ? WEXITSTATUS(status)
		       : -1;
}

/* who has 10.0.2.@host? tell 10.0.2.15 */
static void put_arp(uint8_t frame[4 + ARP_SIZE], uint8_t host)
{
	static const uint8_t request[4 + ARP_SIZE] = {
		0,    0,    0,	ARP_SIZE, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		0x52, 0x54, 0,	1,	  2,	3,    0x08, 0x06, 0,	1,
		0x08, 0,    6,	4,	  0,	1,    0x52, 0x54, 0,	1,
		2,    3,    10, 0,	  2,	15,   0,    0,	  0,	0,
		0,    0,    10, 0,	  2,	0,
	};

	memcpy(frame, request, sizeof(request));
	frame[4 + ARP_SIZE - 1] = host;
}

static void test_gateway(void)
{
	uint8_t frames[2 * (4 + ARP_SIZE)], size[4];
	uint8_t answer[2048];
	uint32_t len;
	int fd;
	pid_t pid = start(&fd);

	put_arp(frames, 2);
	put_arp(frames + 4 + ARP_SIZE, 3);
	/* in two parts: a frame need not come whole */
	TAP_OK(fb_write_full(fd, frames, 50) == 0 &&
		       fb_write_full(fd, frames + 50, sizeof(frames) - 50) == 0,
	       "frames are taken");
	for (uint8_t host = 2; host <= 3; host++) {
		TAP_INT(fb_read_full(fd, size, 4), 4, "an answer comes");
		len = (uint32_t)size[2] << 8 | size[3];
		if (size[0] || size[1] || len < ARP_SIZE ||
		    len > sizeof(answer) ||
		    fb_read_full(fd, answer, len) != (ssize_t)len)
			break;
		TAP_OK(answer[12] == 8 && answer[13] == 6 && answer[21] == 2 &&
			       answer[31] == host,
		       "10.0.2.%u is there", host);
	}
	(void)close(fd);
	TAP_INT(status_of(pid), 0, "it ends with its machine");
}

static void test_hostile(void)
{
	static const uint8_t huge[] = { 0xff, 0xff, 0xff, 0xff, 1, 2 };
	static uint8_t noise[70000];
	int fd;
	pid_t pid = start(&fd);

	(void)fb_write_full(fd, huge, sizeof(huge));
	TAP_INT(status_of(pid), EMSGSIZE, "a frame that is too large ends it");
	(void)close(fd);
	pid = start(&fd);
	/* frames of every size that are nothing at all */
	for (size_t len = 1; len < 2000; len++) {
		noise[2] = (uint8_t)(len >> 8);
		noise[3] = (uint8_t)len;
		memset(noise + 4, (int)(len % 251), len);
		if (len % 2 && len > 14)
			memcpy(noise + 4 + 12, "\x08\x00\x45", 3);
		if (fb_write_full(fd, noise, 4 + len) < 0)
			break;
	}
	(void)shutdown(fd, SHUT_WR);
	TAP_INT(status_of(pid), 0, "noise is survived");
	(void)close(fd);
}

int main(void)
{
	test_gateway();
	test_hostile();
	return tap_done();
}
