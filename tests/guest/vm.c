/* SPDX-License-Identifier: Apache-2.0 */
#include "vm.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/io.h"
#include "base/path.h"
#include "base/spawn.h"

#define HANG_S 120 /* a guest that says nothing for so long hangs */

static char folder[128];

static const char *setting(const char *name, const char *otherwise)
{
	const char *value = getenv(name);

	return value && *value ? value : otherwise;
}

static void remove_folder(void)
{
	if (folder[0])
		(void)fb_rmtree_at(AT_FDCWD, folder);
}

const char *vm_possible(void)
{
	FB_FREE char *qemu = fb_find_program("qemu-system-x86_64");
	FB_FREE char *mksquashfs = fb_find_program("mksquashfs");
	FB_FREE char *busybox = fb_find_program("busybox");
	const char *kernel = setting("FLAMEBOX_KERNEL", TEST_KERNEL);

	if (!qemu)
		return "no qemu-system-x86_64";
	if (!mksquashfs || !busybox)
		return "no mksquashfs or busybox";
	if (access(kernel, R_OK) < 0)
		return "no guest kernel (set FLAMEBOX_KERNEL, or make kernel)";
	return NULL;
}

static void must(bool ok, const char *what)
{
	if (ok)
		return;
	printf("Bail out! %s: %s\n", what, strerror(errno));
	exit(1);
}

const char *vm_folder(void)
{
	char program[] = TEST_MKROOT, probe[] = TEST_PROBE;
	char *argv[] = { program, folder, probe, NULL };
	struct fb_spawn spawn = { .path = program, .argv = argv };
	int status = -1;
	pid_t pid;

	if (folder[0])
		return folder;
	(void)snprintf(folder, sizeof(folder), "%s/flamebox-guest-XXXXXX",
		       setting("TMPDIR", "/tmp"));
	must(mkdtemp(folder) != NULL, "make a folder");
	(void)atexit(remove_folder);
	must(fb_spawn(&spawn, &pid, NULL, NULL) == 0, "start mkroot");
	must(fb_spawn_wait(pid, &status) == 0 && status == 0, "mkroot");
	return folder;
}

const char *vm_path(const char *name)
{
	static struct {
		const char *name;
		char path[256];
	} known[8];
	size_t i = 0;

	while (i < 7 && known[i].name && strcmp(known[i].name, name) != 0)
		i++;
	known[i].name = name;
	(void)snprintf(known[i].path, sizeof(known[i].path), "%s/%s",
		       vm_folder(), name);
	return known[i].path;
}

static void add_disk(struct fb_strv *argv, const char *file, const char *name,
		     bool read_only)
{
	(void)fb_strv_add(argv, "-drive");
	(void)fb_strv_addf(argv,
			   "file=%s,format=raw,if=none,id=%s,read-only=%s",
			   file, name, read_only ? "on" : "off");
	(void)fb_strv_add(argv, "-device");
	(void)fb_strv_addf(argv, "virtio-blk-device,drive=%s", name);
}

static void add_words(struct fb_strv *argv, const char *const *words)
{
	for (; *words; words++)
		(void)fb_strv_add(argv, *words);
}

static void render(const struct vm_config *config, int channel,
		   struct fb_strv *argv)
{
	static const char *const first[] = {
		"qemu-system-x86_64",
		"-M",
		"microvm,acpi=off,rtc=on,pit=on,pic=on,isa-serial=on",
		"-nodefaults",
		"-no-user-config",
		"-display",
		"none",
		"-no-reboot",
		"-cpu",
		"max,-erms",
		"-smp",
		NULL
	};
	static const char *const second[] = {
		"-append",
		"console=ttyS0 quiet reboot=t panic=-1 dummy.numdummies=0 "
		"no_timer_check tsc=reliable",
		"-global",
		"virtio-mmio.force-legacy=false",
		"-device",
		"virtio-serial-device",
		"-chardev",
		NULL
	};

