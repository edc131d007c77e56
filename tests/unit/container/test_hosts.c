/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "container/hosts.h"
#include "tap.h"

static const struct {
	const char *entry;
	int r;
	const char *line; /* in the file, or in the error */
} cases[] = {
	{ "db:10.0.0.1", 0, "\n10.0.0.1\tdb\n" },
	{ "db=10.0.0.1", 0, "\n10.0.0.1\tdb\n" },
	{ "v6:::1", 0, "\n::1\tv6\n" },
	{ "v6=2001:db8::1", 0, "\n2001:db8::1\tv6\n" },
	{ "v6:[2001:db8::1]", 0, "\n2001:db8::1\tv6\n" },
	{ "host.docker.internal:host-gateway", 0,
	  "\n10.9.9.1\thost.docker.internal\n" },
	{ "db", -EINVAL, "bad format for add-host: \"db\"" },
	{ ":10.0.0.1", -EINVAL, "bad format for add-host" },
	{ "db:", -EINVAL, "bad format for add-host" },
	{ "a b:10.0.0.1", -EINVAL, "bad format for add-host" },
	{ "a\n::1 b:10.0.0.1", -EINVAL, "bad format for add-host" },
	{ "db:10.0.0.256", -EINVAL, "invalid IP address in add-host" },
	{ "db:10.0.0.1\n::1 x", -EINVAL, "invalid IP address in add-host" },
	{ "db:[", -EINVAL, "invalid IP address in add-host" },
	{ "db:[]", -EINVAL, "invalid IP address in add-host" },
};

static void test_entries(void)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		FB_STR struct fb_str out = FB_STR_INIT(FB_HOSTS_MAX);
		char entry[64];
		char *const list[] = { entry, NULL };
		struct fb_err err = { 0 };

		(void)snprintf(entry, sizeof(entry), "%s", cases[i].entry);
		TAP_INT(fb_hosts_render(list, "10.9.9.1", "10.9.9.2", "me",
					&out, &err),
			cases[i].r, "entry %zu", i);
		TAP_OK(strstr(cases[i].r ? err.msg : fb_str_cstr(&out),
			      cases[i].line) != NULL,
		       "says what it should");
	}
}

static void test_whole(void)
{
	FB_STR struct fb_str out = FB_STR_INIT(FB_HOSTS_MAX);
	FB_STR struct fb_str full = FB_STR_INIT(FB_HOSTS_MAX);
	FB_STR struct fb_str alone = FB_STR_INIT(FB_HOSTS_MAX);
	char entry[] = "x:host-gateway";
	char *const list[] = { entry, NULL };

	TAP_INT(fb_hosts_render(NULL, "10.9.9.1", "10.9.9.2", "me", &out, NULL),
		0, "no extra entries");
	TAP_STR(fb_str_cstr(&out),
		"127.0.0.1\tlocalhost\n"
		"::1\tlocalhost ip6-localhost ip6-loopback\n"
		"fe00::0\tip6-localnet\n"
		"ff00::0\tip6-mcastprefix\n"
		"ff02::1\tip6-allnodes\n"
		"ff02::2\tip6-allrouters\n"
		"10.9.9.2\tme\n",
		"docker's file");
	TAP_INT(fb_hosts_render(NULL, NULL, "10.9.9.2", "me.example.org", &full,
				NULL),
		0, "a full name");
	TAP_OK(strstr(fb_str_cstr(&full), "\n10.9.9.2\tme.example.org me\n"),
	       "is found by its first part as well");
	TAP_INT(fb_hosts_render(list, NULL, NULL, "me", &alone, NULL), -EINVAL,
		"no gateway without a network");
}

int main(void)
{
	test_entries();
	test_whole();
	return tap_done();
}
