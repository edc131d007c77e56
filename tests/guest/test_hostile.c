/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A host that breaks the protocol, or goes away: the guest resets, at once, and
 * never waits for anything.  And a writable disk that must survive the end.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/spawn.h"
#include "tap.h"
#include "vm.h"

static bool boots(struct vm *vm)
{
	struct vm_config config = { .root = vm_path("root.sqfs") };

	return TAP_OK(vm_boot(vm, &config), "a guest is ready");
}

static bool resets(struct vm *vm)
{
	while (vm_step(vm))
		;
	return vm_abort(vm);
}

struct frame_case {
	const char *name;
	size_t len;
	uint8_t bytes[16];
};

static void test_bad_frames(void)
{
	static const struct frame_case cases[] = {
		{ "an unknown type", 8, { 99 } },
		{ "a frame of 4 GiB", 8, { 4, 0, 0, 0, 255, 255, 255, 255 } },
		{ "a stream that it may not send", 9, { 4, 0, 0, 1, 1 } },
		{ "a second spec", 8, { 2, 1 } },
		{ "an acknowledgement of nothing", 8, { 11 } },
		{ "credit that was never used",
		  12,
		  { 7, 0, 0, 1, 4, 0, 0, 0, 0, 0, 16, 0 } },
		{ "signal 0", 12, { 8, 0, 0, 0, 4 } },
	};
	struct fb_guest_spec spec = vm_spec("echo ready; sleep 100");

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct vm vm;

		(void)boots(&vm);
		vm_begin(&vm, &spec);
		(void)vm_wait_output(&vm, "ready");
		vm_send(&vm, cases[i].bytes, cases[i].len);
		TAP_OK(resets(&vm) && !vm.exited, "reset after %s",
		       cases[i].name);
		vm_release(&vm);
	}
}

static void test_over_the_window(void)
{
	static uint8_t frame[FB_FRAME_SIZE_MAX];
	struct fb_guest_spec spec = vm_spec("echo ready; sleep 100");
	struct vm vm;

	fb_frame_put_header(frame,
			    &(struct fb_frame){ .type = FB_GUEST_DATA,
						.stream = FB_GUEST_STDIN,
						.length = FB_GUEST_FRAME_MAX });
	(void)boots(&vm);
	vm_begin(&vm, &spec);
	(void)vm_wait_output(&vm, "ready");
	for (int i = 0; i < 18; i++)
		vm_send(&vm, frame, sizeof(frame));
	TAP_OK(resets(&vm) && !vm.exited, "reset after too much stdin");
	vm_release(&vm);
}

static void test_before_begin(void)
{
	struct vm vm;

	(void)boots(&vm);
	vm_send(&vm, "\4\0\0\0\1\0\0\0x", 9);
	TAP_OK(vm_finish(&vm) && vm.exit.kind == FB_GUEST_SETUP_FAILED,
	       "stdin before the spec is refused");
	TAP_STR(vm.text, "the host sent frame 4 out of turn", "and says so");
	vm_release(&vm);
	(void)boots(&vm);
	vm_send(&vm, "\2\1\0\0\3\0\0\0abc", 11);
	TAP_OK(vm_finish(&vm) && vm.exit.kind == FB_GUEST_SETUP_FAILED,
	       "a spec that is none is refused");
	TAP_STR(vm.text, "this is no spec", "and says so");
	vm_release(&vm);
	(void)boots(&vm);
	TAP_OK(vm_abort(&vm), "reset when the host goes before the spec");
	vm_release(&vm);
}

static void test_host_gone(void)
{
	struct fb_guest_spec spec = vm_spec("echo ready; sleep 100");
	struct vm vm;

	(void)boots(&vm);
	vm_begin(&vm, &spec);
	(void)vm_wait_output(&vm, "ready");
	TAP_OK(vm_abort(&vm), "reset when the host goes");
	vm_release(&vm);
	spec = vm_spec("cat /dev/zero");
	(void)boots(&vm);
	vm_begin(&vm, &spec);
	while (vm.out[0].len == 0 && vm_step(&vm))
		;
	TAP_OK(vm_abort(&vm), "reset when the host goes in a flood");
	vm_release(&vm);
}

static void test_no_acknowledgement(void)
{
	struct fb_guest_spec spec = vm_spec("true");
	struct vm vm;

	(void)boots(&vm);
	vm_begin(&vm, &spec);
	while (!vm.exited && vm_step(&vm))
		;
	TAP_OK(vm.exited && resets(&vm), "reset also without EXIT_ACK");
	vm_release(&vm);
}

static bool make_disk(const char *path)
{
	char *argv[] = { (char[]){ "mkfs.ext4" }, (char[]){ "-q" },
			 (char[]){ "-F" }, strdup(path), NULL };
	FB_FREE char *mkfs = fb_find_program("mkfs.ext4");
	struct fb_spawn spawn = { .path = mkfs ? mkfs : "/sbin/mkfs.ext4",
				  .argv = argv };
	FB_FD int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	int status = -1;
	pid_t pid;
	bool made = fd >= 0 && ftruncate(fd, 64 << 20) == 0 &&
		    fb_spawn(&spawn, &pid, NULL, NULL) == 0 &&
		    fb_spawn_wait(pid, &status) == 0 && status == 0;

	free(argv[3]);
	return made;
}

/* Clean: the kernel's mark in the superblock says that nothing must be replayed */
static bool is_clean(const char *path)
{
	FB_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
	uint8_t super[1024];

	return fd >= 0 &&
	       fb_pread_full(fd, super, sizeof(super), 1024) ==
		       (ssize_t)sizeof(super) &&
	       (super[0x3a] & 1) && !(super[0x60] & 4);
}

static void test_disk(void)
{
	struct vm_config config = { .root = vm_path("root.sqfs"),
				    .upper = vm_path("upper.img") };
	struct fb_guest_spec spec =
		vm_spec("cat /kept 2>/dev/null; rm -r /links; "
			"echo kept >/kept; chmod 700 /; ls -d /links; exit 0");
	struct vm vm;

	if (!make_disk(config.upper)) {
		tap_skip("no mkfs.ext4");
		return;
	}
	spec.root.upper_device = "/dev/vdb";
	TAP_OK(vm_run(&vm, &config, &spec) && vm.exit.kind == FB_GUEST_EXITED,
	       "with a disk");
	TAP_STR(fb_str_cstr(&vm.out[0]), "", "nothing was there before");
	TAP_OK(is_clean(config.upper), "the disk is left clean");
	vm_release(&vm);
	spec = vm_spec(
		"cat /kept; ls -d /links; stat -c %a /; umount /etc/hosts;"
		"cat /etc/hosts");
	spec.root.upper_device = "/dev/vdb";
	TAP_OK(vm_run(&vm, &config, &spec), "and again");
	TAP_STR(fb_str_cstr(&vm.out[0]), "kept\n700\nfrom the image\n",
		"what was written and removed is still so");
	vm_release(&vm);
}

int main(void)
{
	const char *reason = vm_possible();

	if (reason) {
		tap_skip(reason);
		return tap_done();
	}
	test_bad_frames();
	test_over_the_window();
	test_before_begin();
	test_host_gone();
	test_no_acknowledgement();
	test_disk();
	return tap_done();
}
