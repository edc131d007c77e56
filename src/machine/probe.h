/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Can this host run a guest in hardware?  Found out by running one.
 */
#ifndef FB_MACHINE_PROBE_H
#define FB_MACHINE_PROBE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

enum fb_kvm_verdict {
	FB_KVM_UNKNOWN,
	FB_KVM_NATIVE,	  /* guest code runs at the processor's speed */
	FB_KVM_EMULATING, /* it runs, or stops, in an interpreter */
	FB_KVM_DENIED,	  /* no right to open /dev/kvm */
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
 */
struct fb_probe {
	enum fb_kvm_verdict kvm;
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

#endif
