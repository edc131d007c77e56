/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The engine, and what only it needs to be there: a version that is new enough, a tap.
 * All of it is found out before a disk is made, so that --engine auto can take the
 * next engine where one can't be had.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "container/prepare.h"

/* user ids for VMMs that root starts: no account has them */
#define VMM_UID_FIRST 0x46420000u

/* four digits of the id: machines of one host rarely share a user id */
static void choose_ids(struct fb_preparation *p)
{
	const char *id = p->c->handle.id;
	const char digits[] = { id[0], id[1], id[2], id[3], '\0' };

	p->vmm_uid = VMM_UID_FIRST + (uid_t)strtoul(digits, NULL, 16);
	p->vmm_gid = p->vmm_uid;
	if (p->engine.accel == FB_ACCEL_KVM)
		(void)fb_probe_kvm_group(&p->vmm_gid);
}

static int choose_nic(struct fb_preparation *p, struct fb_err *err)
{
	unsigned int nics = p->engine.ops->nics;

	p->nic = p->spec->net == FB_CONTAINER_NET_NONE ? FB_NIC_NONE
		 : nics & 1u << FB_NIC_STREAM	       ? FB_NIC_STREAM
						       : FB_NIC_TAP;
	if (p->nic != FB_NIC_TAP)
		return 0;
	return fb_net_tap_make(FB_MACHINE_TAP,
			       geteuid() == 0 ? p->vmm_uid : geteuid(),
			       FB_NET_MTU, &p->tap, err);
}

/* Return: 0; -EINVAL also where another engine could do it: it was asked for */
static int try_engine(struct fb_preparation *p,
		      const struct fb_engine_wish *wish,
		      const struct fb_probe *probe, struct fb_err *err)
{
	int r, cache = fb_store_dir_fd(p->c->store, FB_STORE_DIR_RUN, NULL);
	const struct fb_engine_ops *ops;

	fb_engine_choice_release(&p->engine);
	r = fb_engine_select(wish, probe, &p->engine, err);
	if (r < 0)
		return r;
	ops = p->engine.ops;
	p->vmm_version = 0;
	if (p->spec->cpus > ops->cpus_max)
		return fb_err_set(err, -EINVAL, "%s has at most %u CPUs",
				  ops->title, ops->cpus_max);
	choose_ids(p);
	if (ops->version)
		r = ops->version(p->engine.program, cache, &p->vmm_version,
				 err);
	return r < 0 ? r : choose_nic(p, err);
}

/* --engine auto: what comes behind an engine that was found, but is of no use */
static int try_next(struct fb_preparation *p, const struct fb_probe *probe)
{
	const struct fb_engine_ops *const *e = fb_engines();
	struct fb_engine_wish wish = p->spec->engine;
	int r = -ENOENT;

	while (*e && *e != p->engine.ops)
		e++;
	while (*e && *++e && r < 0) {
		wish.engine = (*e)->name;
		r = try_engine(p, &wish, probe, NULL);
	}
	return r;
}

static bool is_auto(const struct fb_engine_wish *wish)
{
	return !wish->engine || !strcmp(wish->engine, "auto");
}

static bool has_rates(const struct fb_container_spec *spec)
{
	for (size_t i = 0; i < FB_CONTAINER_DISKS_MAX; i++)
		for (size_t k = 0; k < FB_RATE_COUNT; k++)
			if (spec->rates[i][k])
				return true;
	return false;
}

int fb_prepare_engine(struct fb_preparation *p, struct fb_err *err)
{
	struct fb_probe probe = { .kvm = FB_KVM_UNKNOWN };
	const char *accel = p->spec->engine.accel;
	struct fb_err first = { 0 };
	int r;

	/* software emulation asks nothing of the host */
	if (!accel || strcmp(accel, "tcg"))
		fb_probe_cached(fb_store_dir_fd(p->c->store, FB_STORE_DIR_RUN,
						NULL),
				&probe);
	r = try_engine(p, &p->spec->engine, &probe, &first);
	if (r < 0 && p->engine.ops && is_auto(&p->spec->engine)) {
		if (try_next(p, &probe) == 0) {
			fb_log(p->log, FB_LOG_INFO, "%s", first.msg);
			r = 0;
		}
	}
	if (r < 0) {
		if (err)
			*err = first;
		return r;
	}
	fb_log(p->log, FB_LOG_INFO, "engine %s, accelerator %s%s%s",
	       p->engine.ops->name, fb_accel_name(p->engine.accel),
	       probe.reason[0] ? ": " : "", probe.reason);
	fb_log(p->log, FB_LOG_INFO, "%s is %s", p->engine.ops->title,
	       p->engine.program);
	if (p->engine.ops->rates_together && has_rates(p->spec))
		fb_log(p->log, FB_LOG_INFO,
		       "%s limits a disk's reads and writes together",
		       p->engine.ops->title);
	return 0;
}
