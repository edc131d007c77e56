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

/**
 * struct fb_engine_ops - One engine
 * @name:     As --engine takes it
 * @title:    As messages name it
 * @accels:   Bit 1 << FB_ACCEL_…: what it can work with
 * @nics:     Bit 1 << FB_NIC_…
 * @cpus_max: Most virtual CPUs
 * @program:  Finds its binary. Return: malloc'ed path, or NULL
 * @render:   Pure: adds the VMM's process to a plan and says how the guest
 *            names its disks.  Return: 0; -ENOMEM; -EINVAL
 */
struct fb_engine_ops {
	const char *name;
	const char *title;
	unsigned int accels;
	unsigned int nics;
	unsigned int cpus_max;
	char *(*program)(void);
	int (*render)(const struct fb_machine_config *config,
		      enum fb_accel accel, const char *program,
		      struct fb_plan *plan, struct fb_err *err);
};

/** fb_engine_qemu - QEMU's microvm machine */
extern const struct fb_engine_ops fb_engine_qemu;

/** fb_engines() - All of them, NULL-terminated, best first */
const struct fb_engine_ops *const *fb_engines(void);

/**
 * struct fb_engine_choice - What a machine will run on
 * @program: Binary (owned)
 */
struct fb_engine_choice {
	const struct fb_engine_ops *ops;
	enum fb_accel accel;
	char *program;
};

void fb_engine_choice_release(struct fb_engine_choice *choice);

#define FB_ENGINE_CHOICE __attribute__((cleanup(fb_engine_choice_release)))

/**
 * fb_engine_select() - Choose engine and accelerator
 * @engine: "auto" or NULL, or a name of the table
 * @accel:  "auto" or NULL, "kvm", "tcg"
 * @probe:  What the host can do (borrowed)
 * @ret:    Written on success only
 *
 * auto takes the first engine of the table whose binary is found and that has a
 * usable accelerator; KVM before software.
 *
 * Return: 0; -EINVAL unknown name; -ENOENT no binary; -EOPNOTSUPP the wish
 * can't be met, with the probe's reason and its fix as the hint.
 */
int fb_engine_select(const char *engine, const char *accel,
		     const struct fb_probe *probe, struct fb_engine_choice *ret,
		     struct fb_err *err);

#endif
