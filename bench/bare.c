/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bare KERNEL INITRAMFS ROOT.squashfs [WORD…] : QEMU with the same kernel,
 * initramfs, disks and command line as `flamebox run`, started by as little as
 * possible: no image, no store, no monitor, no session, no network back end.
 * What `flamebox run` takes longer than this is FlameBox's own.
 *
 * The guest's stdout goes to ours.  With the single word "dd" a port of its own
 * is not possible (init owns it), so throughput is compared in bench/stdout.
 */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/spawn.h"
#include "machine/engine.h"
#include "machine/tsc.h"
#include "volume/upper.h"
#include "wire/frame.h"
#include "wire/spec.h"

static int fail(const char *what, const struct fb_err *err)
{
	(void)fprintf(stderr, "bare: %s: %s\n", what,
		      err && err->msg[0] ? err->msg : strerror(errno));
	return 1;
}

static int spawn_qemu(char **argv, uint32_t tsc_khz, int channel, int console,
		      int root, int upper, pid_t *ret_pid, struct fb_plan *plan,
		      struct fb_err *err)
{
	struct fb_machine_config config = {
		.kernel_fd = open(argv[1], O_RDONLY | O_CLOEXEC),
		.initramfs_fd = open(argv[2], O_RDONLY | O_CLOEXEC),
		.cpus = 1,
		.memory_bytes = 512ull << 20,
		.disks = { { .fd = root, .read_only = true },
			   { .fd = upper, .disposable = true } },
		.disk_count = 2,
		.nic = FB_NIC_NONE,
		.channel_fd = channel,
		.console_fd = console,
		.tsc_khz = tsc_khz,
	};
	FB_FREE char *program = fb_find_program(fb_engine_qemu.binary);
	int r;

	if (config.kernel_fd < 0 || config.initramfs_fd < 0 || !program)
		return -ENOENT;
	r = fb_engine_qemu.render(&config, FB_ACCEL_TCG, program, plan, err);
	if (r < 0)
		return r;
	return fb_plan_spawn(&plan->processes[0], ret_pid, NULL, err);
}

static int send_spec(int fd, char **words, int count, const char *root,
		     const char *upper)
{
	static const char *const fallback[] = { "true" };
	FB_STR struct fb_str bytes = FB_STR_INIT(FB_SPEC_ENCODED_MAX);
	char *env[] = { (char[]){
		"PATH=/usr/local/sbin:/usr/local/bin:"
		"/usr/sbin:/usr/bin:/sbin:/bin" } };
	struct fb_guest_spec spec = {
		.process = { .args = count ? (char *const *)words
					   : (char *const *)(uintptr_t)fallback,
			     .arg_count = count ? (size_t)count : 1,
			     .env = env,
			     .env_count = 1,
			     .cwd = "/" },
		.root = { .device = root,
			  .fs = FB_SPEC_FS_SQUASHFS,
			  .upper_device = upper,
			  .disposable = true },
	};
	uint8_t header[FB_FRAME_HEADER_SIZE], fresh[FB_SPEC_FRESH_SIZE];
	uint8_t seed[FB_SPEC_SEED_SIZE];
	struct fb_frame frame = { .type = FB_GUEST_BEGIN };

	if (fb_spec_encode(&spec, &bytes, NULL) < 0 ||
	    getrandom(seed, sizeof(seed), 0) != (ssize_t)sizeof(seed))
		return -1;
	frame.length = (uint32_t)bytes.len;
	fb_frame_put_header(header, &frame);
	if (fb_write_full(fd, header, sizeof(header)) < 0 ||
	    fb_write_full(fd, bytes.buf, bytes.len) < 0)
		return -1;
	fb_spec_put_fresh(fresh, (uint64_t)time(NULL), 0, seed);
	frame.length = sizeof(fresh);
	frame.flags = FB_GUEST_FLAG_LAST;
	fb_frame_put_header(header, &frame);
	return fb_write_full(fd, header, sizeof(header)) < 0 ||
			       fb_write_full(fd, fresh, sizeof(fresh)) < 0
		       ? -1
		       : 0;
}

static void give_back(int fd, const struct fb_frame *frame)
{
	uint8_t out[FB_FRAME_SMALL_MAX];
	size_t len = fb_frame_put_u32(out, FB_GUEST_WINDOW_ADD, 0,
				      frame->stream, frame->length);

	(void)fb_write_full(fd, out, len);
}

/* Return: the guest's exit status; -1 where it was lost */
static int follow(int fd, char **words, int count, const char *root,
		  const char *upper)
{
	static uint8_t buf[2 * FB_FRAME_SIZE_MAX];
	char text[FB_GUEST_TEXT_MAX + 1];
	struct fb_frame_reader reader;
	struct fb_frame frame;
	uint8_t *space;
	size_t room;
	ssize_t n;

	fb_frame_reader_init(&reader, FB_FRAME_FROM_GUEST, buf, sizeof(buf));
	for (;;) {
		while (fb_frame_reader_next(&reader, &frame, NULL) > 0) {
			if (frame.type == FB_GUEST_HELLO &&
			    send_spec(fd, words, count, root, upper) < 0)
				return -1;
			if (frame.type == FB_GUEST_DATA) {
				(void)fb_write_full(1, frame.payload,
						    frame.length);
				give_back(fd, &frame);
			}
			if (frame.type == FB_GUEST_EXIT)
				return (int)fb_frame_exit(&frame, text).value;
		}
		space = fb_frame_reader_space(&reader, &room);
		n = read(fd, space, room);
		if (n <= 0)
			return -1;
		fb_frame_reader_fed(&reader, (size_t)n);
	}
}

int main(int argc, char **argv)
{
	FB_PLAN struct fb_plan plan = { 0 };
	struct fb_err err = { 0 };
	int channel[2], console[2], root, upper, status, dir;
	char name[32], folder[PATH_MAX];
	pid_t pid;

	if (argc < 4 || snprintf(folder, sizeof(folder), "%s", argv[3]) >=
				(int)sizeof(folder))
		return fail("usage: bare KERNEL INITRAMFS ROOT [WORD…]", NULL);
	root = open(argv[3], O_RDONLY | O_CLOEXEC);
	/* templates and the clock's rate are kept beside ROOT, as in a store */
	dir = open(dirname(folder), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	(void)snprintf(name, sizeof(name), "bare-%ld.img", (long)getpid());
	if (root < 0 || dir < 0 ||
	    fb_upper_create(dir, dir, name, 8ull << 30, &upper, &err) < 0)
		return fail("disks", &err);
	(void)unlinkat(dir, name, 0);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, channel) < 0 ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, console) < 0)
		return fail("sockets", NULL);
	if (spawn_qemu(argv, fb_tsc_khz(dir), channel[1], console[1], root,
		       upper, &pid, &plan, &err) < 0)
		return fail("QEMU", &err);
	(void)close(channel[1]);
	status = follow(channel[0], argv + 4, argc - 4, plan.disk_names[0],
			plan.disk_names[1]);
	(void)kill(pid, SIGKILL);
	(void)fb_spawn_wait(pid, &argc);
	return status < 0 ? 1 : status;
}
