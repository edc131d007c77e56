/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "machine/engine.h"
#include "tap.h"

static char folder[] = "/tmp/fb-test-engine-XXXXXX";
static char program[64], firecracker[64];

static const struct {
	const char *engine;
	const char *accel;
	enum fb_kvm_verdict kvm;
	int want;
	enum fb_accel want_accel;
	const char *text; /* part of the error */
} cases[] = {
	{ NULL, NULL, FB_KVM_NATIVE, 0, FB_ACCEL_KVM, "" },
	{ "auto", "auto", FB_KVM_NATIVE, 0, FB_ACCEL_KVM, "" },
	{ "qemu", "auto", FB_KVM_NATIVE, 0, FB_ACCEL_KVM, "" },
	{ "qemu", "tcg", FB_KVM_NATIVE, 0, FB_ACCEL_TCG, "" },
	{ NULL, "kvm", FB_KVM_NATIVE, 0, FB_ACCEL_KVM, "" },
	{ NULL, NULL, FB_KVM_EMULATING, 0, FB_ACCEL_TCG, "" },
	{ NULL, NULL, FB_KVM_DENIED, 0, FB_ACCEL_TCG, "" },
	{ NULL, NULL, FB_KVM_ABSENT, 0, FB_ACCEL_TCG, "" },
	{ NULL, NULL, FB_KVM_BROKEN, 0, FB_ACCEL_TCG, "" },
	{ NULL, NULL, FB_KVM_UNKNOWN, 0, FB_ACCEL_TCG, "" },
	{ NULL, "tcg", FB_KVM_UNKNOWN, 0, FB_ACCEL_TCG, "" },
	{ NULL, "kvm", FB_KVM_EMULATING, -EOPNOTSUPP, 0,
	  "accelerator kvm can't be used: because" },
	{ "qemu", "kvm", FB_KVM_DENIED, -EOPNOTSUPP, 0, "because" },
	{ "auto", "kvm", FB_KVM_ABSENT, -EOPNOTSUPP, 0, "because" },
	{ NULL, "kvm", FB_KVM_BROKEN, -EOPNOTSUPP, 0, "because" },
	{ "xen", NULL, FB_KVM_NATIVE, -EINVAL, 0,
	  "unknown engine 'xen': auto" },
	{ "", NULL, FB_KVM_NATIVE, -EINVAL, 0, "unknown engine ''" },
	{ NULL, "hvf", FB_KVM_NATIVE, -EINVAL, 0,
	  "unknown accelerator 'hvf': auto, kvm or tcg" },
	{ "qemu", "KVM", FB_KVM_NATIVE, -EINVAL, 0, "unknown accelerator" },
};

static struct fb_probe probe_of(enum fb_kvm_verdict kvm)
{
	struct fb_probe probe = { .kvm = kvm };

	(void)snprintf(probe.reason, sizeof(probe.reason), "because");
	(void)snprintf(probe.fix, sizeof(probe.fix), "mend it");
	return probe;
}

static void test_table(void)
{
	for (size_t i = 0; i < FB_ARRAY_SIZE(cases); i++) {
		FB_ENGINE_CHOICE struct fb_engine_choice got = { 0 };
		struct fb_probe probe = probe_of(cases[i].kvm);
		struct fb_err err = { 0 };
		int r = fb_engine_select(
			&(struct fb_engine_wish){ .engine = cases[i].engine,
						  .accel = cases[i].accel },
			&probe, &got, &err);

		TAP_OK(r == cases[i].want && strstr(err.msg, cases[i].text),
		       "engine %s, accelerator %s, kvm %s: %d '%s'",
		       cases[i].engine ? cases[i].engine : "-",
		       cases[i].accel ? cases[i].accel : "-",
		       fb_kvm_verdict_name(cases[i].kvm), r, err.msg);
		if (r < 0) {
			TAP_OK(!got.program && !got.ops, "nothing is chosen");
			continue;
		}
		TAP_INT(got.accel, cases[i].want_accel, "its accelerator");
		TAP_STR(got.program, program, "its program");
	}
}

