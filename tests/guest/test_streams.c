/* SPDX-License-Identifier: Apache-2.0 */
/* Streams, signals, the terminal, and the end of a process. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/io.h"
#include "tap.h"
#include "vm.h"

static const char *out(const struct vm *vm)
{
	return fb_str_cstr(&vm->out[0]);
}

static bool ended(const struct vm *vm, enum fb_guest_exit_kind kind,
		  unsigned int value)
{
	if (vm->exit.kind == kind && vm->exit.value == value)
		return true;
	printf("# kind %u value %u: %s\n", vm->exit.kind, vm->exit.value,
	       vm->text);
	return false;
}

static void start(struct vm *vm, const struct fb_guest_spec *spec)
{
	struct vm_config config = { .root = vm_path("root.sqfs") };

	if (!TAP_OK(vm_boot(vm, &config), "a guest is ready"))
		return;
	vm_begin(vm, spec);
}

/** struct expected - The image's pattern, over and over */
struct expected {
	const char *pattern;
	size_t len;
	uint64_t seen;
	bool wrong;
};

static void compare(void *ctx, const uint8_t *data, size_t len)
{
	struct expected *e = ctx;
	size_t at, n;

	for (; len > 0; data += n, len -= n, e->seen += n) {
		at = e->seen % e->len;
		n = e->len - at < len ? e->len - at : len;
		if (memcmp(e->pattern + at, data, n) != 0)
			e->wrong = true;
	}
}

static char *pattern;
static size_t pattern_len;

static void flood_is_exact(const char *script, unsigned int times)
{
	struct expected e = { pattern, pattern_len, 0, false };
	struct fb_guest_spec spec = vm_spec(script);
	struct vm vm;

	start(&vm, &spec);
	vm.check = compare;
	vm.check_ctx = &e;
	vm_send_end(&vm);
	TAP_OK(vm_finish(&vm) && ended(&vm, FB_GUEST_EXITED, 0), "flood: %s",
	       script);
	TAP_INT(e.seen, (uint64_t)pattern_len * times, "every byte came");
	TAP_OK(!e.wrong, "and was the right one");
	vm_release(&vm);
}

static void test_floods(void)
{
	flood_is_exact(
		"for i in 1 2 3 4 5 6 7 8 9 10 11 12; "
		"do cat /pattern; done",
		12);
	flood_is_exact("dd if=/pattern bs=65536 2>/dev/null", 1);
	flood_is_exact("dd if=/pattern bs=4999 2>/dev/null", 1);
	flood_is_exact("probe mixed; probe mixed; cat /pattern", 3);
}

/* A host that gives no credit gets a window's worth, and everything else goes on */
static void test_backpressure(void)
{
	struct fb_guest_spec spec = vm_spec(
		"cat /pattern & sleep 1; echo here >&2; read x; echo $x >&2; "
		"wait");
	uint8_t frame[FB_FRAME_SMALL_MAX];
	struct vm vm;

	start(&vm, &spec);
	vm.hold = true;
	while (!strstr(fb_str_cstr(&vm.out[1]), "here") && vm_step(&vm))
		;
	TAP_INT(vm.out[0].len, FB_GUEST_WINDOW, "one window of stdout came");
	vm_send_input(&vm, "word\n", 5);
	while (!strstr(fb_str_cstr(&vm.out[1]), "word") && vm_step(&vm))
		;
	TAP_OK(strstr(fb_str_cstr(&vm.out[1]), "word") != NULL,
	       "stdin and stderr go on meanwhile");
	vm.hold = false;
	vm_send(&vm, frame,
		fb_frame_put_u32(frame, FB_GUEST_WINDOW_ADD, 0, FB_GUEST_STDOUT,
				 fb_recv_window_handed(&vm.window[0],
						       FB_GUEST_WINDOW)));
	TAP_OK(vm_finish(&vm), "the rest flows when credit comes");
	TAP_OK(vm.out[0].len == pattern_len &&
		       !memcmp(vm.out[0].buf, pattern, pattern_len),
	       "exactly");
	vm_release(&vm);
}

static void test_stdin(void)
{
	struct fb_guest_spec spec = vm_spec("cat; echo end >&2");
	struct vm vm;

	start(&vm, &spec);
	vm_send_input(&vm, pattern, pattern_len);
	vm_send_input(&vm, "last\n", 5);
	vm_send_end(&vm);
	TAP_OK(vm_finish(&vm), "stdin is echoed");
	TAP_OK(vm.out[0].len == pattern_len + 5 &&
		       !memcmp(vm.out[0].buf, pattern, pattern_len) &&
		       !memcmp(vm.out[0].buf + pattern_len, "last\n", 5),
	       "8 MiB and a line, exactly");
	TAP_STR(fb_str_cstr(&vm.out[1]), "end\n", "end of file is seen");
	vm_release(&vm);
}

