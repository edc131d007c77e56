/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/auth_file.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "oci/json.h"
#include "registry/base64.h"

void fb_auth_found_release(struct fb_auth_found *found)
{
	fb_credential_release(&found->credential);
	memset(found, 0, sizeof(*found));
}

void fb_json_scrub(json_t *json)
{
	const char *key;
	json_t *value;
	size_t i;

	if (json_is_object(json)) {
		json_object_foreach(json, key, value)
		{
			fb_json_scrub(value);
		}
	} else if (json_is_array(json)) {
		json_array_foreach(json, i, value)
		{
			fb_json_scrub(value);
		}
	} else if (json_is_string(json)) {
		/* its own heap copy; const only towards readers */
		explicit_bzero((void *)(uintptr_t)json_string_value(json),
			       json_string_length(json));
	}
}

static bool is_hub_host(const char *host, size_t n)
{
	static const char *const names[] = { "docker.io", "index.docker.io",
					     "registry-1.docker.io" };

	for (size_t i = 0; i < FB_ARRAY_SIZE(names); i++)
		if (strlen(names[i]) == n &&
		    strncasecmp(host, names[i], n) == 0)
			return true;
	return false;
}

/* a path's length is added to the latter */
#define KEY_RANK_URL 1u
#define KEY_RANK_HOST 2u

/*
 * How exactly a key names the repository.
 * Return: 0 not at all; otherwise the higher the more exact.
 */
static size_t key_rank(const char *key, const char *host,
		       const char *repository)
{
	bool url = strncasecmp(key, "https://", 8) == 0 ||
		   strncasecmp(key, "http://", 7) == 0;
	const char *name = url ? strchr(key, ':') + 3 : key, *path;
	size_t host_len = strcspn(name, "/"), path_len;

	if (!(is_hub_host(name, host_len) && strcmp(host, "docker.io") == 0) &&
	    (strlen(host) != host_len || strncasecmp(name, host, host_len)))
		return 0;
	path = name + host_len + (name[host_len] == '/');
	path_len = strlen(path);
	while (path_len > 0 && path[path_len - 1] == '/')
		path_len--;
	/* docker's keys are URLs of an API, podman's are names of repositories */
	if (url || path_len == 0 ||
	    (path_len == 2 && path[0] == 'v' && strchr("12", path[1])))
		return url || path_len ? KEY_RANK_URL : KEY_RANK_HOST;
	if (strncmp(path, repository, path_len) != 0 ||
	    (repository[path_len] && repository[path_len] != '/'))
		return 0;
	return KEY_RANK_HOST + path_len;
}

bool fb_auth_key_names_host(const char *key, const char *host)
{
	size_t rank = key_rank(key, host, "");

	return rank == KEY_RANK_URL || rank == KEY_RANK_HOST;
}

static json_t *best_entry(json_t *object, const char *host,
			  const char *repository, const char **ret_key)
{
	json_t *value, *best = NULL;
	size_t rank, best_rank = 0;
	const char *key;

	json_object_foreach(object, key, value)
	{
		rank = key_rank(key, host, repository);
		/* docker leaves {} behind where a store has the secret */
		if (rank <= best_rank ||
		    (json_is_object(value) && json_object_size(value) == 0))
			continue;
		best_rank = rank;
		best = value;
		*ret_key = key;
	}
	return best;
}

static bool is_helper_name(const char *name)
{
	size_t n = strspn(name,
			  "abcdefghijklmnopqrstuvwxyz"
			  "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");

	return n > 0 && n < sizeof(((struct fb_auth_found *)0)->helper) &&
	       !name[n];
}

static int set_helper(struct fb_auth_found *found, const json_t *name,
		      const char *key, struct fb_err *err)
{
	const char *text = json_string_value(name);

	if (!text || !is_helper_name(text) ||
	    strlen(key) >= sizeof(found->helper_key))
		return fb_err_set(err, -EBADMSG,
				  "malformed name of a credential helper");
	(void)snprintf(found->helper, sizeof(found->helper), "%s", text);
	(void)snprintf(found->helper_key, sizeof(found->helper_key), "%s", key);
	return 0;
}

