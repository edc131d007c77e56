/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One HTTP exchange after the other, several at once, over libcurl's multi
 * interface.  Knows nothing of registries: no redirect is followed, no log-in
 * tried, nothing repeated here.  Every reply is bounded.
 */
#ifndef FB_REGISTRY_HTTP_H
#define FB_REGISTRY_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/str.h"
#include "registry/curl_dl.h"
#include "registry/tls.h"
#include "registry/url.h"

#define FB_HTTP_HEADERS_MAX (64u << 10)
#define FB_HTTP_ERROR_BODY_MAX (64u << 10)

/**
 * struct fb_http - What exchanges share; connections live in @multi
 * @user_agent:         Owned
 * @connect_timeout_ms: Of one attempt
 * @stall_s:            Under 256 bytes/s for so long is a broken transfer
 */
struct fb_http {
	struct fb_curl curl;
	CURLM *multi;
	char *user_agent;
	unsigned int connect_timeout_ms;
	unsigned int stall_s;
};

/** fb_http_open() - Load libcurl, make the shared part. Return: 0; as fb_curl_load() */
int fb_http_open(struct fb_http *http, struct fb_err *err);

/** fb_http_close() - Close connections; no call may be running */
void fb_http_close(struct fb_http *http);

/**
 * struct fb_http_body - What to send
 * @read:       Its bytes from an offset on (pread-like, count or negative
 *              errno, which ends the call), each once and in order
 * @ctx:        Passed to @read
 * @offset:     Of the first byte
 * @size_bytes: How many are sent
 * @type:       Content-Type
 * @range:      Content-Range, or NULL
 */
struct fb_http_body {
	ssize_t (*read)(void *ctx, uint64_t offset, void *buf, size_t len);
	void *ctx;
	uint64_t offset;
	uint64_t size_bytes;
	const char *type;
	const char *range;
};

/**
 * struct fb_http_request - What to ask (all borrowed until the call has ended)
 * @url:           Absolute, accepted by fb_origin_parse()
 * @authorization: Value of that header, or NULL.  Secret
 * @accept:        Value of that header, or NULL
 * @method:        "HEAD", "PUT", …; NULL = GET, or POST where there is a @form
 * @body:          What to send with @method, or NULL
 * @headers:       NULL-terminated "Name: value" lines to add, or NULL
 * @form:          Body of a POST, or NULL for a GET.  May be secret
 * @range_from:    First byte wanted
 * @timeout_s:     For the whole exchange; 0 = none but the stall rule
 * @connect_timeout_ms: 0 = the usual one
 * @tls:           Peer's TLS settings
 */
struct fb_http_request {
	const char *url;
	const char *authorization;
	const char *accept;
	const char *method;
	const struct fb_http_body *body;
	const char *const *headers;
	const char *form;
	uint64_t range_from;
	unsigned int timeout_s;
	unsigned int connect_timeout_ms;
	const struct fb_tls *tls;
};

/** struct fb_http_reply - What came back; absent headers are "" */
struct fb_http_reply {
	int status;		 /* 0 = none */
	uint64_t content_length; /* UINT64_MAX = not given */
	char content_type[256];	 /* without parameters */
	char content_encoding[64];
	char content_range[128];
	char content_digest[160]; /* Docker-Content-Digest */
	char retry_after[64];
	char rate_remaining[64]; /* RateLimit-Remaining, Docker Hub's */
	char rate_limit[64];
	char range[64]; /* how much of an upload is there */
	char link[2048];
	char chunk_min[32];	  /* OCI-Chunk-Min-Length */
	struct fb_str challenges; /* WWW-Authenticate, joined with ", " */
	struct fb_str body;	  /* of a reply other than 2xx, its beginning */
	char *location;		  /* absolute, of a 2xx or 3xx; or NULL */
};

enum fb_http_outcome {
	FB_HTTP_RUNNING,
	FB_HTTP_REPLIED,   /* a whole reply, whatever its status */
	FB_HTTP_NO_HOST,   /* its name does not resolve */
	FB_HTTP_NO_PEER,   /* nobody there, or no answer to connecting */
	FB_HTTP_NO_TLS,	   /* it does not speak TLS, or none that we do */
	FB_HTTP_UNTRUSTED, /* its certificate, or ours, was refused */
	FB_HTTP_BROKEN,	   /* began and broke: worth another attempt */
	FB_HTTP_BAD,	   /* not HTTP, or over a limit */
	FB_HTTP_STOPPED,   /* @body_fn said so */
};

/**
 * struct fb_http_call - One exchange
 * @body_fn: Called with each piece of a 2xx reply's body; the reply's head is
 *           complete in @reply by then.  A negative errno ends the call
 * @ctx:     Passed to @body_fn
 * @outcome: FB_HTTP_RUNNING until it has ended
 * @err:     Why, for every outcome but FB_HTTP_REPLIED and FB_HTTP_STOPPED
 */
struct fb_http_call {
	int (*body_fn)(void *ctx, const void *data, size_t len);
	void *ctx;
	struct fb_http_reply reply;
	enum fb_http_outcome outcome;
	struct fb_err err;
	/* private */
	const struct fb_http *http;
	struct fb_origin origin;
	CURL *easy;
	struct curl_slist *headers;
	size_t header_bytes;
	const struct fb_http_body *body;
	uint64_t sent;
	bool stopped;
	bool cut;
	char curl_text[CURL_ERROR_SIZE];
};

/**
 * fb_http_start() - Begin an exchange
 * @call: @body_fn and @ctx set, the rest zeroed or released
 * @req:  Borrowed until the outcome is known
 *
 * Return: 0; -EINVAL a bad URL; -ENOMEM.
 */
int fb_http_start(struct fb_http *http, struct fb_http_call *call,
		  const struct fb_http_request *req, struct fb_err *err);

/**
 * fb_http_poll() - Let running exchanges go on
 * @timeout_ms: Longest wait; returns as soon as one has ended
 *
 * Return: 0; -EIO, -ENOMEM the library failed.
 */
int fb_http_poll(struct fb_http *http, unsigned int timeout_ms,
		 struct fb_err *err);

/** fb_http_call_release() - Break it off if it runs; free what it holds */
void fb_http_call_release(struct fb_http_call *call);

#endif
