/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Getting past "401 Unauthorized" at one endpoint: the log-in, the token, its
 * renewal.  Many fetches share one; while a token is on its way they wait for it.
 */
#ifndef FB_REGISTRY_AUTH_H
#define FB_REGISTRY_AUTH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/log.h"
#include "registry/challenge.h"
#include "registry/credential.h"
#include "registry/http.h"
#include "registry/retry.h"
#include "registry/token.h"

#define FB_AUTH_SCOPE_MAX 2048

/**
 * struct fb_auth_context - What is the same for every endpoint of a client
 * @http:           Where token requests run
 * @log:            Sink, or NULL
 * @files:          NULL-terminated list of log-in files
 * @given:          Log-in to use in place of the files', or all NULL
 * @retry_delay_ms: First pause
 */
struct fb_auth_context {
	struct fb_http *http;
	const struct fb_log *log;
	const char *const *files;
	struct fb_credential given;
	unsigned int retry_delay_ms;
};

/**
 * struct fb_auth - State of one endpoint's log-in; zeroed = not asked for one
 * @generation: Changes with @authorization; a request that was refused although
 *              a newer one is there is just repeated
 */
struct fb_auth {
	char repository[256];
	char scope[FB_AUTH_SCOPE_MAX];
	bool looked_up;
	struct fb_credential credential;
	bool challenged;
	struct fb_challenge challenge;
	char *authorization; /* secret */
	char *identity;	     /* secret: what the token service gave, or NULL */
	unsigned int generation;
	uint64_t expires_ms; /* of a token; UINT64_MAX = never */
	/* the token request */
	bool running;
	struct fb_token_request request;
	struct fb_http_call call;
	struct fb_str reply; /* secret */
	struct fb_retry retry;
};

/**
 * struct fb_auth_peer - Whom a log-in is for
 * @name:     Key in the log-in files: "docker.io", "host:port"
 * @origin:   The endpoint's
 * @insecure: Its certificate is not verified
 */
struct fb_auth_peer {
	const char *name;
	const struct fb_origin *origin;
	bool insecure;
};

/** fb_auth_release() - Break off, zero and free */
void fb_auth_release(struct fb_auth *auth);

/**
 * fb_auth_use() - Say which repository is next; another one starts afresh
 * @scope: What a token must be good for beside what a challenge says, "a:b:pull
 *         c:d:pull,push"; NULL = nothing.  More than a token is for starts afresh
 */
void fb_auth_use(struct fb_auth *auth, const char *repository,
		 const char *scope);

/** fb_auth_expired() - The token has run out: get another before asking */
bool fb_auth_expired(const struct fb_auth *auth);

/**
 * fb_auth_challenged() - A request was refused with 401
 * @challenges: WWW-Authenticate
 * @ctx:        Where to look for the log-in
 *
 * Return: 0 @auth->authorization is new, try again; 1 a token must be fetched:
 * fb_auth_pump(); -EACCES a log-in is needed and there is none; -EBADMSG,
 * -EOPNOTSUPP the header.
 */
int fb_auth_challenged(struct fb_auth *auth, const struct fb_auth_context *ctx,
		       const struct fb_auth_peer *peer, const char *challenges,
		       struct fb_err *err);

/**
 * fb_auth_realm() - The token service's origin, checked against the endpoint's
 *
 * A registry spoken to over TLS must not send its log-in out in clear; one on
 * loopback must not send it to a distant host in clear.
 *
 * Return: 0; -EACCES; -EINVAL no usable URL.
 */
int fb_auth_realm(const struct fb_auth *auth, const struct fb_auth_peer *peer,
		  struct fb_origin *ret, struct fb_err *err);

/**
 * fb_auth_pump() - Begin or go on with fetching a token
 * @tls: Settings for the token service (borrowed while it runs)
 *
 * Return: 0 the token is there; 1 not yet; -EACCES the log-in was refused; the
 * network's errors.
 */
int fb_auth_pump(struct fb_auth *auth, const struct fb_auth_context *ctx,
		 const struct fb_auth_peer *peer, const struct fb_tls *tls,
		 struct fb_err *err);

/** fb_auth_hint() - Tell how to log in to @name. Return: @code */
int fb_auth_hint(struct fb_err *err, int code, const char *name);

#endif
