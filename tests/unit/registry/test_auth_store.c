/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/auth_store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/io.h"
#include "base/path.h"
#include "registry/auth_file.h"
#include "tap.h"

#define WRITERS 8

static char folder[] = "/tmp/flamebox-test-store-XXXXXX";
static char user[] = "user", password[] = "p:w", token[] = "t0k";
static const struct fb_credential log_in = { .username = user,
					     .password = password };

static char *at(const char *name)
{
	char *path = fb_path_join(folder, name);

	if (!path)
		abort();
	return path;
}

static void put_text(const char *path, const char *text)
{
	if (fb_write_file_at(AT_FDCWD, path, text, strlen(text), 0644) < 0)
		abort();
}

static bool says(const char *path, const char *words)
{
	FB_FREE char *text = NULL;

	return fb_read_file_at(AT_FDCWD, path, 65536, &text, NULL) == 0 &&
	       strstr(text, words);
}

static void finds(const char *path, const char *host, const char *want)
{
	const char *const files[] = { path, NULL };
	FB_CREDENTIAL struct fb_credential c = { 0 };

	(void)fb_credential_find(files, host, "a/b", NULL, &c);
	TAP_STR(c.identity_token ? c.identity_token : c.password, want,
		"what '%s' has now", host);
}

static void test_new_file(void)
{
	FB_FREE char *path = at("new/folder/config.json");
	FB_FREE char *dir = at("new/folder");
	struct fb_credential identity = { .identity_token = token };
	struct stat st;
	bool removed = false;

	TAP_INT(fb_auth_store_put(path, "h:5000", &log_in, NULL, NULL), 0,
		"put");
	TAP_OK(stat(path, &st) == 0 && (st.st_mode & 07777) == 0600,
	       "for nobody else");
	TAP_OK(stat(dir, &st) == 0 && (st.st_mode & 07777) == 0700,
	       "nor its folder");
	finds(path, "h:5000", "p:w");
	TAP_INT(fb_auth_store_put(path, "h:5000", &identity, NULL, NULL), 0,
		"put over it");
	finds(path, "h:5000", "t0k");
	TAP_INT(fb_auth_store_remove(path, "h:5000", &removed, NULL), 0,
		"removed");
	TAP_OK(removed, "there was one");
	finds(path, "h:5000", NULL);
	TAP_INT(fb_auth_store_remove(path, "h:5000", &removed, NULL), 0,
		"removed again");
	TAP_OK(!removed, "there was none");
}

static void test_old_file(void)
{
	FB_FREE char *path = at("config.json"), *link = at("link.json");
	struct fb_credential odd = { .username = password,
				     .password = password };
	struct stat st;
	bool removed;

	put_text(path,
		 "{\"HttpHeaders\":{\"a\":\"b\"},\"auths\":{"
		 "\"docker.io\":{\"auth\":\"b2xkOm9sZA==\"},"
		 "\"index.docker.io\":{\"auth\":\"b2xkOm9sZA==\"},"
		 "\"docker.io/team\":{\"auth\":\"b2xkOnRlYW0=\"},"
		 "\"h\":{\"auth\":\"b2xkOmhvc3Q=\"}}}");
	if (symlink(path, link) < 0)
		abort();
	TAP_INT(fb_auth_store_put(link, "docker.io", &log_in, NULL, NULL), 0,
		"put through a link");
	TAP_OK(lstat(link, &st) == 0 && S_ISLNK(st.st_mode), "still a link");
	TAP_OK(says(path, "HttpHeaders"), "the rest is kept");
	TAP_OK(says(path, FB_DOCKER_HUB_KEY), "under docker's own name");
	finds(path, "docker.io", "p:w");
	finds(path, "h", "host");
	TAP_OK(fb_auth_store_remove(path, "docker.io", &removed, NULL) == 0 &&
		       removed,
	       "removed");
	TAP_OK(says(path, "docker.io/team"), "a repository's entry is kept");
	TAP_INT(fb_auth_store_put(path, "h", &odd, NULL, NULL), -EINVAL,
		"a user name with a colon");
	finds(path, "h", "host");
}

