/* SPDX-License-Identifier: Apache-2.0 */
/* What became of an exchange, in words that a person can act on. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "registry/http_private.h"

static void take_location(struct fb_http_call *call)
{
	FB_FREE char *raw = FB_TAKE_PTR(call->reply.location);
	const struct fb_curl *curl = &call->http->curl;
	bool made = call->reply.status / 100 == 2;
	char *url = NULL;

	/* the library makes an absolute one of a redirect's, and only of that */
	if (!raw ||
	    curl->easy_getinfo(call->easy,
			       made ? CURLINFO_EFFECTIVE_URL
				    : CURLINFO_REDIRECT_URL,
			       &url) != CURLE_OK ||
	    !url)
		return;
	call->reply.location = made ? fb_url_resolve(url, raw) : strdup(url);
}

static bool was_connected(const struct fb_http_call *call)
{
	curl_off_t us = 0;

	(void)call->http->curl.easy_getinfo(call->easy,
					    CURLINFO_PRETRANSFER_TIME_T, &us);
	return us > 0;
}

/* A timeout says too little: of what? */
static enum fb_http_outcome sort_out(const struct fb_http_call *call,
				     CURLcode code)
{
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wswitch-enum"
	switch (code) {
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_RESOLVE_PROXY:
		return FB_HTTP_NO_HOST;
	case CURLE_COULDNT_CONNECT:
		return FB_HTTP_NO_PEER;
	case CURLE_OPERATION_TIMEDOUT:
		return was_connected(call) ? FB_HTTP_BROKEN : FB_HTTP_NO_PEER;
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_ISSUER_ERROR:
		return FB_HTTP_UNTRUSTED;
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_SSL_CIPHER:
		return FB_HTTP_NO_TLS;
	case CURLE_UNSUPPORTED_PROTOCOL: /* HTTP/0.9, which is noise */
	case CURLE_WEIRD_SERVER_REPLY:
	case CURLE_URL_MALFORMAT:
	case CURLE_OUT_OF_MEMORY:
	case CURLE_UNKNOWN_OPTION:
	case CURLE_BAD_FUNCTION_ARGUMENT:
	case CURLE_WRITE_ERROR: /* a bound of ours: its text is there */
		return FB_HTTP_BAD;
	default:
		return FB_HTTP_BROKEN;
	}
#pragma GCC diagnostic pop
}

static int connect_errno(const struct fb_http_call *call, CURLcode code)
{
	long os = 0;

	if (code == CURLE_OPERATION_TIMEDOUT)
		return -ETIMEDOUT;
	(void)call->http->curl.easy_getinfo(call->easy, CURLINFO_OS_ERRNO, &os);
	return os > 0 && os < 4096 ? -(int)os : -ECONNREFUSED;
}

/* Whom it was that did not answer: of a proxy only the library's text knows */
static void describe_no_peer(struct fb_http_call *call, CURLcode code,
			     const char *text)
{
	const char *host = call->origin.host;
	size_t bracket = host[0] == '[';
	char name[256] = "";
	unsigned int port = 0;
	int r = connect_errno(call, code);
	bool proxy = sscanf(text, "Failed to connect to %255s port %u", name,
			    &port) == 2 &&
		     (strncasecmp(name, host + bracket, strlen(name)) != 0 ||
		      port != call->origin.port);

	if (proxy)
		(void)fb_err_set(&call->err, r,
				 "connect to the proxy '%s:%u': %m", name,
				 port);
	else
		(void)fb_err_set(&call->err, r, "connect to '%s:%u': %m", host,
				 (unsigned int)call->origin.port);
	(void)fb_err_hint(&call->err, r,
			  "check host and port, the network and the proxy "
			  "settings");
}

static void describe_peer(struct fb_http_call *call, CURLcode code,
			  const char *text)
{
	struct fb_err *err = &call->err;
	const char *host = call->origin.host;
	unsigned int port = call->origin.port;
	int r;

	switch (call->outcome) {
	case FB_HTTP_NO_HOST:
		r = fb_err_set(err, -EHOSTUNREACH, "%s",
			       code == CURLE_COULDNT_RESOLVE_PROXY
				       ? "the proxy's name cannot be resolved"
				       : "");
		if (code == CURLE_COULDNT_RESOLVE_HOST)
			r = fb_err_set(err, -EHOSTUNREACH,
				       "the name '%s' cannot be resolved",
				       host);
		(void)fb_err_hint(err, r,
				  "check the name, the network and the proxy "
				  "settings");
		break;
	case FB_HTTP_NO_PEER:
		describe_no_peer(call, code, text);
		break;
	case FB_HTTP_NO_TLS:
		r = fb_err_set(err, -EPROTO, "'%s:%u': no TLS connection: %s",
			       host, port, text);
		(void)fb_err_hint(err, r,
				  "a registry that speaks plain HTTP needs "
				  "--tls-verify=false");
		break;
	case FB_HTTP_UNTRUSTED:
		r = fb_err_set(err, -EPROTO,
			       "'%s:%u': certificate not accepted: %s", host,
			       port, text);
		(void)fb_err_hint(err, r,
				  "put its CA in /etc/docker/certs.d/%s:%u/"
				  "ca.crt, or use --tls-verify=false",
				  host, port);
		break;
	case FB_HTTP_RUNNING:
	case FB_HTTP_REPLIED:
	case FB_HTTP_BROKEN:
	case FB_HTTP_BAD:
	case FB_HTTP_STOPPED:
	default:
		break;
	}
}

static void describe(struct fb_http_call *call, CURLcode code)
{
	const char *text = call->curl_text[0]
				   ? call->curl_text
				   : call->http->curl.easy_strerror(code);

	/* libcurl takes what is no HTTP for its version 0.9 */
	if (code == CURLE_UNSUPPORTED_PROTOCOL)
		text = "it does not speak HTTP";
	if (call->outcome == FB_HTTP_BROKEN && code == CURLE_OPERATION_TIMEDOUT)
		(void)fb_err_set(&call->err, -ETIMEDOUT,
				 "'%s:%u': the transfer stalled: %s",
				 call->origin.host,
				 (unsigned int)call->origin.port, text);
	else if (call->outcome == FB_HTTP_BROKEN ||
		 call->outcome == FB_HTTP_BAD)
		(void)fb_err_set(&call->err,
				 call->outcome == FB_HTTP_BAD ? -EBADMSG : -EIO,
				 "'%s:%u': %s", call->origin.host,
				 (unsigned int)call->origin.port, text);
	else
		describe_peer(call, code, text);
}

void fb_http_conclude(struct fb_http_call *call, CURLcode code)
{
	if (call->stopped) {
		call->outcome = FB_HTTP_STOPPED;
	} else if (call->err.code) {
		call->outcome = FB_HTTP_BAD;
	} else if (code == CURLE_OK || call->cut) {
		call->outcome = FB_HTTP_REPLIED;
		take_location(call);
	} else {
		call->outcome = sort_out(call, code);
		describe(call, code);
	}
}
