/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/err.h"
#include "base/filter.h"
#include "base/hash.h"
#include "base/hex.h"
#include "base/io.h"
#include "base/path.h"
#include "base/program.h"
#include "base/spawn.h"
#include "base/str.h"
#include "tap.h"

static void test_err(void)
{
	struct fb_err err = { 0 };

	TAP_INT(fb_err_set(&err, -ENOENT, "open '%s': %m", "a\nb"), -ENOENT,
		"set returns its code");
	TAP_STR(err.msg, "open 'a?b': No such file or directory",
		"one error is one line");
	TAP_INT(fb_err_wrap(&err, -ENOENT, "layer %d", 2), -ENOENT, "wrap");
	TAP_STR(err.msg, "layer 2: open 'a?b': No such file or directory",
		"wrapped from the outside in");
	fb_err_hint(&err, 0, "first");
	fb_err_hint(&err, 0, "second");
	TAP_STR(err.hint, "first", "the inner hint stays");
	TAP_INT(fb_err_set(NULL, -EIO, "x"), -EIO, "NULL is fine");
	err = (struct fb_err){ 0 };
	fb_err_wrap(&err, -ENOMEM, "grow");
	TAP_STR(err.msg, "grow: Cannot allocate memory", "callee without text");
}

static void test_str(void)
{
	FB_STR struct fb_str s = FB_STR_INIT(10);
	FB_STRV struct fb_strv v = { .max = 2 };
	FB_FREE char *taken = NULL;

	TAP_INT(fb_str_printf(&s, "%s-%d", "abc", 42), 0, "printf");
	TAP_STR(fb_str_cstr(&s), "abc-42", "contents");
	TAP_INT(fb_str_puts(&s, "12345"), -E2BIG, "over the maximum");
	TAP_INT(fb_str_putc(&s, 'x'), -E2BIG, "the failure stays");
	TAP_OK(!fb_str_take(&s), "nothing to take from a failed string");
	fb_str_truncate(&s, 3);
	taken = fb_str_take(&s);
	TAP_STR(taken, "abc", "truncate clears the failure");
	fb_strv_add(&v, "a");
	fb_strv_addf(&v, "%d", 7);
	TAP_STR(v.v[1], "7", "vector");
	TAP_INT(fb_strv_add(&v, "b"), -E2BIG, "vector over its maximum");
}

static void test_hash(void)
{
	uint8_t sum[32], back[32];
	char text[65];

	fb_sha256("abc", 3, sum);
	fb_hex_encode(sum, 32, text);
	TAP_STR(text,
		"ba7816bf8f01cfea414140de5dae2223"
		"b00361a396177a9cb410ff61f20015ad",
		"SHA-256 of abc (FIPS 180-2)");
	TAP_OK(fb_hex_decode(text, 32, back) == 0 && !memcmp(sum, back, 32),
	       "hex there and back");
	text[5] = 'A';
	TAP_INT(fb_hex_decode(text, 32, back), -EINVAL, "upper case refused");
}

static void test_files(const char *dir)
{
	FB_FD int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	FB_FREE char *data = NULL;
	FB_FREE char *deep = fb_path_join(dir, "/x/y/z");
	size_t len = 0;
	int r;

	TAP_INT(fb_write_file_at(fd, "f", "hello", 5, 0600), 0, "write");
	TAP_INT(fb_replace_file_at(fd, "f", "bye", 3, 0600), 0, "replace");
	TAP_INT(fb_read_file_at(fd, "f", 3, &data, &len), 0, "read");
	TAP_STR(data, "bye", "contents");
	free(FB_TAKE_PTR(data));
	TAP_INT(fb_read_file_at(fd, "f", 2, &data, &len), -EFBIG, "maximum");
	TAP_INT(fb_mkdirs(deep, 0700, NULL), 0, "mkdirs");
	TAP_INT(symlinkat("/etc", fd, "out"), 0, "a link that leads out");
	r = fb_open_beneath(fd, "out/passwd", O_RDONLY, 0);
	TAP_INT(r, -EXDEV, "a link out is refused");
	TAP_INT(fb_open_beneath(fd, "../x", O_RDONLY, 0), -EXDEV, "dotdot");
	TAP_INT(fb_rmdir_patiently(deep), 0, "remove a folder");
	TAP_INT(fb_rmdir_patiently(deep), 0, "one that is gone");
	TAP_INT(fb_rmdir_patiently(dir), -ENOTEMPTY, "not one that is full");
	TAP_INT(fb_rmtree_at(fd, "x"), 0, "remove a tree");
	TAP_INT(faccessat(fd, "x", F_OK, 0), -1, "it is gone");
	TAP_INT(fb_rmtree_at(fd, "out"), 0, "remove a link");
	TAP_INT(access("/etc/passwd", F_OK), 0, "its target is not touched");
}

static int refuse(void *ctx)
{
	(void)ctx;
	return -EACCES;
}

