/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>

#include "tap.h"
#include "wire/mountopt.h"
#include "wire/spec.h"

static char arg0[] = "sh", arg1[] = "-c", arg2[] = "\n\xff\x01=";
static char env0[] = "PATH=/bin", env1[] = "ODD=\xfe\n";
static char *args[] = { arg0, arg1, arg2, NULL };
static char *env[] = { env0, env1, NULL };
static const struct fb_spec_tmpfs tmpfs[] = { { "/tmp", "size=1m" },
					      { "/run", "" } };

static struct fb_guest_spec full_spec(void)
{
	struct fb_guest_spec spec = {
		.process = { .args = args,
			     .arg_count = 3,
			     .env = env,
			     .env_count = 2,
			     .cwd = "/work",
			     .user = "daemon:adm",
			     .terminal = true,
			     .stdin_open = true,
			     .size = { 25, 81 },
			     .rlimits = { { "nofile", 10, UINT64_MAX } },
			     .rlimit_count = 1 },
		.root = { "/dev/vda", FB_SPEC_FS_EROFS, "/dev/vdb", 7, true,
			  true },
		.net = { .name = "eth0",
			 .mac = { 2, 3 },
			 .mtu = 1400,
			 .v4 = { { 10, 0, 2, 15 }, { 10, 0, 2, 2 }, 24, true },
			 .v6 = { { 0xfd }, { 0 }, 64, false } },
		.hostname = "box",
		.hosts = "127.0.0.1 localhost\n",
		.resolv_conf = "nameserver 10.0.2.3\n",
		.tmpfs = tmpfs,
		.tmpfs_count = 2,
		.init = true,
		.cpu_quota_us = 50000,
		.cpu_period_us = 100000,
		.pids_max = 12,
		.debug = true,
	};

	return spec;
}

/* Encode, append what is fresh, decode; *ret_r where decoding was refused */
static struct fb_guest_spec through(const struct fb_guest_spec *spec)
{
	FB_STR struct fb_str out = FB_STR_INIT(FB_SPEC_ENCODED_MAX);
	struct fb_guest_spec got = { 0 };
	uint8_t fresh[FB_SPEC_FRESH_SIZE], seed[FB_SPEC_SEED_SIZE];
	struct fb_err err = { 0 };
	char *blob;
	size_t len;

	memset(seed, 0x5a, sizeof(seed));
	fb_spec_put_fresh(fresh, 1700000000, 123, seed);
	out.max += sizeof(fresh);
	if (fb_spec_encode(spec, &out, &err) < 0 ||
	    fb_str_append(&out, fresh, sizeof(fresh)) < 0) {
		TAP_OK(false, "encode: %s", err.msg);
		return got;
	}
	len = out.len;
	blob = fb_str_take(&out);
	if (fb_spec_decode((uint8_t *)blob, len, &got, &err) < 0) {
		free(blob);
		TAP_OK(false, "decode: %s", err.msg);
	}
	return got;
}

static void test_process_trip(const struct fb_guest_spec *got)
{
	TAP_INT(got->process.arg_count, 3, "three arguments");
	TAP_OK(got->process.args && !got->process.args[3] &&
		       !strcmp(got->process.args[2], arg2),
	       "any bytes in them, and a NULL behind");
	TAP_OK(got->process.env && !got->process.env[2] &&
		       !strcmp(got->process.env[1], env1),
	       "any bytes in a variable, and a NULL behind");
	TAP_STR(got->process.cwd, "/work", "folder");
	TAP_STR(got->process.user, "daemon:adm", "user");
	TAP_OK(got->process.terminal && got->process.stdin_open &&
		       got->process.size.rows == 25 &&
		       got->process.size.cols == 81,
	       "terminal, its size, stdin");
	TAP_OK(got->process.rlimit_count == 1 &&
		       !strcmp(got->process.rlimits[0].name, "nofile") &&
		       got->process.rlimits[0].soft == 10 &&
		       got->process.rlimits[0].hard == UINT64_MAX,
	       "resource limit");
}

