/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tests run in a container where a shell cannot: `probe VERB`.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile sig_atomic_t resized;

static void on_resize(int signo)
{
	(void)signo;
	resized = 1;
}

static void print_size(void)
{
	struct winsize ws = { 0 };

	(void)ioctl(0, TIOCGWINSZ, &ws);
	printf("size %u %u\n", ws.ws_row, ws.ws_col);
	(void)fflush(stdout);
}

/* Every argument, exactly: length and a checksum */
static int args(int argc, char **argv)
{
	unsigned long sum = 0, len = 0;

	for (int i = 2; i < argc; i++)
		for (const char *p = argv[i]; *p; p++, len++)
			sum = sum * 31 + (unsigned char)*p;
	printf("%d %lu %lu\n", argc - 2, len, sum);
	return 0;
}

static int window_size(void)
{
	(void)signal(SIGWINCH, on_resize);
	print_size();
	while (!resized)
		(void)usleep(1000);
	print_size();
	return isatty(0) && isatty(1) && isatty(2) ? 0 : 9;
}

/* Takes all memory in a child, and says how the child ended */
static int oom(void)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		for (;;) {
			void *p =
				mmap(NULL, 1 << 22, PROT_READ | PROT_WRITE,
				     MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE,
				     -1, 0);
			if (p == MAP_FAILED)
				_exit(3);
		}
	}
	(void)waitpid(pid, &status, 0);
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : 1;
}

/* A grandchild in a session of its own keeps stdout; the parent ends */
static int orphan(void)
{
	if (fork() == 0) {
		(void)setsid();
		if (fork() == 0)
			for (;;)
				(void)pause();
		_exit(0);
	}
	(void)wait(NULL);
	printf("leaving\n");
	return 7;
}

/* Ends a grandchild whose parent is gone, and looks whether somebody reaps it */
static int zombie(void)
{
	char path[64];
	int ends[2];
	pid_t pid = 0;

	if (pipe(ends) < 0)
		return 1;
	if (fork() == 0) {
		pid = fork();
		if (pid == 0) {
			while (getppid() != 1)
				(void)usleep(1000);
			_exit(0);
		}
		(void)!write(ends[1], &pid, sizeof(pid));
		_exit(0);
	}
	(void)wait(NULL);
	(void)!read(ends[0], &pid, sizeof(pid));
	(void)snprintf(path, sizeof(path), "/proc/%d", pid);
	for (int i = 0; i < 3000 && access(path, F_OK) == 0; i++)
		(void)usleep(1000);
	printf("%s\n", access(path, F_OK) == 0 ? "zombie" : "reaped");
	return 0;
}

/* Writes until SIGPIPE ends it; with a handler, until EPIPE */
static int flood(void)
{
	static char bytes[65536];

	while (write(1, bytes, sizeof(bytes)) > 0)
		;
	return errno == EPIPE ? 32 : 1;
}

/* Half of the pages are moved, half copied: many small and many large writes */
static int mixed(void)
{
	static char bytes[100000];
	int fd = open("/pattern", O_RDONLY);
	ssize_t n, at, piece;

	for (int i = 0; (n = read(fd, bytes, sizeof(bytes))) > 0; i++)
		for (at = 0; at < n; at += piece) {
			piece = i % 3 == 0 ? 777 : i % 3 == 1 ? 5000 : n;
			if (piece > n - at)
				piece = n - at;
			if (write(1, bytes + at, (size_t)piece) != piece)
				return 1;
		}
	return 0;
}

static int stat_words(void)
{
	struct stat st;

	printf("uid %u gid %u", getuid(), getgid());
	printf(" null %s", stat("/dev/null", &st) == 0 ? "there" : "missing");
	printf(" cgroup %s\n", access("/sys/fs/cgroup/cgroup.procs", F_OK) == 0
				       ? "there"
				       : "missing");
	return 0;
}

int main(int argc, char **argv)
{
	const char *verb = argc > 1 ? argv[1] : "stat";

	if (!strcmp(verb, "args"))
		return args(argc, argv);
	if (!strcmp(verb, "size"))
		return window_size();
	if (!strcmp(verb, "oom"))
		return oom();
	if (!strcmp(verb, "orphan"))
		return orphan();
	if (!strcmp(verb, "zombie"))
		return zombie();
	if (!strcmp(verb, "flood"))
		return flood();
	if (!strcmp(verb, "mixed"))
		return mixed();
	return stat_words();
}
