/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/engine.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/spawn.h"
#include "base/str.h"
#include "machine/jailer.h"

static const char *const accel_names[] = {
	[FB_ACCEL_KVM] = "kvm",
	[FB_ACCEL_TCG] = "tcg",
};
_Static_assert(FB_ARRAY_SIZE(accel_names) == FB_ACCEL_COUNT, "a name each");

static const struct fb_engine_ops *const engines[] = {
	&fb_engine_firecracker,
	&fb_engine_qemu,
	NULL,
};

const struct fb_engine_ops *const *fb_engines(void)
{
	return engines;
}

const char *fb_accel_name(enum fb_accel accel)
{
	return accel_names[accel];
}

void fb_engine_choice_release(struct fb_engine_choice *choice)
{
	free(choice->program);
	*choice = (struct fb_engine_choice){ 0 };
}

static bool is_auto(const char *wish)
{
	return !wish || !strcmp(wish, "auto");
}

static int parse_accel(const char *text, unsigned int *ret_mask,
		       struct fb_err *err)
{
	*ret_mask = 0;
	for (unsigned int i = 0; i < FB_ACCEL_COUNT; i++)
		if (is_auto(text) || !strcmp(text, accel_names[i]))
			*ret_mask |= 1u << i;
	if (*ret_mask)
		return 0;
	return fb_err_set(err, -EINVAL,
			  "unknown accelerator '%s': auto, kvm or tcg", text);
}

static int check_engine(const char *name, struct fb_err *err)
{
	FB_STR struct fb_str known = FB_STR_INIT(256);

	for (size_t i = 0; engines[i]; i++) {
		if (is_auto(name) || !strcmp(name, engines[i]->name))
			return 0;
		fb_str_printf(&known, "%s%s", i ? ", " : "", engines[i]->name);
	}
	return fb_err_set(err, -EINVAL, "unknown engine '%s': auto, %s", name,
			  fb_str_cstr(&known));
}

char *fb_engine_find(const struct fb_engine_ops *ops,
		     const struct fb_engine_wish *wish)
{
	if (ops == &fb_engine_firecracker && wish->firecracker)
		return fb_find_program(wish->firecracker);
	return fb_find_program(ops->binary);
}

/* a test's wish for a KVM that interprets: only where nothing else is meant */
static bool forces_kvm(const struct fb_engine_wish *wish, unsigned int mask)
{
	return wish->interpreted && mask == 1u << FB_ACCEL_KVM &&
	       !(is_auto(wish->engine) && is_auto(wish->accel));
}

/* a jail has a device of its own; who runs without one needs the host's */
static bool reaches_kvm(const struct fb_engine_wish *wish,
			const struct fb_probe *probe,
			const struct fb_engine_choice *choice)
{
	FB_FREE char *jailer = NULL;
	char why[FB_JAILER_WHY_MAX];

	if (!probe->root_only)
		return true;
	return fb_jailer_find(wish->jailer, choice->ops->jailer,
			      choice->program, &jailer, why, NULL) == 0 &&
	       jailer;
}

/* the best accelerator of @mask that this host has for an engine's program */
static bool pick_accel(const struct fb_engine_wish *wish, unsigned int mask,
		       const struct fb_probe *probe,
		       struct fb_engine_choice *ret)
{
	bool forced = probe->kvm == FB_KVM_EMULATING && forces_kvm(wish, mask);

	if ((mask & 1u << FB_ACCEL_KVM) &&
	    (probe->kvm == FB_KVM_NATIVE || forced) &&
	    reaches_kvm(wish, probe, ret))
		ret->accel = FB_ACCEL_KVM;
	else if (mask & 1u << FB_ACCEL_TCG)
		ret->accel = FB_ACCEL_TCG;
	else
		return false;
	ret->interpreted = forced && ret->accel == FB_ACCEL_KVM;
	return true;
}

