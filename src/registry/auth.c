/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Theory of operation.  Nothing is sent before a registry asks.  Its challenge
 * decides: Basic is answered at once with the log-in; Bearer starts one token
 * request, which runs in the same event loop as the transfers.  The token is kept
 * until shortly before it expires and renewed by the same challenge.  The token
 * service gets the log-in only where fb_auth_realm() agrees.
 */
#include "registry/auth.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "registry/refusal.h"

#define TOKEN_TIMEOUT_S 60u
/* a token about to expire must still reach the registry */
#define TOKEN_MARGIN_MS 5000u

static void set_authorization(struct fb_auth *auth, char *value,
			      uint64_t expires_ms)
{
	fb_secret_free(auth->authorization);
	auth->authorization = value;
	auth->expires_ms = expires_ms;
	auth->generation++;
}

static void end_request(struct fb_auth *auth)
{
	if (auth->call.http)
		fb_http_call_release(&auth->call);
	fb_token_request_release(&auth->request);
	fb_secret_str_release(&auth->reply);
	auth->running = false;
}

void fb_auth_release(struct fb_auth *auth)
{
	fb_secret_free(auth->identity);
	auth->identity = NULL;
	end_request(auth);
	fb_credential_release(&auth->credential);
	fb_secret_free(auth->authorization);
	memset(auth, 0, sizeof(*auth));
}

void fb_auth_use(struct fb_auth *auth, const char *repository,
		 const char *scope)
{
	unsigned int generation = auth->generation;

	if (strcmp(auth->repository, repository) == 0 &&
	    (!scope || strncmp(auth->scope, scope, strlen(scope)) == 0))
		return;
	fb_auth_release(auth);
	auth->generation = generation + 1;
	(void)strncpy(auth->repository, repository,
		      sizeof(auth->repository) - 1);
	if (scope)
		(void)strncpy(auth->scope, scope, sizeof(auth->scope) - 1);
}

/*
 * A token for looking does not do for writing: the registry would ask for one
 * more at each new kind of request.  Return: 0; -E2BIG.
 */
static int widen_scope(struct fb_auth *auth)
{
	char *asked = auth->challenge.scope;
	char both[sizeof(auth->challenge.scope)];
	int n;

	if (!auth->scope[0])
		return 0;
	n = snprintf(both, sizeof(both), "%s%s%s", auth->scope,
		     asked[0] ? " " : "", asked);
	if (strstr(auth->scope, asked))
		n = snprintf(both, sizeof(both), "%s", auth->scope);
	if (n < 0 || (size_t)n >= sizeof(both))
		return -E2BIG;
	memcpy(asked, both, (size_t)n + 1);
	return 0;
}

bool fb_auth_expired(const struct fb_auth *auth)
{
	return auth->challenged && auth->authorization &&
	       auth->expires_ms <= fb_now_ms();
}

int fb_auth_hint(struct fb_err *err, int code, const char *name)
{
	if (strcmp(name, "docker.io") == 0)
		return fb_err_hint(err, code,
				   "check the name; for a private image log in "
				   "first: flamebox login");
	return fb_err_hint(err, code,
			   "check the name; for a private image log in first: "
			   "flamebox login %s",
			   name);
}

static int answer_basic(struct fb_auth *auth, const struct fb_auth_peer *peer,
			struct fb_err *err)
{
	const struct fb_credential *c = &auth->credential;
	char *value;

	if (!c->username || !c->password)
		return fb_auth_hint(err,
				    fb_err_set(err, -EACCES,
					       "'%s' needs a log-in",
					       peer->name),
				    peer->name);
	if (strchr(c->username, ':'))
		return fb_err_set(err, -EACCES,
				  "the user name for '%s' has a colon in it",
				  peer->name);
	value = fb_basic_authorization(c);
	if (!value)
		return fb_err_set(err, -ENOMEM, "log-in: %m");
	set_authorization(auth, value, UINT64_MAX);
	return 0;
}

