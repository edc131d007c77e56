/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_GUEST_PROCESS_H
#define FB_GUEST_PROCESS_H

#include <stdbool.h>
#include <sys/types.h>

#include "exec.h"
#include "files.h"
#include "terminal.h"
#include "trace.h"
#include "wire/spec.h"

/**
 * struct fb_stdio - Ends of a process' streams
 * @input:  stdin; -EBADF where it is /dev/null
 * @output: stdout
 * @error:  stderr
 *
 * With a terminal all three are the terminal; on init's side @input and
 * @output are two descriptors of its master, and @error is -EBADF.
 */
struct fb_stdio {
	int input;
	int output;
	int error;
};

/**
 * struct fb_process - The entrypoint, seen from init
 * @pid:   Its pid in init's namespace
 * @pidfd: Readable when it has ended
 * @stdio: init's ends, nonblocking
 */
struct fb_process {
	pid_t pid;
	int pidfd;
	struct fb_stdio stdio;
};

/**
 * fb_process_start() - Run the entrypoint in namespaces of its own
 * @spec:   All of it (borrowed)
 * @cgroup: Folder of its control group, or -ENODATA (borrowed)
 * @trace:  Or NULL
 * @ret:    The process; written on success only
 * @ret_failure: Why it does not run, when it does not
 *
 * Returns when execve() succeeded or failed.  The new process sets its container
 * up from inside: root, mounts, files, user (container.c).
 *
 * Return: 0; negative errno with @ret_failure.
 */
int fb_process_start(const struct fb_guest_spec *spec, int cgroup,
		     struct fb_trace *trace, struct fb_process *ret,
		     struct fb_failure *ret_failure);

/** fb_process_wait() - Reap a process whose pidfd is readable. Return: waitpid()'s status */
int fb_process_wait(const struct fb_process *process);

#endif