static void test_trip(void)
{
	struct fb_guest_spec spec = full_spec(), got = through(&spec);

	test_process_trip(&got);
	TAP_STR(got.root.device, "/dev/vda", "root device");
	TAP_STR(got.root.upper_device, "/dev/vdb", "upper device");
	TAP_OK(got.root.fs == FB_SPEC_FS_EROFS && got.root.read_only &&
		       got.root.disposable && got.root.upper_size_bytes == 7,
	       "root's other fields");
	TAP_OK(!memcmp(&got.net, &spec.net, sizeof(spec.net)), "network");
	TAP_STR(got.hostname, "box", "host name");
	TAP_STR(got.hosts, spec.hosts, "hosts");
	TAP_STR(got.resolv_conf, spec.resolv_conf, "resolv.conf");
	TAP_OK(got.tmpfs_count == 2 && !strcmp(got.tmpfs[0].path, "/tmp") &&
		       !strcmp(got.tmpfs[0].options, "size=1m") &&
		       !strcmp(got.tmpfs[1].options, ""),
	       "tmpfs mounts");
	TAP_OK(got.init && got.debug, "flags");
	TAP_OK(got.cpu_quota_us == 50000 && got.cpu_period_us == 100000 &&
		       got.pids_max == 12,
	       "limits");
	TAP_OK(got.has_clock && got.clock_sec == 1700000000 &&
		       got.clock_nsec == 123 && got.has_seed &&
		       got.seed[63] == 0x5a,
	       "fresh clock and seed");
	fb_spec_release(&got);
	fb_spec_release(&got);
}

static void test_least(void)
{
	struct fb_guest_spec spec = {
		.process = { .args = args, .arg_count = 1 },
		.root = { .device = "/dev/vda", .fs = FB_SPEC_FS_SQUASHFS },
	};
	struct fb_guest_spec got = through(&spec);

	TAP_OK(got.process.args && got.process.env && !got.process.env[0],
	       "no environment is an empty vector");
	TAP_OK(!got.process.cwd && !got.process.user && !got.hosts &&
		       !got.root.upper_device && !got.process.terminal,
	       "what was not given is not there");
	fb_spec_release(&got);
}

static void test_many(void)
{
	enum { COUNT = 3000 };
	static char *many[COUNT];
	static char big[100001];
	struct fb_guest_spec spec = full_spec(), got;

	memset(big, 'y', sizeof(big) - 1);
	for (int i = 0; i < COUNT; i++)
		many[i] = i == 77 ? big : arg0;
	spec.process.args = many;
	spec.process.arg_count = COUNT;
	got = through(&spec);
	TAP_OK(got.process.arg_count == COUNT &&
		       strlen(got.process.args[77]) == 100000 &&
		       !strcmp(got.process.args[COUNT - 1], "sh"),
	       "3,000 arguments, one of 100 kB");
	fb_spec_release(&got);
}

static int encoded(const struct fb_guest_spec *spec)
{
	FB_STR struct fb_str out = FB_STR_INIT(FB_SPEC_ENCODED_MAX);

	return fb_spec_encode(spec, &out, NULL);
}

static void test_refused_encoding(void)
{
	static char huge[FB_SPEC_TEXT_MAX + 1];
	static char *many[200];
	struct fb_guest_spec spec = full_spec();

	spec.process.arg_count = 0;
	TAP_INT(encoded(&spec), -EINVAL, "no argument");
	spec = full_spec();
	spec.process.cwd = "work";
	TAP_INT(encoded(&spec), -EINVAL, "relative folder");
	spec = full_spec();
	spec.root.device = "/etc/passwd";
	TAP_INT(encoded(&spec), -EINVAL, "a file as root device");
	spec = full_spec();
	spec.net.v4.prefix = 33;
	TAP_INT(encoded(&spec), -EINVAL, "prefix length 33");
	spec = full_spec();
	memset(huge, 'x', sizeof(huge) - 1);
	spec.hosts = huge;
	TAP_INT(encoded(&spec), -E2BIG, "a text over its maximum");
	spec = full_spec();
	huge[FB_SPEC_TEXT_MAX - 1] = '\0';
	for (size_t i = 0; i < 200; i++)
		many[i] = huge;
	spec.process.env = many;
	spec.process.env_count = 200;
	TAP_INT(encoded(&spec), -E2BIG, "25 MB of environment");
}

