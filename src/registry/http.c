/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/http.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "registry/challenge.h"
#include "registry/credential.h"
#include "registry/header.h"
#include "registry/http_private.h"

#define HTTP_STALL_BYTES_PER_S 256L
#define HTTP_BUFFER_BYTES (256L << 10)

int fb_http_open(struct fb_http *http, struct fb_err *err)
{
	int r = fb_curl_load(FB_CURL_SONAME, &http->curl, err);

	if (r < 0)
		return r;
	http->multi = http->curl.multi_init();
	if (!http->multi)
		return fb_err_set(err, -ENOMEM, "start libcurl: %m");
	return 0;
}

void fb_http_close(struct fb_http *http)
{
	if (http->multi)
		(void)http->curl.multi_cleanup(http->multi);
	http->multi = NULL;
	fb_curl_unload(&http->curl);
	free(http->user_agent);
	http->user_agent = NULL;
}

static void reset_reply(struct fb_http_reply *reply)
{
	fb_str_release(&reply->challenges);
	fb_str_release(&reply->body);
	free(reply->location);
	*reply = (struct fb_http_reply){
		.content_length = UINT64_MAX,
		.challenges = FB_STR_INIT(FB_CHALLENGE_TEXT_MAX),
		.body = FB_STR_INIT(FB_HTTP_ERROR_BODY_MAX),
	};
}

static int bad_reply(struct fb_http_call *call, const char *why)
{
	return fb_err_set(&call->err, -EBADMSG, "'%s:%u': %s",
			  call->origin.host, (unsigned int)call->origin.port,
			  why);
}

/* Headers that are kept, by name, each cut to nothing where it is too long */
static void keep_header(struct fb_http_reply *reply, const char *name,
			const char *value)
{
	struct {
		const char *name;
		char *out;
		size_t size;
	} const kept[] = {
#define KEEP(n, m) { n, reply->m, sizeof(reply->m) }
		KEEP("content-encoding", content_encoding),
		KEEP("content-range", content_range),
		KEEP("docker-content-digest", content_digest),
		KEEP("retry-after", retry_after),
		KEEP("ratelimit-remaining", rate_remaining),
		KEEP("ratelimit-limit", rate_limit),
		KEEP("range", range),
		KEEP("link", link),
		KEEP("oci-chunk-min-length", chunk_min),
#undef KEEP
	};

	for (size_t i = 0; i < FB_ARRAY_SIZE(kept); i++)
		if (strcasecmp(name, kept[i].name) == 0 &&
		    strlen(value) < kept[i].size)
			(void)snprintf(kept[i].out, kept[i].size, "%s", value);
	if (strcasecmp(name, "content-type") == 0)
		(void)fb_media_type_parse(value, reply->content_type);
	else if (strcasecmp(name, "content-length") == 0)
		(void)fb_decimal_parse(value, &reply->content_length);
	else if (strcasecmp(name, "location") == 0 && !reply->location)
		reply->location = strdup(value);
	else if (strcasecmp(name, "www-authenticate") == 0)
		(void)fb_str_printf(&reply->challenges, "%s%s",
				    reply->challenges.len ? ", " : "", value);
}

static void take_header(struct fb_http_reply *reply, char *line)
{
	char *colon = strchr(line, ':'), *value;
	size_t n;

	if (!colon)
		return;
	*colon = '\0';
	value = colon + 1 + strspn(colon + 1, " \t");
	n = strlen(value);
	while (n > 0 && strchr(" \t\r\n", value[n - 1]))
		value[--n] = '\0';
	keep_header(reply, line, value);
}

static size_t on_header(char *data, size_t size, size_t count, void *ctx)
{
	struct fb_http_call *call = ctx;
	size_t len = size * count;
	FB_FREE char *line = NULL;

	call->header_bytes += len;
	if (call->header_bytes > FB_HTTP_HEADERS_MAX) {
		(void)bad_reply(call, "more than 64 KiB of reply headers");
		return 0;
	}
	line = strndup(data, len);
	if (!line)
		return 0;
	/* each status line begins a new head: 100 Continue, then the real one */
	if (strncmp(line, "HTTP/", 5) == 0) {
		reset_reply(&call->reply);
		line[strcspn(line, "\r\n")] = '\0';
		call->reply.status =
			(int)strtol(line + strcspn(line, " "), NULL, 10);
	} else {
		take_header(&call->reply, line);
	}
	return len;
}

