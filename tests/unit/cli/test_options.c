/* SPDX-License-Identifier: Apache-2.0 */
/* pflag's rules, with docker 28's words. */
#include <errno.h>
#include <string.h>

#include "cli/options.h"
#include "tap.h"

struct flags {
	bool rm;
	bool verify;
	bool interactive;
	bool tty;
	unsigned int verbose;
	const char *name;
	const char *user;
	struct fb_strv env;
	struct fb_option_number count;
	struct fb_option_number memory;
};

static const struct fb_option options[] = {
	FB_OPTION_FLAG(struct flags, rm, 0, "rm", "Remove it at the end"),
	FB_OPTION_FLAG_ON(struct flags, verify, 0, "verify", "Verify"),
	FB_OPTION_FLAG(struct flags, interactive, 'i', "interactive", "Keep"),
	FB_OPTION_FLAG(struct flags, tty, 't', "tty", "Terminal"),
	FB_OPTION_COUNT(struct flags, verbose, 'v', "verbose", "Say more"),
	FB_OPTION_STRING(struct flags, name, 0, "name", "string", "Name"),
	FB_OPTION_STRING(struct flags, user, 'u', "user", "string", "User"),
	FB_OPTION_LIST(struct flags, env, 'e', "env", "list", "Variables"),
	FB_OPTION_UINT(struct flags, count, 'c', "count", "number", "Count"),
	FB_OPTION_BYTES(struct flags, memory, 'm', "memory", "Memory"),
	FB_OPTION_END,
};

#define ARGS_MAX 16

/* splits @line at '|', since values hold spaces */
static int parse(const char *line, bool stop, struct flags *f,
		 struct fb_parsed *parsed, struct fb_err *err)
{
	static char copy[1024];
	char *argv[ARGS_MAX + 1], *rest = copy, *word;
	int argc = 0;

	(void)snprintf(copy, sizeof(copy), "%s", line);
	while (*line && argc < ARGS_MAX && (word = strsep(&rest, "|")))
		argv[argc++] = word;
	argv[argc] = NULL;
	*f = (struct flags){ 0 };
	*parsed = (struct fb_parsed){ 0 };
	return fb_options_parse(options, argc, argv, stop, f, parsed, err);
}

/* flags and words as one text, only what was given */
static const char *shown(const struct flags *f, const struct fb_parsed *p)
{
	static char text[1024];
	size_t n = 0;

	text[0] = '\0';
#define PUT(...) \
	(n += (size_t)snprintf(text + n, sizeof(text) - n, __VA_ARGS__))
	PUT("%s%s%s%s", f->rm ? "rm " : "", f->verify ? "" : "noverify ",
	    f->interactive ? "i " : "", f->tty ? "t " : "");
	if (f->verbose)
		PUT("v%u ", f->verbose);
	if (f->name)
		PUT("name=%s ", f->name);
	if (f->user)
		PUT("user=%s ", f->user);
	for (size_t i = 0; i < f->env.count; i++)
		PUT("env=%s ", f->env.v[i]);
	if (f->count.given)
		PUT("count=%llu ", (unsigned long long)f->count.value);
	if (f->memory.given)
		PUT("memory=%llu ", (unsigned long long)f->memory.value);
	if (p->help)
		PUT("help ");
	PUT("[");
	for (size_t i = 0; i < p->arg_count; i++)
		PUT("%s%s", i ? "," : "", p->args[i]);
	PUT("]");
#undef PUT
	return text;
}

static void test_good(void)
{
	static const struct {
		const char *line;
		bool stop;
		const char *want;
	} cases[] = {
		{ "", false, "[]" },
		{ "a|b", false, "[a,b]" },
		{ "--rm|a", false, "rm [a]" },
		{ "a|--rm|b", false, "rm [a,b]" },
		{ "a|--rm|b", true, "[a,--rm,b]" },
		{ "--rm|a|--|b", true, "rm [a,--,b]" },
		{ "--rm|--|--rm|a", true, "rm [--rm,a]" },
		{ "a|--|--rm", false, "[a,--rm]" },
		{ "--|--", false, "[--]" },
		{ "-", false, "[-]" },
		{ "", true, "[]" },
		{ "--rm=true", false, "rm []" },
		{ "--rm=1", false, "rm []" },
		{ "--rm=T", false, "rm []" },
		{ "--rm=false", false, "[]" },
		{ "--rm|--rm=F", false, "[]" },
		{ "--rm|false", false, "rm [false]" },
		{ "--verify=false", false, "noverify []" },
		{ "--verify=0|--verify", false, "[]" },
		{ "-it", false, "i t []" },
		{ "-i|-t", false, "i t []" },
		{ "-ti=false", false, "t []" },
		{ "-ite|A=1|x", true, "i t env=A=1 [x]" },
		{ "-iteA=1|x", true, "i t env=A=1 [x]" },
		{ "-e|A=1|-e|B=2", false, "env=A=1 env=B=2 []" },
		{ "-eA=1|--env|B=2|--env=C=3", false,
		  "env=A=1 env=B=2 env=C=3 []" },
		{ "-e=A=1", false, "env=A=1 []" },
		/* docker takes this for the value "=" */
		{ "-e=", false, "env== []" },
		{ "--env=", false, "env= []" },
		{ "--env|", false, "env= []" },
		{ "-e|-it", false, "env=-it []" },
		{ "--name|--rm", false, "name=--rm []" },
		{ "--name=a|--name=b", false, "name=b []" },
		{ "--name=", false, "name= []" },
		{ "-u1000:100", false, "user=1000:100 []" },
		{ "-u|0", false, "user=0 []" },
		{ "-vv", false, "v2 []" },
		{ "-v|-v|--verbose", false, "v3 []" },
		{ "-v=2", false, "v2 []" },
		{ "-vvvvvvvvvvvvvvv", false, "v9 []" },
		{ "--count=0", false, "count=0 []" },
		{ "-c|18446744073709551615", false,
		  "count=18446744073709551615 []" },
		{ "-m64m", false, "memory=67108864 []" },
		{ "--memory=1.5k|-m|0", false, "memory=0 []" },
		{ "--help", false, "help []" },
		{ "-h", false, "help []" },
		{ "-ih", false, "i help []" },
		{ "a|--help|--nope", false, "help [a]" },
		{ "a|--help", true, "[a,--help]" },
	};

	for (size_t i = 0; i < FB_ARRAY_SIZE(cases); i++) {
		struct flags f;
		struct fb_parsed p;
		struct fb_err err = { 0 };

		if (!TAP_OK(parse(cases[i].line, cases[i].stop, &f, &p, &err) ==
				    0,
			    "takes '%s'", cases[i].line))
			printf("# %s\n", err.msg);
		TAP_STR(shown(&f, &p), cases[i].want, "'%s'", cases[i].line);
		TAP_OK(p.args && !p.args[p.arg_count], "ends with NULL");
		fb_parsed_release(&p);
		fb_options_release(options, &f);
		TAP_INT(f.env.count, 0, "released");
	}
}