static void test_stdin_unread(void)
{
	struct fb_guest_spec spec = vm_spec("exec <&-; sleep 1; echo done");
	struct vm vm;

	start(&vm, &spec);
	vm_send_input(&vm, pattern, pattern_len);
	TAP_OK(vm.input_refused || vm.exited,
	       "the host is told that nobody reads");
	TAP_OK(vm_finish(&vm), "it ends");
	TAP_STR(out(&vm), "done\n", "unhurt");
	vm_release(&vm);
	spec = vm_spec("read x; echo $x");
	spec.process.stdin_open = false;
	start(&vm, &spec);
	TAP_OK(vm_finish(&vm), "without stdin");
	TAP_STR(out(&vm), "\n", "there is /dev/null");
	vm_release(&vm);
}

static void test_close(void)
{
	struct fb_guest_spec spec = vm_spec("probe flood; echo status $? >&2");
	uint8_t frame[FB_FRAME_SMALL_MAX];
	struct vm vm;

	start(&vm, &spec);
	while (vm.out[0].len == 0 && vm_step(&vm))
		;
	vm_send(&vm, frame,
		fb_frame_put_empty(frame, FB_GUEST_CLOSE, 0, FB_GUEST_STDOUT));
	TAP_OK(vm_finish(&vm), "stdout is closed");
	TAP_STR(fb_str_cstr(&vm.out[1]), "status 141\n",
		"its writer gets SIGPIPE");
	TAP_OK(vm.window[0].ended, "and the stream ends");
	vm_release(&vm);
}

static void test_signals(void)
{
	struct fb_guest_spec spec =
		vm_spec("trap 'echo usr1' USR1; trap 'echo term; exit 5' TERM; "
			"echo ready; while :; do sleep 0.1; done");
	struct vm vm;

	start(&vm, &spec);
	(void)vm_wait_output(&vm, "ready");
	vm_send_signal(&vm, SIGUSR1);
	TAP_OK(vm_wait_output(&vm, "usr1"), "a handled signal arrives");
	vm_send_signal(&vm, SIGHUP);
	vm_send_signal(&vm, SIGTERM);
	TAP_OK(vm_finish(&vm) && ended(&vm, FB_GUEST_EXITED, 5),
	       "one without a handler is ignored by PID 1, the next is not");
	vm_release(&vm);
	spec = vm_spec("echo ready; while :; do sleep 0.1; done");
	start(&vm, &spec);
	(void)vm_wait_output(&vm, "ready");
	vm_send_signal(&vm, SIGKILL);
	TAP_OK(vm_finish(&vm) && ended(&vm, FB_GUEST_SIGNALED, SIGKILL),
	       "SIGKILL is told as such");
	vm_release(&vm);
}

static void test_terminal(void)
{
	static char probe[] = "/bin/probe", verb[] = "size";
	char *args[] = { probe, verb, NULL };
	struct fb_guest_spec spec = vm_spec("");
	uint8_t frame[FB_FRAME_SMALL_MAX];
	struct vm vm;

	spec.process.args = args;
	spec.process.arg_count = 2;
	spec.process.terminal = true;
	spec.process.size = (struct fb_guest_winsize){ 24, 80 };
	start(&vm, &spec);
	TAP_OK(vm_wait_output(&vm, "size 24 80\r\n"), "a terminal of its size");
	vm_send(&vm, frame,
		fb_frame_put_resize(frame, 0,
				    (struct fb_guest_winsize){ 50, 132 }));
	TAP_OK(vm_finish(&vm) && ended(&vm, FB_GUEST_EXITED, 0),
	       "all three streams are it");
	TAP_OK(strstr(out(&vm), "size 50 132"), "SIGWINCH, and the new size");
	TAP_OK(!vm.window[1].ended, "stderr does not exist");
	vm_release(&vm);
}

