/* SPDX-License-Identifier: Apache-2.0 */
/* What a process in the guest finds, and how its end is told. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tap.h"
#include "vm.h"

static const char *out(const struct vm *vm)
{
	return fb_str_cstr(&vm->out[0]);
}

/* On lines that no reader of TAP takes for results */
static void comment(const struct vm *vm, const char *wanted)
{
	const char *texts[] = { wanted, out(vm), fb_str_cstr(&vm->out[1]),
				vm->text };

	for (size_t i = 0; i < 4; i++) {
		printf("# %s: ", i == 0 ? "wanted" : i == 3 ? "record" : "got");
		for (const char *p = texts[i]; *p; p++)
			(void)(*p == '\n' ? printf("\n#     ") : putchar(*p));
		printf("\n");
	}
}

static void shows(const struct vm *vm, const char *line, const char *what)
{
	if (!TAP_OK(strstr(out(vm), line), "%s", what))
		comment(vm, line);
}

static void ended(const struct vm *vm, enum fb_guest_exit_kind kind,
		  unsigned int value, const char *what)
{
	if (!TAP_OK(vm->exit.kind == kind && vm->exit.value == value, "%s",
		    what))
		printf("# kind %u value %u: %s\n", vm->exit.kind,
		       vm->exit.value, vm->text);
}

static void test_echo(void)
{
	struct vm vm;

	TAP_OK(vm_sh(&vm, "echo hi; echo oops >&2; exit 3"), "it runs");
	TAP_STR(out(&vm), "hi\n", "stdout");
	TAP_STR(fb_str_cstr(&vm.out[1]), "oops\n", "stderr");
	TAP_OK(vm.window[0].ended && vm.window[1].ended, "both have ended");
	ended(&vm, FB_GUEST_EXITED, 3, "exit status");
	vm_release(&vm);
}

/* One guest that shows all of its surroundings */
static void test_surroundings(void)
{
	struct vm vm;

	TAP_OK(vm_sh(&vm,
		     "echo pid $$; ps | wc -l; hostname; pwd; umask; ulimit -n; "
		     "id; grep Groups: /proc/self/status; echo home $HOME; cat /etc/hostname /etc/hosts; "
		     "cat /run/resolver/resolv.conf; echo extra >>/etc/hosts; "
		     "stat -c '%n %a %F' /dev/null /dev/fuse /dev/net/tun; "
		     "readlink /dev/fd; ls -a / /proc/1/fd; "
		     "awk '{print $5,$3==\"\",$6,$9,$11}' /proc/self/mountinfo; "
		     "ip -o addr; echo a >/written && cat /written; "
		     "tr '\\0' ' ' </proc/1/cmdline | head -c 20; echo; date +%Y; "
		     "stat -c 'root %a' /; cat /sys/fs/cgroup/cgroup.controllers"),
	       "it runs");
	shows(&vm, "pid 1\n", "the entrypoint is PID 1");
	TAP_OK(!strstr(out(&vm), "init"), "our init is not to be seen");
	shows(&vm, "\nbox\n/\n0022\n1048576\n",
	      "host name, folder, umask, open files");
	shows(&vm, "Groups:\t0 2 63 \n", "root and its groups");
	shows(&vm, "home /root\n", "HOME from passwd");
	shows(&vm, "box\n127.0.0.1\tlocalhost\n", "/etc/hostname, /etc/hosts");
	shows(&vm, "nameserver 10.0.2.3\n",
	      "/etc/resolv.conf through a dangling link");
	shows(&vm, "/dev/null 666 character special file\n", "/dev/null");
	shows(&vm, "/dev/fuse 666 character special file\n", "/dev/fuse");
	shows(&vm, "/dev/net/tun 666 character special file\n", "/dev/net/tun");
	shows(&vm, "/proc/self/fd\n", "/dev/fd");
	shows(&vm, "127.0.0.1/8", "loopback is up");
	shows(&vm, "\na\n", "/ can be written");
	TAP_OK(!strstr(out(&vm), "\n1970\n"), "the clock was set");
	shows(&vm, "root 755\n", "/ has the image's mode");
	shows(&vm, "memory", "memory is a controller of the root group");
	for (size_t i = 0; i < 9; i++) {
		static const char *const mounts[] = {
			"/proc ",	"/sys ",     "/sys/fs/cgroup ",
			"/dev ",	"/dev/pts ", "/dev/shm ",
			"/dev/mqueue ", "/run ",     "/etc/hosts "
		};

		shows(&vm, mounts[i], mounts[i]);
	}
	vm_release(&vm);
}

