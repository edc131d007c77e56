/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_GUEST_CONTAINER_H
#define FB_GUEST_CONTAINER_H

#include "process.h"

/**
 * struct fb_container - What the new process needs to become the container
 * @spec:      All of it
 * @terminals: From fb_mounts_open_terminals()
 * @files:     For /etc
 * @terminal:  Its terminal, where the spec asks for one
 * @stdio:     Its ends, where not
 * @go:        A byte comes when init is ready, too; the end, when it gave up
 * @in_cgroup: It was started in a control group of its own
 * @trace:     Or NULL
 */
struct fb_container {
	const struct fb_guest_spec *spec;
	int terminals;
	struct fb_files files;
	struct fb_terminal terminal;
	struct fb_stdio stdio;
	int go;
	bool in_cgroup;
	struct fb_trace *trace;
};

/**
 * fb_container_enter() - Set the container up and become its entrypoint
 * @container: Borrowed
 * @ret:       Why not
 *
 * Runs in the new process, PID 1 of its namespaces; with init, the entrypoint is
 * its child and the call returns in neither.
 *
 * Return: only on failure, a negative errno.
 */
int fb_container_enter(const struct fb_container *container,
		       struct fb_failure *ret);

#endif
