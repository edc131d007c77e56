/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The engines: what each can do, and the choice between them.
 */
#ifndef FB_MACHINE_ENGINE_H
#define FB_MACHINE_ENGINE_H

#include <stdbool.h>

#include "base/err.h"
#include "machine/machine.h"
#include "machine/plan.h"
#include "machine/probe.h"

enum fb_accel {
	FB_ACCEL_KVM,
	FB_ACCEL_TCG, /* software emulation */
	FB_ACCEL_COUNT,
};

/** fb_accel_name() - "kvm", "tcg" */
const char *fb_accel_name(enum fb_accel accel);

/** FB_ENGINE_VERSION() - A version as a number that can be compared */
#define FB_ENGINE_VERSION(major, minor) ((major)*1000u + (minor))

/**
 * struct fb_engine_ops - One engine
 * @name:     As --engine takes it
 * @title:    As messages name it
 * @binary:   Its program's name in PATH
 * @kvm_only: Name of a smaller build without software emulation, which takes
 *            its place under KVM where it is found; NULL = there is none
 * @install:  How to get it, for a hint
 * @jailer:   The program's name that can start it in a jail, or NULL
 * @accels:   Bit 1 << FB_ACCEL_…: what it can work with
 * @nics:     Bit 1 << FB_NIC_…
 * @cpus_max: Most virtual CPUs
 * @rates_together: It counts a disk's reads and writes together: the smaller of two
 *            limits holds for both
 * @folder:   The VMM makes sockets in a folder of the machine's own, and the
 *            guest's channel arrives there by vsock
 * @version:  Asks the program for its version and whether that is new enough:
 *            @cache_dir_fd is a folder for remembering it, or negative.  NULL =
 *            any.  Return: 0; -EOPNOTSUPP too old; a negative errno
 * @render:   Pure: adds the VMM's process to a plan and says how the guest
 *            names its disks.  Return: 0; -ENOMEM; -EINVAL
 */
struct fb_engine_ops {
	const char *name;
	const char *title;
	const char *binary;
	const char *kvm_only;
	const char *install;
	const char *jailer;
	unsigned int accels;
	unsigned int nics;
	unsigned int cpus_max;
	bool rates_together;
	bool folder;
	int (*version)(const char *program, int cache_dir_fd, unsigned int *ret,
		       struct fb_err *err);
	int (*render)(const struct fb_machine_config *config,
		      enum fb_accel accel, const char *program,
		      struct fb_plan *plan, struct fb_err *err);
};

/** fb_engine_qemu - QEMU's microvm machine */
extern const struct fb_engine_ops fb_engine_qemu;

/** fb_engine_firecracker - Firecracker */
extern const struct fb_engine_ops fb_engine_firecracker;

/** fb_engines() - All of them, NULL-terminated, best first */
const struct fb_engine_ops *const *fb_engines(void);

/**
 * struct fb_engine_wish - What a machine is to run on; everything borrowed
 * @engine:      "auto" or NULL, or a name of the table
 * @accel:       "auto" or NULL, "kvm", "tcg"
 * @firecracker: Path of Firecracker's program; NULL = look in PATH
 * @jailer:      As fb_jailer_find() takes it
 * @interpreted: With @accel "kvm", take also a KVM that interprets: for tests
 */
struct fb_engine_wish {
	const char *engine;
	const char *accel;
	const char *firecracker;
	const char *jailer;
	bool interpreted;
};

/**
 * struct fb_engine_choice - What a machine will run on
 * @program: Binary (owned)
 * @interpreted: KVM, but one that interprets
 */
struct fb_engine_choice {
	const struct fb_engine_ops *ops;
	enum fb_accel accel;
	char *program;
	bool interpreted;
};

void fb_engine_choice_release(struct fb_engine_choice *choice);

#define FB_ENGINE_CHOICE __attribute__((cleanup(fb_engine_choice_release)))

/**
 * fb_engine_find() - An engine's program
 * @ops:  Which
 * @wish: May name it
 *
 * Return: malloc'ed path (returned), or NULL.
 */
char *fb_engine_find(const struct fb_engine_ops *ops,
		     const struct fb_engine_wish *wish);

/**
 * fb_engine_select() - Choose engine and accelerator
 * @wish:   What is asked for (borrowed)
 * @probe:  What the host can do (borrowed)
 * @ret:    Written on success only
 *
 * auto takes the first engine of the table whose binary is found and that has a
 * usable accelerator; KVM before software.  A KVM that only root can open is one
 * only for an engine that is started in a jail.
 *
 * Return: 0; -EINVAL unknown name; -ENOENT no binary; -EOPNOTSUPP the wish
 * can't be met, with the probe's reason and its fix as the hint.
 */
int fb_engine_select(const struct fb_engine_wish *wish,
		     const struct fb_probe *probe, struct fb_engine_choice *ret,
		     struct fb_err *err);

#endif