static int choose(const char *engine, const char *accel,
		  const struct fb_probe *probe, struct fb_engine_choice *ret,
		  struct fb_err *err)
{
	const struct fb_engine_wish wish = { .engine = engine, .accel = accel };

	return fb_engine_select(&wish, probe, ret, err);
}

static void test_hint(void)
{
	struct fb_probe probe = probe_of(FB_KVM_DENIED);
	struct fb_engine_choice got = { 0 };
	struct fb_err err = { 0 };

	(void)choose(NULL, "kvm", &probe, &got, &err);
	TAP_STR(err.hint, "mend it", "the probe's fix is the hint");
	probe.fix[0] = '\0';
	err = (struct fb_err){ 0 };
	(void)choose(NULL, "kvm", &probe, &got, &err);
	TAP_STR(err.hint, "use --accel tcg", "or what always works");
}

static void test_no_program(void)
{
	struct fb_probe probe = probe_of(FB_KVM_NATIVE);
	struct fb_engine_choice got = { 0 };
	struct fb_err err = { 0 };

	TAP_INT(choose(NULL, NULL, &probe, &got, &err), -ENOENT, "no program");
	TAP_OK(strstr(err.msg, "'auto'") && strstr(err.hint, "apt-get install"),
	       "the error says which and how to get one: %s; %s", err.msg,
	       err.hint);
	TAP_INT(choose("qemu", "tcg", &probe, &got, &err), -ENOENT,
		"nor for a named engine");
	TAP_INT(choose("none", NULL, &probe, &got, &err), -EINVAL,
		"an unknown engine is that, also without a program");
}

static const struct {
	struct fb_engine_wish wish;
	enum fb_kvm_verdict kvm;
	int want;
	bool interpreted;
	const char *text; /* the engine's name, or part of the error */
} firecracker_cases[] = {
	{ { .engine = "firecracker" }, FB_KVM_NATIVE, 0, false, "firecracker" },
	{ { .engine = "firecracker", .accel = "kvm" },
	  FB_KVM_NATIVE,
	  0,
	  false,
	  "firecracker" },
	{ { .engine = "firecracker", .interpreted = true },
	  FB_KVM_NATIVE,
	  0,
	  false,
	  "firecracker" },
	{ { .engine = "firecracker", .interpreted = true },
	  FB_KVM_EMULATING,
	  0,
	  true,
	  "firecracker" },
	{ { .engine = "qemu", .accel = "kvm", .interpreted = true },
	  FB_KVM_EMULATING,
	  0,
	  true,
	  "qemu" },
	{ { .accel = "tcg" }, FB_KVM_NATIVE, 0, false, "qemu" },
	{ { .engine = NULL }, FB_KVM_NATIVE, 0, false, "firecracker" },
	{ { .engine = "auto" }, FB_KVM_NATIVE, 0, false, "firecracker" },
	{ { .engine = "auto" }, FB_KVM_EMULATING, 0, false, "qemu" },
	{ { .accel = "kvm" }, FB_KVM_NATIVE, 0, false, "firecracker" },
	/* the switch alone changes nothing of what auto takes */
	{ { .interpreted = true }, FB_KVM_EMULATING, 0, false, "qemu" },
	{ { .engine = "qemu", .interpreted = true },
	  FB_KVM_EMULATING,
	  0,
	  false,
	  "qemu" },
	{ { .engine = "firecracker" },
	  FB_KVM_EMULATING,
	  -EOPNOTSUPP,
	  false,
	  "Firecracker needs KVM, which can't be used: because" },
	{ { .engine = "firecracker", .interpreted = true },
	  FB_KVM_ABSENT,
	  -EOPNOTSUPP,
	  false,
	  "Firecracker needs KVM" },
	{ { .engine = "firecracker", .accel = "tcg" },
	  FB_KVM_NATIVE,
	  -EOPNOTSUPP,
	  false,
	  "Firecracker has no software emulation" },
	{ { .engine = "firecracker", .firecracker = "/nowhere/fc" },
	  FB_KVM_NATIVE,
	  -ENOENT,
	  false,
	  "'/nowhere/fc' is no program" },
	{ { .firecracker = "/nowhere/fc" }, FB_KVM_NATIVE, 0, false, "qemu" },
};