static int decoded(const void *bytes, size_t len)
{
	struct fb_guest_spec got = { 0 };
	uint8_t *blob = malloc(len ? len : 1);
	int r;

	memcpy(blob, bytes, len);
	r = fb_spec_decode(blob, len, &got, NULL);
	if (r < 0)
		free(blob);
	fb_spec_release(&got);
	return r;
}

static void test_refused_decoding(void)
{
	static const char optional[] = "\x77\x77\1\0\3\0\0\0abc";
	static const char unknown[] = "\x77\x77\0\0\0\0\0\0";
	FB_STR struct fb_str out = FB_STR_INIT(FB_SPEC_ENCODED_MAX);
	struct fb_guest_spec spec = full_spec();
	size_t whole, cuts = 0;

	(void)fb_spec_encode(&spec, &out, NULL);
	whole = out.len;
	TAP_INT(decoded(out.buf, whole), 0, "the whole");
	for (size_t i = 0; i < whole; i++)
		if (decoded(out.buf, i) == 0)
			cuts++;
	/* cut between records behind the last needed one: still a spec */
	TAP_OK(cuts < 20, "a cut spec is refused");
	(void)fb_str_append(&out, optional, sizeof(optional) - 1);
	TAP_INT(decoded(out.buf, out.len), 0, "an optional stranger");
	(void)fb_str_append(&out, unknown, sizeof(unknown) - 1);
	TAP_INT(decoded(out.buf, out.len), -ENOTSUP, "an unknown record");
	fb_str_truncate(&out, whole);
	(void)fb_str_append(&out, "\x0e\0\0\0\2\0\0\0x", 10);
	TAP_INT(decoded(out.buf, out.len), -EPROTO, "a second host name");
	fb_str_truncate(&out, whole);
	(void)fb_str_append(&out, "\1\0\0\0\3\0\0\0xyz", 11);
	TAP_INT(decoded(out.buf, out.len), -EPROTO, "a text without its NUL");
	fb_str_truncate(&out, whole);
	(void)fb_str_append(&out, "\1\0\0\0\4\0\0\0x\0y", 12);
	TAP_INT(decoded(out.buf, out.len), -EPROTO, "a NUL within a text");
	out.buf[4] = 2;
	TAP_INT(decoded(out.buf, whole), -ENOTSUP, "another version");
	out.buf[0] = 'x';
	TAP_INT(decoded(out.buf, whole), -EPROTO, "another magic");
}

static void test_tmpfs_options(void)
{
	static const struct {
		const char *text;
		const char *data; /* NULL: refused */
		unsigned long flags;
	} cases[] = {
		{ "", "", MS_NOEXEC | MS_NOSUID | MS_NODEV },
		{ "exec,suid,dev", "", 0 },
		{ "size=64m,mode=1777", "size=64m,mode=1777",
		  MS_NOEXEC | MS_NOSUID | MS_NODEV },
		{ "rw,size=50%,exec,uid=7", "size=50%,uid=7",
		  MS_NOSUID | MS_NODEV },
		{ "ro,,noatime", "",
		  MS_NOEXEC | MS_NOSUID | MS_NODEV | MS_RDONLY | MS_NOATIME },
		{ "size=", NULL, 0 },
		{ "size=5x", NULL, 0 },
		{ "mode=0888", NULL, 0 },
		{ "uid=1k", NULL, 0 },
		{ "mode=%", NULL, 0 },
		{ "huge=always", NULL, 0 },
		{ "exec=1", NULL, 0 },
		{ "nosuidx", NULL, 0 },
	};
	struct fb_mountopt opt;
	struct fb_err err = { 0 };

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		int r = fb_mountopt_parse_tmpfs(cases[i].text, &opt, &err);

		if (!cases[i].data)
			TAP_INT(r, -EINVAL, "refused: '%s'", cases[i].text);
		else
			TAP_OK(r == 0 && opt.flags == cases[i].flags &&
				       !strcmp(opt.data, cases[i].data),
			       "tmpfs '%s'", cases[i].text);
	}
	TAP_STR(err.msg, "invalid tmpfs option \"nosuidx\"", "docker's words");
}

int main(void)
{
	test_trip();
	test_least();
	test_many();
	test_refused_encoding();
	test_refused_decoding();
	test_tmpfs_options();
	return tap_done();
}
