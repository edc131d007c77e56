/* SPDX-License-Identifier: Apache-2.0 */
/* What an attempt's end leads to: see the picture in fetch.c */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "registry/fetch.h"
#include "registry/header.h"
#include "registry/refusal.h"

#define REDIRECTS_MAX 10u
#define PROGRESS_BYTES (1u << 20)
#define IGNORED_MAX (1u << 20)

static struct fb_endpoint *endpoint_of(const struct fb_fetch *f)
{
	return &f->reg->endpoints[f->endpoint];
}

static bool at_endpoint(const struct fb_fetch *f)
{
	return fb_origin_equal(&f->origin, &endpoint_of(f)->origin);
}

static void from_the_start(struct fb_fetch *f)
{
	free(f->url);
	f->url = NULL;
	f->redirects = 0;
}

/* From https to http of the same host only where that was never an answer */
static bool next_may_help(const struct fb_fetch *f)
{
	const struct fb_endpoint *ep = endpoint_of(f);

	if (f->fatal || f->endpoint + 1 >= f->reg->endpoint_count)
		return false;
	return ep->mirror ||
	       (!ep->answered && f->call.outcome != FB_HTTP_UNTRUSTED);
}

/* The others name the repository or the host, which is what they are about */
static bool is_about_content(const struct fb_fetch *f, int code)
{
	return !f->fatal &&
	       (code == -EBADMSG || code == -EFBIG || code == -EIO ||
		code == -ELOOP || code == -ETIMEDOUT);
}

void fb_fetch_fail(struct fb_fetch *f, int code)
{
	struct fb_endpoint *ep = endpoint_of(f);

	if (!next_may_help(f)) {
		if (!f->err.code)
			(void)fb_err_set(&f->err, code, "%m");
		if (is_about_content(f, code))
			(void)fb_err_wrap(&f->err, code, "%s", f->what);
		f->result = code;
		f->state = FB_FETCH_FAILED;
		return;
	}
	fb_log(f->reg->log, FB_LOG_INFO, "%s: %s; going on at '%s'", f->what,
	       f->err.msg, f->reg->endpoints[f->endpoint + 1].base);
	if (!ep->answered)
		ep->dead = true;
	f->endpoint++;
	f->err = (struct fb_err){ 0 };
	f->asked = false;
	fb_retry_reset(&f->retry);
	from_the_start(f);
	f->state = FB_FETCH_READY;
}

/* Another attempt after a pause, from the registry itself: a redirect's target
 * is often good for minutes only. */
static void retry(struct fb_fetch *f, const char *retry_after)
{
	int r;

	if (f->offset >= f->high_water + PROGRESS_BYTES) {
		f->high_water = f->offset;
		f->asked = false;
		fb_retry_reset(&f->retry);
	}
	r = fb_retry_next(&f->retry, retry_after);
	if (r < 0) {
		(void)fb_err_wrap(&f->err, f->err.code,
				  r == -EBUSY ? "asked to wait for long"
					      : "tried %u times",
				  f->retry.failures);
		fb_fetch_fail(f, f->err.code);
		return;
	}
	if (f->ops->broken)
		f->ops->broken(f->ctx);
	fb_log(f->reg->log, FB_LOG_INFO,
	       "%s: %s; trying again in %llu ms from byte %llu", f->what,
	       f->err.msg,
	       (unsigned long long)(f->retry.until_ms - fb_now_ms()),
	       (unsigned long long)(f->no_range ? 0 : f->offset));
	f->err = (struct fb_err){ 0 };
	from_the_start(f);
	f->state = FB_FETCH_WAIT;
}

/* Return: 0; -EAGAIN start again without Range; the sink's errors; -EBADMSG */
static int check_range(struct fb_fetch *f)
{
	const struct fb_http_reply *reply = &f->call.reply;
	struct fb_content_range cr;
	int r;

	if (reply->status == 200) {
		if (f->offset == 0)
			return 0;
		fb_log(f->reg->log, FB_LOG_INFO,
		       "%s: the registry ignores Range", f->what);
		f->offset = 0;
		r = f->ops->reset(f->ctx, &f->err);
		f->fatal = r < 0;
		return r;
	}
	if (fb_content_range_parse(reply->content_range, &cr) == 0 &&
	    cr.first == f->offset &&
	    (cr.total_bytes == UINT64_MAX || f->size_bytes == UINT64_MAX ||
	     cr.total_bytes == f->size_bytes))
		return 0;
	(void)fb_err_set(&f->err, -EBADMSG,
			 "'%s' answers with a wrong range: '%s'",
			 f->origin.host, reply->content_range);
	f->no_range = f->restart = true;
	return -EAGAIN;
}

