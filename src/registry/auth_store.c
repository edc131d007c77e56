/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/auth_store.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/path.h"
#include "oci/json.h"
#include "registry/auth_file.h"
#include "registry/auth_helper.h"
#include "registry/base64.h"

/**
 * struct change - One file being changed
 * @path:   Where it really is: a link to it stays a link
 * @lock:   Its folder, locked
 * @root:   Its object
 */
struct change {
	char *path;
	int lock;
	json_t *root;
	struct fb_auth_found helper;
};

static void change_release(struct change *c)
{
	free(c->path);
	c->lock = fb_close(c->lock);
	fb_json_scrub(c->root);
	json_decref(c->root);
	fb_auth_found_release(&c->helper);
}

static int lock_folder(struct change *c, struct fb_err *err)
{
	FB_FREE char *copy = strdup(c->path);
	const char *folder;
	int r;

	if (!copy)
		return fb_err_set(err, -ENOMEM, "log-ins: %m");
	folder = dirname(copy);
	r = fb_mkdirs(folder, 0700, err);
	if (r < 0)
		return r;
	c->lock = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (c->lock < 0)
		return fb_err_set(err, -errno, "open '%s': %m", folder);
	while (flock(c->lock, LOCK_EX) < 0)
		if (errno != EINTR)
			return fb_err_set(err, -errno, "lock '%s': %m", folder);
	return 0;
}

static int read_root(struct change *c, struct fb_err *err)
{
	FB_SECRET char *json = NULL;
	size_t len = 0;
	int r = fb_read_file_at(AT_FDCWD, c->path, FB_AUTH_FILE_MAX, &json,
				&len);

	if (r == -ENOENT || (r == 0 && len == 0)) {
		c->root = json_object();
		return c->root ? 0 : fb_err_set(err, -ENOMEM, "log-ins: %m");
	}
	if (r < 0)
		return fb_err_set(err, r, "read '%s': %m", c->path);
	if (fb_json_load(json, len, "log-ins", &c->root, NULL) < 0)
		return fb_err_set(err, -EBADMSG,
				  "'%s' is not valid JSON: it is left alone",
				  c->path);
	return 0;
}

static int begin(struct change *c, const char *path, const char *host,
		 struct fb_err *err)
{
	char *real = realpath(path, NULL);
	int r;

	*c = (struct change){ .lock = -EBADF };
	c->path = real ? real : strdup(path);
	if (!c->path)
		return fb_err_set(err, -ENOMEM, "log-ins: %m");
	r = lock_folder(c, err);
	if (r == 0)
		r = read_root(c, err);
	if (r == 0)
		r = fb_auth_file_helper(c->root, host, "", &c->helper, err);
	return r;
}

static int commit(struct change *c, struct fb_err *err)
{
	FB_SECRET char *text = json_dumps(c->root, JSON_INDENT(4));
	int r = text ? fb_write_file_at(AT_FDCWD, c->path, text, strlen(text),
					0600)
		     : -ENOMEM;

	return r < 0 ? fb_err_set(err, r, "write '%s': %m", c->path) : 0;
}

/* Return: whether there was one; every name that docker ever used for it */
static bool drop_entries(json_t *root, const char *host)
{
	json_t *auths = json_object_get(root, "auths"), *value;
	const char *key;
	bool any = false;
	void *next;

	json_object_foreach_safe(auths, next, key, value)
	{
		if (!fb_auth_key_names_host(key, host))
			continue;
		fb_json_scrub(value);
		any |= json_object_del(auths, key) == 0;
	}
	return any;
}

static json_t *make_entry(const struct fb_credential *credential)
{
	FB_SECRET char *plain = NULL, *auth = NULL;
	const char *user = credential->username ? credential->username : "";
	const char *password = credential->password ? credential->password : "";

	if (credential->identity_token && !credential->username)
		return json_pack("{s:s}", "identitytoken",
				 credential->identity_token);
	/* as docker writes it: the name stays, the token is the secret */
	if (credential->identity_token)
		password = "";
	if (asprintf(&plain, "%s:%s", user, password) < 0) {
		plain = NULL;
		return NULL;
	}
	auth = fb_base64_encode(plain, strlen(plain));
	return auth ? json_pack("{s:s, s:s*}", "auth", auth, "identitytoken",
				credential->identity_token)
		    : NULL;
}

static const char *key_of(const char *host)
{
	return strcmp(host, "docker.io") == 0 ? FB_DOCKER_HUB_KEY : host;
}

static int put_entry(json_t *root, const char *host, json_t *entry)
{
	json_t *auths = json_object_get(root, "auths");

	if (!json_is_object(auths)) {
		auths = json_object();
		if (json_object_set_new(root, "auths", auths) < 0) {
			json_decref(entry);
			return -ENOMEM;
		}
	}
	return json_object_set_new(auths, key_of(host), entry) < 0 ? -ENOMEM
								   : 0;
}

static int store_in_helper(const struct fb_auth_found *helper,
			   const struct fb_credential *credential,
			   struct fb_err *err)
{
	const char *token = credential->identity_token;
	FB_SECRET_JSON json_t *object =
		json_pack("{s:s, s:s, s:s}", "ServerURL", helper->helper_key,
			  "Username", token ? "<token>" : credential->username,
			  "Secret", token ? token : credential->password);
	FB_SECRET char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;

	if (!text)
		return fb_err_set(err, -ENOMEM, "log-ins: %m");
	return fb_auth_helper_change(helper->helper, "store", text, err);
}

int fb_auth_store_put(const char *path, const char *host,
		      const struct fb_credential *credential, bool *ret_plain,
		      struct fb_err *err)
{
	__attribute__((cleanup(change_release))) struct change c;
	int r = begin(&c, path, host, err);

	if (r == 0 && credential->username && strchr(credential->username, ':'))
		r = fb_err_set(err, -EINVAL, "a user name has no colon in it");
	if (r == 0 && c.helper.helper[0])
		r = store_in_helper(&c.helper, credential, err);
	if (r < 0)
		return r;
	(void)drop_entries(c.root, host);
	r = put_entry(c.root, host,
		      c.helper.helper[0] ? json_object()
					 : make_entry(credential));
	if (r < 0)
		return fb_err_set(err, r, "log-ins: %m");
	r = commit(&c, err);
	if (r == 0 && ret_plain)
		*ret_plain = !c.helper.helper[0];
	return r;
}

int fb_auth_store_remove(const char *path, const char *host, bool *ret_removed,
			 struct fb_err *err)
{
	__attribute__((cleanup(change_release))) struct change c;
	struct fb_err cause = { 0 };
	int r = begin(&c, path, host, err);
	bool removed = false, dropped;

	if (r < 0)
		return r;
	if (c.helper.helper[0]) {
		r = fb_auth_helper_change(c.helper.helper, "erase",
					  c.helper.helper_key, &cause);
		if (r < 0 && r != -ENOENT)
			return fb_err_set(err, r, "%s", cause.msg);
		removed = r == 0;
	}
	dropped = drop_entries(c.root, host);
	r = dropped ? commit(&c, err) : 0;
	if (r == 0)
		*ret_removed = removed || dropped;
	return r;
}
