/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/url.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

static bool is_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9');
}

static size_t host_length(const char *text)
{
	size_t n;

	if (*text == '[') {
		n = 1 + strspn(text + 1, "0123456789abcdefABCDEF:.");
		return n > 1 && text[n] == ']' ? n + 1 : 0;
	}
	for (n = 0; is_alnum(text[n]) || text[n] == '-' || text[n] == '_' ||
		    text[n] == '.';
	     n++)
		;
	return n;
}

static int parse_port(const char **text, uint16_t *ret)
{
	const char *p = *text;
	unsigned int port = 0;

	for (; *p >= '0' && *p <= '9'; p++) {
		port = port * 10 + (unsigned int)(*p - '0');
		if (port > 65535)
			return -EINVAL;
	}
	if (p == *text || port == 0)
		return -EINVAL;
	*ret = (uint16_t)port;
	*text = p;
	return 0;
}

static bool is_url_text(const char *text)
{
	/* visible ASCII without what URLs never hold raw */
	for (; *text; text++)
		if (*text <= ' ' || *text > '~' || strchr("\"<>\\^`{|}", *text))
			return false;
	return true;
}

static int parse_scheme(const char **url, struct fb_origin *origin)
{
	origin->https = strncasecmp(*url, "https://", 8) == 0;
	if (!origin->https && strncasecmp(*url, "http://", 7) != 0)
		return -EINVAL;
	*url += origin->https ? 8 : 7;
	origin->port = origin->https ? 443 : 80;
	return 0;
}

int fb_origin_parse(const char *url, struct fb_origin *ret,
		    const char **ret_path)
{
	struct fb_origin origin = { 0 };
	size_t n;

	if (strnlen(url, FB_URL_MAX + 1) > FB_URL_MAX || !is_url_text(url) ||
	    parse_scheme(&url, &origin) < 0)
		return -EINVAL;
	n = host_length(url);
	if (n == 0 || n >= sizeof(origin.host))
		return -EINVAL;
	for (size_t i = 0; i < n; i++)
		origin.host[i] = (char)tolower((unsigned char)url[i]);
	url += n;
	if (*url == ':') {
		url++;
		if (parse_port(&url, &origin.port) < 0)
			return -EINVAL;
	}
	if (*url && *url != '/' && *url != '?')
		return -EINVAL;
	*ret = origin;
	if (ret_path)
		*ret_path = url;
	return 0;
}

bool fb_origin_equal(const struct fb_origin *a, const struct fb_origin *b)
{
	return a->https == b->https && a->port == b->port &&
	       strcmp(a->host, b->host) == 0;
}

/* An address in @host, with or without brackets. Return: its bytes, 4, 16 or 0 */
static size_t parse_address(const char *host, uint8_t out[16])
{
	char bare[FB_URL_HOST_MAX];
	size_t n = strlen(host);

	if (n >= 2 && host[0] == '[' && host[n - 1] == ']') {
		host++;
		n -= 2;
	}
	if (n >= sizeof(bare))
		return 0;
	memcpy(bare, host, n);
	bare[n] = '\0';
	if (inet_pton(AF_INET, bare, out) == 1)
		return 4;
	return inet_pton(AF_INET6, bare, out) == 1 ? 16 : 0;
}

bool fb_host_is_loopback(const char *host)
{
	static const uint8_t one[16] = { [15] = 1 };
	size_t n = strlen(host), tail = strlen(".localhost");
	uint8_t addr[16];

	if (strcmp(host, "localhost") == 0 ||
	    (n > tail && strcmp(host + n - tail, ".localhost") == 0))
		return true;
	switch (parse_address(host, addr)) {
	case 4:
		return addr[0] == 127;
	case 16:
		return memcmp(addr, one, sizeof(one)) == 0;
	default:
		return false;
	}
}

static bool network_contains(const char *rule, const char *slash,
			     const char *host)
{
	uint8_t net[16], addr[16];
	char base[FB_URL_HOST_MAX];
	size_t n, whole;
	unsigned int bits = 0;
	const char *p = slash + 1;

	if ((size_t)(slash - rule) >= sizeof(base) || !*p)
		return false;
	for (; *p >= '0' && *p <= '9' && bits <= 128; p++)
		bits = bits * 10 + (unsigned int)(*p - '0');
	memcpy(base, rule, (size_t)(slash - rule));
	base[slash - rule] = '\0';
	n = parse_address(base, net);
	if (*p || n == 0 || bits > n * 8 || parse_address(host, addr) != n)
		return false;
	whole = bits / 8;
	if (memcmp(net, addr, whole) != 0)
		return false;
	return bits % 8 == 0 ||
	       ((net[whole] ^ addr[whole]) >> (8 - bits % 8)) == 0;
}

bool fb_host_matches(const char *rule, const char *host, uint16_t port)
{
	const char *slash = strchr(rule, '/');
	char text[FB_URL_HOST_MAX + 8];

	if (slash)
		return network_contains(rule, slash, host);
	if (strcasecmp(rule, host) == 0)
		return true;
	(void)snprintf(text, sizeof(text), "%s:%u", host, (unsigned int)port);
	return strcasecmp(rule, text) == 0;
}

int fb_url_escape(struct fb_str *out, const char *text)
{
	for (; *text; text++) {
		if (is_alnum(*text) || strchr("-._~", *text))
			(void)fb_str_putc(out, *text);
		else
			(void)fb_str_printf(out, "%%%02X",
					    (unsigned int)(uint8_t)*text);
	}
	return out->err;
}

int fb_url_add_query(struct fb_str *url, const char *name, const char *value)
{
	const char *query = strchr(fb_str_cstr(url), '?');

	if (!query)
		(void)fb_str_putc(url, '?');
	else if (query[1] && url->buf[url->len - 1] != '&')
		(void)fb_str_putc(url, '&');
	(void)fb_str_printf(url, "%s=", name);
	return fb_url_escape(url, value);
}

/* How much of @base stays in front of @location */
static size_t kept_of_base(const char *base, const char *path,
			   const char *location)
{
	size_t end = (size_t)(path - base) + strcspn(path, "?#");

	if (location[0] == '/' && location[1] == '/')
		return strcspn(base, "/");
	if (location[0] == '/')
		return (size_t)(path - base);
	if (location[0] == '?')
		return end;
	while (end > (size_t)(path - base) && base[end - 1] != '/')
		end--;
	return end;
}

char *fb_url_resolve(const char *base, const char *location)
{
	FB_STR struct fb_str url = FB_STR_INIT(FB_URL_MAX);
	struct fb_origin origin;
	const char *path;
	size_t keep = 0;

	if (fb_origin_parse(base, &origin, &path) < 0)
		return NULL;
	if (location[strcspn(location, ":/?#")] != ':')
		keep = kept_of_base(base, path, location);
	(void)fb_str_append(&url, base, keep);
	if (keep && !*path && location[0] != '/' && location[0] != '?')
		(void)fb_str_putc(&url, '/');
	(void)fb_str_append(&url, location, strcspn(location, "#"));
	return fb_str_take(&url);
}

const char *fb_url_show(const char *url, char *out, size_t size)
{
	(void)snprintf(out, size, "%.*s", (int)strcspn(url, "?#"), url);
	return out;
}
