/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the client hands to the monitor: fixed descriptor numbers and two
 * arguments.  The plan's descriptors count in the monitor, so a plan is the same
 * whatever the client had open.
 */
#ifndef FB_CONTAINER_LAUNCH_H
#define FB_CONTAINER_LAUNCH_H

enum fb_launch_fd {
	FB_LAUNCH_CLIENT = 3, /* socket to the client, frames both ways */
	FB_LAUNCH_DIR,	      /* the container's folder */
	FB_LAUNCH_LOCK,	      /* its lock: held as long as this is open */
	FB_LAUNCH_PLAN,	      /* memfd: fb_plan_encode() */
	FB_LAUNCH_SPEC,	      /* memfd: fb_spec_encode() */
	FB_LAUNCH_CHANNEL, /* our end of the guest's channel, or where it arrives */
	FB_LAUNCH_CONSOLE, /* our end of the serial console */
	FB_LAUNCH_STDERR,  /* our end of the VMM's standard error */
	FB_LAUNCH_METRICS, /* our end of its metrics, with engines that have any */
	FB_LAUNCH_SHOW, /* pipe to the client, who shows the serial console */
	/* the VMM's ends; closed by the monitor once it runs */
	FB_LAUNCH_VMM_CHANNEL = 20,
	FB_LAUNCH_VMM_CONSOLE,
	FB_LAUNCH_VMM_STDERR,
	FB_LAUNCH_VMM_NIC,
	FB_LAUNCH_VMM_FOLDER,  /* of its sockets, where the engine has one */
	FB_LAUNCH_VMM_METRICS, /* likewise */
	FB_LAUNCH_VMM_START,   /* where it says that the guest runs */
	FB_LAUNCH_NET_NIC,     /* the network back end's end */
	FB_LAUNCH_NET_PROGRAM, /* and its program: its user may not have the path */
	FB_LAUNCH_VMM_KERNEL,
	FB_LAUNCH_VMM_INITRAMFS,
	FB_LAUNCH_VMM_DISK, /* the first of FB_MACHINE_DISKS_MAX */
	FB_LAUNCH_NET_NS =
		FB_LAUNCH_VMM_DISK + 8, /* of a tap, where there is one */
	FB_LAUNCH_USER_NS, /* likewise, where root did not make it */
	FB_LAUNCH_END,
};

/*
 * argv of the monitor: "flamebox-monitor" BOOT_TIMEOUT_S KEEP [RESET_TIMEOUT_S],
 * where KEEP is "keep", or "discard" when the writable disk is thrown away at the
 * end: the guest then need not be waited for once its exit record is there.
 */
#define FB_MONITOR_PROGRAM "flamebox-monitor"

/*
 * What the monitor says itself to its client: LOG frames "host NAME NANOSECONDS", of
 * CLOCK_MONOTONIC.  "vmm": all programs of the machine have been started.
 */
#define FB_LAUNCH_WORD "host "

#endif
