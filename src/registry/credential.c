/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/credential.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/io.h"
#include "registry/auth_file.h"
#include "registry/auth_helper.h"

void fb_secret_free(char *text)
{
	if (text)
		explicit_bzero(text, strlen(text));
	free(text);
}

void fb_secret_str_release(struct fb_str *s)
{
	if (s->buf)
		explicit_bzero(s->buf, s->len);
	fb_str_release(s);
}

void fb_credential_release(struct fb_credential *c)
{
	free(c->username);
	fb_secret_free(c->password);
	fb_secret_free(c->identity_token);
	fb_secret_free(c->registry_token);
	memset(c, 0, sizeof(*c));
}

void fb_secret_strv_release(struct fb_strv *v)
{
	for (size_t i = 0; i < v->count; i++)
		explicit_bzero(v->v[i], strlen(v->v[i]));
	fb_strv_release(v);
}

void fb_secret_guard(void)
{
	(void)prctl(PR_SET_DUMPABLE, 0);
}

static void add_below(struct fb_strv *files, const char *base,
		      const char *below)
{
	if (base && base[0] == '/')
		(void)fb_strv_addf(files, "%s/%s", base, below);
}

int fb_auth_files(struct fb_strv *ret)
{
	const char *home = getenv("HOME"), *docker = getenv("DOCKER_CONFIG");
	const char *only = getenv("REGISTRY_AUTH_FILE");
	const char *config = getenv("XDG_CONFIG_HOME");

	if (only && *only)
		return fb_strv_add(ret, only);
	if (docker && *docker)
		(void)fb_strv_addf(ret, "%s/config.json", docker);
	else
		add_below(ret, home, ".docker/config.json");
	add_below(ret, getenv("XDG_RUNTIME_DIR"), "containers/auth.json");
	(void)fb_strv_addf(ret, "/run/containers/%lu/auth.json",
			   (unsigned long)getuid());
	if (config && *config)
		add_below(ret, config, "containers/auth.json");
	else
		add_below(ret, home, ".config/containers/auth.json");
	return ret->err;
}

static int ask_helper(const struct fb_auth_found *found,
		      const struct fb_log *log, struct fb_credential *ret)
{
	struct fb_err err = { 0 };
	int r = fb_auth_helper_get(found->helper, found->helper_key, ret, &err);

	if (r < 0 && r != -ENOENT)
		fb_log(log, FB_LOG_WARN, "log-in not used: %s", err.msg);
	else if (r < 0)
		fb_log(log, FB_LOG_DEBUG, "%s", err.msg);
	return r;
}

/* Return: 0 found; -ENOENT not here, or not usable (said in @log) */
static int find_in_file(const char *path, const char *host,
			const char *repository, const struct fb_log *log,
			struct fb_credential *ret)
{
	__attribute__((cleanup(
		fb_auth_found_release))) struct fb_auth_found found = { 0 };
	struct fb_err err = { 0 };
	char *json = NULL;
	size_t len = 0;
	int r = fb_read_file_at(AT_FDCWD, path, FB_AUTH_FILE_MAX, &json, &len);

	if (r < 0) {
		/* docker's file may belong to another user: no news */
		fb_log(log, FB_LOG_DEBUG, "log-ins: '%s': %s", path,
		       strerror(-r));
		return -ENOENT;
	}
	r = fb_auth_file_lookup(json, len, host, repository, &found, &err);
	explicit_bzero(json, len);
	free(json);
	if (r < 0) {
		if (r != -ENOENT)
			fb_log(log, FB_LOG_WARN, "log-ins in '%s' not used: %s",
			       path, err.msg);
		return -ENOENT;
	}
	if (found.helper[0] && ask_helper(&found, log, ret) == 0)
		return 0;
	if (!found.credential.username && !found.credential.identity_token &&
	    !found.credential.registry_token)
		return -ENOENT;
	*ret = found.credential;
	memset(&found.credential, 0, sizeof(found.credential));
	return 0;
}

int fb_credential_find(const char *const *files, const char *host,
		       const char *repository, const struct fb_log *log,
		       struct fb_credential *ret)
{
	struct fb_credential c = { 0 };

	for (; files && *files; files++) {
		if (find_in_file(*files, host, repository, log, &c) < 0)
			continue;
		fb_secret_guard();
		fb_log(log, FB_LOG_INFO, "log-in for '%s' from '%s'", host,
		       *files);
		break;
	}
	*ret = c;
	return 0;
}

int fb_headers_find(const char *const *files, const struct fb_log *log,
		    struct fb_strv *ret)
{
	for (; files && *files && ret->count == 0; files++) {
		FB_SECRET char *json = NULL;
		struct fb_err err = { 0 };
		size_t len = 0;
		int r = fb_read_file_at(AT_FDCWD, *files, FB_AUTH_FILE_MAX,
					&json, &len);

		if (r == 0)
			r = fb_auth_file_headers(json, len, ret, &err);
		if (r == -ENOMEM)
			return r;
		/* a broken file is a warning when its log-ins are needed */
		if (err.code)
			fb_log(log, FB_LOG_INFO, "'%s': %s", *files, err.msg);
	}
	return 0;
}