	add_words(argv, first);
	(void)fb_strv_add(argv, setting("FLAMEBOX_TEST_CPUS", "2"));
	(void)fb_strv_add(argv, "-accel");
	(void)fb_strv_add(argv, setting("FLAMEBOX_TEST_ACCEL", "tcg"));
	(void)fb_strv_add(argv, "-m");
	(void)fb_strv_addf(argv, "%u",
			   config->memory_mb ? config->memory_mb : 256);
	(void)fb_strv_add(argv, "-kernel");
	(void)fb_strv_add(argv, setting("FLAMEBOX_KERNEL", TEST_KERNEL));
	(void)fb_strv_add(argv, "-initrd");
	(void)fb_strv_add(argv, TEST_INITRAMFS);
	add_words(argv, second);
	(void)fb_strv_addf(argv, "socket,id=ch,fd=%d", channel);
	(void)fb_strv_add(argv, "-device");
	(void)fb_strv_add(argv, "virtserialport,chardev=ch,name=flamebox.0");
	(void)fb_strv_add(argv, "-serial");
	(void)fb_strv_addf(argv, "file:%s", vm_path("console"));
	add_disk(argv, config->root, "root", true);
	if (config->upper)
		add_disk(argv, config->upper, "upper", false);
	if (config->network) {
		(void)fb_strv_add(argv, "-netdev");
		(void)fb_strv_add(argv, "user,id=net,ipv6=on");
		(void)fb_strv_add(argv, "-device");
		(void)fb_strv_add(argv, "virtio-net-device,netdev=net");
	}
}

static void start_qemu(struct vm *vm, const struct vm_config *config,
		       int channel)
{
	FB_STRV struct fb_strv argv = { 0 };
	FB_FREE char *qemu = fb_find_program("qemu-system-x86_64");
	struct fb_spawn_fd fds[] = { { channel, 3 }, { 2, 2 } };
	struct fb_spawn spawn = {
		.path = qemu, .fds = fds, .fd_count = 2, .die_with_parent = 1
	};

	render(config, 3, &argv);
	must(argv.err == 0, "render QEMU's arguments");
	spawn.argv = argv.v;
	must(fb_spawn(&spawn, &vm->qemu, NULL, NULL) == 0, "start QEMU");
}

bool vm_boot(struct vm *vm, const struct vm_config *config)
{
	uint8_t *memory = malloc(4 * FB_FRAME_SIZE_MAX);
	int ends[2];

	*vm = (struct vm){ .out = { FB_STR_INIT(64u << 20),
				    FB_STR_INIT(64u << 20) },
			   .log = FB_STR_INIT(1u << 20) };
	must(memory && socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0,
				  ends) == 0,
	     "make a channel");
	fb_frame_reader_init(&vm->reader, FB_FRAME_FROM_GUEST, memory,
			     4 * FB_FRAME_SIZE_MAX);
	fb_recv_window_init(&vm->window[0]);
	fb_recv_window_init(&vm->window[1]);
	fb_send_window_init(&vm->input);
	start_qemu(vm, config, ends[1]);
	(void)close(ends[1]);
	vm->fd = ends[0];
	while (!vm->hello && vm_step(vm))
		;
	return vm->hello;
}

struct fb_guest_spec vm_spec(const char *script)
{
	static char sh[] = "/bin/sh", c[] = "-c", path[] = "PATH=/bin";
	static char text[8192];
	static char *args[] = { sh, c, text, NULL };
	static char *env[] = { path, NULL };

	(void)snprintf(text, sizeof(text), "%s", script);
	return (struct fb_guest_spec){
		.process = { .args = args,
			     .arg_count = 3,
			     .env = env,
			     .env_count = 1,
			     .stdin_open = true },
		.root = { .device = "/dev/vda", .fs = FB_SPEC_FS_SQUASHFS },
		.hostname = "box",
		.hosts = "127.0.0.1\tlocalhost\n",
		.resolv_conf = "nameserver 10.0.2.3\n",
	};
}

void vm_send(struct vm *vm, const void *bytes, size_t len)
{
	if (!vm->gone && send(vm->fd, bytes, len, MSG_NOSIGNAL) != (ssize_t)len)
		vm->gone = true;
}