static void test_malformed(void)
{
	FB_FREE char *path = at("broken.json");
	struct fb_err err = { 0 };
	bool removed;

	put_text(path, "{\"auths\": s3cret");
	TAP_INT(fb_auth_store_put(path, "h", &log_in, NULL, &err), -EBADMSG,
		"a malformed file");
	TAP_OK(!strstr(err.msg, "s3cret"), "is not quoted: %s", err.msg);
	TAP_INT(fb_auth_store_remove(path, "h", &removed, NULL), -EBADMSG,
		"for removing as well");
	TAP_OK(says(path, "s3cret"), "and left alone");
}

static void test_many_writers(void)
{
	FB_FREE char *path = at("many.json");
	char host[16];
	int status, failed = 0;

	for (int i = 0; i < WRITERS; i++) {
		if (fork() > 0)
			continue;
		(void)snprintf(host, sizeof(host), "host%d", i);
		_exit(fb_auth_store_put(path, host, &log_in, NULL, NULL) < 0);
	}
	while (wait(&status) > 0)
		failed += status != 0;
	TAP_INT(failed, 0, "%d writers at once", WRITERS);
	for (int i = 0; i < WRITERS; i++) {
		(void)snprintf(host, sizeof(host), "host%d", i);
		finds(path, host, "p:w");
	}
}

static void test_helper(void)
{
	FB_FREE char *path = at("helped.json"), *kept = at("kept");
	FB_FREE char *program = at("docker-credential-fbtest");
	FB_STR struct fb_str script = FB_STR_INIT(4096);
	bool removed = false;

	(void)fb_str_printf(&script,
			    "#!/bin/sh\n"
			    "case $1 in\n"
			    "store) cat >%s ;;\n"
			    "erase) [ -e %s ] && rm %s || {\n"
			    "  echo credentials not found in native keychain\n"
			    "  exit 1; } ;;\n"
			    "esac\n",
			    kept, kept, kept);
	put_text(program, fb_str_cstr(&script));
	if (chmod(program, 0755) < 0)
		abort();
	fb_str_truncate(&script, 0);
	(void)fb_str_printf(&script, "%s:%s", folder, getenv("PATH"));
	(void)setenv("PATH", fb_str_cstr(&script), 1);
	put_text(path, "{\"credsStore\":\"fbtest\"}");
	TAP_INT(fb_auth_store_put(path, "h", &log_in, NULL, NULL), 0,
		"put where a store is named");
	TAP_OK(says(kept, "\"Secret\":\"p:w\"") &&
		       says(kept, "\"ServerURL\":\"h\""),
	       "the store has it");
	TAP_OK(says(path, "\"h\": {}") && !says(path, "auth\""),
	       "the file has the mark only");
	TAP_OK(fb_auth_store_remove(path, "h", &removed, NULL) == 0 && removed,
	       "removed");
	TAP_OK(access(kept, F_OK) < 0 && !says(path, "\"h\""), "from both");
	TAP_OK(fb_auth_store_remove(path, "h", &removed, NULL) == 0 && !removed,
	       "removed again: there was none");
	put_text(program, "#!/bin/sh\nexit 3\n");
	if (chmod(program, 0755) < 0)
		abort();
	TAP_INT(fb_auth_store_put(path, "h", &log_in, NULL, NULL), -EIO,
		"a store that fails");
	TAP_OK(!says(path, "\"h\""), "leaves the file alone");
}

int main(void)
{
	if (!mkdtemp(folder))
		abort();
	test_new_file();
	test_old_file();
	test_malformed();
	test_many_writers();
	test_helper();
	TAP_INT(fb_rmtree_at(AT_FDCWD, folder), 0, "removed");
	return tap_done();
}