static size_t on_body(char *data, size_t size, size_t count, void *ctx)
{
	struct fb_http_call *call = ctx;
	struct fb_str *body = &call->reply.body;
	size_t len = size * count, room;

	if (call->reply.status / 100 == 2) {
		if (call->body_fn(call->ctx, data, len) == 0)
			return len;
		call->stopped = true;
		return 0;
	}
	room = FB_HTTP_ERROR_BODY_MAX - body->len;
	if (fb_str_append(body, data, len < room ? len : room) == 0 &&
	    len <= room)
		return len;
	call->cut = true;
	return 0;
}

static size_t on_send(char *out, size_t size, size_t count, void *ctx)
{
	struct fb_http_call *call = ctx;
	const struct fb_http_body *body = call->body;
	uint64_t left = body->size_bytes - call->sent;
	size_t len = size * count;
	ssize_t n;

	if (len > left)
		len = (size_t)left;
	if (len == 0)
		return 0;
	n = body->read(body->ctx, body->offset + call->sent, out, len);
	if (n <= 0) {
		call->stopped = true;
		return CURL_READFUNC_ABORT;
	}
	call->sent += (uint64_t)n;
	return (size_t)n;
}

/*
 * A connection died.  The library would send it all again where it was an old
 * one; but the other side may have taken the beginning, and has to be asked.
 */
static int on_rewind(void *ctx, curl_off_t offset, int origin)
{
	const struct fb_http_call *call = ctx;

	return origin == SEEK_SET && offset == 0 && call->sent == 0
		       ? CURL_SEEKFUNC_OK
		       : CURL_SEEKFUNC_FAIL;
}

static int add_line(struct fb_http_call *call, const char *line)
{
	const struct fb_curl *curl = &call->http->curl;
	struct curl_slist *grown;

	if (strpbrk(line, "\r\n"))
		return -EINVAL;
	grown = curl->slist_append(call->headers, line);
	if (!grown)
		return -ENOMEM;
	call->headers = grown;
	return 0;
}

static int add_header(struct fb_http_call *call, const char *name,
		      const char *value)
{
	FB_SECRET char *line = NULL;

	if (!value)
		return 0;
	if (asprintf(&line, "%s: %s", name, value) < 0) {
		line = NULL;
		return -ENOMEM;
	}
	return add_line(call, line);
}

static int add_headers(struct fb_http_call *call,
		       const struct fb_http_request *req)
{
	const char *const *extra = req->headers;
	int r = add_header(call, "Accept", req->accept);

	if (r == 0)
		r = add_header(call, "Authorization", req->authorization);
	if (r == 0 && req->body)
		r = add_header(call, "Content-Type", req->body->type);
	if (r == 0 && req->body)
		r = add_header(call, "Content-Range", req->body->range);
	/* asking whether one may send costs a second where nobody answers that */
	if (r == 0 && req->body)
		r = add_line(call, "Expect:");
	for (; r == 0 && extra && *extra; extra++)
		r = add_line(call, *extra);
	return r;
}

/* One option after the other until the first that fails */
#define SET(option, value)                                             \
	do {                                                           \
		if (code == CURLE_OK)                                  \
			code = curl->easy_setopt(easy, option, value); \
	} while (0)

