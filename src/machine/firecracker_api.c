/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Theory of operation.  A connection a request.  Everything is bounded: the time for
 * the whole of it, the bytes of the answer, its nesting.  A guest that took Firecracker
 * over can answer what it likes, and gains nothing by it but an error.
 *
 * The socket is reached through the folder's descriptor, so that its path fits an
 * address wherever the state lies.
 */
#include "machine/firecracker_api.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/io.h"
#include "base/str.h"
#include "machine/firecracker.h"
#include "oci/json.h"

#define HEAD_MAX 8192
#define REQUEST_MAX 65536
#define STATUS_LINE "HTTP/1.1 "

/* Return: the line's value where it is header @name, otherwise NULL */
static const char *header_value(const char *line, size_t len, const char *name)
{
	size_t n = strlen(name);

	if (len <= n || line[n] != ':' || strncasecmp(line, name, n) != 0)
		return NULL;
	line += n + 1;
	return line + strspn(line, " \t");
}

/* @head is NUL-terminated. Return: 0; -EBADMSG; -E2BIG */
static int read_length(const char *head, size_t *ret, struct fb_err *err)
{
	const char *line = head, *value;
	unsigned long long n;
	char *end;

	*ret = 0;
	while ((line = strstr(line, "\r\n"))) {
		line += 2;
		value = header_value(line, strcspn(line, "\r"),
				     "Content-Length");
		if (!value)
			continue;
		errno = 0;
		n = strtoull(value, &end, 10);
		if (value[0] < '0' || value[0] > '9' ||
		    strspn(end, " \t") != strcspn(end, "\r"))
			return fb_err_set(err, -EBADMSG,
					  "the answer's length is no number");
		if (errno || n > FB_FIRECRACKER_REPLY_MAX)
			return fb_err_set(err, -E2BIG,
					  "the answer is too long");
		*ret = (size_t)n;
	}
	return 0;
}

static int read_status(const char *head, unsigned int *ret, struct fb_err *err)
{
	const char *at = head + strlen(STATUS_LINE);

	if (strncmp(head, STATUS_LINE, strlen(STATUS_LINE)) != 0 ||
	    strspn(at, "0123456789") != 3 || (at[3] != ' ' && at[3] != '\r'))
		return fb_err_set(err, -EBADMSG, "that is no answer of an API");
	*ret = (unsigned int)atoi(at);
	return 0;
}

/* Return: bytes of the head with its empty line; 0 it is not whole; -EBADMSG */
static ssize_t find_head(const char *bytes, size_t len, struct fb_err *err)
{
	const char *end = memmem(bytes, len, "\r\n\r\n", 4);
	size_t n = end ? (size_t)(end - bytes) + 4 : len;

	if (n > HEAD_MAX || memchr(bytes, '\0', n))
		return fb_err_set(err, -EBADMSG, "that is no answer of an API");
	return end ? (ssize_t)n : 0;
}

int fb_firecracker_reply_parse(const char *bytes, size_t len,
			       struct fb_firecracker_reply *ret,
			       struct fb_err *err)
{
	struct fb_firecracker_reply reply = { 0 };
	ssize_t head_len = find_head(bytes, len, err);
	FB_FREE char *head = NULL;
	size_t body_len = 0;
	int r;

	if (head_len <= 0)
		return (int)head_len;
	head = strndup(bytes, (size_t)head_len);
	if (!head)
		return fb_err_set(err, -ENOMEM, "read the answer: %m");
	r = read_status(head, &reply.status, err);
	if (r == 0)
		r = read_length(head, &body_len, err);
	if (r < 0)
		return r;
	if (len - (size_t)head_len < body_len)
		return 0;
	if (body_len > 0)
		r = fb_json_load(bytes + head_len, body_len, "answer",
				 &reply.body, err);
	if (r < 0)
		return r;
	*ret = reply;
	return 1;
}

static int left_ms(uint64_t until_ms)
{
	uint64_t now = fb_now_ms();

	return until_ms > now ? (int)(until_ms - now) : 0;
}

/* Return: 0 it is ready; -ETIMEDOUT; a negative errno */
static int await(int fd, short events, uint64_t until_ms)
{
	struct pollfd p = { .fd = fd, .events = events };
	int r;

	do {
		r = poll(&p, 1, left_ms(until_ms));
	} while (r < 0 && errno == EINTR);
	if (r < 0)
		return -errno;
	return r == 0 ? -ETIMEDOUT : 0;
}

