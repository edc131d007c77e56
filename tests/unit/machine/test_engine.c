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
static char program[64];

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
		int r = fb_engine_select(cases[i].engine, cases[i].accel,
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

static void test_hint(void)
{
	struct fb_probe probe = probe_of(FB_KVM_DENIED);
	struct fb_engine_choice got = { 0 };
	struct fb_err err = { 0 };

	(void)fb_engine_select(NULL, "kvm", &probe, &got, &err);
	TAP_STR(err.hint, "mend it", "the probe's fix is the hint");
	probe.fix[0] = '\0';
	err = (struct fb_err){ 0 };
	(void)fb_engine_select(NULL, "kvm", &probe, &got, &err);
	TAP_STR(err.hint, "use --accel tcg", "or what always works");
}

static void test_no_program(void)
{
	struct fb_probe probe = probe_of(FB_KVM_NATIVE);
	struct fb_engine_choice got = { 0 };
	struct fb_err err = { 0 };

	TAP_INT(fb_engine_select(NULL, NULL, &probe, &got, &err), -ENOENT,
		"no program");
	TAP_OK(strstr(err.msg, "'auto'") && strstr(err.hint, "apt install"),
	       "the error says which and how to get one: %s; %s", err.msg,
	       err.hint);
	TAP_INT(fb_engine_select("qemu", "tcg", &probe, &got, &err), -ENOENT,
		"nor for a named engine");
	TAP_INT(fb_engine_select("none", NULL, &probe, &got, &err), -EINVAL,
		"an unknown engine is that, also without a program");
}

int main(void)
{
	int fd;

	if (!mkdtemp(folder) || setenv("PATH", folder, 1) < 0)
		return 2;
	(void)snprintf(program, sizeof(program), "%s/qemu-system-x86_64",
		       folder);
	test_no_program();
	fd = open(program, O_WRONLY | O_CREAT | O_CLOEXEC, 0755);
	(void)fb_close(fd);
	test_table();
	test_hint();
	(void)unlink(program);
	(void)rmdir(folder);
	return tap_done();
}