static CURLcode set_peer(const struct fb_http_call *call,
			 const struct fb_tls *tls)
{
	const struct fb_curl *curl = &call->http->curl;
	const char *file = getenv("SSL_CERT_FILE"),
		   *dir = getenv("SSL_CERT_DIR");
	struct curl_blob ca = { .data = tls->ca_pem,
				.len = tls->ca_len,
				.flags = CURL_BLOB_NOCOPY };
	CURL *easy = call->easy;
	CURLcode code = CURLE_OK;

	SET(CURLOPT_SSL_VERIFYPEER, tls->insecure ? 0L : 1L);
	SET(CURLOPT_SSL_VERIFYHOST, tls->insecure ? 0L : 2L);
	SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	/* the curl program reads these two, the library does not */
	if (file && *file)
		SET(CURLOPT_CAINFO, file);
	if (dir && *dir)
		SET(CURLOPT_CAPATH, dir);
	if (tls->ca_pem)
		SET(CURLOPT_CAINFO_BLOB, &ca);
	if (tls->cert) {
		SET(CURLOPT_SSLCERT, tls->cert);
		SET(CURLOPT_SSLKEY, tls->key);
	}
	if (fb_host_is_loopback(call->origin.host))
		SET(CURLOPT_PROXY, "");
	return code;
}

/* A registry may look at what it got before it answers: longer patience */
#define HTTP_UPLOAD_STALLS 4L

static CURLcode set_method(struct fb_http_call *call,
			   const struct fb_http_request *req)
{
	const struct fb_curl *curl = &call->http->curl;
	CURL *easy = call->easy;
	CURLcode code = CURLE_OK;

	if (req->form) {
		SET(CURLOPT_POST, 1L);
		SET(CURLOPT_POSTFIELDS, req->form);
	}
	if (req->body) {
		SET(CURLOPT_UPLOAD, 1L);
		SET(CURLOPT_INFILESIZE_LARGE,
		    (curl_off_t)req->body->size_bytes);
		SET(CURLOPT_UPLOAD_BUFFERSIZE, HTTP_BUFFER_BYTES);
		SET(CURLOPT_READFUNCTION, on_send);
		SET(CURLOPT_READDATA, call);
		SET(CURLOPT_SEEKFUNCTION, on_rewind);
		SET(CURLOPT_SEEKDATA, call);
		SET(CURLOPT_LOW_SPEED_TIME,
		    (long)call->http->stall_s * HTTP_UPLOAD_STALLS);
	}
	if (req->method && strcmp(req->method, "HEAD") == 0)
		SET(CURLOPT_NOBODY, 1L);
	else if (req->method)
		SET(CURLOPT_CUSTOMREQUEST, req->method);
	return code;
}

