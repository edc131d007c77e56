/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What slows or breaks microVMs in the field, seen in /dev, /proc and /sys.
 */
#ifndef FB_CLI_DOCTOR_HOST_H
#define FB_CLI_DOCTOR_HOST_H

#include <stdbool.h>
#include <sys/types.h>

#include "cli/doctor.h"

/**
 * struct fb_doctor_user - Who would run machines
 * @groups:      Supplementary groups (borrowed)
 * @group_count: Their count
 */
struct fb_doctor_user {
	uid_t uid;
	gid_t gid;
	const gid_t *groups;
	size_t group_count;
};

/**
 * fb_doctor_add() - Append a finding
 * @report: Report (borrowed); one that is full stays as it is
 * @name:   What was looked at, a literal
 * @fix:    What mends it, or ""
 * @fmt:    What was found
 */
__attribute__((format(printf, 5, 6))) void
fb_doctor_add(struct fb_doctor_report *report, const char *name,
	      enum fb_doctor_status status, const char *fix, const char *fmt,
	      ...);

/**
 * fb_doctor_look_at_host() - Rights, latencies and namespaces of this host
 * @root_fd: The folder that stands for "/" (borrowed)
 * @user:    Who would run machines (borrowed)
 * @kvm:     Machines can run on KVM here: what slows it is judged
 * @report:  Findings are appended (borrowed)
 *
 * Only reads.  What is not there is not judged: without KVM none of its
 * settings matter, and an older kernel lacks them.
 */
void fb_doctor_look_at_host(int root_fd, const struct fb_doctor_user *user,
			    bool kvm, struct fb_doctor_report *report);

/**
 * fb_doctor_kernel_has_vsock() - Is the guest's driver for vsock in a kernel?
 * @fd: Uncompressed kernel image (borrowed)
 *
 * Return: 1 or 0; -EFBIG; another negative errno.
 */
int fb_doctor_kernel_has_vsock(int fd);

#endif