/* a queue that is full is waited for, which poll() can't do */
static int connect_api(int folder_fd, int patience_ms, int *ret)
{
	FB_FD int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	const struct timeval patience = {
		.tv_sec = patience_ms / 1000,
		.tv_usec = (patience_ms % 1000) * 1000 + 1,
	};
	int r;

	(void)snprintf(at.sun_path, sizeof(at.sun_path),
		       "/proc/self/fd/%d/" FB_FIRECRACKER_API, folder_fd);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience,
				 sizeof(patience)) < 0)
		return -errno;
	if (connect(fd, (const struct sockaddr *)&at, sizeof(at)) < 0)
		return errno == EAGAIN ? -ETIMEDOUT : -errno;
	r = fb_set_nonblock(fd, true);
	if (r == 0)
		*ret = FB_TAKE_FD(fd);
	return r;
}

static int send_all(int fd, const char *bytes, size_t len, uint64_t until_ms)
{
	ssize_t n;
	int r = 0;

	while (len > 0 && r == 0) {
		n = send(fd, bytes, len, MSG_NOSIGNAL);
		if (n > 0) {
			bytes += n;
			len -= (size_t)n;
		} else if (errno == EAGAIN) {
			r = await(fd, POLLOUT, until_ms);
		} else if (errno != EINTR) {
			r = -errno;
		}
	}
	return r;
}

static int receive(int fd, uint64_t until_ms, struct fb_firecracker_reply *ret,
		   struct fb_err *err)
{
	FB_STR struct fb_str bytes = FB_STR_INIT(FB_FIRECRACKER_REPLY_MAX);
	char piece[4096];
	ssize_t n;
	int r;

	for (;;) {
		r = await(fd, POLLIN, until_ms);
		if (r < 0)
			return fb_err_set(err, r, "wait for its answer: %m");
		n = recv(fd, piece, sizeof(piece), 0);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			continue;
		if (n <= 0)
			return fb_err_set(err, n < 0 ? -errno : -EPIPE,
					  "it ended before it answered");
		if (fb_str_append(&bytes, piece, (size_t)n) < 0)
			return fb_err_set(err, bytes.err,
					  "read its answer: %m");
		r = fb_firecracker_reply_parse(bytes.buf, bytes.len, ret, err);
		if (r != 0)
			return r < 0 ? r : 0;
	}
}

/* a refusal becomes an error, in its words */
static int judge(const struct fb_firecracker_reply *reply, struct fb_err *err)
{
	const char *fault = NULL;

	if (reply->status / 100 == 2)
		return 0;
	if (reply->body)
		(void)fb_json_string(reply->body, "fault_message", &fault,
				     NULL);
	if (fault && fault[0])
		return fb_err_set(err, -EINVAL, "%s", fault);
	return fb_err_set(err, -EINVAL, "status %u", reply->status);
}

static int ask(int folder_fd, const struct fb_firecracker_request *request,
	       struct fb_firecracker_reply *ret, struct fb_err *err)
{
	FB_STR struct fb_str text = FB_STR_INIT(REQUEST_MAX);
	uint64_t until_ms = fb_now_ms() + (uint64_t)request->patience_ms;
	FB_FD int fd = -EBADF;
	int r = connect_api(folder_fd, request->patience_ms, &fd);

	if (r < 0)
		return fb_err_set(err, r, "connect to its API: %m");
	fb_str_printf(&text, "%s %s HTTP/1.1\r\nHost: localhost\r\n",
		      request->method, request->path);
	if (request->body)
		fb_str_printf(&text,
			      "Content-Type: application/json\r\n"
			      "Content-Length: %zu\r\n\r\n%s",
			      strlen(request->body), request->body);
	else
		fb_str_puts(&text, "\r\n");
	r = text.err ? text.err : send_all(fd, text.buf, text.len, until_ms);
	if (r < 0)
		return fb_err_set(err, r, "send a request: %m");
	return receive(fd, until_ms, ret, err);
}

int fb_firecracker_call(int folder_fd,
			const struct fb_firecracker_request *request,
			json_t **ret, struct fb_err *err)
{
	struct fb_firecracker_reply reply = { 0 };
	int r = ask(folder_fd, request, &reply, err);

	if (r == 0)
		r = judge(&reply, err);
	if (r == 0 && ret)
		*ret = FB_TAKE_PTR(reply.body);
	json_decref(reply.body);
	return r < 0 ? fb_err_wrap(err, r, "Firecracker") : 0;
}
