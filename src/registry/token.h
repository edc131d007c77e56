/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The messages of the token flow. Pure.
 * Source: distribution's "Token Authentication Specification" and
 * "Docker Registry v2 authentication using OAuth2".
 */
#ifndef FB_REGISTRY_TOKEN_H
#define FB_REGISTRY_TOKEN_H

#include <stdint.h>

#include "base/err.h"
#include "registry/challenge.h"
#include "registry/credential.h"

#define FB_TOKEN_REPLY_MAX (1u << 20)
#define FB_TOKEN_MAX (60u << 10)

/**
 * struct fb_token_request - What to send to the token service
 * @url:           GET, or POST where @form is set
 * @authorization: "Basic …", or NULL.  Secret
 * @form:          Body of a POST, or NULL.  Secret
 */
struct fb_token_request {
	char *url;
	char *authorization;
	char *form;
};

void fb_token_request_release(struct fb_token_request *req);

/**
 * fb_token_request_build() - The request for a challenge
 * @challenge:  With @bearer
 * @repository: Asked for pulling where the challenge has no scope; "" = nothing
 * @credential: All NULL = anonymous
 * @ret:        Written on success only
 *
 * An identity token goes by POST (OAuth2 refresh), user name and password by
 * GET with Basic; with @credential's ask_identity that asks for an identity token.
 *
 * Return: 0; -EINVAL the realm is no usable URL; -ENOMEM.
 */
int fb_token_request_build(const struct fb_challenge *challenge,
			   const char *repository,
			   const struct fb_credential *credential,
			   struct fb_token_request *ret, struct fb_err *err);

/**
 * fb_token_identity_parse() - The identity token that came along, if any
 * @json: As fb_token_reply_parse()
 *
 * Return: "refresh_token" (returned, secret); NULL there is none that can be kept,
 * or out of memory.
 */
char *fb_token_identity_parse(const char *json, size_t len);

/** fb_basic_authorization() - "Basic …" (returned, secret); NULL out of memory */
char *fb_basic_authorization(const struct fb_credential *credential);

/** fb_bearer_authorization() - "Bearer …" (returned, secret); NULL out of memory */
char *fb_bearer_authorization(const char *token);

/**
 * fb_token_reply_parse() - The token service's answer
 * @json:      Bytes (borrowed)
 * @len:       At most FB_TOKEN_REPLY_MAX
 * @ret_token: "token" or "access_token" (returned, secret)
 * @ret_expires_s: "expires_in", 60 where not given, at most a day
 *
 * A token with any byte that a header cannot carry is refused.
 *
 * Return: 0; -EBADMSG; -ENOMEM.
 */
int fb_token_reply_parse(const char *json, size_t len, char **ret_token,
			 uint32_t *ret_expires_s, struct fb_err *err);

#endif
