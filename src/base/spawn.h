/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Starting another program with exactly the descriptors it is given.
 */
#ifndef FB_BASE_SPAWN_H
#define FB_BASE_SPAWN_H

#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"

/**
 * struct fb_spawn_fd - One descriptor that the child gets
 * @from: Ours (borrowed)
 * @to:   Its number in the child, 0 … 511, each at most once
 */
struct fb_spawn_fd {
	int from;
	int to;
};

/**
 * struct fb_spawn - What to start, and as whom
 * @path:      Program; without a slash it is looked up in PATH
 * @argv:      NULL-terminated (borrowed)
 * @envp:      NULL-terminated (borrowed); NULL = ours
 * @fds:       Descriptors that the child gets; 0, 1, 2 not named here are
 *             /dev/null; every other descriptor is closed
 * @fd_count:  Of @fds, at most 64
 * @namespaces: Descriptors of namespaces that the child joins first (borrowed)
 * @namespace_count: Of @namespaces
 * @new_pid_namespace: The child is the first process of a PID namespace of its own,
 *             which ends with it; takes root's rights
 * @die_with_parent: Deliver SIGKILL to the child when we end
 * @new_session: setsid() in the child
 * @drop_ids:  setgroups(0), setgid(@gid), setuid(@uid) before exec
 * @prepare:   Called last in the child before exec, async-signal-safe calls
 *             only (Landlock, rlimits); 0, or a negative errno that aborts
 * @prepare_ctx: Passed to @prepare
 */
struct fb_spawn {
	const char *path;
	char *const *argv;
	char *const *envp;
	const struct fb_spawn_fd *fds;
	size_t fd_count;
	const int *namespaces;
	size_t namespace_count;
	int new_pid_namespace;
	int die_with_parent;
	int new_session;
	int drop_ids;
	uid_t uid;
	gid_t gid;
	int (*prepare)(void *ctx);
	void *prepare_ctx;
};

/**
 * fb_spawn() - Start a program
 * @spec:      What to start (borrowed)
 * @ret_pid:   Its pid; the caller reaps it
 * @ret_pidfd: pidfd (returned), readable when it has ended; may be NULL
 *
 * Returns when exec has succeeded or failed, so a missing program is an error
 * here, not an exit status later.  The signal mask and every disposition are
 * the default ones in the child.
 *
 * Return: 0; -ENOENT no such program; another negative errno.
 */
int fb_spawn(const struct fb_spawn *spec, pid_t *ret_pid, int *ret_pidfd,
	     struct fb_err *err);

/**
 * fb_spawn_wait() - Wait for a child's end
 * @pid:        Child
 * @ret_status: As waitpid() gives it
 *
 * Return: 0 or a negative errno.
 */
int fb_spawn_wait(pid_t pid, int *ret_status);

/**
 * fb_find_program() - Look a program up in PATH
 * @name: Program name; one with a slash is only checked
 *
 * Return: malloc'ed path (returned); NULL where there is no executable.
 */
char *fb_find_program(const char *name);

#endif
