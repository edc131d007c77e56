/* SPDX-License-Identifier: Apache-2.0 */
/* What a process of a plan can still reach, seen by programs that try. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "machine/plan.h"
#include "machine/sandbox.h"
#include "tap.h"

static char folder[] = "/tmp/fb-test-sandbox-XXXXXX";
static const char *const system_paths[] = { "/usr", "/lib", "/lib64", "/bin",
					    "/etc/ld.so.cache" };

/* Return: exit status of a shell that ran @script in @p's place, 255 = none */
static int run(struct fb_plan_process *p, const char *script)
{
	int status = -1, pidfd = -EBADF;
	struct fb_err err = { 0 };
	pid_t pid;

	fb_strv_release(&p->argv);
	(void)fb_strv_add(&p->argv, "sh");
	(void)fb_strv_add(&p->argv, "-c");
	(void)fb_strv_add(&p->argv, script);
	if (fb_plan_spawn(p, &pid, &pidfd, &err) < 0) {
		printf("# %s\n", err.msg);
		return 255;
	}
	(void)fb_spawn_wait(pid, &status);
	(void)fb_close(pidfd);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

static struct fb_plan_process *add_shell(struct fb_plan *plan, bool closed)
{
	struct fb_plan_process *p =
		fb_plan_add_process(plan, "shell", "/bin/sh");

	if (!p)
		abort();
	for (size_t i = 0; closed && i < FB_ARRAY_SIZE(system_paths); i++)
		(void)fb_strv_add(&p->readable, system_paths[i]);
	return p;
}

static void test_open(void)
{
	FB_PLAN struct fb_plan plan = { 0 };
	struct fb_plan_process *p = add_shell(&plan, false);

	TAP_INT(run(p, "read x < secret && [ $x = secret ]"), 0,
		"without paths nothing is closed");
	TAP_INT(run(p, ": > made && rm made"), 0, "nor for writing");
}

static void test_closed(void)
{
	FB_PLAN struct fb_plan plan = { 0 };
	struct fb_plan_process *p = add_shell(&plan, true);
	int fd;

	TAP_INT(run(p, "exit 7"), 7, "a program runs inside");
	TAP_OK(run(p, "read x < secret") != 0, "a file can't be read");
	TAP_OK(run(p, "cat secret 2> /dev/null") != 0, "nor by its children");
	TAP_OK(run(p, "echo x > secret") != 0, "nor be written");
	TAP_OK(run(p, ": > new") != 0, "none can be made");
	TAP_OK(run(p, "rm -f secret") != 0, "none can be removed");
	TAP_OK(run(p, "ls / > /dev/null") != 0, "the root can't be listed");
	TAP_OK(run(p, "./secret.sh") != 0, "what lies elsewhere can't be run");
	fd = open("secret", O_RDONLY | O_CLOEXEC);
	p->fds[p->fd_count++] = (struct fb_spawn_fd){ fd, 0 };
	TAP_INT(run(p, "read x && [ $x = secret ]"), 0,
		"what it was given open stays open");
	(void)fb_close(fd);
}

static void test_writable(void)
{
	FB_PLAN struct fb_plan plan = { 0 };
	struct fb_plan_process *p = add_shell(&plan, true);

	(void)fb_strv_addf(&p->writable, "%s/log", folder);
	(void)fb_strv_addf(&p->writable, "%s/missing", folder);
	TAP_INT(run(p, "echo x > log"), 0, "a writable path is that");
	TAP_OK(run(p, "echo x > secret") != 0, "and only that");
	TAP_OK(run(p, ": > missing") != 0, "a missing one is passed over");
}

static void test_ids(void)
{
	FB_PLAN struct fb_plan plan = { 0 };
	struct fb_plan_process *p = add_shell(&plan, false);

	if (geteuid() != 0) {
		tap_skip("only root can give its ids up");
		return;
	}
	p->drop_ids = true;
	p->uid = 0x46420001;
	p->gid = 0x46420002;
	TAP_INT(run(p,
		    "[ $(id -u) = 1178730497 ] && [ $(id -g) = 1178730498 ]"
		    " && [ $(id -G) = 1178730498 ]"),
		0, "it has the ids that the plan says and no groups");
	TAP_OK(run(p, "read x < secret") != 0, "and so can't read our files");
}

/* Return: a listening socket on loopback, and its port */
static int listen_somewhere(unsigned int *ret_port)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t len = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&address, len) < 0 ||
	    listen(fd, 8) < 0 ||
	    getsockname(fd, (struct sockaddr *)&address, &len) < 0)
		abort();
	*ret_port = ntohs(address.sin_port);
	return fd;
}

static void test_network(void)
{
	FB_PLAN struct fb_plan plan = { 0 };
	struct fb_plan_process *p = add_shell(&plan, true);
	FB_FD int listener = -EBADF;
	unsigned int port;
	char script[96];

	if (fb_sandbox_version() < 4 || access("/bin/bash", X_OK) < 0) {
		tap_skip("this kernel's Landlock knows no network");
		return;
	}
	listener = listen_somewhere(&port);
	(void)snprintf(script, sizeof(script),
		       "exec /bin/bash -c ': < /dev/tcp/127.0.0.1/%u' "
		       "2> /dev/null",
		       port);
	(void)fb_strv_add(&p->writable, "/dev/null");
	TAP_OK(run(p, script) != 0, "it can't connect to the host");
	p->network = true;
	TAP_INT(run(p, script), 0, "unless the plan says so");
}

/* nothing of our environment reaches a process of the plan */
static void test_environment(void)
{
	FB_PLAN struct fb_plan plan = { 0 };
	struct fb_plan_process *p = add_shell(&plan, false);

	(void)setenv("FB_TEST_SECRET", "x", 1);
	TAP_INT(run(p, "[ -z \"$FB_TEST_SECRET\" ]"), 0,
		"the environment is not inherited");
}

/* for VMMs without a filter: the program runs, and makes no process */
static void test_filter(void)
{
	FB_PLAN struct fb_plan plan = { 0 };
	struct fb_plan_process *p = add_shell(&plan, false);

	TAP_INT(run(p, "(exit 3); [ $? = 3 ]"), 0, "a shell makes processes");
	p->filter = true;
	TAP_INT(run(p, "exit 3"), 3, "with the filter it runs");
	TAP_INT(run(p, "(exit 3) 2>/dev/null; [ $? = 3 ] || exit 4"), 2,
		"and makes none");
	TAP_INT(run(p, "exec unshare -U true 2>/dev/null"), 1,
		"nor a namespace, in whatever it becomes");
	TAP_INT(run(p, "exec grep -q '^NoNewPrivs:.1' /proc/self/status"), 0,
		"it gains no rights");
}

int main(void)
{
	if (!mkdtemp(folder) || chmod(folder, 0755) < 0 || chdir(folder) < 0)
		return 2;
	(void)fb_write_file_at(AT_FDCWD, "secret", "secret\n", 7, 0600);
	(void)fb_write_file_at(AT_FDCWD, "secret.sh", "#!/bin/sh\n", 10, 0755);
	(void)fb_write_file_at(AT_FDCWD, "log", "", 0, 0600);
	test_open();
	test_ids();
	test_environment();
	test_filter();
	if (fb_sandbox_available()) {
		test_closed();
		test_writable();
		test_network();
	} else {
		tap_skip("this kernel has no Landlock, or it is not enabled");
	}
	(void)unlink("secret");
	(void)unlink("secret.sh");
	(void)unlink("log");
	(void)rmdir(folder);
	return tap_done();
}
