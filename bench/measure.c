/* SPDX-License-Identifier: Apache-2.0 */
/*
 * measure COMMAND : runs it by /bin/sh, its output thrown away, and prints wall time and
 * CPU time in seconds, peak RSS of its largest process in KiB, and its wait status.
 *
 * A process begins with the memory of the one that forks it, and the kernel counts
 * that as its peak: so a small program does this, not the script that compares.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double seconds(struct timeval t)
{
	return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

static void start(char *command) __attribute__((noreturn));

static void start(char *command)
{
	char *const argv[] = { (char[]){ "sh" }, (char[]){ "-ec" }, command,
			       NULL };
	int null = open("/dev/null", O_RDWR);

	if (null >= 0 && dup2(null, STDIN_FILENO) >= 0 &&
	    dup2(null, STDOUT_FILENO) >= 0)
		(void)execv("/bin/sh", argv);
	_exit(127);
}

int main(int argc, char **argv)
{
	struct timespec before, after;
	struct rusage usage;
	int status = 0;
	pid_t pid;

	if (argc != 2) {
		(void)fputs("usage: measure COMMAND\n", stderr);
		return 2;
	}
	(void)clock_gettime(CLOCK_MONOTONIC, &before);
	pid = fork();
	if (pid == 0)
		start(argv[1]);
	if (pid < 0 || wait4(pid, &status, 0, &usage) < 0) {
		(void)fprintf(stderr, "measure: %s\n", strerror(errno));
		return 1;
	}
	(void)clock_gettime(CLOCK_MONOTONIC, &after);
	(void)printf("%.6f %.6f %ld %d\n",
		     (double)(after.tv_sec - before.tv_sec) +
			     (double)(after.tv_nsec - before.tv_nsec) / 1e9,
		     seconds(usage.ru_utime) + seconds(usage.ru_stime),
		     usage.ru_maxrss, status);
	return 0;
}
