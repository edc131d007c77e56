/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A machine that is ready to be started, as plain data.
 *
 * The client makes a plan and hands it, encoded, to the monitor together with
 * the descriptors that it names; the monitor starts its processes and knows no
 * more about engines than that.
 */
#ifndef FB_MACHINE_PLAN_H
#define FB_MACHINE_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/spawn.h"
#include "base/str.h"

#define FB_PLAN_PROCESSES_MAX 4
#define FB_PLAN_FDS_MAX 32
#define FB_PLAN_ARGS_MAX 512
#define FB_PLAN_PATHS_MAX 32
#define FB_PLAN_TEXTS_MAX 4
#define FB_PLAN_NAMESPACES_MAX 2
#define FB_PLAN_ENCODED_MAX (1u << 20)

/**
 * struct fb_plan_text - A file that exists only for the process that reads it
 * @fd:   Its descriptor there, which a path "/proc/self/fd/N" opens
 * @text: What stands in it (owned)
 */
struct fb_plan_text {
	int fd;
	char *text;
};

/**
 * struct fb_plan_process - One program of a machine
 * @name:     For messages: "QEMU", "passt"
 * @path:     Program
 * @argv:     Arguments, with the program's name
 * @fds:      Descriptors that it gets; @from counts in the process that spawns
 * @texts:    Configuration that it reads, @text_count
 * @namespaces: Descriptors, in the process that spawns, of namespaces that it joins
 *            in this order; @namespace_count
 * @readable: Paths that it may read (and execute); with Landlock everything
 *            else is closed to it; empty = no such sandbox
 * @writable: Paths that it may also write, device nodes
 * @sockets:  Folders in which it may make sockets
 * @network:  It may use TCP although it is in that sandbox
 * @filter:   It has no filter of system calls itself: it gets one of ours
 * @drop_ids: Run as @uid, @gid
 * @jail:     Where it is a jailer: its VMM's root folder, in the folder that it is
 *            started in (machine/jail.h); otherwise NULL
 * @jail_fd:  With @jail: the descriptor of a folder that is covered by that one
 * @cgroups:  Control groups that it leaves, absolute paths
 */
struct fb_plan_process {
	char *name;
	char *path;
	struct fb_strv argv;
	struct fb_spawn_fd fds[FB_PLAN_FDS_MAX];
	size_t fd_count;
	struct fb_plan_text texts[FB_PLAN_TEXTS_MAX];
	size_t text_count;
	int namespaces[FB_PLAN_NAMESPACES_MAX];
	size_t namespace_count;
	struct fb_strv readable;
	struct fb_strv writable;
	struct fb_strv sockets;
	bool network;
	bool filter;
	bool drop_ids;
	uid_t uid;
	gid_t gid;
	char *jail;
	int jail_fd;
	struct fb_strv cgroups;
};

/**
 * struct fb_plan - A machine
 * @processes:  In the order of starting; the last one is the VMM
 * @disk_names: What the guest calls the disks: "/dev/vda"
 */
struct fb_plan {
	struct fb_plan_process processes[FB_PLAN_PROCESSES_MAX];
	size_t process_count;
	char disk_names[4][16];
};

void fb_plan_release(struct fb_plan *plan);

#define FB_PLAN __attribute__((cleanup(fb_plan_release)))

/**
 * fb_plan_add_process() - Append an empty process
 *
 * Return: the process (borrowed), or NULL where there are too many or no memory.
 */
struct fb_plan_process *fb_plan_add_process(struct fb_plan *plan,
					    const char *name, const char *path);

/**
 * fb_plan_allow_libraries() - Let it read what a dynamic program starts from
 * @process: Mutated; out of memory shows in its @readable
 */
void fb_plan_allow_libraries(struct fb_plan_process *process);

/**
 * fb_plan_give_fd() - Let a process have a descriptor under the same number
 *
 * Return: 0; -E2BIG.
 */
int fb_plan_give_fd(struct fb_plan_process *process, int fd);

/**
 * fb_plan_give_text() - Let a process read a text as a file
 * @fd:   Its descriptor there, that of nothing else
 * @text: The text (taken, also on failure; NULL = -ENOMEM)
 *
 * Return: 0; -E2BIG; -ENOMEM.
 */
int fb_plan_give_text(struct fb_plan_process *process, int fd, char *text);

/** fb_plan_encode() - Append the processes as bytes. Return: 0; -E2BIG; -ENOMEM */
int fb_plan_encode(const struct fb_plan *plan, struct fb_str *out);

/**
 * fb_plan_decode() - Bytes to plan
 * @data: Bytes (borrowed)
 * @len:  Count, at most FB_PLAN_ENCODED_MAX
 * @ret:  Release with fb_plan_release(); written on success only
 *
 * Return: 0; -EBADMSG malformed; -E2BIG; -ENOMEM.
 */
int fb_plan_decode(const void *data, size_t len, struct fb_plan *ret,
		   struct fb_err *err);

/**
 * fb_plan_spawn() - Start one process of a plan
 * @process:   Which (borrowed)
 * @ret_pid:   Its pid
 * @ret_pidfd: pidfd (returned)
 *
 * It dies with the caller, and leaves no core file, which would hold the guest's
 * memory.  Landlock is applied where the kernel has it.
 *
 * Return: 0; a negative errno.
 */
int fb_plan_spawn(const struct fb_plan_process *process, pid_t *ret_pid,
		  int *ret_pidfd, struct fb_err *err);

#endif