static void send_frame(struct vm *vm, const struct fb_frame *frame)
{
	uint8_t head[FB_FRAME_HEADER_SIZE];

	fb_frame_put_header(head, frame);
	vm_send(vm, head, sizeof(head));
	if (frame->length)
		vm_send(vm, frame->payload, frame->length);
}

void vm_begin(struct vm *vm, const struct fb_guest_spec *spec)
{
	FB_STR struct fb_str blob = FB_STR_INIT(FB_SPEC_ENCODED_MAX);
	uint8_t fresh[FB_SPEC_FRESH_SIZE], seed[FB_SPEC_SEED_SIZE];
	struct fb_err err = { 0 };
	size_t at = 0, len;

	if (fb_spec_encode(spec, &blob, &err) < 0) {
		printf("Bail out! encode: %s\n", err.msg);
		exit(1);
	}
	for (; at < blob.len; at += len) {
		len = blob.len - at < 60000 ? blob.len - at : 60000;
		send_frame(vm, &(struct fb_frame){
				       .type = FB_GUEST_BEGIN,
				       .length = (uint32_t)len,
				       .payload = (uint8_t *)blob.buf + at });
	}
	must(getrandom(seed, sizeof(seed), 0) == (ssize_t)sizeof(seed),
	     "random bytes");
	fb_spec_put_fresh(fresh, (uint64_t)time(NULL), 5, seed);
	send_frame(vm, &(struct fb_frame){ .type = FB_GUEST_BEGIN,
					   .flags = FB_GUEST_FLAG_LAST,
					   .length = sizeof(fresh),
					   .payload = fresh });
}

void vm_send_end(struct vm *vm)
{
	uint8_t frame[FB_FRAME_SMALL_MAX];

	vm_send(vm, frame,
		fb_frame_put_empty(frame, FB_GUEST_EOF, 0, FB_GUEST_STDIN));
}

void vm_send_signal(struct vm *vm, unsigned int signal)
{
	uint8_t frame[FB_FRAME_SMALL_MAX];

	vm_send(vm, frame,
		fb_frame_put_u32(frame, FB_GUEST_SIGNAL, 0, FB_GUEST_STDIN,
				 signal));
}

void vm_send_input(struct vm *vm, const void *bytes, size_t len)
{
	const uint8_t *p = bytes;

	while (len > 0 && !vm->gone && !vm->exited && !vm->input_refused) {
		uint32_t n = fb_send_window_room(&vm->input);

		if (n == 0) {
			(void)vm_step(vm);
			continue;
		}
		n = n < len ? n : (uint32_t)len;
		send_frame(vm, &(struct fb_frame){ .type = FB_GUEST_DATA,
						   .stream = FB_GUEST_STDIN,
						   .length = n,
						   .payload = p });
		fb_send_window_use(&vm->input, n);
		p += n;
		len -= n;
	}
}

static void take_data(struct vm *vm, const struct fb_frame *frame)
{
	int i = frame->stream == FB_GUEST_STDERR;
	uint8_t reply[FB_FRAME_SMALL_MAX];
	uint32_t back;

	if (!vm->started ||
	    fb_recv_window_got(&vm->window[i], frame->length) < 0)
		vm->protocol_error = true;
	if (i == 0 && vm->check)
		vm->check(vm->check_ctx, frame->payload, frame->length);
	else
		(void)fb_str_append(&vm->out[i], frame->payload, frame->length);
	if (i == 0 && vm->hold)
		return;
	back = fb_recv_window_handed(&vm->window[i], frame->length);
	if (back)
		vm_send(vm, reply,
			fb_frame_put_u32(reply, FB_GUEST_WINDOW_ADD, 0,
					 frame->stream, back));
}

