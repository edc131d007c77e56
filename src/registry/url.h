/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http and https URLs, strictly: what registries, token services and redirects
 * name.  Stricter than libcurl, so that the two never read an authority
 * differently: no user part, no escapes or odd bytes in it.  Pure.
 */
#ifndef FB_REGISTRY_URL_H
#define FB_REGISTRY_URL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

#define FB_URL_MAX 8192
#define FB_URL_HOST_MAX 256

/**
 * struct fb_origin - Who is spoken to; what an Authorization is bound to
 * @https: Scheme
 * @host:  Lower case; an IPv6 address in its brackets
 * @port:  Filled from the scheme where not given
 */
struct fb_origin {
	bool https;
	char host[FB_URL_HOST_MAX];
	uint16_t port;
};

/**
 * fb_origin_parse() - Scheme, host and port of an absolute URL
 * @url:      At most FB_URL_MAX bytes (borrowed)
 * @ret:      Written on success only
 * @ret_path: What follows the authority: "" or from '/', '?' on; may be NULL
 *
 * Return: 0; -EINVAL another scheme, a user part, or malformed.
 */
int fb_origin_parse(const char *url, struct fb_origin *ret,
		    const char **ret_path);

/** fb_origin_equal() - Same scheme, host and port */
bool fb_origin_equal(const struct fb_origin *a, const struct fb_origin *b);

/** fb_host_is_loopback() - "localhost", "*.localhost", 127.0.0.0/8, "[::1]", "::1" */
bool fb_host_is_loopback(const char *host);

/**
 * fb_host_matches() - A rule of the insecure registries
 * @rule: "host", "host:port", "a.b.c.d/n", "[v6]/n" without brackets
 * @host: As in struct fb_origin
 * @port: Likewise
 *
 * A network matches addresses only: nothing is looked up.
 */
bool fb_host_matches(const char *rule, const char *host, uint16_t port);

/** fb_url_escape() - Append @text with all but RFC 3986's unreserved as %XX */
int fb_url_escape(struct fb_str *out, const char *text);

/**
 * fb_url_add_query() - Append "name=value" to a URL
 * @url:   Has a query already or not; without a fragment
 * @value: Escaped here
 *
 * Return: 0; or @url's sticky error.
 */
int fb_url_add_query(struct fb_str *url, const char *name, const char *value);

/**
 * fb_url_resolve() - What a Location means
 * @base:     Absolute URL that was asked
 * @location: Absolute, "//host/…", "/path", "?query" or a name beside @base's
 *
 * Whether it is usable at all is up to fb_origin_parse().
 *
 * Return: malloc'ed (returned); NULL @base is no URL, too long, or out of memory.
 * Source: RFC 3986 section 5, without its dot segments.
 */
char *fb_url_resolve(const char *base, const char *location);

/**
 * fb_url_show() - A URL for messages: without query, where secrets live
 * @out: At least FB_URL_HOST_MAX + 64 bytes
 *
 * Return: @out.
 */
const char *fb_url_show(const char *url, char *out, size_t size);

#endif
