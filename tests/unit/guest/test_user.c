/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>

#include "tap.h"
#include "user.h"

static const char passwd[] =
	"root:x:0:0:root:/root:/bin/sh\n"
	"\n"
	"# comment\n"
	"broken:x:zero:0::/:\n"
	"big:x:4294967296:0::/:\n"
	"  app:x:1000:100::/home/app:/bin/sh\n"
	"app:x:2000:200::/second:/bin/sh\n"
	"twin:x:1000:5::/twin:\n"
	"homeless:x:7:7\n"
	"12:x:34:56::/number:\n"
	"last:x:8:9::/last";
static const char group[] =
	"root:x:0:\n"
	"users:x:100:\n"
	"wheel:x:10:root,app\n"
	"broken:x::app\n"
	"audio:x:63:other,app\n"
	"apple:x:64:application,ap\n"
	"again:x:10:app,app\n"
	"last:x:99:last";
static const struct fb_user_files files = { passwd, group };
static const struct fb_user_files none = { "", "" };

struct good {
	const char *text;
	const struct fb_user_files *files;
	unsigned int uid;
	unsigned int gid;
	const char *home;
	const char *groups;
};

static void test_good(void)
{
	static const struct good cases[] = {
		{ NULL, &files, 0, 0, "/root", "0 10" },
		{ "", &files, 0, 0, "/root", "0 10" },
		{ "", &none, 0, 0, "/", "0" },
		{ "app", &files, 1000, 100, "/home/app", "100 10 63" },
		{ "1000", &files, 1000, 100, "/home/app", "100 10 63" },
		{ "app:audio", &files, 1000, 63, "/home/app", "63" },
		{ "app:5", &files, 1000, 5, "/home/app", "5" },
		{ "app:", &files, 1000, 100, "/home/app", "100 10 63" },
		{ ":audio", &files, 0, 63, "/root", "63" },
		{ "2147483647:2147483647", &none, 2147483647, 2147483647, "/",
		  "2147483647" },
		{ "4:5", &none, 4, 5, "/", "5" },
		{ "4", &files, 4, 0, "/", "0" },
		{ "homeless", &files, 7, 7, "/", "7" },
		{ "12", &files, 12, 0, "/", "0" },
		{ "last", &files, 8, 9, "/last", "9 99" },
	};
	static struct fb_user user;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char groups[256] = "";
		int r = fb_user_resolve(cases[i].text, cases[i].files, &user,
					NULL);

		for (size_t g = 0; r == 0 && g < user.group_count; g++)
			(void)snprintf(groups + strlen(groups),
				       sizeof(groups) - strlen(groups), "%s%u",
				       g ? " " : "", user.groups[g]);
		TAP_OK(r == 0 && user.uid == cases[i].uid &&
			       user.gid == cases[i].gid,
		       "user '%s'", cases[i].text ? cases[i].text : "(null)");
		TAP_STR(user.home, cases[i].home, "its home");
		TAP_STR(groups, cases[i].groups, "its groups");
	}
}

static void test_bad(void)
{
	static const struct {
		const char *text;
		int code;
		const char *msg;
	} cases[] = {
		{ "nobody", -ENOENT,
		  "unable to find user nobody: no matching entries in passwd "
		  "file" },
		{ "broken", -ENOENT,
		  "unable to find user broken: no matching entries in passwd "
		  "file" },
		{ "app:nogroup", -ENOENT,
		  "unable to find group nogroup: no matching entries in group "
		  "file" },
		{ "-1", -ENOENT,
		  "unable to find user -1: no matching entries in passwd "
		  "file" },
		{ "2147483648", -ERANGE,
		  "uids and gids must be in range 0-2147483647" },
		{ "1:99999999999999999999999", -ERANGE,
		  "uids and gids must be in range 0-2147483647" },
	};
	static struct fb_user user;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct fb_err err = { 0 };

		TAP_INT(fb_user_resolve(cases[i].text, &files, &user, &err),
			cases[i].code, "refused: '%s'", cases[i].text);
		TAP_STR(err.msg, cases[i].msg, "docker's words");
	}
}

static void test_many_groups(void)
{
	static struct fb_user user;
	enum { LINES = 3000 };
	char *text = malloc(LINES * 32);
	struct fb_user_files many = { passwd, text };
	size_t len = 0;

	for (int i = 0; i < LINES; i++)
		len += (size_t)snprintf(text + len, 32, "g%d:x:%d:app\n", i,
					5000 + i);
	TAP_INT(fb_user_resolve("app", &many, &user, NULL), 0, "3,000 groups");
	TAP_INT(user.group_count, FB_USER_GROUPS_MAX, "are cut at the maximum");
	free(text);
}

int main(void)
{
	test_good();
	test_bad();
	test_many_groups();
	return tap_done();
}
