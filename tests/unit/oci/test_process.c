/* SPDX-License-Identifier: Apache-2.0 */
/* Docker's rules for what runs: image config and flags → process. */
#include <errno.h>
#include <signal.h>
#include <string.h>

#include "base/cleanup.h"
#include "oci/process.h"
#include "tap.h"

#define PATH_DEFAULT \
	"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#define LIST(...) ((char *[]){ __VA_ARGS__ __VA_OPT__(, ) NULL })
#define W(text) ((char[]){ text })

static const char *joined(char *const *v)
{
	static char text[4096];

	text[0] = '\0';
	for (size_t i = 0; v && v[i]; i++)
		(void)snprintf(text + strlen(text), sizeof(text) - strlen(text),
			       "%s%s", i ? "|" : "", v[i]);
	return text;
}

/* an image config as the parser leaves it, empty */
static char *no_strings[] = { NULL };
static char empty[1];

static struct fb_image_config image(char **entrypoint, char **cmd)
{
	return (struct fb_image_config){
		.entrypoint = entrypoint,
		.cmd = cmd,
		.env = no_strings,
		.volumes = no_strings,
		.exposed_ports = no_strings,
		.labels = no_strings,
		.user = empty,
		.working_dir = empty,
		.stop_signal = empty,
	};
}

static void test_args(void)
{
	char **none = NULL;
	char **e = LIST(W("/entry"), W("-x")), **c = LIST(W("cmd"), W("arg"));
	char **words = LIST(W("a"), W("b"));
	const struct {
		char **entrypoint, **cmd; /* the image's */
		const char *flag;	  /* --entrypoint */
		char **words;		  /* after IMAGE */
		const char *want;	  /* NULL: no command specified */
	} cases[] = {
		{ none, c, NULL, none, "cmd|arg" },
		{ e, none, NULL, none, "/entry|-x" },
		{ e, c, NULL, none, "/entry|-x|cmd|arg" },
		{ e, c, NULL, words, "/entry|-x|a|b" },
		{ none, c, NULL, words, "a|b" },
		{ none, none, NULL, words, "a|b" },
		{ none, none, NULL, none, NULL },
		{ no_strings, no_strings, NULL, none, NULL },
		{ no_strings, c, NULL, none, "cmd|arg" },
		{ e, no_strings, NULL, none, "/entry|-x" },
		{ none, no_strings, NULL, none, NULL },
		/* --entrypoint drops CMD */
		{ e, c, "/other", none, "/other" },
		{ none, c, "/other", none, "/other" },
		{ e, c, "/other", words, "/other|a|b" },
		/* it is one word, not a command line */
		{ e, c, "/o -x", none, "/o -x" },
		/* "" takes the image's away, and its CMD */
		{ e, c, "", words, "a|b" },
		{ e, c, "", none, NULL },
		{ none, c, "", none, NULL },
		/* no words is as good as none */
		{ none, c, NULL, no_strings, "cmd|arg" },
		/* the guest says that "" is no program, with status 127 */
		{ none, LIST(W("")), NULL, none, "" },
	};

	for (size_t i = 0; i < FB_ARRAY_SIZE(cases); i++) {
		struct fb_image_config config =
			image(cases[i].entrypoint, cases[i].cmd);
		struct fb_process_flags flags = { .entrypoint = cases[i].flag,
						  .args = cases[i].words };
		struct fb_process p = { 0 };
		struct fb_err err = { 0 };
		int r = fb_process_merge(&config, &flags, &p, &err);

		TAP_INT(r, cases[i].want ? 0 : -EINVAL, "arguments %zu", i);
		if (cases[i].want)
			TAP_STR(joined(p.args), cases[i].want, "arguments %zu",
				i);
		else
			TAP_STR(err.msg, "no command specified",
				"arguments %zu", i);
		fb_process_release(&p);
	}
}

static void test_env(void)
{
	char **cmd = LIST(W("x"));
	struct fb_image_config config = image(NULL, cmd);
	struct fb_process_flags flags = { 0 };
	struct fb_process p;

	(void)fb_process_merge(&config, &flags, &p, NULL);
	TAP_STR(joined(p.env), PATH_DEFAULT, "PATH is always there");
	fb_process_release(&p);

	config.env = LIST(W("PATH=/p"), W("A=1"), W("B=2"), W("B=3"));
	flags.hostname = "box";
	flags.terminal = true;
	flags.env = LIST(W("HOME=/h"), W("B=9"));
	(void)fb_process_merge(&config, &flags, &p, NULL);
	TAP_STR(joined(p.env),
		"PATH=/p|HOSTNAME=box|TERM=xterm|HOME=/h|B=9|A=1",
		"docker's, the user's, the image's");
	TAP_OK(p.terminal, "with a terminal");
	fb_process_release(&p);

	flags.env = LIST(W("TERM=dumb"), W("HOSTNAME=other"), W("A"));
	(void)fb_process_merge(&config, &flags, &p, NULL);
	TAP_STR(joined(p.env), "PATH=/p|HOSTNAME=other|TERM=dumb|B=3",
		"each can be set, and taken away");
	fb_process_release(&p);

	config.env = no_strings;
	flags = (struct fb_process_flags){ .env = LIST(W("PATH")) };
	(void)fb_process_merge(&config, &flags, &p, NULL);
	TAP_OK(p.env && !p.env[0], "an empty environment is a list");
	fb_process_release(&p);
}