static CURLcode set_exchange(struct fb_http_call *call,
			     const struct fb_http_request *req)
{
	const struct fb_http *http = call->http;
	const struct fb_curl *curl = &http->curl;
	CURL *easy = call->easy;
	CURLcode code = CURLE_OK;
	char range[32];

	SET(CURLOPT_URL, req->url);
	SET(CURLOPT_PROTOCOLS_STR, "http,https");
	SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
	SET(CURLOPT_FOLLOWLOCATION, 0L);
	SET(CURLOPT_HTTPHEADER, call->headers);
	if (http->user_agent)
		SET(CURLOPT_USERAGENT, http->user_agent);
	SET(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	SET(CURLOPT_TCP_KEEPALIVE, 1L);
	SET(CURLOPT_BUFFERSIZE, HTTP_BUFFER_BYTES);
	SET(CURLOPT_CONNECTTIMEOUT_MS,
	    (long)(req->connect_timeout_ms ? req->connect_timeout_ms
					   : http->connect_timeout_ms));
	SET(CURLOPT_LOW_SPEED_LIMIT, HTTP_STALL_BYTES_PER_S);
	SET(CURLOPT_LOW_SPEED_TIME, (long)http->stall_s);
	SET(CURLOPT_TIMEOUT_MS, (long)req->timeout_s * 1000L);
	if (req->range_from) {
		(void)snprintf(range, sizeof(range), "%llu-",
			       (unsigned long long)req->range_from);
		SET(CURLOPT_RANGE, range);
	}
	return code;
}

static CURLcode set_callbacks(struct fb_http_call *call)
{
	const struct fb_curl *curl = &call->http->curl;
	CURL *easy = call->easy;
	CURLcode code = CURLE_OK;

	SET(CURLOPT_HEADERFUNCTION, on_header);
	SET(CURLOPT_HEADERDATA, call);
	SET(CURLOPT_WRITEFUNCTION, on_body);
	SET(CURLOPT_WRITEDATA, call);
	SET(CURLOPT_ERRORBUFFER, call->curl_text);
	SET(CURLOPT_PRIVATE, call);
	return code;
}

static int prepare(struct fb_http_call *call, const struct fb_http_request *req,
		   struct fb_err *err)
{
	const struct fb_curl *curl = &call->http->curl;
	CURLcode code = CURLE_OUT_OF_MEMORY;

	call->easy = curl->easy_init();
	if (call->easy && add_headers(call, req) == 0)
		code = set_exchange(call, req);
	if (code == CURLE_OK)
		code = set_method(call, req);
	if (code == CURLE_OK)
		code = set_peer(call, req->tls);
	if (code == CURLE_OK)
		code = set_callbacks(call);
	if (code != CURLE_OK)
		return fb_err_set(err, -ENOMEM, "prepare a request: %s",
				  curl->easy_strerror(code));
	return 0;
}

int fb_http_start(struct fb_http *http, struct fb_http_call *call,
		  const struct fb_http_request *req, struct fb_err *err)
{
	char shown[FB_URL_HOST_MAX + 64];
	CURLMcode code;
	int r;

	reset_reply(&call->reply);
	call->http = http;
	call->header_bytes = 0;
	call->body = req->body;
	call->sent = 0;
	call->stopped = call->cut = false;
	call->curl_text[0] = '\0';
	call->err = (struct fb_err){ 0 };
	if (fb_origin_parse(req->url, &call->origin, NULL) < 0)
		return fb_err_set(err, -EINVAL, "not a usable URL: '%s'",
				  fb_url_show(req->url, shown, sizeof(shown)));
	r = prepare(call, req, err);
	if (r == 0) {
		code = http->curl.multi_add_handle(http->multi, call->easy);
		if (code != CURLM_OK)
			r = fb_err_set(err, -EIO, "start a request: %s",
				       http->curl.multi_strerror(code));
	}
	if (r < 0)
		fb_http_call_release(call);
	else
		call->outcome = FB_HTTP_RUNNING;
	return r;
}

static bool take_finished(struct fb_http *http)
{
	struct fb_http_call *call;
	char *private;
	bool any = false;
	CURLMsg *msg;
	int left;

	while ((msg = http->curl.multi_info_read(http->multi, &left))) {
		if (msg->msg != CURLMSG_DONE)
			continue;
		if (http->curl.easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE,
					    &private) != CURLE_OK)
			continue;
		call = (struct fb_http_call *)(void *)private;
		fb_http_conclude(call, msg->data.result);
		any = true;
	}
	return any;
}

int fb_http_poll(struct fb_http *http, unsigned int timeout_ms,
		 struct fb_err *err)
{
	const struct fb_curl *curl = &http->curl;
	CURLMcode code;
	int running;

	for (int round = 0; round < 2; round++) {
		code = curl->multi_perform(http->multi, &running);
		if (code == CURLM_OK && take_finished(http))
			return 0;
		if (code == CURLM_OK && round == 0)
			code = curl->multi_poll(http->multi, NULL, 0,
						(int)timeout_ms, NULL);
		if (code != CURLM_OK)
			return fb_err_set(err, -EIO, "network: %s",
					  curl->multi_strerror(code));
	}
	return 0;
}

static void free_headers(struct fb_http_call *call)
{
	/* the list's copies hold the Authorization */
	for (struct curl_slist *l = call->headers; l; l = l->next)
		explicit_bzero(l->data, strlen(l->data));
	call->http->curl.slist_free_all(call->headers);
	call->headers = NULL;
}

void fb_http_call_release(struct fb_http_call *call)
{
	const struct fb_http *http = call->http;

	if (call->easy) {
		(void)http->curl.multi_remove_handle(http->multi, call->easy);
		http->curl.easy_cleanup(call->easy);
		call->easy = NULL;
	}
	if (call->headers)
		free_headers(call);
	reset_reply(&call->reply);
}
