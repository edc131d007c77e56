/* SPDX-License-Identifier: Apache-2.0 */
#include "exec.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* Up to here the usual stack limit (8 MiB, a quarter of it) is enough */
#define ARGS_USUAL (2097152u - 262144u)
/* What Linux takes at most, and the stack limit that allows it */
#define ARGS_STACK 33554432u

int fb_failure_set(struct fb_failure *f, enum fb_guest_exit_kind kind, int code,
		   const char *fmt, ...)
{
	va_list ap;

	f->record = (struct fb_guest_exit){ .kind = (uint16_t)kind,
					    .value = (uint32_t)-code };
	errno = -code; /* for %m */
	va_start(ap, fmt);
	(void)vsnprintf(f->text, sizeof(f->text), fmt, ap);
	va_end(ap);
	return code;
}

static const char *search_path(char *const *envp)
{
	for (; *envp; envp++)
		if (strncmp(*envp, "PATH=", 5) == 0)
			return *envp + 5;
	return "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
}

static bool is_program(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && !S_ISDIR(st.st_mode) &&
	       access(path, X_OK) == 0;
}

/* Return: 0 with the program's path; -ENOENT */
static int find_in_path(const char *name, char *const *envp,
			char path[PATH_MAX])
{
	const char *p = search_path(envp);
	size_t len;
	int n;

	for (;; p += len + 1) {
		len = strcspn(p, ":");
		n = snprintf(path, PATH_MAX, "%.*s/%s", len ? (int)len : 1,
			     len ? p : ".", name);
		if (n > 0 && n < PATH_MAX && is_program(path))
			return 0;
		if (!p[len])
			return -ENOENT;
	}
}

/* docker looks before it leaps, and words what it sees */
static int check_path(const char *path, struct fb_failure *ret)
{
	struct stat st;

	if (stat(path, &st) < 0) {
		int code = -errno;

		return fb_failure_set(ret,
				      code == -EACCES ? FB_GUEST_NOT_EXEC
						      : FB_GUEST_NOT_FOUND,
				      code, "exec: \"%s\": stat %s: %s", path,
				      path,
				      code == -ENOENT
					      ? "no such file or directory"
					      : strerror(-code));
	}
	if (S_ISDIR(st.st_mode))
		return fb_failure_set(ret, FB_GUEST_NOT_EXEC, -EISDIR,
				      "exec: \"%s\": is a directory", path);
	if (access(path, X_OK) < 0)
		return fb_failure_set(ret, FB_GUEST_NOT_EXEC, -EACCES,
				      "exec: \"%s\": permission denied", path);
	return 0;
}

static size_t vector_size(char *const *v)
{
	size_t size = 0;

	for (; *v; v++)
		size += strlen(*v) + 1 + sizeof(*v);
	return size;
}

/* The kernel lets arguments have a quarter of the stack's soft limit */
static void make_room(char *const *argv, char *const *envp)
{
	struct rlimit limit;

	if (vector_size(argv) + vector_size(envp) < ARGS_USUAL ||
	    getrlimit(RLIMIT_STACK, &limit) < 0 || limit.rlim_cur >= ARGS_STACK)
		return;
	limit.rlim_cur =
		limit.rlim_max < ARGS_STACK ? limit.rlim_max : ARGS_STACK;
	(void)setrlimit(RLIMIT_STACK, &limit);
}

static const char *reason(int code)
{
	switch (code) {
	case -ENOENT: /* the interpreter that it names */
		return "no such file or directory";
	case -ENOEXEC:
		return "exec format error";
	case -E2BIG:
		return "argument list too long";
	case -EACCES:
		return "permission denied";
	default:
		return strerror(-code);
	}
}

int fb_exec(char *const *argv, char *const *envp, struct fb_failure *ret)
{
	char found[PATH_MAX];
	const char *path = argv[0];
	int r;

	if (!path[0])
		return fb_failure_set(ret, FB_GUEST_NOT_FOUND, -ENOENT,
				      "exec: \"\": executable file not found "
				      "in $PATH");
	if (strchr(path, '/')) {
		r = check_path(path, ret);
		if (r < 0)
			return r;
	} else if (find_in_path(path, envp, found) < 0) {
		return fb_failure_set(ret, FB_GUEST_NOT_FOUND, -ENOENT,
				      "exec: \"%s\": executable file not "
				      "found in $PATH",
				      path);
	} else {
		path = found;
	}
	make_room(argv, envp);
	(void)execve(path, argv, envp);
	r = -errno;
	return fb_failure_set(
		ret, r == -ENOENT ? FB_GUEST_NOT_FOUND : FB_GUEST_NOT_EXEC, r,
		"exec %s: %s", path, reason(r));
}
