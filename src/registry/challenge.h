/* SPDX-License-Identifier: Apache-2.0 */
/* WWW-Authenticate, strictly. Pure. Source: RFC 9110 11.6.1; RFC 6750 section 3 */
#ifndef FB_REGISTRY_CHALLENGE_H
#define FB_REGISTRY_CHALLENGE_H

#include <stdbool.h>

#include "base/err.h"

#define FB_CHALLENGE_TEXT_MAX 16384

/**
 * struct fb_challenge - What a registry wants to see, of what is understood here
 * @basic:   It takes user name and password
 * @bearer:  It takes a token; then @realm is not empty
 * @realm:   URL of the token service
 * @service: "" where not given
 * @scope:   Space-separated, "" where not given
 * @error:   "insufficient_scope", "invalid_token", …; "" where not given
 */
struct fb_challenge {
	bool basic;
	bool bearer;
	char realm[2048];
	char service[1024];
	char scope[4096];
	char error[64];
};

/**
 * fb_challenge_parse() - Header value to what it asks for
 * @text: Value; several headers joined with ", ", as RFC 9110 allows
 * @ret:  Written on success only
 *
 * Other schemes are skipped, the first Bearer counts.
 *
 * Return: 0; -EBADMSG malformed, a parameter twice, a value too long;
 * -EOPNOTSUPP neither Basic nor Bearer.
 */
int fb_challenge_parse(const char *text, struct fb_challenge *ret,
		       struct fb_err *err);

#endif