static void test_files_stay_out_of_the_image(void)
{
	struct vm vm;

	TAP_OK(vm_sh(&vm, "umount /etc/hosts && cat /etc/hosts"), "it runs");
	TAP_STR(out(&vm), "from the image\n", "the image's own is below");
	vm_release(&vm);
}

struct exec_case {
	char *name;
	enum fb_guest_exit_kind kind;
	int value;
	const char *text;
};

static void test_exec_failures(void)
{
	static char n1[] = "nosuch", n2[] = "/nosuch", n3[] = "/etc/plain";
	static char n4[] = "/etc", n5[] = "/bin/noshebang";
	static char n6[] = "/bin/badshebang", n7[] = "";
	static const struct exec_case cases[] = {
		{ n1, FB_GUEST_NOT_FOUND, ENOENT,
		  "exec: \"nosuch\": executable file not found in $PATH" },
		{ n2, FB_GUEST_NOT_FOUND, ENOENT,
		  "exec: \"/nosuch\": stat /nosuch: no such file or directory" },
		{ n3, FB_GUEST_NOT_EXEC, EACCES,
		  "exec: \"/etc/plain\": permission denied" },
		{ n4, FB_GUEST_NOT_EXEC, EISDIR,
		  "exec: \"/etc\": is a directory" },
		{ n5, FB_GUEST_NOT_EXEC, ENOEXEC,
		  "exec /bin/noshebang: exec format error" },
		{ n6, FB_GUEST_NOT_FOUND, ENOENT,
		  "exec /bin/badshebang: no such file or directory" },
		{ n7, FB_GUEST_NOT_FOUND, ENOENT,
		  "exec: \"\": executable file not found in $PATH" },
	};
	struct vm_config config = { .root = vm_path("root.sqfs") };

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct fb_guest_spec spec = vm_spec("");
		char *args[] = { cases[i].name, NULL };
		struct vm vm;

		spec.process.args = args;
		spec.process.arg_count = 1;
		TAP_OK(vm_run(&vm, &config, &spec) && !vm.started,
		       "'%s' does not start", cases[i].name);
		ended(&vm, cases[i].kind, (unsigned int)cases[i].value,
		      "its kind and errno");
		TAP_STR(vm.text, cases[i].text, "docker's words");
		vm_release(&vm);
	}
}

static void test_script(void)
{
	static char name[] = "script", word[] = "a b";
	char *args[] = { name, word, NULL };
	struct vm_config config = { .root = vm_path("root.sqfs") };
	struct fb_guest_spec spec = vm_spec("");
	struct vm vm;

	spec.process.args = args;
	spec.process.arg_count = 2;
	TAP_OK(vm_run(&vm, &config, &spec), "a script runs");
	TAP_STR(out(&vm), "script /bin/script a b\n", "found by PATH");
	vm_release(&vm);
}

struct user_case {
	const char *user;
	const char *shown; /* NULL: fails with @text */
	const char *text;
};

static void test_users(void)
{
	static const struct user_case cases[] = {
		{ "app", "1000 100 100 27 63 /home/app\n", NULL },
		{ "1000", "1000 100 100 27 63 /home/app\n", NULL },
		{ "app:bin", "1000 2 2 /home/app\n", NULL },
		{ "4242:77", "4242 77 77 /\n", NULL },
		{ "nobody2", NULL,
		  "unable to find user nobody2: no matching entries in passwd "
		  "file" },
		{ "app:nogroup2", NULL,
		  "unable to find group nogroup2: no matching entries in group "
		  "file" },
	};
	struct vm_config config = { .root = vm_path("root.sqfs") };

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct fb_guest_spec spec = vm_spec(
			"echo $(id -u) $(id -g) $(id -G) $HOME; echo >/dev/stdout");
		struct vm vm;

		spec.process.user = cases[i].user;
		TAP_OK(vm_run(&vm, &config, &spec), "as user '%s'",
		       cases[i].user);
		if (cases[i].shown) {
			shows(&vm, cases[i].shown, "ids, groups, HOME");
			ended(&vm, FB_GUEST_EXITED, 0,
			      "/dev/stdout can be opened");
		} else {
			ended(&vm, FB_GUEST_SETUP_FAILED, ENOENT, "refused");
			TAP_STR(vm.text, cases[i].text, "docker's words");
		}
		vm_release(&vm);
	}
}

