/* SPDX-License-Identifier: Apache-2.0 */
/* A KVM that interprets guest code: only for tests, docs/engines.md says more. */
#ifndef FB_MACHINE_INTERPRETED_H
#define FB_MACHINE_INTERPRETED_H

/* for the kernel: what the interpreter lacks, a clock it can't calibrate, and time */
#define FB_INTERPRETED_CMDLINE                                             \
	" noxsave nosmap mitigations=off clearcpuid=popcnt,smap"           \
	" lpj=10399992 tsc=reliable no_timer_check noreplace-smp" \
	" pty.legacy_count=0"

#endif
