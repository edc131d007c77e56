/* SPDX-License-Identifier: Apache-2.0 */
/* What needs a file or a library: libcurl, certs.d, where log-ins are. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/io.h"
#include "base/path.h"
#include "registry/client.h"
#include "registry/credential.h"
#include "registry/curl_dl.h"
#include "registry/login.h"
#include "registry/tls.h"
#include "tap.h"

static char folder[] = "/tmp/flamebox-test-registry-XXXXXX";

static void put(const char *name, const char *text)
{
	FB_FREE char *path = fb_path_join(folder, name);

	if (!path ||
	    fb_write_file_at(AT_FDCWD, path, text, strlen(text), 0600) < 0)
		abort();
}

static void make(const char *name)
{
	FB_FREE char *path = fb_path_join(folder, name);

	if (!path || fb_mkdirs(path, 0700, NULL) < 0)
		abort();
}

static void test_libcurl(void)
{
	struct fb_curl curl = { 0 };
	struct fb_err err = { 0 };

	TAP_INT(fb_curl_load("libfb-no-such-library.so.4", &curl, &err),
		-ENOENT, "a missing library");
	TAP_OK(strstr(err.msg, "libcurl"), "is named: %s", err.msg);
	TAP_STR(err.hint, "apt install libcurl4", "with what to install");
	TAP_INT(fb_curl_load("libc.so.6", &curl, &err), -ENOENT,
		"a library that is another one");
	TAP_OK(strstr(err.msg, "curl_global_init"), "what it lacks: %s",
	       err.msg);
	TAP_INT(fb_curl_load(FB_CURL_SONAME, &curl, &err), 0, "libcurl");
	fb_curl_unload(&curl);
	fb_curl_unload(&curl);
	TAP_OK(!curl.handle, "unloaded, also twice");
}

static void test_open(void)
{
	const char *const file[] = { "file:///x", NULL };
	const char *const query[] = { "https://h/?q", NULL };
	struct fb_registry_options options = { .mirrors = file };
	struct fb_registry *reg = NULL;

	TAP_INT(fb_registry_open("docker.io", &options, &reg, NULL), -EINVAL,
		"a mirror that is a file");
	options.mirrors = query;
	TAP_INT(fb_registry_open("docker.io", &options, &reg, NULL), -EINVAL,
		"a mirror with a query");
	TAP_INT(fb_registry_open("other.example", &options, &reg, NULL), 0,
		"other registries have no mirrors");
	fb_registry_close(reg);
	TAP_INT(fb_registry_open("host@other", NULL, &reg, NULL), -EINVAL,
		"a domain that is none");
	fb_registry_close(NULL);
}

static void test_certs(void)
{
	const char *const dirs[] = { "/nonexistent", folder, NULL };
	struct fb_tls tls = { 0 };
	struct fb_err err = { 0 };

	TAP_INT(fb_tls_load(dirs, "none:1", &tls, &err), -ENOENT, "no folder");
	make("two:1");
	put("two:1/a.crt", "A");
	put("two:1/b.crt", "B");
	put("two:1/readme", "C");
	put("two:1/client.cert", "D");
	put("two:1/client.key", "E");
	TAP_INT(fb_tls_load(dirs, "two:1", &tls, &err), 0, "a folder");
	TAP_STR(tls.ca_pem, "A\nB\n", "all of its CAs");
	TAP_OK(tls.cert && tls.key && strstr(tls.key, "two:1/client.key"),
	       "certificate and key");
	fb_tls_release(&tls);
	make("half");
	put("half/client.cert", "D");
	TAP_INT(fb_tls_load(dirs, "half", &tls, &err), -EINVAL,
		"a certificate without its key");
	TAP_OK(strstr(err.msg, "client.key"), "is named: %s", err.msg);
	TAP_INT(fb_tls_load(dirs, "..", &tls, &err), -ENOENT,
		"a name that leads out");
	TAP_INT(fb_tls_load(dirs, "two:1/../half", &tls, &err), -ENOENT,
		"another one");
}

static void test_places(void)
{
	FB_STRV struct fb_strv files = { 0 }, only = { 0 };

	(void)unsetenv("REGISTRY_AUTH_FILE");
	(void)unsetenv("DOCKER_CONFIG");
	(void)unsetenv("XDG_CONFIG_HOME");
	(void)setenv("HOME", "/home/u", 1);
	(void)setenv("XDG_RUNTIME_DIR", "/run/user/7", 1);
	TAP_INT(fb_auth_files(&files), 0, "where log-ins are");
	TAP_STR(files.v[0], "/home/u/.docker/config.json", "docker's");
	TAP_STR(files.v[1], "/run/user/7/containers/auth.json", "podman's");
	TAP_STR(files.v[files.count - 1],
		"/home/u/.config/containers/auth.json", "and the last");
	(void)setenv("DOCKER_CONFIG", "/d", 1);
	(void)fb_auth_files(&only);
	TAP_STR(only.v[0], "/d/config.json", "DOCKER_CONFIG");
	fb_strv_release(&only);
	(void)setenv("REGISTRY_AUTH_FILE", "/r.json", 1);
	(void)fb_auth_files(&only);
	TAP_OK(only.count == 1 && strcmp(only.v[0], "/r.json") == 0,
	       "REGISTRY_AUTH_FILE alone");
}

static void test_files_in_order(void)
{
	FB_FREE char *none = fb_path_join(folder, "none.json");
	FB_FREE char *empty = fb_path_join(folder, "empty.json");
	FB_FREE char *first = fb_path_join(folder, "first.json");
	FB_FREE char *second = fb_path_join(folder, "second.json");
	const char *const files[] = { none, empty, first, second, NULL };
	struct fb_credential c = { 0 };

	put("empty.json", "{}");
	put("first.json",
	    "{\"auths\":{\"h\":{\"username\":\"first\","
	    "\"password\":\"p\"}}}");
	put("second.json",
	    "{\"auths\":{\"h\":{\"username\":\"second\","
	    "\"password\":\"p\"}}}");
	TAP_INT(fb_credential_find(files, "h", "a", NULL, &c), 0, "looked up");
	TAP_STR(c.username, "first", "the first file with an entry");
	fb_credential_release(&c);
	TAP_INT(fb_credential_find(files, "i", "a", NULL, &c), 0, "no entry");
	TAP_STR(c.username, NULL, "anonymous");
	fb_credential_release(&c);
}

static void test_servers(void)
{
	static const struct {
		const char *text;
		const char *want;
	} good[] = {
		{ NULL, "docker.io" },
		{ "docker.io", "docker.io" },
		{ "index.docker.io", "docker.io" },
		{ "https://index.docker.io/v1/", "docker.io" },
		{ "registry-1.docker.io", "docker.io" },
		{ "localhost", "localhost" },
		{ "h.example:5000", "h.example:5000" },
		{ "http://h.example:5000/v2/", "h.example:5000" },
		{ "[::1]:5000", "[::1]:5000" },
	};
	static const char *const bad[] = { "",	   "host",  "https://",
					   "/x.y", "a b.c", "u@h.example" };
	char server[256];

	for (size_t i = 0; i < FB_ARRAY_SIZE(good); i++) {
		server[0] = '\0';
		(void)fb_login_server(good[i].text, server, NULL);
		TAP_STR(server, good[i].want, "server '%s'",
			good[i].text ? good[i].text : "");
	}
	for (size_t i = 0; i < FB_ARRAY_SIZE(bad); i++)
		TAP_INT(fb_login_server(bad[i], server, NULL), -EINVAL,
			"no server: '%s'", bad[i]);
	TAP_STR(fb_login_shown("docker.io"), "https://index.docker.io/v1/",
		"docker's name of its own");
}

static void test_guard(void)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		fb_secret_guard();
		_exit(prctl(PR_GET_DUMPABLE) != 0);
	}
	TAP_OK(pid > 0 && waitpid(pid, &status, 0) == pid && status == 0,
	       "no core dump with a secret in memory");
}

int main(void)
{
	if (!mkdtemp(folder))
		abort();
	test_libcurl();
	test_open();
	test_certs();
	test_places();
	test_files_in_order();
	test_servers();
	test_guard();
	TAP_INT(fb_rmtree_at(AT_FDCWD, folder), 0, "removed");
	return tap_done();
}