static int no_program(const struct fb_engine_wish *wish, struct fb_err *err)
{
	const struct fb_engine_ops *ops = &fb_engine_qemu;
	int r;

	for (size_t i = 0; engines[i]; i++)
		if (!is_auto(wish->engine) &&
		    !strcmp(wish->engine, engines[i]->name))
			ops = engines[i];
	if (ops == &fb_engine_firecracker && wish->firecracker)
		return fb_err_set(err, -ENOENT, "'%s' is no program",
				  wish->firecracker);
	r = fb_err_set(err, -ENOENT, "no VMM found for engine '%s'",
		       wish->engine ? wish->engine : "auto");
	return fb_err_hint(err, r, "install one: %s", ops->install);
}

/* it works, but not for whoever a machine runs as */
static int closed_kvm(const struct fb_engine_ops *seen, struct fb_err *err)
{
	int r = fb_err_set(
		err, -EOPNOTSUPP,
		"%s needs KVM, which can't be used: /dev/kvm is for "
		"root only, and machines that root starts run as "
		"other users%s",
		seen->title,
		seen->jailer ? " (a jail would have a device of its own)" : "");

	return fb_err_hint(err, r, "chgrp kvm /dev/kvm && chmod g+rw /dev/kvm");
}

static int no_accel(const struct fb_engine_wish *wish,
		    const struct fb_engine_ops *seen,
		    const struct fb_probe *probe, struct fb_err *err)
{
	bool works = probe->kvm == FB_KVM_NATIVE ||
		     (probe->kvm == FB_KVM_EMULATING && wish->interpreted);
	bool tcg = !is_auto(wish->accel) && !strcmp(wish->accel, "tcg");
	int r;

	if (works && probe->root_only && !tcg)
		return closed_kvm(seen, err);

	if (seen->accels & 1u << FB_ACCEL_TCG) {
		r = fb_err_set(err, -EOPNOTSUPP,
			       "accelerator kvm can't be used: %s",
			       probe->reason);
		return fb_err_hint(err, r, "%s",
				   probe->fix[0] ? probe->fix
						 : "use --accel tcg");
	}
	if (tcg)
		r = fb_err_set(err, -EOPNOTSUPP, "%s has no software emulation",
			       seen->title);
	else
		r = fb_err_set(err, -EOPNOTSUPP,
			       "%s needs KVM, which can't be used: %s",
			       seen->title, probe->reason);
	return fb_err_hint(err, r, "use --engine qemu");
}

/* fewer devices to set up: some 20 ms less */
static void prefer_kvm_only(struct fb_engine_choice *choice)
{
	char *smaller = NULL;

	if (choice->accel == FB_ACCEL_KVM && choice->ops->kvm_only)
		smaller = fb_find_program(choice->ops->kvm_only);
	if (!smaller)
		return;
	free(choice->program);
	choice->program = smaller;
}

int fb_engine_select(const struct fb_engine_wish *wish,
		     const struct fb_probe *probe, struct fb_engine_choice *ret,
		     struct fb_err *err)
{
	const struct fb_engine_ops *seen = NULL;
	struct fb_engine_choice choice = { 0 };
	unsigned int mask;
	int r = parse_accel(wish->accel, &mask, err);

	if (r == 0)
		r = check_engine(wish->engine, err);
	if (r < 0)
		return r;
	for (size_t i = 0; engines[i]; i++) {
		if (!is_auto(wish->engine) &&
		    strcmp(wish->engine, engines[i]->name))
			continue;
		choice.program = fb_engine_find(engines[i], wish);
		if (!choice.program)
			continue;
		seen = engines[i];
		choice.ops = seen;
		if (pick_accel(wish, mask & seen->accels, probe, &choice)) {
			prefer_kvm_only(&choice);
			*ret = choice;
			return 0;
		}
		free(FB_TAKE_PTR(choice.program));
	}
	return seen ? no_accel(wish, seen, probe, err) : no_program(wish, err);
}
