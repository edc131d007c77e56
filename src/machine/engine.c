/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/engine.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

static const char *const accel_names[] = {
	[FB_ACCEL_KVM] = "kvm",
	[FB_ACCEL_TCG] = "tcg",
};
_Static_assert(FB_ARRAY_SIZE(accel_names) == FB_ACCEL_COUNT, "a name each");

static const struct fb_engine_ops *const engines[] = {
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

/* the best accelerator of @mask that this engine and this host have */
static bool pick_accel(const struct fb_engine_ops *ops, unsigned int mask,
		       const struct fb_probe *probe, enum fb_accel *ret)
{
	mask &= ops->accels;
	if ((mask & 1u << FB_ACCEL_KVM) && probe->kvm == FB_KVM_NATIVE)
		*ret = FB_ACCEL_KVM;
	else if (mask & 1u << FB_ACCEL_TCG)
		*ret = FB_ACCEL_TCG;
	else
		return false;
	return true;
}

static int nothing_found(const char *engine, bool seen_program,
			 const struct fb_probe *probe, struct fb_err *err)
{
	if (!seen_program)
		return fb_err_hint(err,
				   fb_err_set(err, -ENOENT,
					      "no VMM found for engine '%s'",
					      engine ? engine : "auto"),
				   "install one: apt install qemu-system-x86");
	return fb_err_hint(
		err,
		fb_err_set(err, -EOPNOTSUPP,
			   "accelerator kvm can't be used: %s", probe->reason),
		"%s", probe->fix[0] ? probe->fix : "use --accel tcg");
}

int fb_engine_select(const char *engine, const char *accel,
		     const struct fb_probe *probe, struct fb_engine_choice *ret,
		     struct fb_err *err)
{
	struct fb_engine_choice choice = { 0 };
	bool seen = false;
	unsigned int mask;
	int r = parse_accel(accel, &mask, err);

	if (r == 0)
		r = check_engine(engine, err);
	if (r < 0)
		return r;
	for (size_t i = 0; engines[i]; i++) {
		if (!is_auto(engine) && strcmp(engine, engines[i]->name))
			continue;
		choice.program = engines[i]->program();
		if (!choice.program)
			continue;
		seen = true;
		if (pick_accel(engines[i], mask, probe, &choice.accel)) {
			choice.ops = engines[i];
			*ret = choice;
			return 0;
		}
		free(FB_TAKE_PTR(choice.program));
	}
	return nothing_found(engine, seen, probe, err);
}
