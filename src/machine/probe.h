/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Can this host run a guest in hardware?  Found out by running one.
 */
#ifndef FB_MACHINE_PROBE_H
#define FB_MACHINE_PROBE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

enum fb_kvm_verdict {
	FB_KVM_UNKNOWN,
	FB_KVM_NATIVE,	  /* guest code runs at the processor's speed */
	FB_KVM_EMULATING, /* it runs, or stops, in an interpreter */
	FB_KVM_DENIED,	  /* this user has no right to open /dev/kvm */
	FB_KVM_ABSENT,	  /* no /dev/kvm */
	FB_KVM_BROKEN,	  /* it is there, and fails */
	FB_KVM_VERDICT_COUNT,
};

/** fb_kvm_verdict_name() - "native", "emulating", … */
const char *fb_kvm_verdict_name(enum fb_kvm_verdict verdict);

/**
 * struct fb_probe - What was found
 * @kvm:    Verdict
 * @reason: Why, measured, one line
 * @fix:    What would mend it, one line, or ""
 * @root_only: The device is closed to every user but root, who asked: machines that
 *          root starts run as other users, and can use it only where they get a
 *          device of their own, in a jail
 */
struct fb_probe {
	enum fb_kvm_verdict kvm;
	bool root_only;
	char reason[256];
	char fix[256];
};

/**
 * fb_probe_kvm() - Run guest code and judge
 * @ret: Always filled in
 *
 * A child process runs a few thousand instructions of 64-bit code, among them
 * those that interpreters lack, and times them; it is ended after a second.
 */
void fb_probe_kvm(struct fb_probe *ret);

/**
 * fb_probe_cached() - The same, from a file where it holds
 * @cache_dir_fd: Folder of the file "probe" (borrowed), or a negative number:
 *                always probe
 * @ret:          Always filled in
 *
 * The file's key changes with the boot, the kernel, the user, and /dev/kvm's
 * owner and mode.
 */
void fb_probe_cached(int cache_dir_fd, struct fb_probe *ret);

/**
 * fb_probe_parse() - Read a cache file's text
 * @text: Four lines, each with its end: key, verdict, reason, fix
 * @key:  What the key must be
 * @ret:  Written on success only
 *
 * Return: 0; -ESTALE another key; -EBADMSG malformed.
 */
int fb_probe_parse(const char *text, const char *key, struct fb_probe *ret);

/**
 * fb_kvm_group() - The group by which an unprivileged process opens /dev/kvm
 * @mode:  Of the device
 * @group: Of the device
 * @ret:   Written when 1 is returned
 *
 * Pure.  Return: 0 no group is needed; 1 this one is; -EACCES only root can
 * open it.
 */
int fb_kvm_group(mode_t mode, gid_t group, gid_t *ret);

/** fb_probe_kvm_group() - fb_kvm_group() of this host's /dev/kvm; -ENOENT */
int fb_probe_kvm_group(gid_t *ret);

#endif