int fb_auth_file_helper(const json_t *root, const char *host,
			const char *repository, struct fb_auth_found *found,
			struct fb_err *err)
{
	json_t *helpers = json_object_get(root, "credHelpers");
	json_t *store = json_object_get(root, "credsStore");
	const char *key = "";
	json_t *helper = json_is_object(helpers)
				 ? best_entry(helpers, host, repository, &key)
				 : NULL;

	if (helper)
		return set_helper(found, helper, key, err);
	if (!json_is_string(store) || json_string_length(store) == 0)
		return 0;
	key = strcmp(host, "docker.io") == 0 ? FB_DOCKER_HUB_KEY : host;
	return set_helper(found, store, key, err);
}

/* A secret out of a JSON object; absent and "" are the same. */
static int copy_member(const json_t *entry, const char *name, char **ret)
{
	const json_t *value = json_object_get(entry, name);
	const char *text = json_string_value(value);

	if (value && !text && !json_is_null(value))
		return -EBADMSG;
	if (!text || !*text)
		return 0;
	*ret = strdup(text);
	return *ret ? 0 : -ENOMEM;
}

/* "auth": base64 of "user:password"; docker pads some passwords with NULs */
static int decode_auth(const char *auth, struct fb_credential *c)
{
	size_t len = 0;
	char *plain = fb_base64_decode(auth, &len), *colon;
	int r = -EBADMSG;

	if (!plain)
		return -EBADMSG;
	while (len > 0 && plain[len - 1] == '\0')
		len--;
	colon = memchr(plain, ':', len);
	if (colon && colon != plain && strlen(plain) == len) {
		*colon = '\0';
		c->username = strdup(plain);
		c->password = strdup(colon + 1);
		r = c->username && c->password ? 0 : -ENOMEM;
	}
	explicit_bzero(plain, len);
	free(plain);
	return r;
}

static int parse_entry(const json_t *entry, struct fb_credential *ret)
{
	FB_CREDENTIAL struct fb_credential c = { 0 };
	FB_SECRET char *auth = NULL;
	int r;

	if (!json_is_object(entry))
		return -EBADMSG;
	if ((r = copy_member(entry, "auth", &auth)) < 0 ||
	    (r = copy_member(entry, "identitytoken", &c.identity_token)) < 0 ||
	    (r = copy_member(entry, "registrytoken", &c.registry_token)) < 0)
		return r;
	if (auth) {
		r = decode_auth(auth, &c);
	} else {
		r = copy_member(entry, "username", &c.username);
		if (r == 0)
			r = copy_member(entry, "password", &c.password);
	}
	if (r < 0)
		return r;
	*ret = c;
	memset(&c, 0, sizeof(c));
	return 0;
}

static bool is_empty(const struct fb_auth_found *found)
{
	const struct fb_credential *c = &found->credential;

	return !found->helper[0] && !(c->username && c->password) &&
	       !c->identity_token && !c->registry_token;
}

static int lookup(const json_t *root, const char *host, const char *repository,
		  struct fb_auth_found *found, struct fb_err *err)
{
	json_t *auths = json_object_get(root, "auths"), *entry = NULL;
	const char *key = "";
	int r = fb_auth_file_helper(root, host, repository, found, err);

	if (r < 0)
		return r;
	if (json_is_object(auths))
		entry = best_entry(auths, host, repository, &key);
	if (entry) {
		r = parse_entry(entry, &found->credential);
		if (r < 0)
			return fb_err_set(err, r, "entry '%s' is malformed",
					  key);
	}
	return is_empty(found) ? -ENOENT : 0;
}

int fb_auth_file_lookup(const char *json, size_t len, const char *host,
			const char *repository, struct fb_auth_found *ret,
			struct fb_err *err)
{
	FB_SECRET_JSON json_t *root = NULL;
	struct fb_auth_found found = { 0 };
	int r;