static void test_many_arguments(void)
{
	enum { ARGS = 3000, VARS = 2000, BIG = 100000 };
	static char probe[] = "probe", verb[] = "args", path[] = "PATH=/bin";
	static char words[ARGS][24], vars[VARS][32], big[BIG + 1];
	static char *args[ARGS + 3], *env[VARS + 1];
	struct vm_config config = { .root = vm_path("root.sqfs") };
	struct fb_guest_spec spec = vm_spec("");
	unsigned long sum = 0, len = 0;
	char want[64];
	struct vm vm;

	memset(big, 'B', BIG);
	args[0] = probe;
	args[1] = verb;
	env[0] = path;
	for (int i = 0; i < ARGS; i++) {
		(void)snprintf(words[i], sizeof(words[i]), "%d \n\xff'\"$", i);
		args[i + 2] = i == 99 ? big : words[i];
		for (const char *p = args[i + 2]; *p; p++, len++)
			sum = sum * 31 + (unsigned char)*p;
	}
	for (int i = 1; i <= VARS; i++) {
		(void)snprintf(vars[i - 1], sizeof(vars[0]), "V%d=%d\n\x01", i,
			       i);
		env[i] = vars[i - 1];
	}
	spec.process.args = args;
	spec.process.arg_count = ARGS + 2;
	spec.process.env = env;
	spec.process.env_count = VARS + 1;
	(void)snprintf(want, sizeof(want), "%d %lu %lu\n", ARGS, len, sum);
	TAP_OK(vm_run(&vm, &config, &spec), "3,000 arguments, 2,000 variables");
	TAP_STR(out(&vm), want, "each of them to the byte");
	vm_release(&vm);
}

static void test_big_arguments(void)
{
	enum { ARGS = 40, BIG = 100000 };
	static char probe[] = "probe", verb[] = "args", big[BIG + 1];
	static char *args[ARGS + 3];
	struct vm_config config = { .root = vm_path("root.sqfs") };
	struct fb_guest_spec spec = vm_spec("");
	struct vm vm;

	memset(big, 'B', BIG);
	args[0] = probe;
	args[1] = verb;
	for (int i = 0; i < ARGS; i++)
		args[i + 2] = big;
	spec.process.args = args;
	spec.process.arg_count = ARGS + 2;
	TAP_OK(vm_run(&vm, &config, &spec), "4 MB of arguments");
	TAP_OK(!strncmp(out(&vm), "40 4000000 ", 11), "all arrive");
	vm_release(&vm);
	for (int i = 0; i < ARGS; i++)
		args[i + 2] = big;
	spec.process.env = args;
	spec.process.env_count = ARGS + 2;
	TAP_OK(vm_run(&vm, &config, &spec), "8 MB of both");
	ended(&vm, FB_GUEST_NOT_EXEC, E2BIG, "more than Linux takes");
	TAP_STR(vm.text, "exec /bin/probe: argument list too long", "says so");
	vm_release(&vm);
}

static void test_odd_environment(void)
{
	static char path[] = "PATH=/bin", odd[] = "ODD=a\nb\xff\x01=c";
	static char home[] = "HOME=/else";
	char *env[] = { path, odd, home, NULL };
	struct vm_config config = { .root = vm_path("root.sqfs") };
	struct fb_guest_spec spec = vm_spec("env -0 | tr '\\0' '|'");
	struct vm vm;

	spec.process.env = env;
	spec.process.env_count = 3;
	TAP_OK(vm_run(&vm, &config, &spec), "odd variables");
	shows(&vm, "ODD=a\nb\xff\x01=c|", "any bytes");
	shows(&vm, "HOME=/else|", "HOME that was given stays");
	vm_release(&vm);
}