static int look_up(struct fb_auth *auth, const struct fb_auth_context *ctx,
		   const struct fb_auth_peer *peer)
{
	struct fb_credential *c = &auth->credential;

	if (!ctx->given.username)
		return fb_credential_find(ctx->files, peer->name,
					  auth->repository, ctx->log, c);
	c->username = strdup(ctx->given.username);
	c->password = strdup(ctx->given.password);
	c->ask_identity = ctx->given.ask_identity;
	return c->username && c->password ? 0 : -ENOMEM;
}

int fb_auth_challenged(struct fb_auth *auth, const struct fb_auth_context *ctx,
		       const struct fb_auth_peer *peer, const char *challenges,
		       struct fb_err *err)
{
	char *value;
	int r = fb_challenge_parse(challenges, &auth->challenge, err);

	if (r == 0)
		r = widen_scope(auth);
	auth->challenged = r == 0;
	if (r == 0 && !auth->looked_up) {
		r = look_up(auth, ctx, peer);
		auth->looked_up = r == 0;
	}
	if (r < 0)
		return fb_err_wrap(err, r, "log in to '%s'", peer->name);
	if (!auth->challenge.bearer)
		return answer_basic(auth, peer, err);
	fb_retry_reset(&auth->retry);
	if (!auth->credential.registry_token)
		return 1;
	value = fb_bearer_authorization(auth->credential.registry_token);
	if (!value)
		return fb_err_set(err, -ENOMEM, "log-in: %m");
	set_authorization(auth, value, UINT64_MAX);
	return 0;
}

int fb_auth_realm(const struct fb_auth *auth, const struct fb_auth_peer *peer,
		  struct fb_origin *ret, struct fb_err *err)
{
	const char *realm = auth->challenge.realm;
	struct fb_origin origin;

	if (fb_origin_parse(realm, &origin, NULL) < 0)
		return fb_err_set(err, -EINVAL,
				  "the token service of '%s' is no usable URL: "
				  "'%s'",
				  peer->name, realm);
	if (!origin.https &&
	    (peer->origin->https ||
	     (!peer->insecure && !fb_host_is_loopback(origin.host) &&
	      strcmp(origin.host, peer->origin->host) != 0)))
		return fb_err_set(err, -EACCES,
				  "'%s' wants its log-in sent without "
				  "encryption to '%s': refused",
				  peer->name, realm);
	*ret = origin;
	return 0;
}

static int take_reply(void *ctx, const void *data, size_t len)
{
	struct fb_auth *auth = ctx;

	return fb_str_append(&auth->reply, data, len);
}

static int start_request(struct fb_auth *auth,
			 const struct fb_auth_context *ctx,
			 const struct fb_tls *tls, struct fb_err *err)
{
	struct fb_http_request req = { .timeout_s = TOKEN_TIMEOUT_S,
				       .accept = "application/json",
				       .tls = tls };
	int r = fb_token_request_build(&auth->challenge, auth->repository,
				       &auth->credential, &auth->request, err);

	if (r < 0)
		return r;
	req.url = auth->request.url;
	req.authorization = auth->request.authorization;
	req.form = auth->request.form;
	auth->reply = FB_STR_INIT(FB_TOKEN_REPLY_MAX);
	auth->call.body_fn = take_reply;
	auth->call.ctx = auth;
	r = fb_http_start(ctx->http, &auth->call, &req, err);
	if (r < 0)
		return r;
	auth->running = true;
	return 1;
}

static int token_arrived(struct fb_auth *auth, struct fb_err *err)
{
	FB_SECRET char *token = NULL;
	uint32_t expires_s = 0;
	uint64_t life_ms;
	char *value;
	int r = fb_token_reply_parse(fb_str_cstr(&auth->reply), auth->reply.len,
				     &token, &expires_s, err);

	if (r < 0)
		return r;
	if (auth->credential.ask_identity) {
		fb_secret_free(auth->identity);
		auth->identity = fb_token_identity_parse(
			fb_str_cstr(&auth->reply), auth->reply.len);
	}
	value = fb_bearer_authorization(token);
	if (!value)
		return fb_err_set(err, -ENOMEM, "token: %m");
	life_ms = (uint64_t)expires_s * 1000;
	life_ms -=
		life_ms / 10 < TOKEN_MARGIN_MS ? life_ms / 10 : TOKEN_MARGIN_MS;
	set_authorization(auth, value, fb_now_ms() + life_ms);
	fb_retry_reset(&auth->retry);
	return 0;
}