	if (fb_json_load(json, len, "log-ins", &root, NULL) < 0)
		/* the parser's own text would quote what it stumbled over */
		return fb_err_set(err, -EBADMSG, "not valid JSON");
	r = lookup(root, host, repository, &found, err);
	if (r < 0) {
		fb_auth_found_release(&found);
		return r;
	}
	*ret = found;
	return 0;
}

/* What the exchange itself depends on */
static bool is_own_header(const char *name)
{
	static const char *const own[] = {
		"accept",
		"authorization",
		"connection",
		"expect",
		"host",
		"range",
		"te",
		"trailer",
		"upgrade",
		"transfer-encoding",
		"cookie",
		"user-agent",
		"proxy-connection",
	};

	if (strncasecmp(name, "content-", 8) == 0 ||
	    strncasecmp(name, "if-", 3) == 0 ||
	    strncasecmp(name, "accept-", 7) == 0 ||
	    strncasecmp(name, "proxy-auth", 10) == 0)
		return true;
	for (size_t i = 0; i < FB_ARRAY_SIZE(own); i++)
		if (strcasecmp(name, own[i]) == 0)
			return true;
	return false;
}

/* Source: RFC 9110 5.6.2 "token", 5.5 "field-value" without obs-text */
static bool is_header(const char *name, const char *value)
{
	if (!*name || !value ||
	    strlen(name) + strlen(value) > FB_AUTH_HEADER_BYTES_MAX)
		return false;
	for (; *name; name++)
		if (*name <= ' ' || *name > '~' ||
		    strchr("\"(),/:;<=>?@[\\]{}", *name))
			return false;
	for (; *value; value++)
		if ((*value < ' ' && *value != '\t') || *value > '~')
			return false;
	return true;
}

int fb_auth_file_headers(const char *json, size_t len, struct fb_strv *ret,
			 struct fb_err *err)
{
	FB_SECRET_JSON json_t *root = NULL;
	json_t *headers, *value;
	const char *name;

	if (fb_json_load(json, len, "log-ins", &root, NULL) < 0)
		return fb_err_set(err, -EBADMSG, "not valid JSON");
	headers = json_object_get(root, "HttpHeaders");
	if (json_object_size(headers) > FB_AUTH_HEADERS_MAX)
		return fb_err_set(err, -E2BIG, "more than %d HttpHeaders",
				  FB_AUTH_HEADERS_MAX);
	json_object_foreach(headers, name, value)
	{
		if (!is_header(name, json_string_value(value)))
			return fb_err_set(err, -EBADMSG,
					  "HttpHeaders: '%.100s' is malformed",
					  name);
	}
	json_object_foreach(headers, name, value)
	{
		if (is_own_header(name))
			continue;
		/* the library takes "Name:" for the wish to leave it out */
		if (*json_string_value(value))
			(void)fb_strv_addf(ret, "%s: %s", name,
					   json_string_value(value));
		else
			(void)fb_strv_addf(ret, "%s;", name);
	}
	return ret->err ? fb_err_set(err, ret->err, "HttpHeaders: %m") : 0;
}

int fb_helper_reply_parse(const char *json, size_t len,
			  struct fb_credential *ret, struct fb_err *err)
{
	FB_SECRET_JSON json_t *root = NULL;
	FB_CREDENTIAL struct fb_credential c = { 0 };
	int r;

	if (fb_json_load(json, len, "reply", &root, NULL) < 0)
		return fb_err_set(err, -EBADMSG, "its reply is not valid JSON");
	r = copy_member(root, "Username", &c.username);
	if (r == 0)
		r = copy_member(root, "Secret", &c.password);
	if (r < 0 || !c.username || !c.password)
		return fb_err_set(err, r < 0 ? r : -EBADMSG,
				  "its reply lacks user name or secret");
	if (strcmp(c.username, "<token>") == 0) {
		c.identity_token = FB_TAKE_PTR(c.password);
		fb_secret_free(FB_TAKE_PTR(c.username));
	}
	*ret = c;
	memset(&c, 0, sizeof(c));
	return 0;
}
