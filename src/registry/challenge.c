/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Theory of operation.  A list of challenges and the list of parameters inside
 * a challenge both use commas, so after each comma the text tells which it is:
 * `token =` goes on with the parameters, `token` and a space or the end begins
 * the next challenge.
 */
#include "registry/challenge.h"

#include <errno.h>
#include <string.h>

#define CHALLENGES_MAX 16
#define PARAMETERS_MAX 32

enum scheme {
	SCHEME_OTHER,
	SCHEME_BASIC,
	SCHEME_BEARER,
	SCHEME_BEARER_AGAIN, /* a second one: read, not kept */
};

struct parser {
	const char *p;
	struct fb_challenge out;
	enum scheme scheme;
	unsigned int seen; /* parameters of this challenge, a bit each */
	unsigned int parameters;
	unsigned int challenges;
};

static size_t token_length(const char *p)
{
	return strspn(p,
		      "!#$%&'*+-.^_`|~0123456789"
		      "abcdefghijklmnopqrstuvwxyz"
		      "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
}

static void skip_space(struct parser *ps)
{
	ps->p += strspn(ps->p, " \t");
}

static int put_value(char *out, size_t size, size_t *len, char c)
{
	if (*len + 1 >= size)
		return -EBADMSG;
	out[(*len)++] = c;
	out[*len] = '\0';
	return 0;
}

static int parse_quoted(struct parser *ps, char *out, size_t size)
{
	size_t len = 0;

	out[0] = '\0';
	for (ps->p++; *ps->p != '"'; ps->p++) {
		if (*ps->p == '\\')
			ps->p++;
		/* obs-text is left out: nothing here has a use for it */
		if (*ps->p < ' ' || *ps->p > '~' ||
		    put_value(out, size, &len, *ps->p) < 0)
			return -EBADMSG;
	}
	ps->p++;
	return 0;
}

static int parse_value(struct parser *ps, char *out, size_t size)
{
	size_t n;

	if (*ps->p == '"')
		return parse_quoted(ps, out, size);
	n = token_length(ps->p);
	if (n == 0 || n >= size)
		return -EBADMSG;
	memcpy(out, ps->p, n);
	out[n] = '\0';
	ps->p += n;
	return 0;
}

static bool name_is(const char *name, size_t n, const char *want)
{
	return strlen(want) == n && strncasecmp(name, want, n) == 0;
}

static int parse_parameter(struct parser *ps, size_t name_len)
{
	struct {
		const char *name;
		char *out;
		size_t size;
	} const known[] = {
		{ "realm", ps->out.realm, sizeof(ps->out.realm) },
		{ "service", ps->out.service, sizeof(ps->out.service) },
		{ "scope", ps->out.scope, sizeof(ps->out.scope) },
		{ "error", ps->out.error, sizeof(ps->out.error) },
	};
	char ignored[4096];
	const char *name = ps->p;

	if (++ps->parameters > PARAMETERS_MAX)
		return -EBADMSG;
	ps->p += name_len;
	skip_space(ps);
	ps->p++; /* the caller has seen '=' */
	skip_space(ps);
	for (unsigned int i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (!name_is(name, name_len, known[i].name))
			continue;
		if (ps->seen & 1u << i)
			return -EBADMSG;
		ps->seen |= 1u << i;
		if (ps->scheme == SCHEME_BEARER)
			return parse_value(ps, known[i].out, known[i].size);
	}
	return parse_value(ps, ignored, sizeof(ignored));
}

static int end_challenge(struct parser *ps)
{
	if (ps->scheme == SCHEME_BEARER && !ps->out.realm[0])
		return -EBADMSG;
	ps->seen = 0;
	ps->scheme = SCHEME_OTHER;
	return 0;
}

static int begin_challenge(struct parser *ps, size_t n)
{
	if (end_challenge(ps) < 0 || ++ps->challenges > CHALLENGES_MAX)
		return -EBADMSG;
	if (name_is(ps->p, n, "Basic")) {
		ps->scheme = SCHEME_BASIC;
		ps->out.basic = true;
	} else if (name_is(ps->p, n, "Bearer")) {
		ps->scheme =
			ps->out.bearer ? SCHEME_BEARER_AGAIN : SCHEME_BEARER;
		ps->out.bearer = true;
	}
	ps->p += n;
	return 0;
}

/* token68, as in "Negotiate YWJj==": no parameters follow it */
static bool skip_token68(struct parser *ps)
{
	const char *p = ps->p;
	size_t n = strspn(p,
			  "-._~+/0123456789abcdefghijklmnopqrstuvwxyz"
			  "ABCDEFGHIJKLMNOPQRSTUVWXYZ");

	if (n == 0)
		return false;
	p += n;
	p += strspn(p, "=");
	p += strspn(p, " \t");
	if (*p && *p != ',')
		return false;
	ps->p = p;
	return true;
}

/* One element between commas: a parameter, or a scheme and what follows it */
static int parse_element(struct parser *ps)
{
	size_t n = token_length(ps->p), space;
	bool begun = false;

	if (n == 0)
		return -EBADMSG;
	space = strspn(ps->p + n, " \t");
	if (ps->p[n + space] != '=') {
		if (begin_challenge(ps, n) < 0)
			return -EBADMSG;
		begun = true;
		if (*ps->p && *ps->p != ',' && space == 0)
			return -EBADMSG;
		skip_space(ps);
		if (!*ps->p || *ps->p == ',')
			return 0;
		n = token_length(ps->p);
		space = strspn(ps->p + n, " \t");
		if (n == 0 || ps->p[n + space] != '=' ||
		    strchr(",=", ps->p[n + space + 1]) != NULL)
			return skip_token68(ps) ? 0 : -EBADMSG;
	}
	if (!begun && ps->challenges == 0)
		return -EBADMSG;
	return parse_parameter(ps, n);
}

static int parse_list(struct parser *ps)
{
	for (;;) {
		ps->p += strspn(ps->p, " \t,");
		if (!*ps->p)
			return end_challenge(ps);
		if (parse_element(ps) < 0)
			return -EBADMSG;
		skip_space(ps);
		if (*ps->p && *ps->p != ',')
			return -EBADMSG;
	}
}

int fb_challenge_parse(const char *text, struct fb_challenge *ret,
		       struct fb_err *err)
{
	struct parser ps = { .p = text };

	if (strnlen(text, FB_CHALLENGE_TEXT_MAX + 1) > FB_CHALLENGE_TEXT_MAX ||
	    parse_list(&ps) < 0)
		return fb_err_set(err, -EBADMSG,
				  "malformed WWW-Authenticate header");
	if (!ps.out.basic && !ps.out.bearer)
		return fb_err_set(err, -EOPNOTSUPP,
				  "it asks for a kind of log-in other than "
				  "Basic and Bearer");
	*ret = ps.out;
	return 0;
}