static int begin_body(struct fb_fetch *f)
{
	const struct fb_http_reply *reply = &f->call.reply;
	int r;

	f->begun = true;
	if (reply->status != 200 && reply->status != 206)
		return fb_err_set(&f->err, -EBADMSG,
				  "'%s' answers with HTTP status %d",
				  f->origin.host, reply->status);
	r = check_range(f);
	if (r < 0)
		return r;
	if (f->plain && reply->content_encoding[0] &&
	    strcasecmp(reply->content_encoding, "identity") != 0)
		return fb_err_set(&f->err, -EBADMSG,
				  "'%s' sends it with Content-Encoding '%s', "
				  "which was not asked for",
				  f->origin.host, reply->content_encoding);
	if (reply->content_length == UINT64_MAX)
		return 0;
	if (f->size_bytes != UINT64_MAX &&
	    reply->content_length != f->size_bytes - f->offset)
		return fb_err_set(
			&f->err, -EBADMSG,
			"'%s' has %llu bytes of it, but %llu were "
			"announced",
			f->origin.host,
			(unsigned long long)(f->offset + reply->content_length),
			(unsigned long long)f->size_bytes);
	if (reply->content_length > f->limit_bytes - f->offset)
		return fb_err_set(&f->err, -EFBIG,
				  "it has %llu bytes, over the limit of %llu",
				  (unsigned long long)reply->content_length,
				  (unsigned long long)f->limit_bytes);
	return 0;
}

int fb_fetch_accept_body(void *ctx, const void *data, size_t len)
{
	struct fb_fetch *f = ctx;
	int r;

	if (f->method) {
		f->ignored += len;
		return f->ignored <= IGNORED_MAX
			       ? 0
			       : fb_err_set(&f->err, -EFBIG,
					    "'%s' answers with more than "
					    "1 MiB",
					    f->origin.host);
	}
	r = f->begun ? 0 : begin_body(f);

	if (r < 0)
		return r;
	if (len > f->limit_bytes - f->offset)
		return fb_err_set(
			&f->err,
			f->size_bytes == UINT64_MAX ? -EFBIG : -EBADMSG,
			"'%s' sends more than %s%llu bytes", f->origin.host,
			f->size_bytes == UINT64_MAX ? "" : "the announced ",
			(unsigned long long)f->limit_bytes);
	r = f->ops->write(f->ctx, data, len, &f->err);
	f->fatal = r < 0;
	if (r == 0)
		f->offset += len;
	return r;
}

static void finish(struct fb_fetch *f)
{
	int r = f->begun ? 0 : begin_body(f);

	if (r == 0 && f->size_bytes != UINT64_MAX &&
	    f->offset < f->size_bytes) {
		(void)fb_err_set(&f->err, -EIO, "'%s' broke off at byte %llu",
				 f->origin.host, (unsigned long long)f->offset);
		retry(f, "");
		return;
	}
	if (r == 0)
		r = f->ops->finish(f->ctx, &f->call.reply, &f->err);
	if (r == -EBADMSG && !f->repeated && f->begun && !f->restart) {
		f->repeated = f->no_range = true;
		retry(f, "");
	} else if (f->restart) {
		retry(f, "");
	} else if (r < 0) {
		f->fatal |= r != -EBADMSG;
		fb_fetch_fail(f, r);
	} else {
		f->result = 0;
		f->state = FB_FETCH_DONE;
	}
}

/* One step of a change was answered */
static void stepped(struct fb_fetch *f)
{
	int r = f->ops->finish(f->ctx, &f->call.reply, &f->err);

	from_the_start(f);
	if (r < 0) {
		f->fatal = true;
		fb_fetch_fail(f, r);
	} else if (r > 0) {
		f->asked = false;
		f->state = FB_FETCH_READY;
	} else {
		f->result = 0;
		f->state = FB_FETCH_DONE;
	}
}

static bool is_redirect(const struct fb_fetch *f, int status)
{
	/* the others turn what is sent into a question */
	if (f->body)
		return status == 307 || status == 308;
	return status == 301 || status == 302 || status == 303 ||
	       status == 307 || status == 308;
}

static void redirect(struct fb_fetch *f)
{
	struct fb_origin target;
	const char *location = f->call.reply.location;
	int r = 0;

	if (++f->redirects > REDIRECTS_MAX)
		r = fb_err_set(&f->err, -ELOOP, "'%s': more than %u redirects",
			       endpoint_of(f)->name, REDIRECTS_MAX);
	else if (!location || fb_origin_parse(location, &target, NULL) < 0)
		r = fb_err_set(&f->err, -EBADMSG,
			       "'%s' redirects to no usable URL",
			       f->origin.host);
	else if (f->origin.https && !target.https)
		r = fb_err_set(&f->err, -EACCES,
			       "'%s' redirects to '%s' without encryption: "
			       "refused",
			       f->origin.host, target.host);
	if (r < 0) {
		fb_fetch_fail(f, r);
		return;
	}
	free(f->url);
	f->url = f->call.reply.location;
	f->call.reply.location = NULL;
	f->state = FB_FETCH_READY;
}