static void test_firecracker(void)
{
	for (size_t i = 0; i < FB_ARRAY_SIZE(firecracker_cases); i++) {
		FB_ENGINE_CHOICE struct fb_engine_choice got = { 0 };
		struct fb_probe probe = probe_of(firecracker_cases[i].kvm);
		struct fb_err err = { 0 };
		int r = fb_engine_select(&firecracker_cases[i].wish, &probe,
					 &got, &err);
		const char *text = r < 0 ? err.msg : got.ops->name;

		TAP_OK(r == firecracker_cases[i].want &&
			       strstr(text, firecracker_cases[i].text) &&
			       got.interpreted ==
				       firecracker_cases[i].interpreted,
		       "firecracker case %zu: %d '%s'", i, r, text);
	}
}

static void make_program(char path[64], const char *name)
{
	int fd;

	(void)snprintf(path, 64, "%s/%s", folder, name);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0755);
	(void)fb_close(fd);
}

/* Debian's build for microvm has KVM alone */
static void test_kvm_only(void)
{
	struct fb_probe probe = probe_of(FB_KVM_NATIVE);
	struct fb_err err = { 0 };
	char smaller[64];

	make_program(smaller, "qemu-system-x86_64-microvm");
	for (int i = 0; i < 2; i++) {
		FB_ENGINE_CHOICE struct fb_engine_choice got = { 0 };

		TAP_INT(choose("qemu", i ? "tcg" : "kvm", &probe, &got, &err),
			0, "an engine");
		TAP_STR(got.program, i ? program : smaller,
			i ? "software emulation takes the full build"
			  : "KVM takes the smaller build");
	}
	(void)unlink(smaller);
}

/* a device that only root can open is none for a machine without a jail */
static void test_root_only(void)
{
	struct fb_probe probe = probe_of(FB_KVM_NATIVE);
	FB_ENGINE_CHOICE struct fb_engine_choice got = { 0 };
	struct fb_err err = { 0 };

	probe.root_only = true;
	TAP_INT(choose("qemu", NULL, &probe, &got, &err), 0,
		"QEMU is taken: %s", err.msg);
	TAP_INT(got.accel, FB_ACCEL_TCG, "in software");
	fb_engine_choice_release(&got);
	TAP_INT(choose("qemu", "kvm", &probe, &got, &err), -EOPNOTSUPP,
		"not with KVM");
	TAP_OK(strstr(err.msg,
		      "QEMU needs KVM, which can't be used: /dev/kvm "
		      "is for root only") &&
		       strstr(err.hint, "chmod g+rw"),
	       "with reason and fix: %s; %s", err.msg, err.hint);
	err = (struct fb_err){ 0 };
	TAP_INT(choose("firecracker", NULL, &probe, &got, &err), -EOPNOTSUPP,
		"nor Firecracker without its jailer");
	TAP_OK(strstr(err.msg, "a jail would have"), "%s", err.msg);
	TAP_INT(choose("auto", NULL, &probe, &got, &err), 0, "auto goes on");
	TAP_STR(got.ops ? got.ops->name : "", "qemu", "to the next engine");
}

int main(void)
{
	if (!mkdtemp(folder) || setenv("PATH", folder, 1) < 0)
		return 2;
	test_no_program();
	make_program(program, "qemu-system-x86_64");
	test_table();
	test_hint();
	test_kvm_only();
	make_program(firecracker, "firecracker");
	test_firecracker();
	test_root_only();
	(void)unlink(program);
	(void)unlink(firecracker);
	(void)rmdir(folder);
	return tap_done();
}
