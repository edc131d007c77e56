/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/path.h"
#include "net/passt.h"
#include "tap.h"

static char folder[] = "/tmp/flamebox-passt-XXXXXX";

static void check_argv(const struct fb_net_guest *guest, const char *want,
		       const char *what)
{
	FB_STRV struct fb_strv argv = { 0 };
	FB_STR struct fb_str text = FB_STR_INIT(4096);

	TAP_INT(fb_net_passt_render(guest, 7, &argv), 0, "%s renders", what);
	for (size_t i = 0; i < argv.count; i++)
		(void)fb_str_printf(&text, "%s%s", i ? " " : "", argv.v[i]);
	TAP_STR(fb_str_cstr(&text), want, "%s: arguments", what);
}

#define FIXED                                                        \
	"passt --foreground --quiet --stderr --no-map-gw --no-dhcp " \
	"--no-dhcpv6 --no-ra --tcp-ports none --udp-ports none "

static void test_render(void)
{
	const uint8_t seed[3] = { 1, 2, 3 };
	struct fb_net_routes both = { true, true }, v4 = { .v4 = true },
			     v6 = { .v6 = true };
	struct fb_net_guest guest;

	fb_net_user_plan(seed, &guest);
	fb_net_passt_guest(&both, &guest);
	check_argv(&guest,
		   FIXED
		   "--address 10.0.2.15 --netmask 24 --gateway 10.0.2.2 "
		   "--dns-forward 10.0.2.3 --address fec0::15 "
		   "--gateway fec0::2 --dns-forward fec0::3 "
		   "--mtu 65520 --fd 7",
		   "both families");
	fb_net_user_plan(seed, &guest);
	fb_net_passt_guest(&v4, &guest);
	check_argv(&guest,
		   FIXED
		   "--ipv4-only --address 10.0.2.15 --netmask 24 "
		   "--gateway 10.0.2.2 --dns-forward 10.0.2.3 "
		   "--mtu 65520 --fd 7",
		   "IPv4 alone");
	TAP_INT(guest.v6_prefix, 0, "the guest then has no IPv6 address");
	fb_net_user_plan(seed, &guest);
	fb_net_passt_guest(&v6, &guest);
	check_argv(&guest,
		   FIXED
		   "--ipv6-only --address fec0::15 --gateway fec0::2 "
		   "--dns-forward fec0::3 --mtu 65520 --fd 7",
		   "IPv6 alone");
}

static void test_version(void)
{
	static const struct {
		const char *text;
		bool guard;
	} cases[] = {
		{ "passt 2024_09_06.6b38f07\nCopyright 2020", false },
		{ "passt 2024_05_10.7288448\n", false },
		{ "passt 2024_05_09.0000000\n", true },
		{ "passt 2023_12_30.f091893-1\n", true },
		{ "passt unknown version\nCopyright 2024_09_06", true },
		{ "passt 2026\n", true },
		{ "passt 2026_13_01\n", true },
		{ "passt 99999_01_01\n", true },
		{ "passt 18446744073709551617_01_01\n", true },
		{ "", true },
	};

	for (size_t i = 0; i < FB_ARRAY_SIZE(cases); i++)
		TAP_OK(fb_net_passt_needs_guard(cases[i].text) ==
			       cases[i].guard,
		       "'%.*s' %s a guard", (int)strcspn(cases[i].text, "\n"),
		       cases[i].text, cases[i].guard ? "needs" : "needs no");
}

static void write_program(const char *name, const char *text)
{
	char path[128];

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	if (fb_write_file_at(AT_FDCWD, path, text, strlen(text), 0755) < 0)
		abort();
}

static void find(const char *path, int cache, struct fb_net_passt *ret)
{
	struct fb_net_passt_query query = { .cache_dir_fd = cache,
					    .routes = { .v4 = true },
					    .path = path };

	fb_net_passt_find(&query, ret);
}

static void test_find(void)
{
	FB_FD int dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct fb_net_passt passt;
	struct fb_net_passt_query query = { .cache_dir_fd = -1 };
	char path[128];

	find("/nowhere/passt", -1, &passt);
	TAP_OK(!passt.program, "a missing passt is not used");
	TAP_STR(passt.reason, "passt is not installed", "and that is said");
	fb_net_passt_release(&passt);

	write_program("good",
		      "#!/bin/sh\n[ $1 = --version ] && "
		      "echo passt 2025_01_21.1\nexit 0\n");
	write_program("bad",
		      "#!/bin/sh\necho noise >&2\n"
		      "echo cannot unshare >&2\nexit 1\n");
	(void)snprintf(path, sizeof(path), "%s/good", folder);
	query.path = path;
	fb_net_passt_find(&query, &passt);
	TAP_OK(!passt.program, "without a route it is not tried");
	TAP_STR(passt.reason, "the host has no route for passt to use",
		"and that is said");
	fb_net_passt_release(&passt);

	find(path, dir, &passt);
	TAP_STR(passt.program, path, "one that starts is used");
	TAP_OK(!passt.guard, "a new one without a guard");
	fb_net_passt_release(&passt);
	/* the same file by size and time, so the cache must hold */
	{
		struct stat st;

		(void)stat(path, &st);
		write_program("good",
			      "#!/bin/sh\n[ $1 = --version ] && "
			      "echo passt 2025_01_21.1\nexit 1\n");
		(void)utimensat(AT_FDCWD, path,
				(struct timespec[]){ st.st_mtim, st.st_mtim },
				0);
	}
	find(path, dir, &passt);
	TAP_STR(passt.program, path, "the answer is remembered");
	fb_net_passt_release(&passt);
	write_program("good", "#!/bin/sh\nexit 1\n");
	find(path, dir, &passt);
	TAP_OK(!passt.program, "and forgotten when the program changes");
	fb_net_passt_release(&passt);

	(void)snprintf(path, sizeof(path), "%s/bad", folder);
	find(path, -1, &passt);
	TAP_OK(!passt.program, "one that does not start is not used");
	TAP_STR(passt.reason, "passt does not start: cannot unshare",
		"its last line is the reason");
	fb_net_passt_release(&passt);
}

static void test_real(void)
{
	struct fb_net_passt_query query = { .cache_dir_fd = -1,
					    .drop_ids = geteuid() == 0,
					    .uid = 0x46420001,
					    .gid = 0x46420001 };
	struct fb_net_passt passt;

	fb_net_routes_get(&query.routes);
	fb_net_passt_find(&query, &passt);
	if (passt.program)
		TAP_OK(passt.program[0] == '/',
		       "passt of this host starts: %s%s", passt.program,
		       passt.guard ? ", behind a guard" : "");
	else
		tap_skip(passt.reason);
	fb_net_passt_release(&passt);
}

int main(void)
{
	if (!mkdtemp(folder))
		return 1;
	test_render();
	test_version();
	test_find();
	test_real();
	(void)fb_rmtree_at(AT_FDCWD, folder);
	return tap_done();
}
