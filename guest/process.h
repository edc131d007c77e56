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
 * @go:    Where it is told to go on
 * @report: Where it says why it did not
 * @stdio: init's ends, nonblocking
 */
struct fb_process {
	pid_t pid;
	int pidfd;
	int go;
	int report;
	struct fb_stdio stdio;
};

/**
 * fb_process_start() - Begin to make the container, in namespaces of its own
 * @spec:   All of it (borrowed)
 * @cgroup: Folder of its control group, or -ENODATA (borrowed)
 * @trace:  Or NULL
 * @ret:    The process; written on success only; fb_process_go() must follow
 * @ret_failure: Why it does not run, when it does not
 *
 * The new process sets its container up from inside: root, mounts, files, user
 * (container.c), on another processor where there is one, and then waits.
 *
 * Return: 0; negative errno with @ret_failure.
 */
int fb_process_start(const struct fb_guest_spec *spec, int cgroup,
		     struct fb_trace *trace, struct fb_process *ret,
		     struct fb_failure *ret_failure);

/**
 * fb_process_go() - Let the process become the entrypoint
 * @process: From fb_process_start()
 * @ret_failure: Why it does not run, when it does not
 *
 * Returns when execve() succeeded or failed; then nothing is left of it.
 *
 * Return: 0; negative errno with @ret_failure.
 */
int fb_process_go(struct fb_process *process, struct fb_failure *ret_failure);

/** fb_process_cancel() - End a process that was not told to go */
void fb_process_cancel(struct fb_process *process);

/** fb_process_wait() - Reap a process whose pidfd is readable. Return: waitpid()'s status */
int fb_process_wait(const struct fb_process *process);

#endif
