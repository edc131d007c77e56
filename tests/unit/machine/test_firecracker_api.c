/* SPDX-License-Identifier: Apache-2.0 */
/* The client of Firecracker's API, and servers that answer as it does, or do not. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/path.h"
#include "machine/firecracker_api.h"
#include "tap.h"

#define NO_CONTENT                                     \
	"HTTP/1.1 204 \r\nServer: Firecracker API\r\n" \
	"Connection: keep-alive\r\n\r\n"
#define FAULT                                          \
	"HTTP/1.1 400 \r\nServer: Firecracker API\r\n" \
	"Content-Type: application/json\r\n"           \
	"Content-Length: 36\r\n\r\n"                   \
	"{\"fault_message\":\"it does\\nnot fit\"}"
#define STATE                                          \
	"HTTP/1.1 200 \r\ncontent-length: 18 \r\n\r\n" \
	"{\"state\":\"Paused\"}"

static int parse(const char *text, struct fb_firecracker_reply *ret)
{
	return fb_firecracker_reply_parse(text, strlen(text), ret, NULL);
}

static void test_parse(void)
{
	struct fb_firecracker_reply reply = { 0 };
	size_t whole = strlen(STATE), i = 0;

	TAP_INT(parse(NO_CONTENT, &reply), 1, "an answer without a body");
	TAP_OK(reply.status == 204 && !reply.body, "is 204 and nothing");
	while (i < whole &&
	       fb_firecracker_reply_parse(STATE, i, &reply, NULL) == 0)
		i++;
	TAP_INT(i, whole, "one with a body is whole with its last byte");
	TAP_INT(parse(STATE, &reply), 1, "then it is read");
	TAP_STR(json_string_value(json_object_get(reply.body, "state")),
		"Paused", "its object is there");
	json_decref(reply.body);
}

static void test_refused(void)
{
	static const char *const bad[] = {
		"hello\r\n\r\n",
		"HTTP/1.0 200 \r\n\r\n",
		"HTTP/1.1 20 \r\n\r\n",
		"HTTP/1.1 2000 \r\n\r\n",
		"HTTP/1.1 200 \r\nContent-Length: \r\n\r\n",
		"HTTP/1.1 200 \r\nContent-Length: -1\r\n\r\n",
		"HTTP/1.1 200 \r\nContent-Length: 2x\r\n\r\n{}",
		"HTTP/1.1 200 \r\nContent-Length: 2\r\n\r\n[]",
		"HTTP/1.1 200 \r\nContent-Length: 3\r\n\r\n{}}",
	};
	FB_FREE char *head = calloc(1, 10001);
	struct fb_firecracker_reply reply = { 0 };

	for (size_t i = 0; i < FB_ARRAY_SIZE(bad); i++)
		TAP_INT(parse(bad[i], &reply), -EBADMSG, "refused: %zu", i);
	TAP_INT(parse("HTTP/1.1 200 \r\nContent-Length: 262145\r\n\r\n",
		      &reply),
		-E2BIG, "more than is taken");
	TAP_INT(parse("HTTP/1.1 200 \r\nContent-Length: "
		      "99999999999999999999999\r\n\r\n",
		      &reply),
		-E2BIG, "more than a number holds");
	if (!head)
		return;
	memset(head, 'x', 10000);
	TAP_INT(parse(head, &reply), -EBADMSG, "a head without an end");
}

/* a folder with a server in it that says one thing */
struct server {
	char folder[32];
	int folder_fd;
	pid_t pid;
};

__attribute__((noreturn)) static void serve(int listener, const char *says,
					    bool stays)
{
	int fd = accept(listener, NULL, NULL);
	char request[4096];

	if (says) {
		(void)!read(fd, request, sizeof(request));
		(void)fb_write_full(fd, says, strlen(says));
	}
	while (stays)
		(void)pause();
	_exit(0);
}

static void start(struct server *s, const char *says, bool stays)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	*s = (struct server){ .folder = "/tmp/fb-api-XXXXXX" };
	if (!mkdtemp(s->folder))
		abort();
	(void)snprintf(at.sun_path, sizeof(at.sun_path), "%s/api", s->folder);
	if (bind(listener, (struct sockaddr *)&at, sizeof(at)) < 0 ||
	    listen(listener, 1) < 0)
		abort();
	s->folder_fd = open(s->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	s->pid = fork();
	if (s->pid == 0)
		serve(listener, says, stays);
	(void)close(listener);
}

static void stop(struct server *s)
{
	(void)kill(s->pid, SIGKILL);
	(void)waitpid(s->pid, NULL, 0);
	(void)close(s->folder_fd);
	(void)fb_rmtree_at(AT_FDCWD, s->folder);
}

static int ask(const struct server *s, int patience_ms, json_t **ret,
	       struct fb_err *err)
{
	const struct fb_firecracker_request request = {
		.method = "PATCH",
		.path = "/vm",
		.body = "{\"state\": \"Paused\"}",
		.patience_ms = patience_ms,
	};

	return fb_firecracker_call(s->folder_fd, &request, ret, err);
}

static void test_call(void)
{
	struct fb_err err = { 0 };
	json_t *body = NULL;
	struct server s;

	start(&s, NO_CONTENT, true);
	TAP_INT(ask(&s, 10000, &body, &err), 0, "done: %s", err.msg);
	TAP_OK(!body, "there is no object");
	stop(&s);
	start(&s, STATE, true);
	TAP_INT(ask(&s, 10000, &body, &err), 0, "answered: %s", err.msg);
	TAP_STR(json_string_value(json_object_get(body, "state")), "Paused",
		"with its object");
	json_decref(body);
	stop(&s);
	start(&s, FAULT, true);
	TAP_INT(ask(&s, 10000, NULL, &err), -EINVAL, "a fault");
	TAP_STR(err.msg, "Firecracker: it does?not fit",
		"is told in its words, on one line");
	stop(&s);
}

static void test_faults(void)
{
	struct fb_err err = { 0 };
	struct server s;

	start(&s, NULL, true);
	TAP_INT(ask(&s, 50, NULL, &err), -ETIMEDOUT, "no answer: %s", err.msg);
	TAP_OK(strstr(err.msg, "wait for its answer"), "it says so");
	stop(&s);
	start(&s, "HTTP/1.1 200 \r\nContent-Length: 20\r\n\r\n{", true);
	TAP_INT(ask(&s, 50, NULL, &err), -ETIMEDOUT, "half an answer");
	stop(&s);
	start(&s, "HTTP/1.1 200 \r\nConte", false);
	TAP_INT(ask(&s, 10000, NULL, &err), -EPIPE, "it ends: %s", err.msg);
	stop(&s);
	start(&s, "what?\r\n\r\n", true);
	TAP_INT(ask(&s, 10000, NULL, &err), -EBADMSG, "nonsense: %s", err.msg);
	stop(&s);
	start(&s, NO_CONTENT, true);
	(void)kill(s.pid, SIGKILL);
	(void)waitpid(s.pid, NULL, 0);
	TAP_INT(ask(&s, 10000, NULL, &err), -ECONNREFUSED, "gone: %s", err.msg);
	(void)unlinkat(s.folder_fd, "api", 0);
	TAP_INT(ask(&s, 10000, NULL, &err), -ENOENT, "never there: %s",
		err.msg);
	s.pid = fork();
	if (s.pid == 0)
		_exit(0);
	stop(&s);
}

int main(void)
{
	(void)signal(SIGPIPE, SIG_IGN);
	test_parse();
	test_refused();
	test_call();
	test_faults();
	return tap_done();
}
