/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What most files of the kernel include, for the compiler to read once and not
 * 1,700 times: half of a build's processor time goes into headers.  build.sh makes it.
 * Only headers that look the same whatever a file defines before them (so none of
 * ACPI's), and that expand none of Kbuild's names.
 */
#include <linux/compiler-version.h>
#include <linux/kconfig.h>
#include <linux/compiler_types.h>

#include <linux/blkdev.h>
#include <linux/cgroup.h>
#include <linux/device.h>
#include <linux/fs.h>
#include <linux/interrupt.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/proc_fs.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/security.h>
#include <linux/seq_file.h>
#include <linux/skbuff.h>
#include <linux/slab.h>
#include <linux/syscalls.h>
#include <linux/uaccess.h>