static void take(struct vm *vm, const struct fb_frame *frame)
{
	int i = frame->stream == FB_GUEST_STDERR;

	if (vm->exited && frame->type != FB_GUEST_LOG)
		vm->protocol_error = true;
	switch ((unsigned int)frame->type) {
	case FB_GUEST_HELLO:
		vm->hello = true;
		break;
	case FB_GUEST_STARTED:
		vm->started = true;
		break;
	case FB_GUEST_DATA:
		take_data(vm, frame);
		break;
	case FB_GUEST_EOF:
		if (fb_recv_window_end(&vm->window[i]) < 0)
			vm->protocol_error = true;
		break;
	case FB_GUEST_CLOSE:
		vm->input_refused = true;
		break;
	case FB_GUEST_WINDOW_ADD:
		if (fb_send_window_add(&vm->input, fb_frame_u32(frame)) < 0)
			vm->protocol_error = true;
		break;
	case FB_GUEST_EXIT:
		vm->exited = true;
		vm->exit = fb_frame_exit(frame, vm->text);
		if (vm->started && !vm->window[0].ended)
			vm->protocol_error = true;
		break;
	case FB_GUEST_LOG:
		(void)fb_str_append(&vm->log, frame->payload, frame->length);
		(void)fb_str_putc(&vm->log, '\n');
		break;
	default:
		vm->protocol_error = true;
	}
}

bool vm_step(struct vm *vm)
{
	struct pollfd p = { .fd = vm->fd, .events = POLLIN };
	struct fb_frame frame;
	uint8_t *to;
	size_t room;
	ssize_t n;
	int r;

	if (vm->gone)
		return false;
	r = poll(&p, 1, HANG_S * 1000);
	if (r == 0) {
		printf("# the guest hangs\n");
		(void)kill(vm->qemu, SIGKILL);
	}
	to = fb_frame_reader_space(&vm->reader, &room);
	n = read(vm->fd, to, room);
	if (n <= 0) {
		vm->gone = true;
		return false;
	}
	fb_frame_reader_fed(&vm->reader, (size_t)n);
	while ((r = fb_frame_reader_next(&vm->reader, &frame, NULL)) > 0)
		take(vm, &frame);
	if (r < 0)
		vm->protocol_error = true;
	return r == 0;
}

bool vm_wait_output(struct vm *vm, const char *text)
{
	while (!strstr(fb_str_cstr(&vm->out[0]), text))
		if (vm->exited || !vm_step(vm))
			return false;
	return true;
}

static bool reap(struct vm *vm)
{
	int status = -1;

	(void)fb_spawn_wait(vm->qemu, &status);
	vm->qemu = 0;
	return status == 0;
}

bool vm_finish(struct vm *vm)
{
	uint8_t frame[FB_FRAME_SMALL_MAX];

	while (!vm->exited && vm_step(vm))
		;
	if (!vm->exited)
		(void)kill(vm->qemu, SIGKILL);
	vm_send(vm, frame,
		fb_frame_put_empty(frame, FB_GUEST_EXIT_ACK, 0,
				   FB_GUEST_STDIN));
	while (vm_step(vm))
		;
	return reap(vm) && vm->exited && !vm->protocol_error;
}

bool vm_abort(struct vm *vm)
{
	(void)close(vm->fd);
	vm->fd = -EBADF;
	vm->gone = true;
	return reap(vm);
}

bool vm_run(struct vm *vm, const struct vm_config *config,
	    const struct fb_guest_spec *spec)
{
	if (!vm_boot(vm, config))
		return false;
	vm_begin(vm, spec);
	vm_send_end(vm);
	return vm_finish(vm);
}

bool vm_sh(struct vm *vm, const char *script)
{
	struct vm_config config = { .root = vm_path("root.sqfs") };
	struct fb_guest_spec spec = vm_spec(script);

	return vm_run(vm, &config, &spec);
}

void vm_release(struct vm *vm)
{
	if (vm->qemu > 0) {
		(void)kill(vm->qemu, SIGKILL);
		(void)reap(vm);
	}
	vm->fd = fb_close(vm->fd);
	free(vm->reader.buf);
	fb_str_release(&vm->out[0]);
	fb_str_release(&vm->out[1]);
	fb_str_release(&vm->log);
	*vm = (struct vm){ .fd = -EBADF };
}
