/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/auth_helper.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/spawn.h"
#include "registry/auth_file.h"

#define HELPER_TIMEOUT_MS 60000u
#define HELPER_REPLY_MAX (64u << 10)
#define HELPER_NOT_FOUND "credentials not found in native keychain"

/* What is there now. Return: 1 there may be more; 0 that was the end; negative errno */
static int take_some(int fd, struct fb_str *reply)
{
	char *room = fb_str_reserve(reply, 1024);
	ssize_t n;

	if (!room)
		return reply->err;
	*room = '\0';
	n = recv(fd, room, 1024, MSG_DONTWAIT);
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return 1;
	/* closed, or closed with our question unread */
	if (n == 0 || (n < 0 && errno == ECONNRESET))
		return 0;
	if (n < 0)
		return -errno;
	reply->len += (size_t)n;
	reply->buf[reply->len] = '\0';
	return 1;
}

/* To the end, or to what is there when the helper has ended: what it left behind
 * in the background may hold the other side for ever. */
static int read_reply(int fd, int pidfd, struct fb_str *reply)
{
	uint64_t deadline_ms = fb_now_ms() + HELPER_TIMEOUT_MS;
	int r = 1;

	while (r > 0) {
		struct pollfd p[] = { { .fd = fd, .events = POLLIN },
				      { .fd = pidfd, .events = POLLIN } };
		uint64_t now = fb_now_ms();

		if (now >= deadline_ms)
			return -ETIMEDOUT;
		if (poll(p, 2, (int)(deadline_ms - now)) <= 0)
			continue;
		if (p[0].revents)
			r = take_some(fd, reply);
		else if (p[1].revents)
			return 0;
	}
	return r;
}

/* A socket, not a pipe: a helper that never reads must not raise SIGPIPE. */
static int talk(int fd, int pidfd, const char *input, struct fb_str *reply)
{
	if (send(fd, input, strlen(input), MSG_NOSIGNAL) < 0 && errno != EPIPE)
		return -errno;
	(void)shutdown(fd, SHUT_WR);
	return read_reply(fd, pidfd, reply);
}

static int start_helper(const char *program, const char *verb, int theirs,
			pid_t *ret_pid, int *ret_pidfd, struct fb_err *err)
{
	char name[128], word[16];
	char *argv[] = { name, word, NULL };
	const struct fb_spawn_fd fds[] = { { theirs, 0 }, { theirs, 1 } };
	const struct fb_spawn spec = { .path = program,
				       .argv = argv,
				       .fds = fds,
				       .fd_count = FB_ARRAY_SIZE(fds),
				       .die_with_parent = 1 };

	(void)snprintf(name, sizeof(name), "%s", program);
	(void)snprintf(word, sizeof(word), "%s", verb);
	return fb_spawn(&spec, ret_pid, ret_pidfd, err);
}

/* Return: 0; 1 it ended with another status; negative errno */
static int run_helper(const char *program, const char *verb, const char *input,
		      struct fb_str *reply, struct fb_err *err)
{
	FB_FD int ours = -EBADF, theirs = -EBADF, pidfd = -EBADF;
	int pair[2], status, r;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return fb_err_set(err, -errno, "ask '%s': %m", program);
	ours = pair[0];
	theirs = pair[1];
	r = start_helper(program, verb, theirs, &pid, &pidfd, err);
	if (r < 0)
		return r;
	theirs = fb_close(theirs);
	r = talk(ours, pidfd, input, reply);
	if (r < 0)
		(void)kill(pid, SIGKILL);
	if (fb_spawn_wait(pid, &status) < 0 && r == 0)
		r = -EIO;
	if (r == -E2BIG)
		return fb_err_set(err, r, "ask '%s': its reply is over %u KiB",
				  program, HELPER_REPLY_MAX >> 10);
	if (r < 0)
		return fb_err_set(err, r, "ask '%s': %s", program,
				  strerror(-r));
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : 1;
}

int fb_auth_helper_get(const char *helper, const char *key,
		       struct fb_credential *ret, struct fb_err *err)
{
	FB_SECRET_STR struct fb_str reply = FB_STR_INIT(HELPER_REPLY_MAX);
	char program[128];
	int r;

	(void)snprintf(program, sizeof(program), "docker-credential-%s",
		       helper);
	r = run_helper(program, "get", key, &reply, err);
	if (r < 0)
		return r;
	if (r > 0 && strstr(fb_str_cstr(&reply), HELPER_NOT_FOUND))
		return fb_err_set(err, -ENOENT, "'%s' has no log-in for '%s'",
				  program, key);
	if (r > 0)
		return fb_err_set(err, -EIO, "'%s' failed", program);
	r = fb_helper_reply_parse(fb_str_cstr(&reply), reply.len, ret, err);
	return r < 0 ? fb_err_wrap(err, r, "ask '%s'", program) : 0;
}

int fb_auth_helper_change(const char *helper, const char *verb,
			  const char *input, struct fb_err *err)
{
	FB_SECRET_STR struct fb_str reply = FB_STR_INIT(HELPER_REPLY_MAX);
	char program[128];
	int r;

	(void)snprintf(program, sizeof(program), "docker-credential-%s",
		       helper);
	r = run_helper(program, verb, input, &reply, err);
	if (r > 0 && strstr(fb_str_cstr(&reply), HELPER_NOT_FOUND))
		return fb_err_set(err, -ENOENT, "'%s' has no such log-in",
				  program);
	/* what it says may quote what it was given */
	return r > 0 ? fb_err_set(err, -EIO, "'%s' failed to %s the log-in",
				  program, verb)
		     : r;
}
