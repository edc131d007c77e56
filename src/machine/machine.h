/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a microVM is, said without any engine's words.
 */
#ifndef FB_MACHINE_MACHINE_H
#define FB_MACHINE_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define FB_MACHINE_DISKS_MAX 4
#define FB_MACHINE_CPUS_MAX 64
#define FB_MACHINE_MEMORY_MIN (64ull << 20)
#define FB_MACHINE_TAP "flamebox0"
/* in the machine's folder: where the guest's channel arrives, with engines that
 * have a folder */
#define FB_MACHINE_VSOCK "vsock"

/** enum fb_machine_rate - What of a disk can be limited, each a second */
enum fb_machine_rate {
	FB_RATE_READ_BYTES,
	FB_RATE_WRITE_BYTES,
	FB_RATE_READ_OPERATIONS,
	FB_RATE_WRITE_OPERATIONS,
	FB_RATE_COUNT,
};

#define FB_MACHINE_RATE_MAX 1000000000000000ull

/**
 * struct fb_machine_disk - A block device
 * @fd:        Open image file (borrowed); the VMM gets it, never a name
 * @read_only: May be shared with other machines
 * @disposable: Thrown away with the machine: the guest's flushes need not reach
 *             the host's disk
 * @rates:     At most FB_MACHINE_RATE_MAX; 0 = no limit
 */
struct fb_machine_disk {
	int fd;
	bool read_only;
	bool disposable;
	uint64_t rates[FB_RATE_COUNT];
};

/** enum fb_machine_nic - How the machine reaches the network */
enum fb_machine_nic {
	FB_NIC_NONE,
	FB_NIC_STREAM, /* frames over a connected stream socket, nic_fd */
	FB_NIC_TAP, /* a tap of the VMM's network namespace, FB_MACHINE_TAP */
};

/**
 * struct fb_machine_config - One microVM
 * @kernel_fd:    Open ELF vmlinux (borrowed)
 * @initramfs_fd: Likewise
 * @cpus:         1 … FB_MACHINE_CPUS_MAX
 * @memory_bytes: At least FB_MACHINE_MEMORY_MIN, rounded up to whole MiB
 * @tsc_khz:      Of the host, from machine/tsc.h; 0 = unknown.  Only software
 *                emulation makes use of it
 * @disks:        In the order in which the guest is told their names
 * @mac:          Of the interface
 * @namespaces:   With FB_NIC_TAP: descriptors of the namespaces with the tap, which
 *                the VMM joins in this order (borrowed); @namespace_count
 * @channel_fd:   The VMM's end of a connected stream socket (borrowed), where the
 *                engine has no folder
 * @folder_fd:    Otherwise: a folder of this machine's own, for sockets (borrowed);
 *                "FB_MACHINE_VSOCK_<port>" in it listens for the guest
 * @console_fd:   Where the serial console's output goes (borrowed)
 * @talkative:    The guest's kernel says on it what it does
 * @metrics_fd:   Pipe for the VMM's figures of itself, as JSON, a line each time
 *                (borrowed); only engines with a folder have any;
 *                negative = not wanted
 * @vmm_version:  Of the engine, FB_ENGINE_VERSION(); 0 where it has none
 * @timed:        The VMM says something when it sets the guest's processors going
 * @start_fd:     With @timed: pipe for that (borrowed); engines with a folder need
 *                none: FB_MACHINE_VSOCK is made in it just before
 * @interpreted:  KVM interprets guest code: only for tests, with the kernel that
 *                is made for it
 * @drop_ids:     Run the VMM as @uid and @gid
 */
struct fb_machine_config {
	int kernel_fd;
	int initramfs_fd;
	unsigned int cpus;
	uint64_t memory_bytes;
	uint32_t tsc_khz;
	struct fb_machine_disk disks[FB_MACHINE_DISKS_MAX];
	size_t disk_count;
	enum fb_machine_nic nic;
	int nic_fd;
	uint8_t mac[6];
	int namespaces[2];
	size_t namespace_count;
	int channel_fd;
	int folder_fd;
	int metrics_fd;
	int console_fd;
	unsigned int vmm_version;
	bool talkative;
	bool timed;
	int start_fd;
	bool interpreted;
	bool drop_ids;
	uid_t uid;
	gid_t gid;
};

#endif