static void test_folders_and_limits(void)
{
	static const struct fb_spec_tmpfs tmpfs[] = {
		{ "/tmp", "" },
		{ "/new/place", "size=1m,mode=0700,exec" },
	};
	struct vm_config config = { .root = vm_path("root.sqfs") };
	struct fb_guest_spec spec =
		vm_spec("pwd; stat -c '%n %u %a' . /tmp /new/place; "
			"grep -E ' (/tmp|/new/place) ' /proc/mounts; "
			"ulimit -n; ulimit -c; cat /sys/fs/cgroup/cpu.max "
			"/sys/fs/cgroup/pids.max /proc/self/cgroup");
	struct vm vm;

	spec.process.cwd = "/made/up";
	spec.tmpfs = tmpfs;
	spec.tmpfs_count = 2;
	spec.process.rlimits[0] = (struct fb_spec_rlimit){ "nofile", 100, 200 };
	spec.process.rlimits[1] = (struct fb_spec_rlimit){ "core", 0, 0 };
	spec.process.rlimit_count = 2;
	spec.cpu_quota_us = 50000;
	spec.cpu_period_us = 100000;
	spec.pids_max = 50;
	TAP_OK(vm_run(&vm, &config, &spec), "folder, tmpfs, limits");
	shows(&vm, "/made/up\n. 0 755\n", "the working directory is made");
	shows(&vm, "/tmp 0 1777\n", "a tmpfs keeps the folder's mode");
	shows(&vm, "/new/place 0 700\n", "or has its own");
	shows(&vm, "tmpfs /tmp tmpfs rw,nosuid,nodev,noexec", "docker's flags");
	shows(&vm, "tmpfs /new/place tmpfs rw,nosuid,nodev,relatime,size=1024k",
	      "and its options");
	shows(&vm, "\n100\n0\n", "resource limits");
	shows(&vm, "50000 100000\n50\n0::/\n", "limits of the control group");
	vm_release(&vm);
}

static void test_read_only(void)
{
	struct vm_config config = { .root = vm_path("root.sqfs") };
	struct fb_guest_spec spec =
		vm_spec("touch /x; echo $?; touch /dev/shm/x; echo $?; "
			"awk '$2==\"/\"{print $3}' /proc/mounts; "
			"cat /etc/hostname");
	struct vm vm;

	spec.root.read_only = true;
	spec.resolv_conf = NULL;
	TAP_OK(vm_run(&vm, &config, &spec), "read-only");
	shows(&vm, "1\n0\nsquashfs\nbox\n", "the image itself, not writable");
	vm_release(&vm);
	spec.process.cwd = "/made";
	TAP_OK(vm_run(&vm, &config, &spec), "read-only, a folder is missing");
	shows(&vm, "1\n0\noverlay\nbox\n", "then an overlay, not writable");
	vm_release(&vm);
}

static void test_bare_image(void)
{
	static char probe[] = "/probe", *args[] = { probe, NULL };
	struct vm_config config = { .root = vm_path("bare.sqfs") };
	struct fb_guest_spec spec = vm_spec("");
	struct vm vm;

	spec.process.args = args;
	spec.process.arg_count = 1;
	TAP_OK(vm_run(&vm, &config, &spec), "an image of one program");
	TAP_STR(out(&vm), "uid 0 gid 0 null there cgroup there\n",
		"everything is there all the same");
	vm_release(&vm);
	spec.root.read_only = true;
	TAP_OK(vm_run(&vm, &config, &spec), "and read-only");
	TAP_STR(out(&vm), "uid 0 gid 0 null there cgroup there\n", "likewise");
	vm_release(&vm);
}