static void test_terminal_shell(void)
{
	struct fb_guest_spec spec =
		vm_spec("trap : INT; tty; ls -l /dev/console; "
			"sh -c 'echo asleep; exec sleep 100'; "
			"echo interrupted $?; "
			"read line; echo got $line; cat; echo over");
	struct vm vm;

	spec.process.terminal = true;
	start(&vm, &spec);
	/* from then on the key ends it, whichever of the two runs */
	(void)vm_wait_output(&vm, "asleep\r\n");
	vm_send_input(&vm, "\x03", 1);
	TAP_OK(vm_wait_output(&vm, "^C"), "the interrupt key is echoed");
	TAP_OK(vm_wait_output(&vm, "interrupted 130"), "and interrupts");
	vm_send_input(&vm, "words\n", 6);
	TAP_OK(vm_wait_output(&vm, "got words"), "a line is read");
	vm_send_input(&vm, "\x04", 1);
	TAP_OK(vm_finish(&vm), "the end-of-file key ends cat");
	TAP_OK(strstr(out(&vm), "/dev/pts/0\r\n") && strstr(out(&vm), "over"),
	       "it is /dev/pts/0");
	vm_release(&vm);
}

static void test_orphan(void)
{
	struct vm vm;

	TAP_OK(vm_sh(&vm, "exec probe orphan"), "an orphan holds stdout");
	TAP_STR(out(&vm), "leaving\n", "what was written came");
	TAP_OK(ended(&vm, FB_GUEST_EXITED, 7), "and the end is not held up");
	vm_release(&vm);
}

static void test_init(void)
{
	struct vm_config config = { .root = vm_path("root.sqfs") };
	struct fb_guest_spec spec =
		vm_spec("echo pid $$; probe zombie; exit 4");
	struct vm vm;

	spec.init = true;
	TAP_OK(vm_run(&vm, &config, &spec) && ended(&vm, FB_GUEST_EXITED, 4),
	       "with init, the status is the entrypoint's");
	TAP_OK(!strstr(out(&vm), "pid 1\n") && strstr(out(&vm), "reaped\n"),
	       "it is not PID 1, and zombies are reaped");
	vm_release(&vm);
	spec = vm_spec("echo ready; exec sleep 100");
	spec.init = true;
	start(&vm, &spec);
	(void)vm_wait_output(&vm, "ready");
	vm_send_signal(&vm, SIGTERM);
	TAP_OK(vm_finish(&vm) && ended(&vm, FB_GUEST_EXITED, 128 + SIGTERM),
	       "a signal ends it, as it ends any process");
	vm_release(&vm);
	spec = vm_spec("");
	spec.init = true;
	spec.process.args = (char *[]){ (char[]){ "nosuch" }, NULL };
	spec.process.arg_count = 1;
	TAP_OK(vm_run(&vm, &config, &spec) &&
		       vm.exit.kind == FB_GUEST_NOT_FOUND,
	       "a missing program is told with init, too");
	vm_release(&vm);
}

static void test_init_terminal(void)
{
	struct fb_guest_spec spec = vm_spec("echo ready; sleep 100");
	struct vm vm;

	spec.init = true;
	spec.process.terminal = true;
	start(&vm, &spec);
	(void)vm_wait_output(&vm, "ready");
	vm_send_input(&vm, "\x03", 1);
	TAP_OK(vm_finish(&vm) && ended(&vm, FB_GUEST_EXITED, 130),
	       "with init, the interrupt key reaches the foreground");
	vm_release(&vm);
}

static void test_debug(void)
{
	struct vm_config config = { .root = vm_path("root.sqfs") };
	struct fb_guest_spec spec = vm_spec("true");
	struct vm vm;

	spec.debug = true;
	TAP_OK(vm_run(&vm, &config, &spec), "with the debug flag");
	TAP_OK(strstr(fb_str_cstr(&vm.log), "phase ready ") &&
		       strstr(fb_str_cstr(&vm.log), "phase exec ") &&
		       strstr(fb_str_cstr(&vm.log), "phase ended "),
	       "the phases are told");
	printf("# ");
	for (const char *p = fb_str_cstr(&vm.log); *p; p++)
		(void)putchar(*p == '\n' ? ' ' : *p);
	printf("\n");
	vm_release(&vm);
}

int main(void)
{
	const char *reason = vm_possible();

	if (reason) {
		tap_skip(reason);
		return tap_done();
	}
	if (fb_read_file_at(-100, vm_path("pattern"), 16u << 20, &pattern,
			    &pattern_len) < 0)
		return 1;
	test_debug();
	test_floods();
	test_backpressure();
	test_stdin();
	test_stdin_unread();
	test_close();
	test_signals();
	test_terminal();
	test_terminal_shell();
	test_orphan();
	test_init();
	test_init_terminal();
	free(pattern);
	return tap_done();
}
