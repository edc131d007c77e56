/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/path.h"
#include "machine/firecracker.h"
#include "tap.h"

static char folder[] = "/tmp/fb-test-version-XXXXXX";
static char program[64];

static void test_parse(void)
{
	static const struct {
		const char *text;
		unsigned int want;
	} cases[] = {
		{ "Firecracker v1.16.1\n\nmore\n", FB_ENGINE_VERSION(1u, 16u) },
		{ "Firecracker v1.10.0", FB_ENGINE_VERSION(1u, 10u) },
		{ "Firecracker v1.17.0-dev\n", FB_ENGINE_VERSION(1u, 17u) },
		{ "Firecracker v2.0", FB_ENGINE_VERSION(2u, 0u) },
		{ "Firecracker 1.16", 0 },
		{ "firecracker v1.16", 0 },
		{ "Firecracker v1", 0 },
		{ "Firecracker v", 0 },
		{ "QEMU emulator version 7.2", 0 },
		{ "", 0 },
		{ "Firecracker v\xff.\xff", 0 },
	};

	for (size_t i = 0; i < FB_ARRAY_SIZE(cases); i++)
		TAP_INT(fb_firecracker_parse_version(cases[i].text),
			cases[i].want, "text %zu", i);
}

/* a program that says @text and counts how often it was asked */
static void make_program(const char *text)
{
	FB_STR struct fb_str script = FB_STR_INIT(1024);

	fb_str_printf(&script, "#!/bin/sh\necho x >>%s/asked\nprintf '%s'\n",
		      folder, text);
	(void)unlink(program);
	if (fb_write_file_at(AT_FDCWD, program, script.buf, script.len, 0755) <
	    0)
		abort();
}

static off_t times_asked(void)
{
	char path[64];
	struct stat st;

	(void)snprintf(path, sizeof(path), "%s/asked", folder);
	return stat(path, &st) < 0 ? 0 : st.st_size / 2;
}

static void test_asks_once(int cache)
{
	unsigned int version = 0;
	struct fb_err err = { 0 };

	make_program("Firecracker v1.16.1\\n\\nHello\\n");
	TAP_INT(fb_firecracker_version(program, cache, &version, &err), 0,
		"ask: %s", err.msg);
	TAP_INT(version, FB_ENGINE_VERSION(1u, 16u), "its answer");
	version = 0;
	TAP_INT(fb_firecracker_version(program, cache, &version, &err), 0,
		"again: %s", err.msg);
	TAP_INT(version, FB_ENGINE_VERSION(1u, 16u), "the same answer");
	TAP_INT(times_asked(), 1, "it was run once");
	TAP_INT(fb_firecracker_version(program, -1, &version, &err), 0,
		"without a place to remember");
	TAP_INT(times_asked(), 2, "it is run again");
	make_program("Firecracker v1.14.0\\n");
	TAP_INT(fb_firecracker_version(program, cache, &version, &err), 0,
		"another program in its place");
	TAP_INT(version, FB_ENGINE_VERSION(1u, 14u), "is asked anew");
}

static void test_refused(int cache)
{
	unsigned int version = 7;
	struct fb_err err = { 0 };

	make_program("Firecracker v1.9.2\\n");
	TAP_INT(fb_firecracker_version(program, cache, &version, &err),
		-EOPNOTSUPP, "too old: %s", err.msg);
	TAP_OK(strstr(err.msg, "1.9") && err.hint[0], "what to do: %s",
	       err.hint);
	TAP_INT(fb_firecracker_version(program, cache, &version, NULL),
		-EOPNOTSUPP, "also when it is remembered");
	make_program("hello\\nworld\\n");
	err = (struct fb_err){ 0 };
	TAP_INT(fb_firecracker_version(program, cache, &version, &err),
		-EBADMSG, "no Firecracker: %s", err.msg);
	(void)unlink(program);
	TAP_INT(fb_firecracker_version(program, cache, &version, NULL), -ENOENT,
		"no program");
	TAP_INT(version, 7, "nothing was written");
}

static void test_damaged_memory(int cache)
{
	unsigned int version = 0;

	make_program("Firecracker v1.16.1\\n");
	(void)fb_replace_file_at(cache, "firecracker", "1 \xff\n\0", 5, 0600);
	TAP_INT(fb_firecracker_version(program, cache, &version, NULL), 0,
		"a damaged memory costs a question");
	TAP_INT(version, FB_ENGINE_VERSION(1u, 16u), "and nothing else");
}

int main(void)
{
	FB_FD int cache = -EBADF;

	if (!mkdtemp(folder))
		return 2;
	(void)snprintf(program, sizeof(program), "%s/fc", folder);
	cache = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	test_parse();
	test_asks_once(cache);
	test_refused(cache);
	test_damaged_memory(cache);
	(void)fb_rmtree_at(AT_FDCWD, folder);
	return tap_done();
}
