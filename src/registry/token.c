/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/token.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "oci/json.h"
#include "registry/auth_file.h"
#include "registry/base64.h"
#include "registry/url.h"

#define TOKEN_CLIENT_ID "flamebox"
#define TOKEN_EXPIRES_DEFAULT_S 60u
#define TOKEN_EXPIRES_MAX_S 86400u
#define TOKEN_FORM_MAX (256u << 10)
#define TOKEN_SCOPES_MAX 32u

void fb_token_request_release(struct fb_token_request *req)
{
	free(req->url);
	fb_secret_free(req->authorization);
	fb_secret_free(req->form);
	memset(req, 0, sizeof(*req));
}

char *fb_basic_authorization(const struct fb_credential *credential)
{
	FB_SECRET char *plain = NULL, *text = NULL;
	char *value;

	if (asprintf(&plain, "%s:%s", credential->username,
		     credential->password) < 0) {
		plain = NULL;
		return NULL;
	}
	text = fb_base64_encode(plain, strlen(plain));
	if (!text || asprintf(&value, "Basic %s", text) < 0)
		return NULL;
	return value;
}

char *fb_bearer_authorization(const char *token)
{
	char *value;

	return asprintf(&value, "Bearer %s", token) < 0 ? NULL : value;
}

static const char *scope_of(const struct fb_challenge *challenge,
			    const char *repository, char *out, size_t size)
{
	if (challenge->scope[0] || !repository[0])
		return challenge->scope;
	(void)snprintf(out, size, "repository:%s:pull", repository);
	return out;
}

/* "scope" once for each, as docker's client sends them */
static void add_scopes(struct fb_str *url, const char *scopes)
{
	char one[sizeof(((struct fb_challenge *)0)->scope)];

	for (unsigned int i = 0; *scopes && i < TOKEN_SCOPES_MAX; i++) {
		size_t n = strcspn(scopes, " ");

		if (n >= sizeof(one))
			break;
		memcpy(one, scopes, n);
		one[n] = '\0';
		if (n > 0)
			(void)fb_url_add_query(url, "scope", one);
		scopes += n;
		scopes += strspn(scopes, " ");
	}
}

static int build_get(const struct fb_challenge *challenge, const char *scope,
		     const struct fb_credential *credential,
		     struct fb_token_request *req)
{
	FB_STR struct fb_str url = FB_STR_INIT(FB_URL_MAX);

	(void)fb_str_puts(&url, challenge->realm);
	if (challenge->service[0])
		(void)fb_url_add_query(&url, "service", challenge->service);
	add_scopes(&url, scope);
	if (credential->username && credential->password) {
		(void)fb_url_add_query(&url, "account", credential->username);
		if (credential->ask_identity) {
			(void)fb_url_add_query(&url, "client_id",
					       TOKEN_CLIENT_ID);
			(void)fb_url_add_query(&url, "offline_token", "true");
		}
		req->authorization = fb_basic_authorization(credential);
		if (!req->authorization)
			return -ENOMEM;
	}
	if (url.err)
		return url.err;
	req->url = fb_str_take(&url);
	return 0;
}

static void add_field(struct fb_str *form, const char *name, const char *value)
{
	(void)fb_str_printf(form, "%s%s=", form->len ? "&" : "", name);
	(void)fb_url_escape(form, value);
}

static int build_post(const struct fb_challenge *challenge, const char *scope,
		      const struct fb_credential *credential,
		      struct fb_token_request *req)
{
	FB_SECRET_STR struct fb_str form = FB_STR_INIT(TOKEN_FORM_MAX);

	add_field(&form, "grant_type", "refresh_token");
	add_field(&form, "service", challenge->service);
	add_field(&form, "client_id", TOKEN_CLIENT_ID);
	add_field(&form, "scope", scope);
	add_field(&form, "refresh_token", credential->identity_token);
	if (form.err)
		return form.err;
	req->url = strdup(challenge->realm);
	if (!req->url)
		return -ENOMEM;
	req->form = fb_str_take(&form);
	return 0;
}

int fb_token_request_build(const struct fb_challenge *challenge,
			   const char *repository,
			   const struct fb_credential *credential,
			   struct fb_token_request *ret, struct fb_err *err)
{
	struct fb_token_request req = { 0 };
	struct fb_origin origin;
	char buf[320];
	const char *scope = scope_of(challenge, repository, buf, sizeof(buf));
	int r;

	if (fb_origin_parse(challenge->realm, &origin, NULL) < 0 ||
	    strchr(challenge->realm, '#'))
		return fb_err_set(err, -EINVAL,
				  "its token service is no usable URL: '%s'",
				  challenge->realm);
	r = credential->identity_token
		    ? build_post(challenge, scope, credential, &req)
		    : build_get(challenge, scope, credential, &req);
	if (r < 0) {
		fb_token_request_release(&req);
		return fb_err_set(err, r, "ask for a token: %m");
	}
	*ret = req;
	return 0;
}

static bool is_token(const char *text)
{
	size_t n = strnlen(text, FB_TOKEN_MAX + 1);

	if (n == 0 || n > FB_TOKEN_MAX)
		return false;
	for (; *text; text++)
		if (*text <= ' ' || *text > '~')
			return false;
	return true;
}

static uint32_t expires_of(const json_t *root)
{
	const json_t *value = json_object_get(root, "expires_in");
	json_int_t s = json_integer_value(value);

	if (json_is_real(value))
		s = json_real_value(value) < 0 ||
				    json_real_value(value) > TOKEN_EXPIRES_MAX_S
			    ? 0
			    : (json_int_t)json_real_value(value);
	if (s <= 0)
		return TOKEN_EXPIRES_DEFAULT_S;
	return s > TOKEN_EXPIRES_MAX_S ? TOKEN_EXPIRES_MAX_S : (uint32_t)s;
}

int fb_token_reply_parse(const char *json, size_t len, char **ret_token,
			 uint32_t *ret_expires_s, struct fb_err *err)
{
	FB_SECRET_JSON json_t *root = NULL;
	const char *token;

	/* the parser's own text would quote what it stumbled over */
	if (fb_json_load(json, len, "token", &root, NULL) < 0)
		return fb_err_set(err, -EBADMSG,
				  "its reply is not a JSON object");
	token = json_string_value(json_object_get(root, "token"));
	if (!token || !*token)
		token = json_string_value(
			json_object_get(root, "access_token"));
	if (!token)
		return fb_err_set(err, -EBADMSG, "its reply has no token");
	if (!is_token(token))
		return fb_err_set(err, -EBADMSG, "its token is malformed");
	*ret_token = strdup(token);
	if (!*ret_token)
		return fb_err_set(err, -ENOMEM, "token: %m");
	*ret_expires_s = expires_of(root);
	return 0;
}

char *fb_token_identity_parse(const char *json, size_t len)
{
	FB_SECRET_JSON json_t *root = NULL;
	const char *token = NULL;

	if (fb_json_load(json, len, "token", &root, NULL) == 0)
		token = json_string_value(
			json_object_get(root, "refresh_token"));
	return token && is_token(token) ? strdup(token) : NULL;
}