static void test_bad(void)
{
	static const char *const cases[][2] = {
		{ "--foo", "unknown flag: --foo" },
		{ "--foo=bar", "unknown flag: --foo" },
		{ "--r", "unknown flag: --r" },
		{ "--rmx", "unknown flag: --rmx" },
		{ "---rm", "bad flag syntax: ---rm" },
		{ "--=x", "bad flag syntax: --=x" },
		{ "-x", "unknown shorthand flag: 'x' in -x" },
		{ "-itX", "unknown shorthand flag: 'X' in -X" },
		{ "-iXt", "unknown shorthand flag: 'X' in -Xt" },
		{ "--name", "flag needs an argument: --name" },
		{ "-e", "flag needs an argument: 'e' in -e" },
		{ "-ite", "flag needs an argument: 'e' in -e" },
		{ "--rm=no",
		  "invalid argument \"no\" for \"--rm\" flag: "
		  "parsing \"no\": invalid syntax" },
		{ "--rm=",
		  "invalid argument \"\" for \"--rm\" flag: parsing "
		  "\"\": invalid syntax" },
		{ "-i=x",
		  "invalid argument \"x\" for \"-i, --interactive\" "
		  "flag: parsing \"x\": invalid syntax" },
		{ "-m|foo",
		  "invalid argument \"foo\" for \"-m, --memory\" "
		  "flag: invalid size: 'foo'" },
		{ "--memory=1kx",
		  "invalid argument \"1kx\" for \"-m, "
		  "--memory\" flag: invalid suffix: 'kx'" },
		{ "-c|-1",
		  "invalid argument \"-1\" for \"-c, --count\" flag: "
		  "parsing \"-1\": invalid syntax" },
		{ "-c|",
		  "invalid argument \"\" for \"-c, --count\" flag: "
		  "parsing \"\": invalid syntax" },
		{ "-c|18446744073709551616",
		  "invalid argument \"18446744073709551616\" for \"-c, "
		  "--count\" flag: parsing \"18446744073709551616\": value "
		  "out of range" },
	};

	for (size_t i = 0; i < FB_ARRAY_SIZE(cases); i++) {
		struct flags f;
		struct fb_parsed p;
		struct fb_err err = { 0 };

		TAP_INT(parse(cases[i][0], false, &f, &p, &err), -EINVAL,
			"refuses '%s'", cases[i][0]);
		TAP_STR(err.msg, cases[i][1], "'%s' says why", cases[i][0]);
		TAP_OK(!p.args, "leaves the output");
		fb_options_release(options, &f);
	}
}

static void test_no_table(void)
{
	char *argv[] = { (char[]){ "a" }, (char[]){ "--x" }, NULL };
	struct fb_parsed p = { 0 };
	struct fb_err err = { 0 };
	char flags[1] = { 0 };

	TAP_INT(fb_options_parse(NULL, 1, argv, false, flags, &p, NULL), 0,
		"a command without options");
	TAP_INT(p.arg_count, 1, "has its words");
	fb_parsed_release(&p);
	TAP_INT(fb_options_parse(NULL, 2, argv, false, flags, &p, &err),
		-EINVAL, "and knows no flag");
}

static void test_help(void)
{
	static const struct fb_option table[] = {
		FB_OPTION_STRING(struct flags, name, 0, "name", "string",
				 "A text that is too long for one line of "
				 "eighty columns and therefore wrapped"),
		FB_OPTION_LIST(struct flags, env, 'e', "env", "list",
			       "Set variables"),
		FB_OPTION_FLAG_ON(struct flags, verify, 0, "verify", "Verify"),
		FB_OPTION_END,
	};
	FB_STR struct fb_str out = FB_STR_INIT(4096);

	fb_options_help(table, &out);
	TAP_STR(fb_str_cstr(&out),
		"  -e, --env list      Set variables\n"
		"      --name string   A text that is too long for one line of "
		"eighty columns and\n"
		"                      therefore wrapped\n"
		"      --verify        Verify (default true)\n",
		"sorted, aligned, wrapped");
}

int main(void)
{
	test_good();
	test_bad();
	test_no_table();
	test_help();
	return tap_done();
}
