/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The grammar, read by hand instead of by docker's regular expressions:
 *
 *   reference  = [domain "/"] path [":" tag] ["@" digest]
 *   domain     = (label *("." label) | "[" hex-and-colons "]") [":" port]
 *   label      = alnum, or alnum *(alnum | "-") alnum
 *   path       = component *("/" component)
 *   component  = [a-z0-9]+ *(("." | "_" | "__" | "-"+) [a-z0-9]+)
 *   tag        = [A-Za-z0-9_][A-Za-z0-9_.-]{0,127}
 *
 * The first component is a domain if it has a dot, a colon or an upper-case
 * letter, or is "localhost"; otherwise the name is Docker Hub's.
 */
#include "oci/reference.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"

#define HUB_DOMAIN "docker.io"
#define HUB_LEGACY_DOMAIN "index.docker.io"
#define HUB_LIBRARY "library/"
#define NAME_MAX_BYTES 255
#define TAG_MAX_BYTES 128

/* [at, end) of the text */
struct span {
	const char *at;
	size_t len;
};

static bool is_lower(char c)
{
	return c >= 'a' && c <= 'z';
}

static bool is_upper(char c)
{
	return c >= 'A' && c <= 'Z';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_alnum(char c)
{
	return is_lower(c) || is_upper(c) || is_digit(c);
}

static bool is_path_char(char c)
{
	return is_lower(c) || is_digit(c);
}

static bool is_identifier(const char *text)
{
	return strlen(text) == 64 && strspn(text, "0123456789abcdef") == 64;
}

static bool valid_host(const char *s, size_t n)
{
	if (n >= 2 && s[0] == '[' && s[n - 1] == ']') {
		for (size_t i = 1; i < n - 1; i++)
			if (!strchr("0123456789abcdefABCDEF:", s[i]))
				return false;
		return n > 2;
	}
	for (size_t i = 0; i < n; i++) {
		bool edge = i == 0 || i + 1 == n || s[i - 1] == '.' ||
			    s[i + 1] == '.' || s[i] == '.';

		if (s[i] == '.' ? i == 0 || i + 1 == n || s[i - 1] == '.'
		    : edge	? !is_alnum(s[i])
				: !is_alnum(s[i]) && s[i] != '-')
			return false;
	}
	return n > 0;
}

static bool valid_domain(const char *s, size_t n)
{
	size_t host = n;

	while (host > 0 && is_digit(s[host - 1]))
		host--;
	/* "host:5000", but not "host:" nor a bracketed address' last group */
	if (host > 0 && host < n && s[host - 1] == ':')
		return valid_host(s, host - 1);
	return valid_host(s, n);
}

/* bytes of the separator at @s: "." "_" "__" or a run of "-"; 0 for none */
static size_t separator(const char *s, size_t n)
{
	size_t k = 0;

	if (n && s[0] == '.')
		return 1;
	if (n && s[0] == '_')
		return n > 1 && s[1] == '_' ? 2 : 1;
	while (k < n && s[k] == '-')
		k++;
	return k;
}

static bool valid_path(const char *s, size_t n)
{
	size_t i = 0, sep;

	for (;;) {
		if (i >= n || !is_path_char(s[i]))
			return false;
		while (i < n && is_path_char(s[i]))
			i++;
		if (i == n)
			return true;
		sep = s[i] == '/' ? 1 : separator(s + i, n - i);
		if (!sep)
			return false;
		i += sep;
	}
}

static bool valid_tag(const char *s, size_t n)
{
	if (n < 1 || n > TAG_MAX_BYTES)
		return false;
	for (size_t i = 0; i < n; i++)
		if (!is_alnum(s[i]) && s[i] != '_' &&
		    !(i > 0 && (s[i] == '.' || s[i] == '-')))
			return false;
	return true;
}

/* docker's shape of a digest: algorithm ":" at least 32 hexadecimal digits */
static bool digest_shaped(const char *s)
{
	const char *colon = strchr(s, ':');
	size_t n;

	if (!colon || colon == s)
		return false;
	for (const char *p = s; p < colon; p++)
		if (!is_alnum(*p) && !strchr("-_+.", *p))
			return false;
	n = strspn(colon + 1, "0123456789abcdefABCDEF");
	return n >= 32 && !colon[1 + n];
}

static bool has_upper(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (is_upper(s[i]))
			return true;
	return false;
}

static bool is_domain(const char *s, size_t n)
{
	return memchr(s, '.', n) || memchr(s, ':', n) || has_upper(s, n) ||
	       (n == 9 && !memcmp(s, "localhost", 9));
}

/* where the domain ends and the rest begins; an empty domain is Docker Hub's */
static void split_domain(const char *text, struct span *domain,
			 const char **rest)
{
	const char *slash = strchr(text, '/');

	*domain = (struct span){ text, 0 };
	*rest = text;
	if (!slash || !is_domain(text, (size_t)(slash - text)))
		return;
	*rest = slash + 1;
	domain->len = (size_t)(slash - text);
	if ((domain->len == strlen(HUB_DOMAIN) &&
	     !memcmp(text, HUB_DOMAIN, domain->len)) ||
	    (domain->len == strlen(HUB_LEGACY_DOMAIN) &&
	     !memcmp(text, HUB_LEGACY_DOMAIN, domain->len)))
		domain->len = 0;
}

static int invalid(struct fb_err *err, const char *text, const char *reason)
{
	return fb_err_set(err, -EINVAL, "'%.300s': %s", text, reason);
}

/* path and tag out of "path[:tag]", @s being @n bytes */
static int parse_name(const char *text, const char *s, size_t n,
		      struct fb_reference *ref, struct fb_err *err)
{
	bool hub = !strcmp(ref->domain, HUB_DOMAIN);
	const char *colon = memchr(s, ':', n);
	size_t path = colon ? (size_t)(colon - s) : n;
	const char *prefix = hub && !memchr(s, '/', path) ? HUB_LIBRARY : "";

	if (colon && !valid_tag(colon + 1, n - path - 1))
		return invalid(err, text, "invalid reference format");
	if (!valid_path(s, path))
		return invalid(err, text, "invalid reference format");
	if (strlen(prefix) + path > NAME_MAX_BYTES)
		return invalid(err, text,
			       "repository name must not be more than 255 "
			       "characters");
	(void)snprintf(ref->path, sizeof(ref->path), "%s%.*s", prefix,
		       (int)path, s);
	if (colon)
		(void)snprintf(ref->tag, sizeof(ref->tag), "%.*s",
			       (int)(n - path - 1), colon + 1);
	return 0;
}

static int refuse_upper_case(const char *text, const char *rest, bool hub,
			     struct fb_err *err)
{
	size_t n = strcspn(rest, ":");

	return fb_err_set(err, -EINVAL,
			  "'%.300s': invalid reference format: repository "
			  "name (%s%.*s) must be lowercase",
			  text, hub && !memchr(rest, '/', n) ? HUB_LIBRARY : "",
			  (int)(n > NAME_MAX_BYTES ? NAME_MAX_BYTES : n), rest);
}

int fb_reference_parse(const char *text, struct fb_reference *ret,
		       struct fb_err *err)
{
	struct fb_reference ref = { .domain = HUB_DOMAIN };
	struct span domain;
	const char *rest, *at;
	int r;

	if (is_identifier(text))
		return fb_err_set(err, -EINVAL,
				  "invalid repository name (%s), cannot "
				  "specify 64-byte hexadecimal strings",
				  text);
	split_domain(text, &domain, &rest);
	if (has_upper(rest, strcspn(rest, ":")))
		return refuse_upper_case(text, rest, !domain.len, err);
	if (domain.len >= sizeof(ref.domain) ||
	    (domain.len && !valid_domain(domain.at, domain.len)))
		return invalid(err, text, "invalid reference format");
	if (domain.len)
		(void)snprintf(ref.domain, sizeof(ref.domain), "%.*s",
			       (int)domain.len, domain.at);
	at = strchr(rest, '@');
	if (at && !digest_shaped(at + 1))
		return invalid(err, text, "invalid reference format");
	r = parse_name(text, rest, at ? (size_t)(at - rest) : strlen(rest),
		       &ref, err);
	if (r < 0)
		return r;
	if (at) {
		r = fb_digest_parse(at + 1, &ref.digest, err);
		if (r < 0)
			return fb_err_wrap(err, -EINVAL, "'%.300s'", text);
	} else if (!ref.tag[0]) {
		(void)snprintf(ref.tag, sizeof(ref.tag), "latest");
	}
	*ret = ref;
	return 0;
}

static void append_suffix(const struct fb_reference *ref, char *out,
			  size_t size)
{
	char digest[FB_DIGEST_TEXT_MAX];
	size_t used = strlen(out);

	(void)fb_digest_format(&ref->digest, digest);
	(void)snprintf(out + used, size - used, "%s%s%s%s",
		       ref->tag[0] ? ":" : "", ref->tag, digest[0] ? "@" : "",
		       digest);
}

const char *fb_reference_canonical(const struct fb_reference *ref,
				   char out[FB_REFERENCE_TEXT_MAX])
{
	(void)snprintf(out, FB_REFERENCE_TEXT_MAX, "%s/%s", ref->domain,
		       ref->path);
	append_suffix(ref, out, FB_REFERENCE_TEXT_MAX);
	return out;
}

/*
 * Docker Hub's name goes without saying, unless the path's first component
 * would be taken for a domain ("docker.io/a.b/c", which docker itself shows in
 * a form that means something else).
 */
const char *fb_reference_repository(const struct fb_reference *ref,
				    char out[FB_REFERENCE_TEXT_MAX])
{
	const char *path = ref->path;
	size_t library = strlen(HUB_LIBRARY), first = strcspn(path, "/");
	bool hub = !strcmp(ref->domain, HUB_DOMAIN);

	if (!hub || (path[first] && is_domain(path, first))) {
		(void)snprintf(out, FB_REFERENCE_TEXT_MAX, "%s/%s", ref->domain,
			       path);
		return out;
	}
	if (!strncmp(path, HUB_LIBRARY, library) &&
	    !strchr(path + library, '/'))
		path += library;
	(void)snprintf(out, FB_REFERENCE_TEXT_MAX, "%s", path);
	return out;
}

const char *fb_reference_familiar(const struct fb_reference *ref,
				  char out[FB_REFERENCE_TEXT_MAX])
{
	(void)fb_reference_repository(ref, out);
	append_suffix(ref, out, FB_REFERENCE_TEXT_MAX);
	return out;
}

bool fb_reference_is_loopback(const struct fb_reference *ref)
{
	const char *host = ref->domain;
	size_t n = host[0] == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":");

	if (n == 9 && !strncasecmp(host, "localhost", 9))
		return true;
	if (n == 5 && !memcmp(host, "[::1]", 5))
		return true;
	/* only digits and dots after "127.": a name like 127.example is none */
	return n > 4 && !memcmp(host, "127.", 4) &&
	       strspn(host, "0123456789.") == n;
}