static void test_cwd(void)
{
	static const struct {
		const char *image;
		const char *flag;
		const char *want; /* NULL: refused */
	} cases[] = {
		{ "", NULL, "/" },	 { "/srv", NULL, "/srv" },
		{ "srv", NULL, "/srv" }, { "/srv", "/x", "/x" },
		{ "/srv", "", "/srv" },	 { "/srv", "x", NULL },
		{ "", "./x", NULL },	 { "", "/a//b/./c/", "/a/b/c" },
		{ "", "/a/../b", "/b" }, { "", "/../..", "/" },
		{ "", "/a/b/..", "/a" }, { "", "/..a/...", "/..a/..." },
		{ "", "//", "/" },	 { "a/../..", NULL, "/" },
	};
	char **cmd = LIST(W("x"));

	for (size_t i = 0; i < FB_ARRAY_SIZE(cases); i++) {
		struct fb_image_config config = image(NULL, cmd);
		struct fb_process_flags flags = { .cwd = cases[i].flag };
		FB_FREE char *dir = strdup(cases[i].image);
		struct fb_process p = { 0 };
		struct fb_err err = { 0 };
		int r;

		config.working_dir = dir;
		r = fb_process_merge(&config, &flags, &p, &err);
		TAP_INT(r, cases[i].want ? 0 : -EINVAL, "folder %zu", i);
		TAP_STR(p.cwd, cases[i].want, "folder %zu", i);
		if (!cases[i].want)
			TAP_OK(strstr(err.msg,
				      "is invalid, it needs to be an "
				      "absolute path"),
			       "says why");
		fb_process_release(&p);
	}
}

static void test_user_and_signal(void)
{
	char **cmd = LIST(W("x"));
	struct fb_image_config config = image(NULL, cmd);
	struct fb_process_flags flags = { 0 };
	struct fb_process p = { 0 };
	struct fb_err err = { 0 };

	(void)fb_process_merge(&config, &flags, &p, NULL);
	TAP_STR(p.user, "", "nobody said who");
	TAP_INT(p.stop_signal, SIGTERM, "nobody said how it stops");
	fb_process_release(&p);

	config.user = W("1000:100");
	config.stop_signal = W("SIGQUIT");
	flags.user = "";
	flags.stop_signal = "";
	(void)fb_process_merge(&config, &flags, &p, NULL);
	TAP_STR(p.user, "1000:100", "the image says who");
	TAP_INT(p.stop_signal, SIGQUIT, "the image says how");
	fb_process_release(&p);

	flags.user = "root";
	flags.stop_signal = "9";
	(void)fb_process_merge(&config, &flags, &p, NULL);
	TAP_STR(p.user, "root", "the user says who");
	TAP_INT(p.stop_signal, SIGKILL, "the user says how");
	fb_process_release(&p);

	flags.stop_signal = "NOSUCH";
	TAP_INT(fb_process_merge(&config, &flags, &p, &err), -EINVAL,
		"a user's bad signal is refused");
	TAP_STR(err.msg, "invalid signal: NOSUCH", "with docker's words");

	flags.stop_signal = NULL;
	config.stop_signal = W("NOSUCH");
	TAP_INT(fb_process_merge(&config, &flags, &p, NULL), 0,
		"an image's bad signal is not");
	TAP_INT(p.stop_signal, SIGTERM, "but becomes SIGTERM");
	fb_process_release(&p);
}

static void test_rlimits(void)
{
	struct fb_rlimit limits[40];
	char **cmd = LIST(W("x"));
	struct fb_image_config config = image(NULL, cmd);
	struct fb_process_flags flags = { .rlimits = limits,
					  .rlimit_count = 40 };
	struct fb_process p = { 0 };

	for (unsigned int i = 0; i < 40; i++) {
		limits[i] = (struct fb_rlimit){ .soft = i, .hard = i };
		(void)snprintf(limits[i].name, sizeof(limits[i].name), "%s",
			       i % 2 ? "nofile" : "core");
	}
	TAP_INT(fb_process_merge(&config, &flags, &p, NULL), 0, "40 limits");
	TAP_INT(p.rlimit_count, 2, "of two names");
	TAP_OK(!strcmp(p.rlimits[1].name, "nofile") && p.rlimits[1].soft == 39,
	       "the last one counts");
	fb_process_release(&p);
	for (unsigned int i = 0; i < 40; i++)
		(void)snprintf(limits[i].name, sizeof(limits[i].name), "n%u",
			       i);
	TAP_INT(fb_process_merge(&config, &flags, &p, NULL), -EINVAL,
		"40 names are too many");
}

int main(void)
{
	test_args();
	test_env();
	test_cwd();
	test_user_and_signal();
	test_rlimits();
	return tap_done();
}
