/* SPDX-License-Identifier: Apache-2.0 */
/* Landlock: what of the host a process of a machine may still reach. */
#ifndef FB_MACHINE_SANDBOX_H
#define FB_MACHINE_SANDBOX_H

#include <stdbool.h>

/** fb_sandbox_available() - Whether this kernel enforces Landlock */
bool fb_sandbox_available(void);

/**
 * fb_sandbox_version() - Landlock's version in this kernel
 *
 * From 4 on it also closes the network, from 5 on device ioctls, from 6 on
 * abstract sockets and signals to outsiders.
 *
 * Return: the version; 0 = none.
 */
int fb_sandbox_version(void);

/**
 * struct fb_sandbox - What stays open; everything else is closed
 * @readable: NULL-terminated paths that may be read and executed; missing ones
 *            are passed over; NULL = none
 * @writable: NULL-terminated paths that may be read and written, or NULL
 * @sockets:  NULL-terminated folders in which sockets may be made, or NULL
 * @network:  TCP may be used
 */
struct fb_sandbox {
	char *const *readable;
	char *const *writable;
	char *const *sockets;
	bool network;
};

/**
 * fb_sandbox_apply() - Close the host to this process and what it starts
 * @sandbox: What stays open (borrowed)
 *
 * Open descriptors are not touched.  Async-signal-safe: for the child between
 * fork() and exec().  What the kernel's Landlock is too old for stays open;
 * where it has none, nothing happens.
 *
 * Return: 0; a negative errno.
 */
int fb_sandbox_apply(const struct fb_sandbox *sandbox);

/**
 * fb_sandbox_filter() - From now on, no system call that a VMM has no use for
 *
 * A seccomp filter, for VMMs that bring none: processes, tracing, namespaces,
 * mounts, keys, BPF, io_uring and the like fail with EPERM, also in the program that
 * is run next; threads stay.  Needs no right (no_new_privs is set).
 *
 * Return: 0; a negative errno where the kernel has no such filters.
 */
int fb_sandbox_filter(void);

#endif
