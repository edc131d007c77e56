/* SPDX-License-Identifier: Apache-2.0 */
#include "store_fixture.h"

static void set_env(const char *name, const char *value)
{
	if (value)
		(void)setenv(name, value, 1);
	else
		(void)unsetenv(name);
}

static void check(const char *option, const char *env, const char *state,
		  const char *run)
{
	FB_STORE_ROOTS struct fb_store_roots roots = { 0 };

	set_env("FLAMEBOX_ROOT", env);
	TAP_INT(fb_store_roots_resolve(option, &roots, NULL), 0,
		"resolve --root %s, FLAMEBOX_ROOT=%s", option ? option : "-",
		env ? env : "-");
	TAP_STR(roots.state, state, "state is %s", state);
	TAP_STR(roots.run, run, "run is %s", run);
}

static void test_option_and_environment(void)
{
	FB_STORE_ROOTS struct fb_store_roots roots = { 0 };
	FB_FREE char *cwd = getcwd(NULL, 0);
	FB_FREE char *want = fb_path_join(cwd, "rel/x");
	FB_FREE char *want_run = fb_path_join(want, "run");

	check("/a/b", NULL, "/a/b", "/a/b/run");
	check("/a/b", "/c", "/a/b", "/a/b/run");
	check(NULL, "/c", "/c", "/c/run");
	check("/", NULL, "/", "/run");
	check("rel/x", NULL, want, want_run);
	TAP_INT(fb_store_roots_resolve("", &roots, NULL), -EINVAL,
		"an empty --root is refused");
}

/* As another user where we are root: the rules differ. */
static void test_user(void)
{
	if (geteuid() == 0) {
		check(NULL, NULL, "/var/lib/flamebox", "/run/flamebox");
		if (seteuid(65534) < 0) {
			tap_skip("cannot become another user");
			return;
		}
	}
	set_env("HOME", "/h");
	set_env("XDG_DATA_HOME", NULL);
	set_env("XDG_RUNTIME_DIR", NULL);
	check(NULL, "", "/h/.local/share/flamebox",
	      "/h/.local/share/flamebox/run");
	set_env("XDG_DATA_HOME", "/d");
	set_env("XDG_RUNTIME_DIR", "/r");
	check(NULL, NULL, "/d/flamebox", "/r/flamebox");
	set_env("XDG_DATA_HOME", "relative");
	set_env("XDG_RUNTIME_DIR", "relative");
	check(NULL, NULL, "/h/.local/share/flamebox",
	      "/h/.local/share/flamebox/run");
	set_env("HOME", NULL);
	{
		FB_STORE_ROOTS struct fb_store_roots roots = { 0 };
		struct fb_err err = { 0 };

		TAP_INT(fb_store_roots_resolve(NULL, &roots, &err), -ENOENT,
			"nowhere to go without HOME");
		TAP_OK(strstr(err.hint, "--root") != NULL, "and a hint: %s",
		       err.hint);
	}
	TAP_INT(seteuid(getuid()), 0, "back to who we were");
}

/* Longer than SQLite's, than a socket's, than most programs' buffers. */
static void test_long_and_odd(void)
{
	struct fixture f;
	FB_FREE char *deep = NULL;
	FB_IMAGE_RECORDS struct fb_image_records list = { 0 };
	struct fb_err err = { 0 };
	const char *name[] = { "docker.io/library/a:1", NULL };
	char part[201];
	struct stat st;

	fixture_start(&f);
	memset(part, 'x', 200);
	part[200] = '\0';
	if (asprintf(&deep, "%s/a \"b\"\n\xff:%%s/%s/%s/%s/%s", f.dir, part,
		     part, part, part) < 0)
		abort();
	fb_store_close(f.store);
	fb_store_roots_release(&f.roots);
	(void)fb_store_roots_resolve(deep, &f.roots, NULL);
	fixture_open(&f);
	(void)fixture_image(&f, "1", "1", "1", name);
	fixture_reopen(&f);
	TAP_INT(fb_store_image_list(f.store, &list, &err), 0,
		"a state folder of %zu odd bytes: %s", strlen(deep), err.msg);
	TAP_INT(list.count, 1, "keeps its image");
	TAP_OK(stat(deep, &st) == 0 && (st.st_mode & 07777) == 0700,
	       "is for its owner only");
	fixture_end(&f);
}

static void test_refusals(void)
{
	struct fixture f;
	struct fb_store *store = NULL;
	struct fb_store_roots roots = { 0 };
	struct fb_err err = { 0 };
	FB_FREE char *file = NULL;

	fixture_start(&f);
	file = fb_path_join(f.dir, "file");
	(void)fb_write_file_at(AT_FDCWD, file, "x", 1, 0600);
	(void)fb_store_roots_resolve(file, &roots, NULL);
	TAP_INT(fb_store_open(&roots, NULL, &store, &err), -ENOTDIR,
		"a file is no state folder: %s", err.msg);
	TAP_OK(strstr(err.msg, file) != NULL, "and it is named");
	fb_store_roots_release(&roots);
	fixture_end(&f);
}

int main(void)
{
	test_option_and_environment();
	test_long_and_odd();
	test_refusals();
	test_user();
	return tap_done();
}
