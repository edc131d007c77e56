/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/path.h"
#include "machine/tsc.h"
#include "tap.h"

static void test_parse(void)
{
	static const struct {
		const char *text;
		uint32_t khz;
	} cases[] = {
		{ "boot 2596140\n", 2596140 },
		{ "boot 100000\n", 100000 },
		{ "boot 20000000\n", 20000000 },
		{ "boot 99999\n", 0 },
		{ "boot 20000001\n", 0 },
		{ "boot 18446744073709551616\n", 0 },
		{ "boot 2596140", 0 },
		{ "boot 2596140 \n", 0 },
		{ "boot  2596140\n", 0 },
		{ "boot -2596140\n", 0 },
		{ "boot 0x100000\n", 0 },
		{ "boot\n", 0 },
		{ "boo 2596140\n", 0 },
		{ "boots 2596140\n", 0 },
		{ "", 0 },
	};

	for (size_t i = 0; i < FB_ARRAY_SIZE(cases); i++)
		TAP_INT(fb_tsc_parse(cases[i].text, "boot"), cases[i].khz,
			"cached '%.*s'", (int)strcspn(cases[i].text, "\n"),
			cases[i].text);
	TAP_INT(fb_tsc_parse(" 2596140\n", ""), 0, "no boot id, no answer");
}

static void test_measure(void)
{
	char folder[] = "/tmp/flamebox-tsc-XXXXXX";
	FB_FD int dir =
		mkdtemp(folder)
			? open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
			: -EBADF;
	uint32_t khz = fb_tsc_khz(dir), again = fb_tsc_khz(-1);
	FB_FREE char *text = NULL;

	if (khz == 0) {
		tap_skip("the counter of this host has no constant rate");
	} else {
		TAP_OK(llabs((long long)khz - again) <= khz / 10000,
		       "two measurements agree to a ten-thousandth");
		TAP_INT(fb_tsc_khz(dir), khz, "the first one is remembered");
		TAP_OK(fb_read_file_at(dir, "tsc", 128, &text, NULL) == 0,
		       "in a file");
		TAP_OK(fb_write_file_at(dir, "tsc", "x 1000000\n", 10, 0600) ==
				       0 &&
			       fb_tsc_khz(dir) != 1000000,
		       "that of another boot does not count");
	}
	(void)fb_rmtree_at(AT_FDCWD, folder);
}

int main(void)
{
	test_parse();
	test_measure();
	return tap_done();
}