static void refuse(struct fb_fetch *f)
{
	const struct fb_http_reply *reply = &f->call.reply;
	struct fb_endpoint *ep = endpoint_of(f);
	struct fb_refusal refusal;
	char text[300];
	int r = -EIO;

	fb_refusal_parse(fb_str_cstr(&reply->body), reply->body.len, &refusal);
	(void)fb_refusal_text(&refusal, text);
	switch (reply->status) {
	case 401:
	case 403:
		r = fb_err_set(&f->err, -EACCES,
			       f->repository[0]
				       ? "'%s' refuses access to '%s'%s"
				       : "'%s' refuses the log-in%s%s",
			       ep->name, f->repository, text);
		r = fb_auth_hint(&f->err, r, ep->name);
		break;
	case 404:
		r = strcmp(refusal.code, "NAME_UNKNOWN") == 0
			    ? fb_err_set(&f->err, -ENOENT,
					 "'%s' has no repository '%s'",
					 ep->name, f->repository)
			    : fb_err_set(&f->err, -ENOENT,
					 "'%s' has no %s of '%s'%s", ep->name,
					 f->what, f->repository, text);
		break;
	case 429:
		r = fb_err_set(&f->err, -EBUSY, "'%s': too many requests%s",
			       ep->name, text);
		r = fb_err_hint(&f->err, r,
				"try again later; a log-in often has a higher "
				"limit");
		break;
	default:
		r = fb_err_set(&f->err, -EIO,
			       "'%s' answers with HTTP status %d%s",
			       f->origin.host, reply->status, text);
	}
}

static void unauthorized(struct fb_fetch *f)
{
	struct fb_endpoint *ep = endpoint_of(f);
	struct fb_auth_peer peer = { .name = ep->name,
				     .origin = &ep->origin,
				     .insecure = ep->insecure };
	int r;

	from_the_start(f);
	/* another fetch has a newer log-in by now */
	if (f->generation != ep->auth.generation) {
		f->state = FB_FETCH_READY;
		return;
	}
	if (f->asked || f->call.reply.challenges.len == 0) {
		refuse(f);
		fb_fetch_fail(f, f->err.code);
		return;
	}
	f->asked = true;
	if (ep->auth.running) {
		f->state = FB_FETCH_AUTH;
		return;
	}
	r = fb_auth_challenged(&ep->auth, &f->reg->auth, &peer,
			       fb_str_cstr(&f->call.reply.challenges), &f->err);
	if (r < 0)
		fb_fetch_fail(f, r);
	else
		f->state = r == 0 ? FB_FETCH_READY : FB_FETCH_AUTH;
}

static void replied(struct fb_fetch *f)
{
	const struct fb_http_reply *reply = &f->call.reply;
	int status = reply->status;

	if (f->method &&
	    (status / 100 == 2 || f->ops->accepts(f->ctx, status))) {
		stepped(f);
	} else if (status / 100 == 2) {
		finish(f);
	} else if (is_redirect(f, status)) {
		redirect(f);
	} else if (status == 401 && at_endpoint(f)) {
		unauthorized(f);
	} else if (status == 416 && f->offset > 0) {
		refuse(f);
		f->no_range = true;
		retry(f, "");
	} else if (fb_retry_status(status) ||
		   ((status == 401 || status == 403) && !at_endpoint(f))) {
		refuse(f);
		retry(f, reply->retry_after);
	} else {
		refuse(f);
		fb_fetch_fail(f, f->err.code);
	}
}

void fb_fetch_ended(struct fb_fetch *f)
{
	if (f->call.reply.status && at_endpoint(f))
		endpoint_of(f)->answered = true;
	switch (f->call.outcome) {
	case FB_HTTP_REPLIED:
		replied(f);
		break;
	case FB_HTTP_STOPPED:
		if (f->restart)
			retry(f, "");
		else
			fb_fetch_fail(f, f->err.code);
		break;
	case FB_HTTP_BROKEN:
		f->err = f->call.err;
		/* of a place that has never answered, twice is enough */
		if (f->retry.failures > 0 && !endpoint_of(f)->answered &&
		    next_may_help(f))
			fb_fetch_fail(f, f->err.code);
		else
			retry(f, "");
		break;
	case FB_HTTP_NO_HOST:
	case FB_HTTP_NO_PEER:
	case FB_HTTP_NO_TLS:
		f->err = f->call.err;
		/* it was there before: it may come back */
		if (endpoint_of(f)->answered)
			retry(f, "");
		else
			fb_fetch_fail(f, f->err.code);
		break;
	case FB_HTTP_UNTRUSTED:
	case FB_HTTP_BAD:
	case FB_HTTP_RUNNING:
	default:
		f->err = f->call.err;
		fb_fetch_fail(f, f->err.code);
		break;
	}
}
