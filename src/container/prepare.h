/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a container's spec to what the monitor is handed: the steps of
 * fb_container_start(), in the order in which they stand here.
 */
#ifndef FB_CONTAINER_PREPARE_H
#define FB_CONTAINER_PREPARE_H

#include "base/str.h"
#include "container/container.h"
#include "machine/engine.h"
#include "net/tap.h"
#include "net/user.h"
#include "wire/spec.h"

/**
 * struct fb_preparation - What is gathered on the way
 * @spec, @c, @log: Borrowed
 * @engine:   Engine, accelerator, program
 * @net:      The guest's addresses
 * @routes:   Of the host
 * @vmm_uid:  User and group id of the machine's processes, when root starts them
 * @vmm_gid:  Group id of the VMM, which may be that of /dev/kvm
 * @nic:      How the engine reaches the network
 * @tap:      With FB_NIC_TAP, otherwise nothing
 * @vmm_version: Of the engine, or 0
 * @jailer:   Program that starts the VMM in a jail, or NULL (owned)
 * @net_program_fd, @upper_fd, @kernel_fd, @initramfs_fd: Owned, -EBADF where there is none
 * @folder_fd: Likewise: the folder of the VMM's sockets
 * @plan:     The machine's processes, by the descriptor numbers of launch.h
 * @resolv_conf, @hosts: Texts of the guest's files
 * @tmpfs:    --tmpfs, @tmpfs_count; their texts are in @tmpfs_texts
 * @plan_bytes, @spec_bytes: Encoded; the latter may hold secrets
 */
struct fb_preparation {
	const struct fb_container_spec *spec;
	struct fb_container *c;
	const struct fb_log *log;
	struct fb_engine_choice engine;
	struct fb_net_guest net;
	struct fb_net_routes routes;
	enum fb_machine_nic nic;
	struct fb_net_tap tap;
	unsigned int vmm_version;
	char *jailer;
	uid_t vmm_uid;
	gid_t vmm_gid;
	int folder_fd;
	int net_program_fd;
	int upper_fd;
	int kernel_fd;
	int initramfs_fd;
	struct fb_plan plan;
	struct fb_str resolv_conf;
	struct fb_str hosts;
	struct fb_spec_tmpfs *tmpfs;
	size_t tmpfs_count;
	struct fb_strv tmpfs_texts; /* owns path and options */
	struct fb_str plan_bytes;
	struct fb_str spec_bytes;
};

/** fb_wants_disk() - It gets a writable disk of its own */
static inline bool fb_wants_disk(const struct fb_container_spec *spec)
{
	return !spec->read_only && !spec->ephemeral;
}

/**
 * fb_prepare_engine() - Choose engine and accelerator; make the tap that it needs
 *
 * Where auto's first choice turns out to be of no use, the next one is taken.
 *
 * Return: as fb_engine_select(), and as fb_net_tap_make().
 */
int fb_prepare_engine(struct fb_preparation *p, struct fb_err *err);

/**
 * fb_prepare_jailer() - Find out whether the VMM runs in a jail
 *
 * Return: as fb_jailer_find().
 */
int fb_prepare_jailer(struct fb_preparation *p, struct fb_err *err);

/**
 * fb_prepare_jail() - Put the plan's VMM into it, where it does
 *
 * What it leaves outside the container's folder is written down there, for whoever
 * removes the container.
 *
 * Return: 0; a negative errno.
 */
int fb_prepare_jail(struct fb_preparation *p, struct fb_err *err);

/**
 * fb_prepare_jail_pipe() - What takes something that the jailed VMM writes
 * @name: Its name in the container's folder
 * @ret:  Its ends, to read and to write (returned)
 *
 * A pipe that lies in a file system can be bound into the jail: the VMM opens it
 * again, by path.
 *
 * Return: 0; a negative errno.
 */
int fb_prepare_jail_pipe(const struct fb_preparation *p, const char *name,
			 int ret[2], struct fb_err *err);

/** fb_prepare_files() - Open kernel and initramfs, make the writable disk. Return: 0; negative errno */
int fb_prepare_files(struct fb_preparation *p, struct fb_err *err);

/** fb_prepare_net() - Network back end, addresses, hosts, resolv.conf. Return: 0; negative errno */
int fb_prepare_net(struct fb_preparation *p, struct fb_err *err);

/** fb_prepare_plan() - Render and encode the machine. Return: 0; negative errno */
int fb_prepare_plan(struct fb_preparation *p, struct fb_err *err);

/** fb_prepare_spec() - Encode what PID 1 is told. Return: 0; negative errno */
int fb_prepare_spec(struct fb_preparation *p, struct fb_err *err);

/** fb_prepare_config() - Write config.json, and that it can be started. Return: 0; negative errno */
int fb_prepare_config(const struct fb_preparation *p, struct fb_err *err);

/**
 * fb_launch() - Start the monitor and hand everything over
 *
 * The container's lock is the monitor's from then on.
 *
 * Return: 0; a negative errno, nothing runs then.
 */
int fb_launch(const struct fb_preparation *p, struct fb_err *err);

#endif