static int refused(struct fb_auth *auth, const struct fb_auth_peer *peer,
		   struct fb_err *err)
{
	const struct fb_http_reply *reply = &auth->call.reply;
	const struct fb_credential *c = &auth->credential;
	struct fb_refusal refusal;
	char text[300];
	int r;

	fb_refusal_parse(fb_str_cstr(&reply->body), reply->body.len, &refusal);
	(void)fb_refusal_text(&refusal, text);
	if (reply->status != 400 && reply->status != 401 &&
	    reply->status != 403)
		return fb_err_set(err, -EIO, "it answers with HTTP status %d%s",
				  reply->status, text);
	if (c->username)
		r = fb_err_set(err, -EACCES, "the log-in of '%s' was refused%s",
			       c->username, text);
	else
		r = fb_err_set(err, -EACCES, "%s%s",
			       c->identity_token
				       ? "the log-in was refused"
				       : "it refuses without a log-in",
			       text);
	return fb_auth_hint(err, r, peer->name);
}

/*
 * Older services know no OAuth2: what is public they hand out by GET, as to
 * somebody without a log-in.
 */
static bool go_without_identity(struct fb_auth *auth,
				const struct fb_auth_context *ctx,
				const struct fb_auth_peer *peer)
{
	int status = auth->call.reply.status;

	if (!auth->credential.identity_token ||
	    (status != 404 && status != 405))
		return false;
	fb_log(ctx->log, FB_LOG_WARN,
	       "the token service of '%s' takes no identity tokens (HTTP status "
	       "%d): going on without a log-in",
	       peer->name, status);
	fb_secret_free(FB_TAKE_PTR(auth->credential.identity_token));
	return true;
}

/* Return: 0 done; 1 try again; negative errno */
static int request_ended(struct fb_auth *auth,
			 const struct fb_auth_context *ctx,
			 const struct fb_auth_peer *peer, struct fb_err *err)
{
	const struct fb_http_reply *reply = &auth->call.reply;
	int r;

	if (auth->call.outcome == FB_HTTP_STOPPED)
		return fb_err_set(err, -EFBIG, "its reply is over 1 MiB");
	if (auth->call.outcome == FB_HTTP_REPLIED && reply->status == 200)
		return token_arrived(auth, err);
	if (auth->call.outcome == FB_HTTP_REPLIED &&
	    go_without_identity(auth, ctx, peer))
		return 1;
	if (auth->call.outcome == FB_HTTP_REPLIED &&
	    !fb_retry_status(reply->status))
		return refused(auth, peer, err);
	if (auth->call.outcome != FB_HTTP_REPLIED &&
	    auth->call.outcome != FB_HTTP_BROKEN) {
		*err = auth->call.err;
		return err->code;
	}
	r = fb_retry_next(&auth->retry, reply->retry_after);
	if (r == 0)
		return 1;
	if (auth->call.outcome == FB_HTTP_REPLIED)
		return refused(auth, peer, err);
	*err = auth->call.err;
	return err->code;
}

int fb_auth_pump(struct fb_auth *auth, const struct fb_auth_context *ctx,
		 const struct fb_auth_peer *peer, const struct fb_tls *tls,
		 struct fb_err *err)
{
	char shown[FB_URL_HOST_MAX + 64];
	struct fb_err cause = { 0 };
	int r;

	auth->retry.first_ms = ctx->retry_delay_ms;
	if (!auth->running) {
		if (auth->retry.until_ms > fb_now_ms())
			return 1;
		r = start_request(auth, ctx, tls, &cause);
	} else if (auth->call.outcome == FB_HTTP_RUNNING) {
		return 1;
	} else {
		r = request_ended(auth, ctx, peer, &cause);
	}
	if (auth->running && auth->call.outcome != FB_HTTP_RUNNING)
		end_request(auth);
	if (r >= 0)
		return r;
	end_request(auth);
	if (err)
		*err = cause;
	return fb_err_wrap(err, r, "token service '%s' of '%s'",
			   fb_url_show(auth->challenge.realm, shown,
				       sizeof(shown)),
			   peer->name);
}
