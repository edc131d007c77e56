/* SPDX-License-Identifier: Apache-2.0 */
/* Normal forms and orders as containerd's platforms package has them. */
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "base/cleanup.h"
#include "oci/platform.h"
#include "tap.h"

static const char *const normal[][2] = {
	{ "linux/amd64", "linux/amd64" },
	{ "linux/x86_64", "linux/amd64" },
	{ "Linux/X86-64", "linux/amd64" },
	{ "linux/amd64/v1", "linux/amd64" },
	{ "linux/x86_64/v1", "linux/amd64" },
	{ "linux/amd64/v2", "linux/amd64/v2" },
	{ "linux/x86_64/V3", "linux/amd64/v3" },
	{ "linux/i386", "linux/386" },
	{ "linux/i686", "linux/386" },
	{ "linux/386", "linux/386" },
	{ "linux/aarch64", "linux/arm64" },
	{ "linux/arm64/v8", "linux/arm64" },
	{ "linux/arm64/8", "linux/arm64" },
	{ "linux/arm64/v8.0", "linux/arm64" },
	{ "linux/arm64/v8.2", "linux/arm64/v8.2" },
	{ "linux/arm64/9", "linux/arm64/v9" },
	{ "linux/arm", "linux/arm/v7" },
	{ "linux/arm/5", "linux/arm/v5" },
	{ "linux/arm/6", "linux/arm/v6" },
	{ "linux/arm/7", "linux/arm/v7" },
	{ "linux/arm/8", "linux/arm/v8" },
	{ "linux/arm/v6", "linux/arm/v6" },
	{ "linux/armhf", "linux/arm/v7" },
	{ "linux/armel", "linux/arm/v6" },
	{ "macos/arm64", "darwin/arm64" },
	{ "linux/riscv64", "linux/riscv64" },
	{ "windows/amd64", "windows/amd64" },
	{ "linux/a-new.arch_1", "linux/a-new.arch_1" },
	{ "arm64", "linux/arm64" },
	{ "aarch64", "linux/arm64" },
	{ "x86_64", "linux/amd64" },
	{ "armhf", "linux/arm/v7" },
	{ "s390x", "linux/s390x" },
};

static const char *const bad[] = {
	"",
	"/",
	"linux/",
	"/amd64",
	"linux//v8",
	"linux/arm64/",
	"linux/arm64/v8/x",
	"linux amd64",
	"linux/arm64/v8\n",
	"plan10",
	"linux/\xc3\xa9",
	"linux/0123456789012345678901234567890123",
};

static void test_parse(void)
{
	struct fb_platform p, host;
	char out[100];

	for (size_t i = 0; i < FB_ARRAY_SIZE(normal); i++) {
		TAP_INT(fb_platform_parse(normal[i][0], &p, NULL), 0,
			"takes %s", normal[i][0]);
		TAP_STR(fb_platform_format(&p, out), normal[i][1], "%s",
			normal[i][0]);
	}
	for (size_t i = 0; i < FB_ARRAY_SIZE(bad); i++) {
		struct fb_err err = { 0 };

		TAP_INT(fb_platform_parse(bad[i], &p, &err), -EINVAL,
			"refuses bad text %zu", i);
		TAP_OK(strstr(err.msg, "invalid platform"), "and says so");
	}
	fb_platform_host(&host);
	TAP_STR(host.os, "linux", "this is linux");
	TAP_OK(host.arch[0] && strcmp(host.arch, "unknown"), "on %s",
	       host.arch);
	TAP_INT(fb_platform_parse("linux", &p, NULL), 0, "a system alone");
	TAP_OK(!memcmp(&p, &host, sizeof(p)), "is on this architecture");
}

static struct fb_platform from(const char *text)
{
	struct fb_platform p = { 0 };

	if (fb_platform_parse(text, &p, NULL) < 0)
		printf("# bad test: %s\n", text);
	return p;
}

/* each list: what is wanted, then what serves it, best first */
static const char *const orders[][16] = {
	{ "linux/amd64", "linux/amd64" },
	{ "linux/amd64/v4", "linux/amd64/v4", "linux/amd64/v3",
	  "linux/amd64/v2", "linux/amd64" },
	{ "linux/amd64/v2", "linux/amd64/v2", "linux/amd64" },
	{ "linux/arm/v8", "linux/arm/v8", "linux/arm/v7", "linux/arm/v6",
	  "linux/arm/v5" },
	{ "linux/arm/v7", "linux/arm/v7", "linux/arm/v6", "linux/arm/v5" },
	{ "linux/arm", "linux/arm/v7", "linux/arm/v6", "linux/arm/v5" },
	{ "linux/arm/v6", "linux/arm/v6", "linux/arm/v5" },
	{ "linux/arm64", "linux/arm64" },
	{ "linux/arm64/v8.2", "linux/arm64/v8.2", "linux/arm64/v8.1",
	  "linux/arm64" },
	{ "linux/arm64/v9.1", "linux/arm64/v9.1", "linux/arm64/v9",
	  "linux/arm64/v8.5", "linux/arm64/v8.4", "linux/arm64" },
	{ "linux/riscv64/rva20", "linux/riscv64/rva20" },
};

static const char *const never[][2] = {
	{ "linux/amd64", "windows/amd64" },
	{ "linux/amd64", "linux/arm64" },
	{ "linux/amd64", "linux/386" },
	{ "linux/arm64", "linux/arm/v7" },
	{ "linux/amd64", "linux/amd64/v2" },
	{ "linux/amd64/v2", "linux/amd64/v3" },
	{ "linux/arm/v6", "linux/arm/v7" },
	{ "linux/arm64", "linux/arm64/v8.1" },
	{ "linux/arm64/v8.4", "linux/arm64/v9" },
	{ "linux/arm64", "linux/arm64/strange" },
	{ "linux/riscv64", "linux/riscv64/rva20" },
	{ "linux/amd64/v2", "linux/amd64/v1.x" },
	{ "linux/amd64/v3", "linux/amd64/v" },
	{ "linux/amd64/v3", "linux/amd64/v123" },
};

static void test_rank(void)
{
	for (size_t i = 0; i < FB_ARRAY_SIZE(orders); i++) {
		struct fb_platform want = from(orders[i][0]);
		int last = INT32_MAX;

		for (size_t k = 1; orders[i][k]; k++) {
			struct fb_platform have = from(orders[i][k]);
			int rank = fb_platform_rank(&want, &have);

			TAP_OK(rank > 0 && rank < last, "%s takes %s as %zu.",
			       orders[i][0], orders[i][k], k);
			last = rank;
		}
	}
	for (size_t i = 0; i < FB_ARRAY_SIZE(never); i++) {
		struct fb_platform want = from(never[i][0]);
		struct fb_platform have = from(never[i][1]);

		TAP_INT(fb_platform_rank(&want, &have), 0, "%s never takes %s",
			never[i][0], never[i][1]);
	}
}

/* an index is written by strangers: it need not be in normal form */
static void test_rank_normalises(void)
{
	struct fb_platform want = { .os = "linux", .arch = "amd64" };
	struct fb_platform have = { .os = "Linux",
				    .arch = "x86_64",
				    .variant = "v1" };

	TAP_OK(fb_platform_rank(&want, &have) > 0, "Linux/x86_64/v1 is amd64");
}

int main(void)
{
	test_parse();
	test_rank();
	test_rank_normalises();
	return tap_done();
}
