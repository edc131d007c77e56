/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_NET_CONFINE_H
#define FB_NET_CONFINE_H

/**
 * fb_net_confine() - From now on, no system call that a network has no use for
 *
 * A seccomp filter: programs, processes, tracing, namespaces, mounts, keys, BPF, io_uring
 * and the like fail with EPERM; calls of other ABIs end the process.  Needs no right
 * (no_new_privs is set).
 *
 * Return: 0; a negative errno where the kernel has no such filters.
 */
int fb_net_confine(void);

#endif