static void test_network(void)
{
	struct vm_config config = { .root = vm_path("root.sqfs"),
				    .network = true };
	struct fb_guest_spec spec = vm_spec(
		"ip addr show eth0; ip route; ip -6 addr; "
		"cat /proc/sys/net/ipv4/ip_unprivileged_port_start; "
		"nslookup -timeout=1 localhost 10.0.2.3 2>&1 | head -3");
	struct vm vm;

	(void)snprintf(spec.net.name, sizeof(spec.net.name), "eth0");
	memcpy(spec.net.mac, "\x02\x00\x00\x01\x02\x03", 6);
	spec.net.mtu = 1400;
	spec.net.v4 = (struct fb_spec_addr){
		{ 10, 0, 2, 15 }, { 10, 0, 2, 2 }, 24, true
	};
	spec.net.v6 = (struct fb_spec_addr){
		{ 0xfe, 0xc0, [15] = 0x15 }, { 0xfe, 0xc0, [15] = 2 }, 64, true
	};
	TAP_OK(vm_run(&vm, &config, &spec), "network");
	shows(&vm, "inet 10.0.2.15/24", "IPv4 address");
	shows(&vm, "link/ether 02:00:00:01:02:03", "MAC");
	shows(&vm, "mtu 1400", "MTU");
	shows(&vm, "default via 10.0.2.2 dev eth0 \n", "route");
	shows(&vm, "inet6 fec0::15/64", "IPv6 address");
	shows(&vm, "fec0::15/64 scope site flags 02 \n", "at once");
	shows(&vm, "\n0\n", "every user may listen on port 80");
	vm_release(&vm);
}

static void test_bad_spec(void)
{
	struct vm_config config = { .root = vm_path("root.sqfs") };
	struct fb_guest_spec spec = vm_spec("true");
	struct vm vm;

	spec.root.upper_device = "/dev/vdq";
	TAP_OK(vm_run(&vm, &config, &spec) && !vm.started, "no such disk");
	ended(&vm, FB_GUEST_SETUP_FAILED, ENOENT, "set-up failed");
	TAP_STR(vm.text,
		"mount writable layer '/dev/vdq': No such file or directory",
		"step, object, cause");
	vm_release(&vm);
	spec = vm_spec("true");
	(void)snprintf(spec.net.name, sizeof(spec.net.name), "eth7");
	TAP_OK(vm_run(&vm, &config, &spec) && !vm.started,
	       "no such network interface");
	ended(&vm, FB_GUEST_SETUP_FAILED, ENODEV, "set-up failed");
	TAP_STR(vm.text, "find network interface 'eth7'", "step and object");
	vm_release(&vm);
}

static void test_memory(void)
{
	static char probe[] = "probe", verb[] = "oom";
	char *args[] = { probe, verb, NULL };
	struct vm_config config = { .root = vm_path("root.sqfs"),
				    .memory_mb = 128 };
	struct fb_guest_spec spec = vm_spec("");
	struct vm vm;

	spec.process.args = args;
	spec.process.arg_count = 2;
	TAP_OK(vm_run(&vm, &config, &spec), "out of memory");
	ended(&vm, FB_GUEST_EXITED, 137, "the greedy one is killed");
	TAP_INT(vm.exit.flags, FB_GUEST_EXIT_OOM, "the record says why");
	vm_release(&vm);
}

static void test_full_layer(void)
{
	struct vm_config config = { .root = vm_path("root.sqfs") };
	struct fb_guest_spec spec = vm_spec("head -c 3000000 /dev/zero >/full");
	struct vm vm;

	spec.root.upper_size_bytes = 1 << 20;
	TAP_OK(vm_run(&vm, &config, &spec), "a full writable layer");
	ended(&vm, FB_GUEST_EXITED, 1, "the write fails");
	TAP_INT(vm.exit.flags, FB_GUEST_EXIT_DISK_FULL, "the record says why");
	vm_release(&vm);
}

int main(void)
{
	const char *reason = vm_possible();

	if (reason) {
		tap_skip(reason);
		return tap_done();
	}
	test_echo();
	test_surroundings();
	test_files_stay_out_of_the_image();
	test_exec_failures();
	test_script();
	test_users();
	test_many_arguments();
	test_big_arguments();
	test_odd_environment();
	test_folders_and_limits();
	test_read_only();
	test_bare_image();
	test_network();
	test_bad_spec();
	test_memory();
	test_full_layer();
	return tap_done();
}