static void test_spawn(void)
{
	char *const argv[] = { (char[]){ "sh" }, (char[]){ "-c" },
			       (char[]){ "ls /proc/self/fd | wc -l >&7" },
			       NULL };
	int p[2], status = -1, extra = open("/dev/null", O_RDONLY);
	struct fb_err err = { 0 };
	char out[16] = "";
	pid_t pid = -1;

	TAP_INT(pipe2(p, O_CLOEXEC), 0, "pipe");
	struct fb_spawn_fd fds[] = { { p[1], 7 } };
	struct fb_spawn spec = { .path = "sh",
				 .argv = argv,
				 .fds = fds,
				 .fd_count = 1,
				 .die_with_parent = 1 };
	TAP_INT(fb_spawn(&spec, &pid, NULL, &err), 0, "spawn: %s", err.msg);
	close(p[1]);
	TAP_OK(fb_read_full(p[0], out, sizeof(out) - 1) > 0, "output on 7");
	TAP_STR(out, "5\n", "the child has 0, 1, 2, 7 and ls' own, no other");
	fb_spawn_wait(pid, &status);
	TAP_INT(status, 0, "status");
	spec.path = "/nonexistent/program";
	TAP_INT(fb_spawn(&spec, &pid, NULL, &err), -ENOENT, "no such program");
	spec.path = "sh";
	spec.fd_count = 0;
	spec.prepare = refuse;
	TAP_INT(fb_spawn(&spec, &pid, NULL, &err), -EACCES, "hook refuses");
	TAP_OK(strstr(err.msg, "sandbox: Permission denied"), "%s", err.msg);
	close(p[0]);
	close(extra);
}

static void write_script(const char *text)
{
	if (fb_write_file_at(AT_FDCWD, "script", text, strlen(text), 0700) < 0)
		abort();
}

static void test_program(const char *dir)
{
	struct fb_err err = { 0 };
	char out[32], head[80];
	int self;

	if (chdir(dir) < 0)
		abort();
	write_script("#!/bin/sh\necho \"v1 $1\"\necho no >&2\nexit 3\n");
	TAP_INT(fb_program_ask("./script", "--version", out, sizeof(out), &err),
		0, "ask a program: %s", err.msg);
	TAP_STR(out, "v1 --version\n", "it was asked this, and said that");
	write_script("#!/bin/sh\nexec yes\n");
	TAP_INT(fb_program_ask("./script", "x", out, 6, &err), 0,
		"one that does not stop");
	TAP_STR(out, "y\ny\ny", "the beginning of it");
	TAP_INT(fb_program_ask("./none", "x", out, sizeof(out), &err), -ENOENT,
		"no such program");
	TAP_STR(out, "", "which says nothing");
	TAP_INT(fb_program_needs_libraries("/proc/self/exe"), 1,
		"this program needs libraries");
	write_script(
		"#!/bin/sh\n# longer than an ELF head, so that it is not "
		"only short: 64 bytes and more\n");
	TAP_INT(fb_program_needs_libraries("script"), -ENOEXEC, "a script");
	TAP_INT(fb_program_needs_libraries("none"), -ENOENT, "no file");
	self = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	(void)fb_pread_full(self, head, sizeof(head), 0);
	close(self);
	if (fb_write_file_at(AT_FDCWD, "cut", head, sizeof(head), 0600) < 0)
		abort();
	TAP_INT(fb_program_needs_libraries("cut"), -ENOEXEC, "a cut program");
	if (chdir("/") < 0)
		abort();
}

static void *nothing(void *arg)
{
	return arg;
}

/* Return: 1 threads, 2 processes, 4 what is denied, 8 what is not: what still works */
static int what_works(bool threads)
{
	const unsigned int denied[] = { SYS_getppid };
	int works = 0;
	pthread_t thread;
	pid_t pid;

	if (fb_filter_calls(denied, 1, threads) < 0)
		return 64;
	if (pthread_create(&thread, NULL, nothing, NULL) == 0)
		works |= 1;
	pid = (pid_t)syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);
	if (pid == 0)
		_exit(0);
	if (pid > 0)
		works |= 2;
	if (syscall(SYS_getppid) >= 0)
		works |= 4;
	if (syscall(SYS_getpid) >= 0)
		works |= 8;
	return works;
}

static void test_filter(void)
{
	int status;

	for (int threads = 0; threads < 2; threads++) {
		pid_t pid = fork();

		if (pid == 0)
			_exit(what_works(threads));
		(void)waitpid(pid, &status, 0);
		TAP_OK(WIFEXITED(status) &&
			       WEXITSTATUS(status) == (threads ? 9 : 8),
		       "a filter with%s threads: %x", threads ? "" : "out",
		       status);
	}
	TAP_INT(fb_filter_calls(NULL, FB_FILTER_CALLS_MAX + 1, true), -E2BIG,
		"too long a list");
}

int main(void)
{
	char dir[] = "/tmp/fb-test-base.XXXXXX";

	test_err();
	test_str();
	test_hash();
	if (TAP_OK(mkdtemp(dir) != NULL, "temporary directory"))
		test_files(dir);
	test_program(dir);
	fb_rmtree_at(AT_FDCWD, dir);
	test_spawn();
	test_filter();
	return tap_done();
}
